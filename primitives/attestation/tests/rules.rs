//! Every rule has a case.

use phala_attestation::{Error, Rule};
use std::{fs, path::Path};
use strum::IntoEnumIterator;

/// Each variant of [`Error`] is asserted by name in a test of this crate, or belongs to its users.
#[test]
fn every_rule_is_asserted() {
	// A registry looks collateral up; this crate is given it.
	let of_users = [Rule::CollateralMissing];
	let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
	let sources: String = fs::read_dir(folder)
		.expect("a folder")
		.map(|entry| entry.expect("an entry").path())
		.filter(|path| path.is_file() && !path.ends_with("rules.rs"))
		.map(|path| fs::read_to_string(path).expect("text"))
		.collect();
	let named = |rule: &Rule| {
		["Error", "Rule"].iter().any(|of| {
			let text = format!("{of}::{}", rule.name());
			let mut found = sources.match_indices(&text);
			found.any(|(at, _)| !sources[at + text.len()..].starts_with(char::is_alphanumeric))
		})
	};
	let missing: Vec<_> =
		Rule::iter().filter(|rule| !of_users.contains(rule) && !named(rule)).collect();
	assert!(missing.is_empty(), "{missing:?}");
}

/// The text of each error is one line without a full stop.
#[test]
fn texts_are_plain() {
	let error = Error::CollateralMissing {
		item: phala_attestation::Item::TcbInfo,
		tee: phala_attestation::Tee::Tdx,
		fmspc: phala_attestation::Fmspc([0xB0, 0xC0, 0x6F, 0, 0, 0]),
		ca: phala_attestation::PckCaKind::Platform,
	};
	assert_eq!(
		error.to_string(),
		"no TCB info is stored for TDX platforms with FMSPC B0C06F000000 under the PCK Platform CA: \
		 submit it first"
	);
	assert_eq!(error.rule().name(), "CollateralMissing");
}
