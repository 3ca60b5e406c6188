//! Real quotes with real collateral, against the oracle.

mod common;

use common::{oracle, oracle_package, sample, samples, verdict, verify};
use phala_attestation::{Error, Item, Quote, Tee, TrustRoot, quote::Version};

#[test]
fn intel_root_is_the_published_one() {
	let der = std::fs::read(oracle_package().join("src/TrustedRootCA.der")).expect("it is there");
	assert_eq!(TrustRoot::from_der(&der), Ok(TrustRoot::INTEL));
}

#[test]
fn verdicts_are_those_of_the_oracle() {
	let expected = [
		("ConfigurationAndSWHardeningNeeded", vec!["INTEL-SA-00289", "INTEL-SA-00615"]),
		("UpToDate", vec![]),
		("", vec![]),
		("UpToDate", vec![]),
	];
	for (sample, (status, advisories)) in samples().iter().zip(expected) {
		let ours = verify(&sample.quote, &sample.collateral, &TrustRoot::INTEL, sample.now);
		let theirs = oracle(&sample.quote, &sample.collateral, None, sample.now);
		if status.is_empty() {
			assert_eq!(ours, Err(Error::NoMatchingTcbLevel), "{}", sample.name);
			let reason = theirs.expect_err(sample.name);
			assert!(reason.contains("No matching TCB level found"), "{reason}");
		} else {
			let ours = verdict(&ours.expect(sample.name));
			assert_eq!(ours, (status.into(), advisories.iter().map(|id| id.to_string()).collect()));
			assert_eq!(Ok(ours), theirs, "{}", sample.name);
		}
	}
}

#[test]
fn windows_are_those_of_the_oracle() {
	let cases = [
		("sgx_quote", 1_750_330_571, 1_752_919_278),
		("tdx_quote", 1_750_329_147, 1_752_919_234),
		("tdx_quote_outdated", 1_771_412_331, 1_774_003_274),
		("tdx_quote_td15ex", 1_791_419_306, 1_794_008_711),
	];
	for (name, first, last) in cases {
		let sample = sample(name);
		for (now, inside) in [(first - 1, false), (first, true), (last, true), (last + 1, false)] {
			let ours = verify(&sample.quote, &sample.collateral, &TrustRoot::INTEL, now);
			let theirs = oracle(&sample.quote, &sample.collateral, None, now);
			// The oracle does not look at the date of a list.
			if !matches!(ours, Err(Error::CollateralNotYetValid { item: Item::PckCrl, .. })) {
				assert_eq!(ours.is_ok(), theirs.is_ok(), "{name} at {now}: {ours:?}, {theirs:?}");
			}
			assert_eq!(
				ours.is_ok() || ours == Err(Error::NoMatchingTcbLevel),
				inside,
				"{name} {now}"
			);
			if let Ok(verified) = ours {
				assert_eq!(verified.appraised.valid_until, last, "{name}");
			}
		}
	}
}

#[test]
fn margin_is_an_error_of_its_own() {
	let sample = sample("tdx_quote");
	let now = sample.now;
	let items = sample.collateral.verify(&TrustRoot::INTEL, now).expect("in its time");
	let quote = Quote::parse(&sample.quote).expect("a quote");
	let verify = |margin| {
		let collateral = items.collateral(&TrustRoot::INTEL);
		phala_attestation::verify_quote(&quote, &collateral, now, margin)
	};
	let last = verify(0).expect("in its time").appraised.valid_until;
	assert!(verify(last - now).is_ok());
	let refused = verify(last - now + 1).expect_err("past the margin");
	let Error::CollateralExpiresSoon { item, fmspc, next_update } = refused else {
		panic!("{refused}");
	};
	assert_eq!(item, Item::PckCrl);
	assert_eq!(fmspc, Some(quote.pck.fmspc));
	assert_eq!(next_update, last + 1);
	assert!(refused.to_string().contains("B0C06F000000"), "{refused}");
}

/// Certificates have to count for the margin too: here they end before the lists do.
#[test]
fn margin_covers_certificates() {
	use phala_attestation::types::CertificateKind as Kind;
	use phala_dev_pki::{QuoteKind, valid_case};
	let case = valid_case(QuoteKind::TdxV4, 1);
	let root = TrustRoot::from_der(&case.root_der).expect("a root");
	let items = common::bundle(&case.collateral).verify(&root, case.now).expect("valid");
	let quote = Quote::parse(&case.quote).expect("a quote");
	let verified = |root: &TrustRoot, margin| {
		phala_attestation::verify_quote(&quote, &items.collateral(root), case.now, margin)
	};
	let hour = 60 * 60;
	assert!(verified(&root, hour).is_ok());
	// A root that ends in half an hour.
	let ending = TrustRoot { not_after: case.now + hour / 2, ..root };
	assert!(verified(&ending, hour / 2).is_ok());
	assert_eq!(
		verified(&ending, hour).err(),
		Some(Error::CertificateExpiresSoon { kind: Kind::Root, not_after: ending.not_after })
	);
	assert_eq!(verified(&ending, 0).expect("valid").appraised.valid_until, ending.not_after);
	// A PCK certificate that does.
	let mut platform = phala_dev_pki::Platform::development(1);
	let not_after = case.now + hour / 2;
	let validity = phala_dev_pki::Validity { not_before: case.now - hour, not_after };
	platform.pck_validity = Some(validity);
	let enclave = phala_dev_pki::Pki::development().quoting_enclave(&platform).expect("encodable");
	let bytes = enclave.quote(&phala_dev_pki::QuoteRequest::new(QuoteKind::TdxV4, [1; 64]));
	let quote = Quote::parse(&bytes).expect("a quote");
	let verified = |margin| {
		phala_attestation::verify_quote(&quote, &items.collateral(&root), case.now, margin)
	};
	assert!(verified(hour / 2).is_ok());
	assert_eq!(
		verified(hour).err(),
		Some(Error::CertificateExpiresSoon { kind: Kind::Pck, not_after })
	);
}

#[test]
fn fields_of_real_quotes() {
	let expected = [
		(Tee::Sgx, Version::SgxV3, "00A067110000"),
		(Tee::Tdx, Version::TdxV4, "B0C06F000000"),
		(Tee::Tdx, Version::TdxV5, "90C06F000000"),
		(Tee::Tdx, Version::TdxV5, "B0C06F000000"),
	];
	let mut measurements = std::collections::BTreeSet::new();
	for (sample, (tee, version, fmspc)) in samples().iter().zip(expected) {
		let quote = Quote::parse(&sample.quote).expect(sample.name);
		assert_eq!((quote.tee(), quote.header.version), (tee, version), "{}", sample.name);
		assert_eq!(quote.pck.fmspc.to_string(), fmspc, "{}", sample.name);
		measurements.insert(quote.measurement());
	}
	assert_eq!(measurements.len(), 4);
}

#[test]
fn quotes_without_collateral_parse() {
	for name in ["tdx-quote.hex", "quote-from-tappd.hex"] {
		let text = std::fs::read_to_string(oracle_package().join("sample").join(name));
		let text = text.expect("the package ships it");
		let text = text.trim();
		let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).expect("hexadecimal");
		let quote = Quote::parse(&bytes).expect(name);
		assert_eq!(quote.tee(), Tee::Tdx);
		// It comes with 70 bytes of padding.
		let end = bytes.len() - 70;
		assert_eq!(Quote::parse(&bytes[..end]).expect(name).measurement(), quote.measurement());
		let mut padded = bytes.clone();
		*padded.last_mut().expect("not empty") = 1;
		assert_eq!(Quote::parse(&padded).err(), Some(Error::QuoteTrailingBytes));
	}
}

/// What the grace rests on: with a new number Intel dates the best levels anew, and leaves those that
/// are out of date as they were.
#[test]
fn intel_leaves_the_dates_of_levels_that_are_out_of_date() {
	use std::collections::BTreeMap;
	let levels = |name: &str| {
		let info: serde_json::Value =
			serde_json::from_str(&sample(name).collateral.tcb_info).expect("JSON");
		let levels = info["tcbLevels"].as_array().expect("a list").clone();
		let of = |level: &serde_json::Value| {
			let text = |field: &str| level[field].as_str().expect("text").to_owned();
			(level["tcb"].to_string(), (text("tcbStatus"), text("tcbDate")))
		};
		let newest = of(&levels[0]).1.1;
		(levels.iter().map(of).collect::<BTreeMap<_, _>>(), newest)
	};
	// One FMSPC, evaluation numbers 17 and 20.
	let ((before, first), (after, second)) = (levels("tdx_quote"), levels("tdx_quote_td15ex"));
	assert!(first < second);
	let mut kept = 0;
	for (tcb, (status, date)) in &before {
		if status == "OutOfDate" {
			assert_eq!(after.get(tcb), Some(&(status.clone(), date.clone())), "{tcb}");
			kept += 1;
		} else {
			// Up to date with 17, and dated so; now of an older date than the best.
			assert_eq!(after.get(tcb), Some(&("OutOfDate".into(), date.clone())), "{tcb}");
		}
	}
	assert!(kept > 0);
}
