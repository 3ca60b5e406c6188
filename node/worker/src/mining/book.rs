//! The answers that were signed, on disk before they are published.
//!
//! For one challenge there is one answer. A program that was killed finds it and publishes the same
//! again, instead of computing and signing a second one. The last [`KEPT`] are kept, for each fork that
//! asked; a challenge can be answered for some minutes, and each answer takes a run of the kernel, so
//! the oldest is long past when it is dropped.

use super::plan::Challenge;
use codec::{Decode, Encode};
use phala_node_common::files::{self, FileError};
use phala_primitives::{ChainId, HeartbeatStatement, Statement, WorkerSignature};
use sp_core::{Pair, sr25519};
use std::path::{Path, PathBuf};

/// Answers that are kept.
const KEPT: usize = 64;
const MAGIC: &[u8] = b"phala-worker answers 1\n";

/// An answer to a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
	/// What is stated.
	pub statement: HeartbeatStatement,
	/// The worker's signature.
	pub signature: WorkerSignature,
}

impl Answer {
	/// That the kernel did so many iterations since the challenge.
	pub fn sign(
		chain: &ChainId,
		key: &sr25519::Pair,
		challenge: Challenge,
		iterations: u64,
	) -> Self {
		let Challenge { session, block } = challenge;
		let worker = key.public();
		let statement = HeartbeatStatement { worker, session, challenge: block, iterations };
		let signature = statement.sign(chain, key);
		Self { statement, signature }
	}

	/// What it answers.
	pub fn challenge(&self) -> Challenge {
		Challenge { session: self.statement.session, block: self.statement.challenge }
	}
}

/// Why an answer is not noted or not known.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
	/// The disk.
	#[error(transparent)]
	File(#[from] FileError),
	/// What is in the file is of no known form. To go on without it could mean to answer twice.
	#[error(
		"{} is damaged, or of a newer version: use that version, or move the file away an hour after \
		 the program was stopped", .0.display()
	)]
	Unreadable(PathBuf),
	/// The challenge has another answer already.
	#[error("block {} has been answered otherwise: nothing more is signed for it", .0.block.number)]
	Answered(Challenge),
}

/// The answers on disk.
#[derive(Clone, Debug)]
pub struct Book(PathBuf);

impl Book {
	/// In this folder.
	pub fn new(folder: &Path) -> Self {
		Self(folder.join("answers"))
	}

	fn read(&self) -> Result<Vec<Answer>, BookError> {
		let Some(content) = files::read(&self.0)? else { return Ok(vec![]) };
		content
			.strip_prefix(MAGIC)
			.and_then(|mut answers| Vec::decode(&mut answers).ok())
			.ok_or_else(|| BookError::Unreadable(self.0.clone()))
	}

	/// The answer to a challenge, if one was signed.
	pub fn find(&self, challenge: &Challenge) -> Result<Option<Answer>, BookError> {
		Ok(self.read()?.into_iter().find(|answer| answer.challenge() == *challenge))
	}

	/// Notes an answer, durably. A second, different one to the same challenge is refused.
	pub fn add(&self, answer: &Answer) -> Result<(), BookError> {
		let mut answers = self.read()?;
		let challenge = answer.challenge();
		if let Some(known) = answers.iter().find(|known| known.challenge() == challenge) {
			return if known == answer { Ok(()) } else { Err(BookError::Answered(challenge)) };
		}
		let surplus = answers.len().saturating_add(1).saturating_sub(KEPT);
		answers.drain(..surplus);
		answers.push(answer.clone());
		Ok(files::write(&self.0, &[MAGIC, &answers.encode()].concat())?)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use phala_primitives::BlockRef;
	use sp_core::H256;

	fn answer(number: u32, fork: u8, iterations: u64) -> Answer {
		let chain = ChainId { genesis: H256::zero(), para_id: 1 };
		let key = sr25519::Pair::from_seed(&[1; 32]);
		let block = BlockRef { number, hash: H256::repeat_byte(fork) };
		Answer::sign(&chain, &key, Challenge { session: 3, block }, iterations)
	}

	#[test]
	fn each_fork_has_its_answer_and_no_second_one() {
		let folder = tempfile::tempdir().unwrap();
		let book = Book::new(folder.path());
		let (one, fork) = (answer(7, 1, 100), answer(7, 2, 90));
		assert_eq!(book.find(&one.challenge()).unwrap(), None);
		book.add(&one).unwrap();
		book.add(&fork).unwrap();
		// Another process finds them.
		let book = Book::new(folder.path());
		assert_eq!(book.find(&one.challenge()).unwrap(), Some(one.clone()));
		assert_eq!(book.find(&fork.challenge()).unwrap(), Some(fork));
		// The same again is no other. Signatures are random, so the one on disk is what counts.
		book.add(&one).unwrap();
		for other in [answer(7, 1, 101), answer(7, 1, 100)] {
			assert!(matches!(book.add(&other), Err(BookError::Answered(_))));
		}
		assert_eq!(book.find(&one.challenge()).unwrap(), Some(one));
	}

	#[test]
	fn the_oldest_make_room() {
		let folder = tempfile::tempdir().unwrap();
		let book = Book::new(folder.path());
		for number in 0..70 {
			book.add(&answer(number, 1, 1)).unwrap();
		}
		let known = |number| book.find(&answer(number, 1, 1).challenge()).unwrap().is_some();
		assert!(!known(5) && known(6) && known(69));
	}

	#[test]
	fn a_damaged_book_signs_nothing() {
		let folder = tempfile::tempdir().unwrap();
		let book = Book::new(folder.path());
		for content in [&b""[..], b"other", &[MAGIC, &[255; 9]].concat()] {
			files::write(&book.0, content).unwrap();
			let error = book.add(&answer(7, 1, 1)).unwrap_err();
			assert!(error.to_string().contains("move the file away"), "{error}");
			assert!(book.find(&answer(7, 1, 1).challenge()).is_err());
		}
	}
}
