//! The table "Differences to dcap-qvl" of the crate's documentation: each row with a mark.

mod common;

use common::{oracle_case, verify_case};
use phala_attestation::{Error, Item};
use phala_dev_pki::{
	Case, CollateralOptions, Mutation, Mutation::*, NOW, Pki, Platform, QuoteKind, QuoteRequest,
	TcbStatus, Variant,
};

/// The suite's cases that the oracle accepts, but for those that only a registry can see.
const STRICTER: &[Mutation] = &[
	// Sizes.
	OversizeQuote,
	OversizeTcbInfo,
	OversizeQeIdentity,
	OversizePckCrl,
	OversizeRootCaCrl,
	// Bytes behind.
	TrailingBytes,
	TrailingSignatureBytes,
	TrailingCertificationBytes,
	// Certification data.
	OuterCertificationType,
	CertificationType3WithChain,
	// Key usage.
	PckKeyUsage,
	PckCaKeyUsage,
	TcbSigningKeyUsage,
	// Subjects of certificates.
	PckSubject,
	TcbSigningSubject,
	// Revocation lists.
	RootCaCrlFromTheFuture,
	PckCrlFromTheFuture,
	RootCaCrlAuthority,
	PckCrlAuthority,
	RootCaCrlWithoutNumber,
	PckCrlWithoutNumber,
	// TCB info.
	PceIdMismatch,
	TcbInfoUnknownVersion,
	// Attributes.
	TdPks,
	TdKeyLocker,
	TdProvisioningAgent,
];

#[test]
fn of_the_negative_suite() {
	for &mutation in Mutation::ALL {
		if matches!(mutation, LowerEvaluationNumber | OlderIssueDate | LowerCrlNumber) {
			continue;
		}
		let case = phala_dev_pki::case(mutation, 3);
		assert!(verify_case(&case).is_err(), "{mutation}");
		let theirs = oracle_case(&case);
		assert_eq!(theirs.is_ok(), STRICTER.contains(&mutation), "{mutation}: {theirs:?}");
	}
}

#[test]
fn of_the_valid_cases() {
	for &variant in Variant::ALL {
		let case = variant.case_on(variant.kinds()[0], 3).expect("a kind of its own");
		assert!(verify_case(&case).is_ok(), "{variant}");
		let laxer = matches!(variant, Variant::LongAuthData | Variant::NoAuthData);
		assert_eq!(oracle_case(&case).is_err(), laxer, "{variant}");
	}
}

/// Where both accept, and we see a platform that is out of date.
#[test]
fn of_statuses() {
	// A TD that runs on less than it was launched on.
	let variant = Variant::TdCurrentOutOfDate;
	for &kind in variant.kinds() {
		let case = variant.case_on(kind, 3).expect("a kind of its own");
		let appraised = verify_case(&case).expect("valid").appraised;
		assert_eq!(appraised.status.to_string(), "OutOfDate");
		assert!(appraised.outdated_level.is_some());
		let (_, theirs) = oracle_case(&case).expect("valid");
		assert_eq!(theirs, Vec::<String>::new());
		let ours: Vec<_> = appraised.advisory_ids.iter().map(|id| id.as_str()).collect();
		assert_eq!(ours, ["INTEL-SA-01099"]);
		assert_eq!(oracle_case(&case).expect("valid").0, "UpToDate");
	}
	// A quoting enclave that lacks patches and settings.
	for (platform, ours) in [
		(TcbStatus::UpToDate, "OutOfDateConfigurationNeeded"),
		(TcbStatus::SWHardeningNeeded, "OutOfDateConfigurationNeeded"),
		(TcbStatus::ConfigurationNeeded, "OutOfDateConfigurationNeeded"),
		(TcbStatus::OutOfDate, "OutOfDate"),
	] {
		let mut options = options();
		options.tcb_info.tcb_levels[0].tcb_status = platform;
		options.qe_identity.tcb_levels[0].tcb_status = TcbStatus::OutOfDateConfigurationNeeded;
		let case = case_with(&options);
		assert_eq!(verify_case(&case).expect("valid").appraised.status.to_string(), ours);
		assert_eq!(oracle_case(&case).expect("valid").0, platform.to_string());
	}
}

fn options() -> CollateralOptions {
	CollateralOptions::for_platform(&Platform::development(3), QuoteKind::TdxV4.tee())
}

fn case_with(options: &CollateralOptions) -> Case {
	let pki = Pki::development();
	let enclave = pki.quoting_enclave(&Platform::development(3)).expect("a platform");
	Case {
		quote: enclave.quote(&QuoteRequest::new(QuoteKind::TdxV4, [1; 64])),
		collateral: pki.issue_collateral(NOW, options).expect("options"),
		root_der: pki.root_der().expect("a root"),
		now: NOW,
		stored: None,
	}
}

/// What a document says where the oracle does not look.
#[test]
fn of_documents() {
	let case = |edit: fn(&mut CollateralOptions)| {
		let mut options = options();
		edit(&mut options);
		case_with(&options)
	};
	let cases: [(fn(&mut CollateralOptions), _); 6] = [
		(|options| options.tcb_info.tcb_type = 1, Error::CollateralUnsupported(Item::TcbInfo)),
		(
			|options| {
				let last = options.tcb_info.tcb_levels.last_mut().expect("several");
				last.tcb_status = TcbStatus::TDRelaunchAdvised;
			},
			Error::UnknownTcbStatus(Item::TcbInfo),
		),
		(
			|options| {
				let last = options.qe_identity.tcb_levels.last_mut().expect("several");
				last.tcb_status = TcbStatus::SWHardeningNeeded;
			},
			Error::UnknownTcbStatus(Item::QeIdentity),
		),
		(
			|options| {
				let last = options.tcb_info.tcb_levels.last_mut().expect("several");
				last.tcb.sgx_components.pop();
			},
			Error::TcbComponentCount,
		),
		(
			|options| {
				let levels = &mut options.tcb_info.tcb_levels;
				let mut level = levels[0].clone();
				let tcb = &mut level.tcb;
				for component in
					tcb.sgx_components.iter_mut().chain(tcb.tdx_components.iter_mut().flatten())
				{
					(component.category, component.kind) = (None, None);
				}
				levels.resize(65, level);
			},
			Error::CollateralTooManyEntries(Item::TcbInfo),
		),
		(
			|options| {
				let ids = (0..129).map(|number| format!("INTEL-SA-{number:05}"));
				options.tcb_info.tcb_levels.last_mut().expect("several").advisory_ids.extend(ids);
			},
			Error::CollateralTooManyEntries(Item::TcbInfo),
		),
	];
	for (edit, error) in cases {
		let case = case(edit);
		assert_eq!(verify_case(&case).map(|_| ()), Err(error));
		assert!(oracle_case(&case).is_ok(), "{error}");
	}
}
