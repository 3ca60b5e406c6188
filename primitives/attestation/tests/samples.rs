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
				assert_eq!(verified.valid_until, last, "{name}");
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
	let last = verify(0).expect("in its time").valid_until;
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
