//! Files that are whole or absent, whenever the power fails, and a lock on a folder.

use rand::{RngCore, rngs::OsRng};
use rustix::fs::{FlockOperation, flock};
use std::{
	fs::{self, File, OpenOptions},
	io::{self, Read, Write},
	os::unix::fs::{DirBuilderExt, OpenOptionsExt},
	path::{Path, PathBuf},
};

/// What is added to the name of a file while it is being written.
pub const UNFINISHED: &str = ".new";

/// Why something could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {cause}{}", path.display(), hint(cause))]
pub struct FileError {
	/// What was tried.
	pub action: &'static str,
	/// With which file.
	pub path: PathBuf,
	/// What the system said.
	pub cause: io::Error,
}

fn hint(cause: &io::Error) -> &'static str {
	match cause.kind() {
		io::ErrorKind::PermissionDenied => ": give the program's user access to it",
		io::ErrorKind::StorageFull => ": free space on its file system",
		io::ErrorKind::ReadOnlyFilesystem => ": choose a path on a writable file system",
		_ => "",
	}
}

/// Attaches what was tried to what the system said.
pub(crate) fn because(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
	move |cause| FileError { action, path: path.to_owned(), cause }
}

/// The content of a file, or `None` if there is no such file.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
	match fs::read(path) {
		Ok(content) => Ok(Some(content)),
		Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
		Err(cause) => Err(because("read", path)(cause)),
	}
}

/// Makes a folder that only its owner can enter, with its parents.
pub fn create_private_dir(path: &Path) -> Result<(), FileError> {
	fs::DirBuilder::new()
		.recursive(true)
		.mode(0o700)
		.create(path)
		.map_err(because("create the folder", path))
}

/// Replaces a file's content. After a crash at any point the file has the old or the new content in
/// full; after the return it has the new one even if the power fails. Only its owner can read it.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
	let new = beside(path, UNFINISHED);
	// What an earlier crash left may have other permissions.
	remove(&new)?;
	fill(&new, content)?;
	fs::rename(&new, path).map_err(because("replace", path))?;
	sync_dir(folder_of(path))
}

/// Makes a file, as [`write`] does, unless there is one, and tells whether it did. Of several processes
/// that do so at once one makes it, and all find it in full after the return.
pub fn create(path: &Path, content: &[u8]) -> Result<bool, FileError> {
	// No two processes write to the same one.
	let new = beside(path, &format!(".{:016x}{UNFINISHED}", OsRng.next_u64()));
	fill(&new, content)?;
	let linked = fs::hard_link(&new, path);
	remove(&new)?;
	match linked {
		Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
			Err(because("create", path)(cause))
		}
		linked => sync_dir(folder_of(path)).map(|()| linked.is_ok()),
	}
}

/// Makes a file that only its owner can read. Its content is on disk after the return.
fn fill(new: &Path, content: &[u8]) -> Result<(), FileError> {
	let mut file = OpenOptions::new()
		.write(true)
		.create_new(true)
		.mode(0o600)
		.open(new)
		.map_err(because("create", new))?;
	file.write_all(content).map_err(because("write", new))?;
	file.sync_all().map_err(because("write", new))
}

fn folder_of(path: &Path) -> &Path {
	let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
	folder.unwrap_or(Path::new("."))
}

/// The path with something added to the name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
	let mut name = path.file_name().unwrap_or_default().to_owned();
	name.push(suffix);
	folder_of(path).join(name)
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) -> Result<(), FileError> {
	match fs::remove_file(path) {
		Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
			Err(because("remove", path)(cause))
		}
		_ => Ok(()),
	}
}

/// Overwrites a file with zeros and removes it, if it is there; after the return that holds even if
/// the power fails. A disk may keep what was overwritten all the same (flash memory does, and so do
/// snapshots): what must stay secret is sealed besides.
pub fn erase(path: &Path) -> Result<(), FileError> {
	let mut file = match OpenOptions::new().write(true).open(path) {
		Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
		result => result.map_err(because("open", path))?,
	};
	let length = file.metadata().map_err(because("inspect", path))?.len();
	io::copy(&mut io::repeat(0).take(length), &mut file).map_err(because("overwrite", path))?;
	file.sync_all().map_err(because("overwrite", path))?;
	drop(file);
	remove(path)?;
	sync_dir(folder_of(path))
}

/// Names of the files in a folder, sorted; none if there is no such folder.
pub fn names(folder: &Path) -> Result<Vec<String>, FileError> {
	let entries = match fs::read_dir(folder) {
		Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
		result => result.map_err(because("list", folder))?,
	};
	let mut names = vec![];
	for entry in entries {
		let entry = entry.map_err(because("list", folder))?;
		// Files with other names are none of ours.
		names.extend(entry.file_name().into_string());
	}
	names.sort();
	Ok(names)
}

fn sync_dir(folder: &Path) -> Result<(), FileError> {
	let handle = File::open(folder).map_err(because("open", folder))?;
	handle.sync_all().map_err(because("write", folder))
}

/// Held while a program uses a folder.
#[derive(Debug)]
pub struct DirLock(#[expect(dead_code, reason = "the lock ends with the handle")] File);

/// Takes a folder for this process alone, so that no second one uses the same keys. The lock ends
/// with the process, however it ends.
pub fn lock_dir(folder: &Path) -> Result<DirLock, FileError> {
	let path = folder.join("lock");
	let file = OpenOptions::new()
		.write(true)
		.create(true)
		.truncate(false)
		.mode(0o600)
		.open(&path)
		.map_err(because("open", &path))?;
	match flock(&file, FlockOperation::NonBlockingLockExclusive) {
		Ok(()) => Ok(DirLock(file)),
		Err(rustix::io::Errno::WOULDBLOCK) => Err(because("lock", &path)(io::Error::new(
			io::ErrorKind::WouldBlock,
			"another process uses this folder; end it, or choose another folder",
		))),
		Err(errno) => Err(because("lock", &path)(errno.into())),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::fs::PermissionsExt;

	#[test]
	fn an_erased_file_is_overwritten_and_gone() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("file");
		write(&path, b"secret").unwrap();
		// A second name of the same file shows what is left of it.
		let other = folder.path().join("other");
		fs::hard_link(&path, &other).unwrap();
		assert_eq!(names(folder.path()).unwrap(), ["file", "other"]);
		erase(&path).unwrap();
		erase(&path).unwrap();
		assert_eq!(read(&path).unwrap(), None);
		assert_eq!(read(&other).unwrap().unwrap(), [0; 6]);
		assert_eq!(names(&folder.path().join("nowhere")).unwrap(), [""; 0]);
	}

	#[test]
	fn files_are_replaced_whole_and_private() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("file");
		assert_eq!(read(&path).unwrap(), None);
		write(&path, b"one").unwrap();
		// What a crash between creating and renaming leaves, readable by all.
		fs::write(folder.path().join("file.new"), b"tw").unwrap();
		assert_eq!(read(&path).unwrap().unwrap(), b"one");
		write(&path, b"two").unwrap();
		assert_eq!(read(&path).unwrap().unwrap(), b"two");
		assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
		remove(&path).unwrap();
		remove(&path).unwrap();
		assert_eq!(read(&path).unwrap(), None);
	}

	#[test]
	fn a_file_that_is_there_is_not_made_again() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("file");
		assert!(create(&path, b"one").unwrap());
		assert!(!create(&path, b"two").unwrap());
		assert_eq!(read(&path).unwrap().unwrap(), b"one");
		assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(names(folder.path()).unwrap(), ["file"]);
		create(&folder.path().join("none/file"), b"x").unwrap_err();
	}

	#[test]
	fn errors_name_the_file_and_what_was_tried() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("none/file");
		let error = write(&path, b"x").unwrap_err().to_string();
		assert!(error.contains("cannot create") && error.contains("none/file.new"), "{error}");
	}

	#[test]
	fn a_folder_has_one_user() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("a/b");
		create_private_dir(&path).unwrap();
		assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
		let lock = lock_dir(&path).unwrap();
		let error = lock_dir(&path).unwrap_err().to_string();
		assert!(error.contains("another process uses this folder"), "{error}");
		drop(lock);
		lock_dir(&path).unwrap();
	}
}
