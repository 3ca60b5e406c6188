//! Two programs with the same seed agree; two seeds, or two platforms, share nothing.

use phala_dev_pki::{
	CollateralOptions, DEVELOPMENT_SEED, NOW, Pki, Platform, QuoteKind, QuoteRequest, Validity,
	development_root_der, valid_case,
};

#[test]
fn the_embedded_root_is_the_derived_one() {
	assert_eq!(Pki::development().root_der().unwrap(), development_root_der());
	let pki = Pki::from_seed(DEVELOPMENT_SEED, Validity::DEVELOPMENT).unwrap();
	assert_eq!(pki.root_der().unwrap(), development_root_der());
}

#[test]
fn the_same_seed_issues_the_same() {
	for &kind in QuoteKind::ALL {
		assert_eq!(valid_case(kind, 5), valid_case(kind, 5));
		assert_ne!(valid_case(kind, 5).quote, valid_case(kind, 6).quote);
		assert_eq!(valid_case(kind, 5).collateral, valid_case(kind, 6).collateral);
	}
}

#[test]
fn seeds_and_platforms_share_no_keys() {
	let [pki, other] =
		[[1; 32], [2; 32]].map(|seed| Pki::from_seed(seed, Validity::DEVELOPMENT).unwrap());
	assert_ne!(pki.root_der().unwrap(), other.root_der().unwrap());
	let [one, two] = [1, 2].map(Platform::development);
	assert_ne!(one.ppid, two.ppid);
	assert_ne!(one.instance_id, two.instance_id);
	assert_eq!(one.fmspc, two.fmspc);
	assert_ne!(pki.pck_serial(&one), pki.pck_serial(&two));
	assert_ne!(pki.pck_serial(&one), other.pck_serial(&one));

	let request = QuoteRequest::new(QuoteKind::SgxV3, [0; 64]);
	let key = |pki: &Pki, platform| {
		let quote = pki.quoting_enclave(platform).unwrap().quote(&request);
		quote[48 + 384 + 4 + 64..][..64].to_vec()
	};
	assert_ne!(key(&pki, &one), key(&pki, &two));
	assert_ne!(key(&pki, &one), key(&other, &one));
	assert_eq!(key(&pki, &one), key(&pki.clone(), &one.clone()));
}

#[test]
fn programs_have_their_measurements() {
	let measured = |name| QuoteRequest::new(QuoteKind::SgxV3, [0; 64]).program(name);
	assert_eq!(measured("a"), measured("a"));
	let (a, b) = (measured("a"), measured("b"));
	assert_ne!(a.enclave.mr_enclave, b.enclave.mr_enclave);
	assert_ne!(a.domain.mr_td, b.domain.mr_td);
	assert_ne!(a.domain.rt_mr, b.domain.rt_mr);
	assert_eq!(a.clone().debug(true).debug(false), a);
	assert_ne!(a.clone().debug(true), a);
}

#[test]
fn dates_beyond_the_formats_are_errors() {
	let platform = Platform::development(0);
	let options = CollateralOptions::for_platform(&platform, QuoteKind::SgxV3.tee());
	let pki = Pki::development();
	let error = pki.issue_collateral(u64::MAX, &options).unwrap_err().to_string();
	assert!(error.contains("beyond the year 9999"), "{error}");
	assert!(pki.issue_collateral(0, &options).is_ok());
	let validity = Validity { not_before: 0, not_after: 1 << 40 };
	assert!(Pki::from_seed([0; 32], validity).is_err());
	assert!(pki.issue_collateral(NOW, &options).is_ok());
}
