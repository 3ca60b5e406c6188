//! Mutated bytes of real quotes and real collateral: accept or refuse, status and advisories as the
//! oracle, but for the differences that the crate's documentation lists.

mod common;

use common::{Sample, Verdict, oracle, samples, verdict, verify};
use phala_attestation::{Error, Quote, Rule, TrustRoot, collateral::Bundle, verify_quote};
use std::{
	collections::BTreeMap,
	sync::{
		Mutex,
		atomic::{AtomicUsize, Ordering},
	},
};

/// Where we refuse and the oracle accepts.
const STRICTER: &[Rule] = &[
	// Bytes behind the quote.
	Rule::QuoteTrailingBytes,
	// The type of the outer certification data.
	Rule::QeReportExpected,
	// Text between, around or inside of PEM armor.
	Rule::InvalidPem,
];

/// One bit flipped in one field.
struct Mutation<'a> {
	sample: &'a Sample,
	field: &'static str,
	at: usize,
	bit: u8,
}

type Outcome = Result<Verdict, String>;

/// Every byte up to `dense`, then every `step`-th.
fn positions(len: usize, dense: usize, step: usize) -> impl Iterator<Item = usize> {
	(0..len.min(dense)).chain((dense..len).step_by(step))
}

const FIELDS: [&str; 9] = [
	"root_ca_crl",
	"pck_crl",
	"tcb_info",
	"tcb_info_signature",
	"qe_identity",
	"qe_identity_signature",
	"pck_crl_issuer_chain",
	"tcb_info_issuer_chain",
	"qe_identity_issuer_chain",
];

/// The field's bytes with one bit flipped; `None` if a text field would no longer be UTF-8.
fn flip_field(bundle: &mut Bundle, field: &str, at: usize, bit: u8) -> Option<()> {
	fn text(text: &mut String, at: usize, bit: u8) -> Option<()> {
		let mut bytes = core::mem::take(text).into_bytes();
		bytes[at] ^= 1 << bit;
		*text = String::from_utf8(bytes).ok()?;
		Some(())
	}
	fn bytes(bytes: &mut [u8], at: usize, bit: u8) -> Option<()> {
		bytes[at] ^= 1 << bit;
		Some(())
	}
	match field {
		"root_ca_crl" => bytes(&mut bundle.root_ca_crl, at, bit),
		"pck_crl" => bytes(&mut bundle.pck_crl, at, bit),
		"tcb_info" => text(&mut bundle.tcb_info, at, bit),
		"tcb_info_signature" => bytes(&mut bundle.tcb_info_signature, at, bit),
		"qe_identity" => text(&mut bundle.qe_identity, at, bit),
		"qe_identity_signature" => bytes(&mut bundle.qe_identity_signature, at, bit),
		"pck_crl_issuer_chain" => text(&mut bundle.pck_crl_issuer_chain, at, bit),
		"tcb_info_issuer_chain" => text(&mut bundle.tcb_info_issuer_chain, at, bit),
		"qe_identity_issuer_chain" => text(&mut bundle.qe_identity_issuer_chain, at, bit),
		other => unreachable!("{other}"),
	}
}

fn field_len(bundle: &Bundle, field: &str) -> usize {
	match field {
		"root_ca_crl" => bundle.root_ca_crl.len(),
		"pck_crl" => bundle.pck_crl.len(),
		"tcb_info" => bundle.tcb_info.len(),
		"tcb_info_signature" => bundle.tcb_info_signature.len(),
		"qe_identity" => bundle.qe_identity.len(),
		"qe_identity_signature" => bundle.qe_identity_signature.len(),
		"pck_crl_issuer_chain" => bundle.pck_crl_issuer_chain.len(),
		"tcb_info_issuer_chain" => bundle.tcb_info_issuer_chain.len(),
		"qe_identity_issuer_chain" => bundle.qe_identity_issuer_chain.len(),
		other => unreachable!("{other}"),
	}
}

/// Which bit: another one at each place, the same in each run.
fn bit(at: usize) -> u8 {
	((at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 61) as u8
}

/// Runs the mutations on all processors and returns how often they disagreed, by our rule.
fn run(
	mutations: &[Mutation<'_>],
	check: impl Fn(&Mutation<'_>) -> Option<Rule> + Sync,
) -> BTreeMap<Rule, usize> {
	let (next, disagreements) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
	let threads = std::thread::available_parallelism().map_or(1, Into::into);
	std::thread::scope(|scope| {
		for _ in 0..threads {
			scope.spawn(|| {
				while let Some(mutation) = mutations.get(next.fetch_add(1, Ordering::Relaxed)) {
					if let Some(rule) = check(mutation) {
						*disagreements.lock().expect("no panic").entry(rule).or_default() += 1;
					}
				}
			});
		}
	});
	disagreements.into_inner().expect("no panic")
}

/// `None` if both agree, our rule if we are stricter as documented. Panics otherwise.
fn compare(mutation: &Mutation<'_>, ours: Result<Verdict, Error>, theirs: Outcome) -> Option<Rule> {
	let Mutation { sample, field, at, bit } = mutation;
	match (ours, theirs) {
		(Ok(ours), Ok(theirs)) if ours == theirs => None,
		(Err(_), Err(_)) => None,
		(Err(error), Ok(_)) if STRICTER.contains(&error.rule()) => Some(error.rule()),
		// The oracle does not read this chain: it takes the CA from the quote.
		(Err(error), Ok(_)) if *field == "pck_crl_issuer_chain" => Some(error.rule()),
		(ours, theirs) => {
			panic!("{} {field}[{at}] bit {bit}: {ours:?}, the oracle: {theirs:?}", sample.name)
		}
	}
}

#[test]
fn flipped_bits_of_quotes() {
	let samples = samples();
	let items: Vec<_> = samples
		.iter()
		.map(|sample| sample.collateral.verify(&TrustRoot::INTEL, sample.now).expect("real"))
		.collect();
	let mut mutations = Vec::new();
	for sample in samples.iter().filter(|sample| sample.name != "tdx_quote_outdated") {
		let chain = sample.quote.windows(5).position(|window| window == b"-----").expect("PEM");
		for at in positions(sample.quote.len(), chain + 40, 6) {
			mutations.push(Mutation { sample, field: "quote", at, bit: bit(at) });
		}
	}
	assert!(mutations.len() > 5_000, "{}", mutations.len());
	let disagreements = run(&mutations, |mutation| {
		let sample = mutation.sample;
		let mut quote = sample.quote.clone();
		quote[mutation.at] ^= 1 << mutation.bit;
		let index = samples.iter().position(|other| other.name == sample.name).expect("of it");
		let ours = Quote::parse(&quote).and_then(|quote| {
			verify_quote(&quote, &items[index].collateral(&TrustRoot::INTEL), sample.now, 0)
		});
		let ours = ours.map(|verified| verdict(&verified));
		compare(mutation, ours, oracle(&quote, &sample.collateral, None, sample.now))
	});
	println!("{} mutations, stricter: {disagreements:?}", mutations.len());
	assert_eq!(disagreements.len(), STRICTER.len(), "the list has what does not occur");
}

#[test]
fn flipped_bits_of_collateral() {
	let samples = samples();
	let mut mutations = Vec::new();
	for sample in samples.iter().filter(|sample| sample.name != "tdx_quote_outdated") {
		for field in FIELDS {
			let len = field_len(&sample.collateral, field);
			for at in positions(len, 0, len.div_ceil(90)) {
				mutations.push(Mutation { sample, field, at, bit: bit(at) % 7 });
			}
		}
	}
	assert!(mutations.len() > 1_500, "{}", mutations.len());
	let disagreements = run(&mutations, |mutation| {
		let sample = mutation.sample;
		let mut collateral = sample.collateral.clone();
		flip_field(&mut collateral, mutation.field, mutation.at, mutation.bit)?;
		let ours = verify(&sample.quote, &collateral, &TrustRoot::INTEL, sample.now);
		let ours = ours.map(|verified| verdict(&verified));
		compare(mutation, ours, oracle(&sample.quote, &collateral, None, sample.now))
	});
	println!("{} mutations, stricter: {disagreements:?}", mutations.len());
}
