//! The recorded material is what the development PKI issues.

#[path = "../../fixtures/generate.rs"]
mod generate;

use crate::fixtures;
use sp_core::{Pair, sr25519};

#[test]
fn files_are_what_the_generator_writes() {
	let generated = generate::all();
	assert_eq!(generated.len(), fixtures::ALL.len());
	for (name, bytes) in generated {
		let file = fixtures::ALL.iter().find(|(file, _)| *file == name);
		let (_, recorded) = file.unwrap_or_else(|| panic!("{name} is not used"));
		assert!(bytes == *recorded, "{name} changed: run the example `fixtures`");
	}
}

#[test]
fn worker_key_belongs_to_its_seed() {
	let pair = sr25519::Pair::from_string(fixtures::WORKER_SEED, None).expect("a sound path");
	assert_eq!(pair.public(), fixtures::worker());
}

#[test]
fn largest_documents_fill_their_steps() {
	for (step, (body, _)) in (1..).zip(fixtures::TCB_INFOS) {
		assert_eq!(body.len().div_ceil(8 * 1024), step);
	}
	for (step, crl) in (1..).zip(fixtures::PCK_CRLS) {
		assert_eq!(crl.len().div_ceil(4 * 1024), step);
	}
	assert!(fixtures::QUOTE.len() > 8 * 1024 - 16);
}
