//! Configuration in layers: flags over environment over file over defaults.
//!
//! A program describes its settings once, as a struct that serde can read, with defaults. Its flags
//! are a struct of options with the same names. Every flag `--rpc-url` can then also be given as
//! `rpc-url = …` in a TOML file and as `PREFIX_RPC_URL` in the environment.

use crate::files::{self, FileError};
use serde::{Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Declares flags and settings in one: `name: type of the flag => type of the setting = default`, each
/// with its documentation. Makes `Flags` (for clap; every flag is optional, `--config` names the file)
/// and `Settings` (for [`load`]).
#[macro_export]
macro_rules! settings {
	($($(#[$doc:meta])* $name:ident: $flag:ty => $setting:ty = $default:expr,)*) => {
		/// Flags. Those that are not given are taken from elsewhere.
		#[derive(clap::Args, Clone, Debug, Default, serde::Serialize)]
		#[serde(rename_all = "kebab-case")]
		pub struct Flags {
			/// TOML file with settings of the same names as the flags.
			#[arg(long, global = true, value_name = "FILE")]
			#[serde(skip)]
			pub config: Option<std::path::PathBuf>,
			$($(#[$doc])* #[arg(long, global = true)] pub $name: $flag,)*
		}

		/// All settings.
		#[derive(Clone, Debug, serde::Deserialize)]
		#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
		pub struct Settings {
			$($(#[$doc])* pub $name: $setting,)*
		}

		impl Default for Settings {
			fn default() -> Self {
				Self { $($name: $default,)* }
			}
		}
	};
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
	/// The file cannot be read.
	#[error(transparent)]
	File(#[from] FileError),
	/// The file that was named is not there.
	#[error("there is no configuration file {}: create it or correct --config", .0.display())]
	NoFile(PathBuf),
	/// The file is not TOML.
	#[error("{} is not valid TOML: {reason}", path.display())]
	Syntax {
		/// The file.
		path: PathBuf,
		/// Where and why.
		reason: String,
	},
	/// A setting that decides about secrets comes from where the host can write.
	#[error(
		"configuration: `{0}` decides about secrets, so it is taken from the command line only, 		 which an enclave's manifest fixes: give it as --{0}"
	)]
	FlagOnly(&'static str),
	/// A setting is unknown or has a value that cannot be.
	#[error("configuration: {0}")]
	Value(String),
}

/// Reads the settings `T`. Of each setting the first of these counts: `flags` (fields that are
/// `None` or empty count as not given), the variable `prefix_NAME` of `environment`, `file`, and the
/// default of `T`. Those named in `flag_only` are refused in environment and file.
pub fn load<T: DeserializeOwned>(
	flags: &impl Serialize,
	flag_only: &[&'static str],
	prefix: &str,
	environment: impl IntoIterator<Item = (String, String)>,
	file: Option<&Path>,
) -> Result<T, ConfigError> {
	let mut settings = file.map(read_file).transpose()?.unwrap_or_default();
	for (name, text) in environment {
		if let Some(key) = name.strip_prefix(prefix).and_then(|name| name.strip_prefix('_')) {
			settings.insert(key.to_lowercase().replace('_', "-"), from_text(&text));
		}
	}
	if let Some(key) = flag_only.iter().find(|key| settings.contains_key(**key)) {
		return Err(ConfigError::FlagOnly(key));
	}
	let flags = Table::try_from(flags).map_err(|error| ConfigError::Value(error.to_string()))?;
	// A flag that can be repeated is a list; one text elsewhere is a list of one.
	for (key, _) in flags.iter().filter(|(_, value)| value.is_array()) {
		if let Some(value) = settings.get_mut(key).filter(|value| value.is_str()) {
			*value = Value::Array(vec![value.clone()]);
		}
	}
	let given = flags.into_iter().filter(|(_, value)| *value != Value::Array(vec![]));
	settings.extend(given);
	settings.try_into().map_err(|error: toml::de::Error| ConfigError::Value(error.message().into()))
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
	let content = files::read(path)?.ok_or_else(|| ConfigError::NoFile(path.to_owned()))?;
	let syntax = |reason: String| ConfigError::Syntax { path: path.to_owned(), reason };
	let text = std::str::from_utf8(&content).map_err(|error| syntax(error.to_string()))?;
	text.parse().map_err(|error: toml::de::Error| syntax(error.to_string()))
}

/// Variables have no types: what reads as a TOML number, boolean or list is one, all else is text.
fn from_text(text: &str) -> Value {
	let parsed = format!("value = {text}").parse::<Table>().ok();
	match parsed.and_then(|mut table| table.remove("value")) {
		Some(value @ (Value::Integer(_) | Value::Boolean(_) | Value::Array(_))) => value,
		_ => Value::String(text.into()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde::Deserialize;

	#[derive(Serialize, Default)]
	#[serde(rename_all = "kebab-case")]
	struct Flags {
		rpc_url: Vec<String>,
		poll_seconds: Option<u64>,
		once: Option<bool>,
		secret: Option<String>,
	}

	#[derive(Deserialize, Debug, PartialEq)]
	#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
	struct Settings {
		rpc_url: Vec<String>,
		poll_seconds: u64,
		once: bool,
		name: String,
		secret: String,
	}

	impl Default for Settings {
		fn default() -> Self {
			Self {
				rpc_url: vec!["default".into()],
				poll_seconds: 1,
				once: false,
				name: "n".into(),
				secret: "s".into(),
			}
		}
	}

	fn settings(
		flags: Flags,
		environment: &[(&str, &str)],
		file: &str,
	) -> Result<Settings, String> {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("config.toml");
		std::fs::write(&path, file).unwrap();
		let environment =
			environment.iter().map(|(name, text)| (name.to_string(), text.to_string()));
		load(&flags, &["secret"], "PHALA", environment, Some(&path))
			.map_err(|error| error.to_string())
	}

	#[test]
	fn each_layer_covers_the_one_below() {
		assert_eq!(settings(Flags::default(), &[], ""), Ok(Settings::default()));
		let file = "rpc-url = ['file']\npoll-seconds = 2\nname = 'file'";
		let environment = [
			("PHALA_POLL_SECONDS", "3"),
			("PHALA_RPC_URL", "['a', 'b']"),
			("PHALA_NAME", "007"),
			("OTHER_ONCE", "true"),
		];
		let flags =
			Flags { poll_seconds: Some(4), secret: Some("flag".into()), ..Flags::default() };
		assert_eq!(
			settings(flags, &environment, file),
			Ok(Settings {
				rpc_url: vec!["a".into(), "b".into()],
				poll_seconds: 4,
				once: false,
				name: "007".into(),
				secret: "flag".into(),
			})
		);
	}

	#[test]
	fn one_text_is_a_list_of_one() {
		let urls = |environment: &[_], file| {
			settings(Flags::default(), environment, file).map(|settings| settings.rpc_url)
		};
		assert_eq!(urls(&[], "rpc-url = 'ws://a:1'"), Ok(vec!["ws://a:1".into()]));
		assert_eq!(urls(&[("PHALA_RPC_URL", "ws://a:1")], ""), Ok(vec!["ws://a:1".into()]));
		assert!(urls(&[], "rpc-url = 1").is_err());
		assert!(urls(&[("PHALA_POLL_SECONDS", "soon")], "").is_err());
	}

	#[test]
	fn mistakes_are_named() {
		let error =
			|environment: &[_], file| settings(Flags::default(), environment, file).unwrap_err();
		assert!(error(&[], "rpc-ulr = []").contains("rpc-ulr"));
		assert!(error(&[], "poll-seconds = 'soon'").contains("soon"));
		assert!(error(&[], "poll-seconds").contains("config.toml"));
		assert!(error(&[("PHALA_PIN", "1")], "").contains("`pin`"));
		assert!(error(&[], "secret = 'x'").contains("--secret"));
		assert!(error(&[("PHALA_SECRET", "x")], "").contains("--secret"));
		let none: Result<Settings, _> =
			load(&Flags::default(), &[], "PHALA", [], Some(Path::new("/nowhere/c.toml")));
		assert!(none.unwrap_err().to_string().contains("/nowhere/c.toml"));
	}
}
