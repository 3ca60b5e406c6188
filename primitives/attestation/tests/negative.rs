//! The negative suite: every named case of the development PKI and the error it has to meet.

mod common;

use common::{bundle, oracle_case, verdict, verify_case};
use phala_attestation::{
	Error, Fmspc, Item, Quote, TrustRoot,
	collateral::{Bundle, Update},
	types::CertificateKind as Kind,
};
use phala_dev_pki::{Case, Mutation, Mutation::*, NOW, QuoteKind, Variant};

/// The error of each case.
fn expected(mutation: Mutation, case: &Case) -> Error {
	match mutation {
		// Format of the quote.
		EmptyQuote
		| TruncatedHeader
		| TruncatedBody
		| TruncatedSignature
		| SignatureLengthOverflow
		| CertificationLengthOverflow
		| WrapperLengthOverflow
		| AuthDataLengthOverflow => Error::QuoteTruncated,
		TrailingBytes | TrailingSignatureBytes | TrailingCertificationBytes => {
			Error::QuoteTrailingBytes
		}
		UnsupportedVersion => Error::UnsupportedQuoteVersion(6),
		SgxVersion4 => Error::UnsupportedSgxQuoteVersion(4),
		SgxVersion5 => Error::UnsupportedSgxQuoteVersion(5),
		TdxVersion3 => Error::UnsupportedTdxQuoteVersion(3),
		UnknownTeeType => Error::UnsupportedTee(0x82),
		UnknownKeyType => Error::UnsupportedAttestationKey(3),
		UnknownQeVendor => Error::UnknownQeVendor,
		UnknownBodyType => Error::UnsupportedBodyType(9),
		BodyLengthMismatch => Error::BodySizeMismatch {
			body_type: u16::from_le_bytes([case.quote[48], case.quote[49]]),
			size: u32::from_le_bytes(case.quote[50..54].try_into().expect("four bytes")),
		},
		CertificationType3 | CertificationType3WithChain => Error::UnsupportedCertificationData(3),
		CertificationType4 => Error::UnsupportedCertificationData(4),
		OuterCertificationType => Error::QeReportExpected(5),
		OversizeQuote => Error::QuoteTooLarge(case.quote.len() as u32),
		OversizeTcbInfo => Error::CollateralTooLarge(Item::TcbInfo),
		OversizeQeIdentity => Error::CollateralTooLarge(Item::QeIdentity),
		OversizePckCrl => Error::CollateralTooLarge(Item::PckCrl),
		OversizeRootCaCrl => Error::CollateralTooLarge(Item::RootCrl),
		PckChainNotPem => Error::InvalidPem,
		PckChainNotDer => Error::CertificateMalformed(Kind::Pck),

		// Signatures.
		QuoteSignature
		| ZeroQuoteSignature
		| TamperedHeader
		| TamperedBody
		| AttestationKeyNotOnCurve => Error::QuoteSignature,
		QeReportSignature => Error::QeReportSignature,
		QeReportData | QeAuthData => Error::QeReportData,
		TcbInfoSignature | TruncatedTcbInfoSignature => Error::CollateralSignature(Item::TcbInfo),
		QeIdentitySignature | TruncatedQeIdentitySignature => {
			Error::CollateralSignature(Item::QeIdentity)
		}
		CaSignsTcbInfo => Error::CertificateIsCa(Kind::TcbInfoSigner),
		CaSignsQeIdentity => Error::CertificateIsCa(Kind::QeIdentitySigner),
		PckSignsTcbInfo | ForeignTcbInfo => Error::CertificateIssuer(Kind::TcbInfoSigner),
		PckSignsQeIdentity | ForeignQeIdentity => Error::CertificateIssuer(Kind::QeIdentitySigner),
		PckChainTooShort | EmptyPckChain | EmptyTcbInfoChain | EmptyQeIdentityChain => {
			Error::CertificateChainTooShort
		}
		ForeignPckChain | PckCaSignature => Error::OtherPckCa,
		ForeignPckCrl | PckCrlOfOtherCa | PckCrlAuthority => Error::CrlIssuer(Item::PckCrl),
		ForeignRootCaCrl | SwappedCrls | RootCaCrlAuthority => Error::CrlIssuer(Item::RootCrl),
		PckSignature => Error::CertificateSignature(Kind::Pck),
		TcbSigningSignature => Error::CertificateSignature(Kind::TcbInfoSigner),

		// Certificates.
		PckExpired => Error::CertificateExpired { kind: Kind::Pck, not_after: NOW - 1 },
		PckNotYetValid => Error::CertificateNotYetValid { kind: Kind::Pck, not_before: NOW + 1 },
		PckIsCa => Error::CertificateIsCa(Kind::Pck),
		PckKeyUsage => Error::CertificateKeyUsage(Kind::Pck),
		PckWithoutSgxExtension => Error::SgxExtensionMissing,
		PckWithTwoSgxExtensions => Error::CertificateMalformed(Kind::Pck),
		TruncatedSgxExtension => Error::SgxExtensionMalformed,
		PckCaExpired => Error::CertificateExpired { kind: Kind::PckCa, not_after: NOW - 1 },
		PckCaNotYetValid => {
			Error::CertificateNotYetValid { kind: Kind::PckCa, not_before: NOW + 1 }
		}
		PckCaIsNotCa => Error::CertificateIsNotCa(Kind::PckCa),
		PckCaKeyUsage | PckCaCrlKeyUsage => Error::CertificateKeyUsage(Kind::PckCa),
		TcbSigningExpired => {
			Error::CertificateExpired { kind: Kind::TcbInfoSigner, not_after: NOW - 1 }
		}
		TcbSigningNotYetValid => {
			Error::CertificateNotYetValid { kind: Kind::TcbInfoSigner, not_before: NOW + 1 }
		}
		TcbSigningKeyUsage => Error::CertificateKeyUsage(Kind::TcbInfoSigner),
		PckSubject => Error::CertificateSubject(Kind::Pck),
		TcbSigningSubject => Error::CertificateSubject(Kind::TcbInfoSigner),

		// Collateral.
		TcbInfoExpired => Error::CollateralExpired {
			item: Item::TcbInfo,
			fmspc: Some(fmspc(case)),
			next_update: NOW - 1,
		},
		QeIdentityExpired => expired(Item::QeIdentity),
		RootCaCrlExpired => expired(Item::RootCrl),
		PckCrlExpired => expired(Item::PckCrl),
		TcbInfoFromTheFuture => future(Item::TcbInfo),
		QeIdentityFromTheFuture => future(Item::QeIdentity),
		RootCaCrlFromTheFuture => future(Item::RootCrl),
		PckCrlFromTheFuture => future(Item::PckCrl),
		TcbInfoNotJson | TcbInfoFieldMissing | TcbInfoBadDate | MissingTdxModule => {
			Error::CollateralMalformed(Item::TcbInfo)
		}
		QeIdentityNotJson => Error::CollateralMalformed(Item::QeIdentity),
		TcbInfoUnknownVersion => Error::CollateralUnsupported(Item::TcbInfo),
		QeIdentityUnknownVersion => Error::CollateralUnsupported(Item::QeIdentity),
		FmspcMismatch => Error::FmspcMismatch {
			platform: fmspc(case),
			tcb_info: Fmspc([0xDE, 0x50, 0x6F, 0, 0, 1]),
		},
		PceIdMismatch => Error::PceIdMismatch,
		SgxTcbInfoForTdx => Error::CollateralForOtherTee(Item::TcbInfo),
		QeIdentityForTdx | TdQeIdentityForSgx => Error::CollateralForOtherTee(Item::QeIdentity),
		TruncatedRootCaCrl | RootCaCrlWithoutNumber => Error::CollateralMalformed(Item::RootCrl),
		TruncatedPckCrl | PckCrlWithoutNumber => Error::CollateralMalformed(Item::PckCrl),
		PckRevoked => Error::CertificateRevoked(Kind::Pck),
		PckCaRevoked => Error::CertificateRevoked(Kind::PckCa),
		TcbSigningRevoked => Error::CertificateRevoked(Kind::TcbInfoSigner),
		RootCaRevoked => Error::CertificateRevoked(Kind::Root),
		LowerEvaluationNumber | OlderIssueDate | LowerCrlNumber => {
			unreachable!("only a registry sees it")
		}

		// TCB.
		UnknownTcbStatus | UnknownModuleStatus | MisplacedTcbStatus | MisplacedModuleStatus => {
			Error::UnknownTcbStatus(Item::TcbInfo)
		}
		UnknownQeStatus | MisplacedQeStatus => Error::UnknownTcbStatus(Item::QeIdentity),
		PlatformRevoked => Error::PlatformRevoked,
		ModuleRevoked | CurrentModuleRevoked => Error::TdxModuleRevoked,
		QeRevoked => Error::QeRevoked,
		NoTcbLevels | LowerSvns | MixedSvns | LowerPceSvn | LowerTdxSvn => {
			Error::NoMatchingTcbLevel
		}
		LowerCurrentTdxSvn => Error::NoMatchingCurrentTcbLevel,
		MissingSgxComponent | MissingTdxComponent | MissingTdxComponents | TdxTcbInfoForSgx => {
			Error::TcbComponentCount
		}
		MissingTdxModuleIdentities => Error::UnknownTdxModule(1),
		UnknownTdxModule | UnknownCurrentTdxModule => Error::UnknownTdxModule(9),
		LowerTdxModuleSvn => Error::TdxModuleIsvSvnTooLow(0),
		SeamSigner => Error::TdxModuleSigner,
		SeamAttributes => Error::TdxModuleAttributes,

		// Quoting enclave.
		QeMrSigner => Error::QeMrSigner,
		QeIsvProdId => Error::QeIsvProdId,
		QeIsvSvn => Error::QeIsvSvnTooLow(0),
		QeMiscSelect => Error::QeMiscSelect,
		QeAttributes => Error::QeAttributes,
		QeDebug => Error::QeDebug,

		// Report.
		SgxDebug => Error::SgxDebug,
		TdDebug => Error::TdDebug,
		TdProfiling => Error::TdProfiling,
		TdReservedAttribute | TdProvisioningAgent => Error::TdReservedAttributes,
		TdSeptVe => Error::TdSeptVeEnabled,
		TdMigratable => Error::TdMigratable,
		TdPks => Error::TdProtectionKeys,
		TdKeyLocker => Error::TdKeyLocker,
		TdServiceTdExtension | TdServiceTd => Error::TdServiceTd,
	}
}

fn fmspc(case: &Case) -> Fmspc {
	Quote::parse(&case.quote).expect("its quote is right").pck.fmspc
}

fn expired(item: Item) -> Error {
	Error::CollateralExpired { item, fmspc: None, next_update: NOW - 1 }
}

fn future(item: Item) -> Error {
	Error::CollateralNotYetValid { item, issue_date: NOW + 1 }
}

#[test]
fn every_case_meets_its_error() {
	let mut seed = 0;
	for &mutation in Mutation::ALL {
		if matches!(mutation, LowerEvaluationNumber | OlderIssueDate | LowerCrlNumber) {
			continue;
		}
		for &kind in mutation.kinds() {
			seed += 1;
			let case = mutation.case_on(kind, seed).expect("a kind of its own");
			let name = format!("{mutation} on {kind:?}");
			assert_eq!(verify_case(&case).map(|_| ()), Err(expected(mutation, &case)), "{name}");
			if kind == mutation.kind() {
				let theirs = oracle_case(&case);
				let accepted = mutation.accepted_by_oracle().is_some();
				assert_eq!(theirs.is_ok(), accepted, "{name}: {theirs:?}");
			}
		}
	}
}

#[test]
fn every_valid_case_has_its_verdict() {
	let mut seed = 0;
	for &variant in Variant::ALL {
		for &kind in variant.kinds() {
			seed += 1;
			let case = variant.case_on(kind, seed).expect("a kind of its own");
			let name = format!("{variant} on {kind:?}");
			let ours =
				verdict(&verify_case(&case).unwrap_or_else(|error| panic!("{name}: {error}")));
			let expected = variant.verdict();
			let mut advisories = expected.advisory_ids;
			advisories.sort_unstable();
			let theirs = (expected.status.to_string(), advisories);
			if variant.refused_by_oracle().is_none() {
				assert_eq!(oracle_case(&case).as_ref(), Ok(&theirs), "{name}");
			}
			if variant != Variant::TdCurrentOutOfDate {
				assert_eq!(ours, theirs, "{name}");
			}
		}
	}
}

#[test]
fn a_quote_with_valid_collateral_of_the_other_tee() {
	let sgx = phala_dev_pki::valid_case(QuoteKind::SgxV3, 1);
	let tdx = phala_dev_pki::valid_case(QuoteKind::TdxV4, 1);
	let with = |quote: &Case, edit: fn(&mut Bundle, Bundle), other: &Case| {
		let mut collateral = bundle(&quote.collateral);
		edit(&mut collateral, bundle(&other.collateral));
		let root = TrustRoot::from_der(&quote.root_der).expect("a root");
		common::verify(&quote.quote, &collateral, &root, quote.now).map(|_| ())
	};
	let tcb_info = |ours: &mut Bundle, other: Bundle| {
		(ours.tcb_info, ours.tcb_info_signature) = (other.tcb_info, other.tcb_info_signature);
	};
	let qe_identity = |ours: &mut Bundle, other: Bundle| {
		ours.qe_identity = other.qe_identity;
		ours.qe_identity_signature = other.qe_identity_signature;
	};
	for (quote, other) in [(&sgx, &tdx), (&tdx, &sgx)] {
		let refused = |item| Err(Error::CollateralForOtherTee(item));
		assert_eq!(with(quote, tcb_info, other), refused(Item::TcbInfo));
		assert_eq!(with(quote, qe_identity, other), refused(Item::QeIdentity));
	}
}

#[test]
fn stored_collateral_is_replaced_by_newer_only() {
	for mutation in [LowerEvaluationNumber, OlderIssueDate, LowerCrlNumber] {
		let case = phala_dev_pki::case(mutation, 7);
		let root = TrustRoot::from_der(&case.root_der).expect("a root");
		let verify = |collateral| bundle(collateral).verify(&root, case.now).expect("valid");
		let offered = verify(&case.collateral);
		let stored = verify(case.stored.as_ref().expect("a registry's case"));
		let tcb_info = |a: &phala_attestation::collateral::VerifiedBundle,
		                b: &phala_attestation::collateral::VerifiedBundle| {
			a.tcb_info.check_update(&b.tcb_info)
		};
		match mutation {
			LowerEvaluationNumber => {
				for (item, refused) in [
					(Item::TcbInfo, tcb_info(&offered, &stored)),
					(Item::QeIdentity, offered.qe_identity.check_update(&stored.qe_identity)),
				] {
					let number = offered.tcb_info.evaluation_number();
					let expected =
						Error::EvaluationNumberFell { item, stored: number + 1, offered: number };
					assert_eq!(refused, Err(expected));
				}
			}
			OlderIssueDate => {
				let (stored_date, offered_date) =
					(stored.tcb_info.issue_date(), offered.tcb_info.issue_date());
				assert_eq!(stored_date, offered_date + 1);
				assert_eq!(
					tcb_info(&offered, &stored),
					Err(Error::IssueDateNotNewer {
						item: Item::TcbInfo,
						stored: stored_date,
						offered: offered_date
					})
				);
				assert_eq!(tcb_info(&stored, &offered), Ok(Update::Redated));
				// A replay is not newer.
				assert!(tcb_info(&stored, &stored).is_err());
			}
			_ => {
				assert_eq!(
					offered.pck_crl.check_update(Item::PckCrl, &stored.pck_crl),
					Err(Error::CrlNumberFell { item: Item::PckCrl, stored: 2, offered: 1 })
				);
			}
		}
	}
}
