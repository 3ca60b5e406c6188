//! Material that fills every limit is accepted; what is stored of it stays small.

mod common;

use codec::{Decode, Encode, MaxEncodedLen};
use common::{bundle, samples, verdict, verify_case};
use phala_attestation::{
	Crl, PckCa, QeIdentity, Quote, TcbInfo, TrustRoot,
	collateral::{MAX_CRL_LEN, MAX_JSON_LEN, MAX_LEVELS, MAX_QE_LEVELS, MAX_REVOKED},
	quote::MAX_QUOTE_LEN,
};
use phala_dev_pki::{Limits, QuoteKind, worst_case};

#[test]
fn the_worst_case_is_accepted() {
	let levels = MAX_LEVELS.min(MAX_QE_LEVELS) as usize;
	let limits = Limits { quote: MAX_QUOTE_LEN, crl: MAX_CRL_LEN, json: MAX_JSON_LEN, levels };
	for &kind in QuoteKind::ALL {
		let room =
			MAX_QUOTE_LEN - worst_case(kind, &limits, 0, 5, None).expect("encodable").quote.len();
		let case = worst_case(kind, &limits, room as u16, 5, None).expect("encodable");
		assert_eq!(case.quote.len(), MAX_QUOTE_LEN);
		assert!(case.collateral.pck_crl.len() > MAX_CRL_LEN - 50);
		let verified = verify_case(&case).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
		let (status, advisories) = verdict(&verified);
		assert_eq!((status.as_str(), advisories.len()), ("OutOfDate", 2), "{kind:?}");

		let root = TrustRoot::from_der(&case.root_der).expect("a root");
		let items = bundle(&case.collateral).verify(&root, case.now).expect("valid");
		let levels_of = |json: &str| json.matches("pcesvn").count();
		assert_eq!(levels_of(&case.collateral.tcb_info), levels);
		assert!(items.pck_crl.len() > 290 && items.pck_crl.len() <= MAX_REVOKED as usize);
		stored(&items.pck_crl);
		stored(&items.root_crl);
		stored(&items.tcb_info);
		stored(&items.qe_identity);
		stored(&items.pck_ca);
		stored(&verified.evidence);
		stored(&root);
	}
}

fn stored<T: Encode + Decode + MaxEncodedLen + PartialEq + core::fmt::Debug>(item: &T) {
	let bytes = item.encode();
	assert!(bytes.len() <= T::max_encoded_len());
	assert_eq!(T::decode(&mut &bytes[..]).as_ref(), Ok(item));
}

#[test]
fn bounds_of_the_stored_forms() {
	assert!(Crl::max_encoded_len() < 8_500, "{}", Crl::max_encoded_len());
	assert!(PckCa::max_encoded_len() < 300, "{}", PckCa::max_encoded_len());
	assert!(TcbInfo::max_encoded_len() < 13_000, "{}", TcbInfo::max_encoded_len());
	assert!(QeIdentity::max_encoded_len() < 5_500, "{}", QeIdentity::max_encoded_len());
}

/// Real collateral takes a fifth of its signed form; a quote fits with room into an extrinsic.
#[test]
fn real_collateral_is_stored_compactly() {
	for sample in samples() {
		let items = sample.collateral.verify(&TrustRoot::INTEL, sample.now).expect("real");
		let delivered = sample.collateral.tcb_info.len() + sample.collateral.qe_identity.len();
		let kept = items.tcb_info.encoded_size() + items.qe_identity.encoded_size();
		assert!(3 * kept < delivered, "{}: {kept} of {delivered}", sample.name);
		assert!(items.pck_crl.encoded_size() <= sample.collateral.pck_crl.len() / 2 + 100);
		assert!(Quote::parse(&sample.quote).is_ok() && sample.quote.len() < 6_000);
		println!(
			"{}: TCB info {} of {}, QE identity {} of {}, PCK CRL {} of {}",
			sample.name,
			items.tcb_info.encoded_size(),
			sample.collateral.tcb_info.len(),
			items.qe_identity.encoded_size(),
			sample.collateral.qe_identity.len(),
			items.pck_crl.encoded_size(),
			sample.collateral.pck_crl.len(),
		);
	}
}
