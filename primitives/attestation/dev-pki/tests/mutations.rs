//! Every case of the negative suite is wrong in the respect that it names.

mod common;

use common::oracle;
use phala_dev_pki::{
	Mutation::{self, *},
	QuoteKind, TcbStatus, case, valid_case,
};
use std::collections::HashSet;

/// A part of the oracle's error that only this respect causes. Not called for what it accepts.
fn error(mutation: Mutation) -> &'static str {
	match mutation {
		EmptyQuote | TruncatedSignature => "Not enough data to fill buffer",
		TruncatedHeader => "Could not decode `Header::",
		TruncatedBody => "::report_data`:|::mr_service_td`:|::cur_service_td_attributes`:",
		UnsupportedVersion => "Unsupported quote version",
		SgxVersion4 | SgxVersion5 => "SGX TEE quote must have version 3",
		TdxVersion3 => "Invalid TEE type",
		UnknownTeeType => "Invalid TEE type|Unsupported TEE type: 130",
		UnknownKeyType => "Unsupported DCAP attestation key type",
		UnknownQeVendor => "Unknown QE vendor ID",
		UnknownBodyType => "Unsupported body type",
		BodyLengthMismatch => "Invalid body size",
		CertificationType3 => "Unsupported DCAP PCK cert format: 3",
		CertificationType4 => "Unsupported DCAP PCK cert format: 4",
		SignatureLengthOverflow | CertificationLengthOverflow | WrapperLengthOverflow => {
			"Data length exceeds maximum"
		}
		AuthDataLengthOverflow => "::qe_auth_data`:",
		PckChainNotPem | EmptyPckChain => "Certificate chain is too short in quote",
		PckChainNotDer => "Failed to parse PCK certificate",

		QuoteSignature
		| ZeroQuoteSignature
		| TamperedHeader
		| TamperedBody
		| AttestationKeyNotOnCurve => "ISV enclave report signature is invalid",
		QeReportSignature => "Signature is invalid for qe_report",
		QeReportData | QeAuthData => "QE report hash mismatch",
		TcbInfoSignature | TruncatedTcbInfoSignature => "Signature is invalid for tcb_info",
		QeIdentitySignature | TruncatedQeIdentitySignature => {
			"Signature is invalid for qe_identity"
		}
		CaSignsTcbInfo | CaSignsQeIdentity | PckIsCa => "CaUsedAsEndEntity",
		PckSignsTcbInfo => "TCB Info signer must be issued directly by the root CA",
		PckSignsQeIdentity => "QE Identity signer must be issued directly by the root CA",
		PckChainTooShort => "UnknownIssuer",
		EmptyTcbInfoChain => "Certificate chain is too short for TCB Info",
		EmptyQeIdentityChain => "Certificate chain is too short for QE Identity",
		ForeignPckChain | ForeignTcbInfo | ForeignQeIdentity | PckSignature | PckCaSignature
		| TcbSigningSignature => "chain: InvalidSignatureForPublicKey",
		ForeignPckCrl => "chain: InvalidCrlSignatureForPublicKey",
		ForeignRootCaCrl | SwappedCrls => "root CA CRL: InvalidCrlSignatureForPublicKey",

		PckExpired | PckCaExpired | TcbSigningExpired => "CertExpired",
		PckNotYetValid | PckCaNotYetValid | TcbSigningNotYetValid => "CertNotValidYet",
		PckWithoutSgxExtension => "Intel extension not found",
		PckWithTwoSgxExtensions => "appears more than once",
		TruncatedSgxExtension => "The object is truncated",
		PckCaIsNotCa => "EndEntityUsedAsCa",
		PckCaCrlKeyUsage => "IssuerNotCrlSigner",

		TcbInfoExpired => "TCBInfo expired",
		TcbInfoFromTheFuture => "TCBInfo issue date is in the future",
		QeIdentityExpired => "QE Identity expired",
		QeIdentityFromTheFuture => "QE Identity issue date is in the future",
		TcbInfoNotJson => "Failed to decode TcbInfo: expected `:`",
		QeIdentityNotJson => "Failed to decode QeIdentity: expected `:`",
		TcbInfoFieldMissing => "missing field `fmspc`",
		TcbInfoBadDate => "Failed to parse TCB Info next update",
		QeIdentityUnknownVersion => "version 9",
		FmspcMismatch => "Fmspc mismatch",
		SgxTcbInfoForTdx => "TDX quote with non-TDX TCB info",
		TdxTcbInfoForSgx => "SGX quote with non-SGX TCB info",
		QeIdentityForTdx => "QE version 2 (expected TD_QE",
		TdQeIdentityForSgx => "TD_QE version 2 (expected QE",
		RootCaCrlExpired | PckCrlExpired => "CrlExpired",
		PckCrlOfOtherCa => "UnknownRevocationStatus",
		TruncatedRootCaCrl => "Failed to parse root CA CRL",
		TruncatedPckCrl => "Failed to parse PCK CRL",
		PckRevoked | PckCaRevoked | TcbSigningRevoked | RootCaRevoked => "CertRevoked",

		UnknownTcbStatus | UnknownModuleStatus => "Failed to decode TcbInfo: unknown variant",
		UnknownQeStatus => "Failed to decode QeIdentity: unknown variant",
		MisplacedTcbStatus => "Unrecognized TCB status TDRelaunchAdvised in TCB Info",
		MisplacedModuleStatus => "Unrecognized TCB status ConfigurationNeeded in TDX module",
		MisplacedQeStatus => "Unrecognized TCB status SWHardeningNeeded in QE Identity",
		PlatformRevoked | ModuleRevoked | CurrentModuleRevoked | QeRevoked => {
			"TCB status is invalid: Revoked"
		}
		LowerCurrentTdxSvn => "(TEE_TCB_SVN2): No matching TCB level found",
		NoTcbLevels | LowerSvns | MixedSvns | LowerPceSvn | LowerTdxSvn => {
			"No matching TCB level found"
		}
		MissingSgxComponent => "SGX component count mismatch",
		MissingTdxComponent | MissingTdxComponents => "TDX component count mismatch",
		MissingTdxModule => "missing tdxModule field",
		MissingTdxModuleIdentities => "No TDX module identity with id TDX_01",
		UnknownTdxModule => "No TDX module identity with id TDX_09",
		UnknownCurrentTdxModule => "(TEE_TCB_SVN2): TDX module TCB level check: No TDX module",
		LowerTdxModuleSvn => "TDX module ISVSVN 0 is below minimum",
		SeamSigner => "TDX module MRSIGNER mismatch",
		SeamAttributes => "TDX module SEAMATTRIBUTES mismatch",

		QeMrSigner => "QE MRSIGNER mismatch",
		QeIsvProdId => "QE ISVPRODID mismatch",
		QeIsvSvn => "QE ISVSVN 0 is below minimum",
		QeMiscSelect => "QE MISCSELECT mismatch",
		QeAttributes => "QE ATTRIBUTES mismatch",
		QeDebug => "QE report validation failed: Debug mode is enabled",

		SgxDebug | TdDebug => "Debug mode is enabled",
		TdProfiling => "TD profiling is enabled",
		TdReservedAttribute => "Reserved bits in TD attributes are set",
		TdSeptVe => "SEPT_VE_DISABLE is not enabled",
		TdMigratable => "TD migration is enabled",
		TdServiceTdExtension => "SERVTD_EXT is enabled",
		TdServiceTd => "Invalid MR service TD",
		_ => panic!("{mutation}: is its error unknown, or is it missing in accepted_by_oracle?"),
	}
}

#[test]
fn the_oracle_refuses_for_the_right_reason() {
	for &mutation in Mutation::ALL {
		for &kind in mutation.kinds() {
			let case = mutation.case_on(kind, 1).unwrap();
			match (oracle(&case), mutation.accepted_by_oracle()) {
				(Ok(verdict), Some(_)) => {
					assert_eq!(verdict.status, TcbStatus::UpToDate, "{mutation} {kind}");
				}
				(Err(refusal), None) => assert!(
					error(mutation).split('|').any(|part| refusal.contains(part)),
					"{mutation} {kind}: {refusal:?} instead of {:?}",
					error(mutation)
				),
				(outcome, reason) => panic!("{mutation} {kind}: {outcome:?}, but {reason:?}"),
			}
		}
	}
}

#[test]
fn only_the_named_respect_differs() {
	let siblings: Vec<_> = QuoteKind::ALL.iter().map(|&kind| valid_case(kind, 1)).collect();
	for sibling in &siblings {
		assert_eq!(oracle(sibling).unwrap().status, TcbStatus::UpToDate);
	}
	for &mutation in Mutation::ALL {
		for &kind in mutation.kinds() {
			let case = mutation.case_on(kind, 1).unwrap();
			let index = QuoteKind::ALL.iter().position(|&other| other == kind).unwrap();
			let sibling = &siblings[index];
			assert_ne!(&case, sibling, "{mutation} {kind} changes nothing");
			assert_eq!(case.root_der, sibling.root_der, "{mutation} {kind} needs another root");
			assert_eq!(case.now, sibling.now, "{mutation} {kind} needs another time");
			// Of quote and collateral, one is the valid sibling's, unless one certificate is in both.
			if case.quote != sibling.quote && case.collateral != sibling.collateral {
				assert!(
					matches!(
						mutation,
						CertificationType3WithChain
							| PckCaExpired | PckCaNotYetValid
							| PckCaIsNotCa | PckCaKeyUsage
							| PckCaCrlKeyUsage | QeDebug
							| CurrentModuleRevoked
					),
					"{mutation} {kind} changes quote and collateral"
				);
			} else if case.stored.is_none() {
				let changed = (case.quote != sibling.quote, case.collateral != sibling.collateral);
				assert!(changed.0 != changed.1, "{mutation} {kind} changes one of them");
			}
		}
	}
}

#[test]
fn no_two_mutations_are_the_same() {
	for &kind in QuoteKind::ALL {
		let mut cases = vec![];
		for &mutation in Mutation::ALL {
			let Some(case) = mutation.case_on(kind, 1) else { continue };
			if let Some((other, _)) = cases.iter().find(|(_, earlier)| *earlier == case) {
				panic!("{mutation} and {other} are the same on {kind}");
			}
			cases.push((mutation, case));
		}
	}
}

#[test]
fn mutations_apply_where_they_say() {
	for &mutation in Mutation::ALL {
		assert!(!mutation.kinds().is_empty(), "{mutation}");
		assert_eq!(Some(case(mutation, 7)), mutation.case_on(mutation.kind(), 7));
		for &kind in QuoteKind::ALL {
			let applies = mutation.kinds().contains(&kind);
			assert_eq!(mutation.case_on(kind, 7).is_some(), applies, "{mutation} {kind}");
		}
	}
}

#[test]
fn names_parse_and_are_unique() {
	let mut names = HashSet::new();
	for &mutation in Mutation::ALL {
		assert_eq!(mutation.name().parse(), Ok(mutation));
		assert!(names.insert(mutation.name()), "{mutation} occurs twice");
		assert!(
			mutation.name().chars().all(|c| c.is_ascii_lowercase() || "-0123456789".contains(c))
		);
		assert!(mutation.description().ends_with('.'), "{mutation}");
	}
}
