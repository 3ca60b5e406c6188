//! The negative suite: cases that are wrong in exactly one respect.

mod apply;
mod edit;
mod oracle;

use crate::{Case, QuoteKind, case::Scenario};
use QuoteKind::*;
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// One way in which a quote or its collateral can be wrong. Whatever is signed is signed again
/// after the change, so that nothing else is wrong with the case: without it, the case would be
/// [`valid_case`](crate::valid_case) of the same kind and seed.
#[derive(
	Clone,
	Copy,
	Debug,
	Display,
	EnumMessage,
	EnumString,
	Hash,
	IntoStaticStr,
	PartialEq,
	Eq,
	VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Mutation {
	// Format of the quote.
	/// The quote is empty.
	EmptyQuote,
	/// The quote ends within its header.
	TruncatedHeader,
	/// The quote ends within its report.
	TruncatedBody,
	/// The quote's last byte is missing.
	TruncatedSignature,
	/// A byte other than zero follows the signature data.
	TrailingBytes,
	/// A byte follows the certification data within the signature data.
	TrailingSignatureBytes,
	/// A byte follows the PCK chain within the QE report certification data.
	TrailingCertificationBytes,
	/// The version is 6.
	UnsupportedVersion,
	/// An SGX report in a version 4 quote.
	#[strum(serialize = "sgx-version-4")]
	SgxVersion4,
	/// An SGX report in a version 5 quote.
	#[strum(serialize = "sgx-version-5")]
	SgxVersion5,
	/// A TD report in a version 3 quote.
	#[strum(serialize = "tdx-version-3")]
	TdxVersion3,
	/// The TEE type is neither SGX nor TDX.
	UnknownTeeType,
	/// The attestation key is said to be on P-384.
	UnknownKeyType,
	/// The quoting enclave's vendor is not Intel.
	UnknownQeVendor,
	/// The body type is unknown.
	UnknownBodyType,
	/// The body is said to be one byte longer than its type is.
	BodyLengthMismatch,
	/// Certification data of type 3 (encrypted PPID); the PCK chain is nowhere.
	#[strum(serialize = "certification-type-3")]
	CertificationType3,
	/// Certification data of type 3; the PCK chain is in the collateral.
	#[strum(serialize = "certification-type-3-with-chain")]
	CertificationType3WithChain,
	/// Certification data of type 4: the PCK certificate without its chain.
	#[strum(serialize = "certification-type-4")]
	CertificationType4,
	/// The QE report certification data is not of type 6.
	OuterCertificationType,
	/// The length of the signature data is 2³² − 1.
	SignatureLengthOverflow,
	/// The length of the certification data is 2³² − 1.
	CertificationLengthOverflow,
	/// The length of the QE report certification data is 2³² − 1.
	WrapperLengthOverflow,
	/// The length of the QE authentication data is 2¹⁶ − 1.
	AuthDataLengthOverflow,
	/// The quote is longer than the limits allow.
	OversizeQuote,
	/// The TCB info is longer than the limits allow.
	OversizeTcbInfo,
	/// The QE identity is longer than the limits allow.
	OversizeQeIdentity,
	/// The PCK CRL is longer than the limits allow.
	OversizePckCrl,
	/// The root CA CRL is longer than the limits allow.
	OversizeRootCaCrl,
	/// The PCK chain is not PEM.
	PckChainNotPem,
	/// The PEM of the PCK chain contains no certificate.
	PckChainNotDer,

	// Signatures.
	/// A bit of the quote's signature is flipped.
	QuoteSignature,
	/// The quote's signature is r = s = 0.
	ZeroQuoteSignature,
	/// A bit of the header is flipped after signing.
	TamperedHeader,
	/// A bit of the report data is flipped after signing.
	TamperedBody,
	/// The attestation key is not on the curve.
	AttestationKeyNotOnCurve,
	/// A bit of the QE report's signature is flipped.
	QeReportSignature,
	/// The QE report does not bind the attestation key.
	QeReportData,
	/// The QE authentication data is not the bound one.
	QeAuthData,
	/// A bit of the TCB info's signature is flipped.
	TcbInfoSignature,
	/// The TCB info's signature lacks its last byte.
	TruncatedTcbInfoSignature,
	/// A bit of the QE identity's signature is flipped.
	QeIdentitySignature,
	/// The QE identity's signature lacks its last byte.
	TruncatedQeIdentitySignature,
	/// A PCK CA signed the TCB info.
	CaSignsTcbInfo,
	/// A PCK CA signed the QE identity.
	CaSignsQeIdentity,
	/// The platform's own PCK signed the TCB info.
	PckSignsTcbInfo,
	/// The platform's own PCK signed the QE identity.
	PckSignsQeIdentity,
	/// The PCK chain consists of the leaf.
	PckChainTooShort,
	/// The PCK chain is empty.
	EmptyPckChain,
	/// The TCB info's issuer chain is empty.
	EmptyTcbInfoChain,
	/// The QE identity's issuer chain is empty.
	EmptyQeIdentityChain,
	/// The PCK chain ends at another root with the same names.
	ForeignPckChain,
	/// TCB info signed under another root with the same names.
	ForeignTcbInfo,
	/// QE identity signed under another root with the same names.
	ForeignQeIdentity,
	/// PCK CRL signed by another CA with the same name.
	ForeignPckCrl,
	/// Root CA CRL signed by another root with the same name.
	ForeignRootCaCrl,
	/// A bit of the PCK certificate's signature is flipped.
	PckSignature,
	/// A bit of the PCK CA certificate's signature is flipped.
	PckCaSignature,
	/// A bit of the TCB signing certificate's signature is flipped.
	TcbSigningSignature,

	// Certificates.
	/// The PCK certificate has expired.
	PckExpired,
	/// The PCK certificate is not valid yet.
	PckNotYetValid,
	/// The PCK certificate is a CA's.
	PckIsCa,
	/// The PCK certificate's key usage excludes signatures.
	PckKeyUsage,
	/// The PCK certificate has no SGX extension.
	PckWithoutSgxExtension,
	/// The PCK certificate has the SGX extension twice.
	PckWithTwoSgxExtensions,
	/// The SGX extension ends early.
	TruncatedSgxExtension,
	/// The PCK CA's certificate has expired.
	PckCaExpired,
	/// The PCK CA's certificate is not valid yet.
	PckCaNotYetValid,
	/// The PCK CA's certificate is an end entity's.
	PckCaIsNotCa,
	/// The PCK CA's key usage excludes certificates.
	PckCaKeyUsage,
	/// The PCK CA's key usage excludes CRLs.
	PckCaCrlKeyUsage,
	/// The TCB signing certificate has expired.
	TcbSigningExpired,
	/// The TCB signing certificate is not valid yet.
	TcbSigningNotYetValid,
	/// The TCB signing certificate's key usage excludes signatures.
	TcbSigningKeyUsage,
	/// The PCK certificate's subject is that of a TCB signing certificate.
	PckSubject,
	/// The TCB signing certificate's subject is that of a PCK certificate.
	TcbSigningSubject,

	// Collateral.
	/// The TCB info's next update is past.
	TcbInfoExpired,
	/// The TCB info's issue date is to come.
	TcbInfoFromTheFuture,
	/// The QE identity's next update is past.
	QeIdentityExpired,
	/// The QE identity's issue date is to come.
	QeIdentityFromTheFuture,
	/// The TCB info is not JSON.
	TcbInfoNotJson,
	/// The QE identity is not JSON.
	QeIdentityNotJson,
	/// The TCB info has no FMSPC.
	TcbInfoFieldMissing,
	/// The TCB info's next update is no date.
	TcbInfoBadDate,
	/// The TCB info is of version 4.
	TcbInfoUnknownVersion,
	/// The QE identity is of version 9.
	QeIdentityUnknownVersion,
	/// The TCB info is of another FMSPC.
	FmspcMismatch,
	/// The TCB info is of another PCE.
	PceIdMismatch,
	/// TCB info of SGX for a TDX quote.
	SgxTcbInfoForTdx,
	/// TCB info of TDX for an SGX quote.
	TdxTcbInfoForSgx,
	/// Identity of the QE for a TDX quote.
	QeIdentityForTdx,
	/// Identity of the TD QE for an SGX quote.
	TdQeIdentityForSgx,
	/// The root CA CRL has expired.
	RootCaCrlExpired,
	/// The PCK CRL has expired.
	PckCrlExpired,
	/// The root CA CRL is not valid yet.
	RootCaCrlFromTheFuture,
	/// The PCK CRL is not valid yet.
	PckCrlFromTheFuture,
	/// The PCK CRL is the other PCK CA's.
	PckCrlOfOtherCa,
	/// Root CA CRL and PCK CRL are exchanged.
	SwappedCrls,
	/// The root CA CRL ends early.
	TruncatedRootCaCrl,
	/// The PCK CRL ends early.
	TruncatedPckCrl,
	/// The root CA CRL names another key as its authority.
	RootCaCrlAuthority,
	/// The PCK CRL names another key as its authority.
	PckCrlAuthority,
	/// The root CA CRL has no number.
	RootCaCrlWithoutNumber,
	/// The PCK CRL has no number.
	PckCrlWithoutNumber,
	/// The PCK certificate is revoked.
	PckRevoked,
	/// The PCK CA is revoked.
	PckCaRevoked,
	/// The TCB signing certificate is revoked.
	TcbSigningRevoked,
	/// The root is revoked.
	RootCaRevoked,
	/// The stored TCB info and QE identity have a higher evaluation number.
	LowerEvaluationNumber,
	/// The stored TCB info and QE identity have the same evaluation number and a later issue date.
	OlderIssueDate,
	/// The stored PCK CRL has a higher number.
	LowerCrlNumber,

	// TCB.
	/// A status of the TCB info is none of Intel's.
	UnknownTcbStatus,
	/// A status of a TDX module is none of Intel's.
	UnknownModuleStatus,
	/// A status of the QE identity is none of Intel's.
	UnknownQeStatus,
	/// TCB info has `TDRelaunchAdvised`, which only a verifier may conclude.
	MisplacedTcbStatus,
	/// A TDX module has `ConfigurationNeeded`.
	MisplacedModuleStatus,
	/// The QE identity has `SWHardeningNeeded`.
	MisplacedQeStatus,
	/// The platform's status is `Revoked`.
	PlatformRevoked,
	/// The TDX module's status is `Revoked`.
	ModuleRevoked,
	/// TD 1.5: the current TDX module's status is `Revoked`.
	CurrentModuleRevoked,
	/// The quoting enclave's status is `Revoked`.
	QeRevoked,
	/// There are no TCB levels.
	NoTcbLevels,
	/// Every component SVN is below every level.
	LowerSvns,
	/// One component SVN is above every level and one below.
	MixedSvns,
	/// The PCE SVN is below every level.
	LowerPceSvn,
	/// A TDX component SVN is below every level.
	LowerTdxSvn,
	/// TD 1.5: a current TDX component SVN is below every level.
	LowerCurrentTdxSvn,
	/// A level has fifteen SGX components.
	MissingSgxComponent,
	/// A level has fifteen TDX components.
	MissingTdxComponent,
	/// The levels have no TDX components.
	MissingTdxComponents,
	/// The TCB info has no TDX module.
	MissingTdxModule,
	/// The TCB info has no TDX module identities.
	MissingTdxModuleIdentities,
	/// The TCB info knows no module of this version.
	UnknownTdxModule,
	/// TD 1.5: the TCB info knows no module of the current version.
	UnknownCurrentTdxModule,
	/// The module's SVN is below every level.
	LowerTdxModuleSvn,
	/// The module's signer is not Intel.
	SeamSigner,
	/// The module's attributes are not a production module's.
	SeamAttributes,

	// Quoting enclave.
	/// Another MRSIGNER.
	QeMrSigner,
	/// Another ISVPRODID.
	QeIsvProdId,
	/// An ISVSVN below every level.
	QeIsvSvn,
	/// A masked bit of MISCSELECT differs.
	QeMiscSelect,
	/// A masked bit of ATTRIBUTES differs.
	QeAttributes,
	/// The quoting enclave is in debug mode, which the identity's mask does not cover.
	QeDebug,

	// Report.
	/// The enclave is in debug mode.
	SgxDebug,
	/// The TD is in debug mode.
	TdDebug,
	/// The host may profile the TD.
	TdProfiling,
	/// A reserved bit of the TD's attributes is set.
	TdReservedAttribute,
	/// The host may inject #VE: SEPT_VE_DISABLE is off.
	TdSeptVe,
	/// The TD may be migrated.
	TdMigratable,
	/// The TD may use supervisor protection keys.
	TdPks,
	/// The TD may use Key Locker.
	TdKeyLocker,
	/// The TD is a TDX Connect provisioning agent.
	TdProvisioningAgent,
	/// The TD reports extended service TD information.
	TdServiceTdExtension,
	/// A service TD is bound to the TD.
	TdServiceTd,
}

use Mutation::*;

impl Mutation {
	/// All of them.
	pub const ALL: &[Self] = Self::VARIANTS;

	/// Name in kebab case, as [`FromStr`](core::str::FromStr) takes it.
	pub fn name(self) -> &'static str {
		self.into()
	}

	/// What is wrong, in a sentence.
	pub fn description(self) -> &'static str {
		self.get_documentation().unwrap_or_default()
	}

	/// The kinds of quotes to which it applies, at least one.
	pub fn kinds(self) -> &'static [QuoteKind] {
		match self {
			SgxVersion4 | SgxVersion5 | TdxTcbInfoForSgx | TdQeIdentityForSgx | SgxDebug => {
				&[SgxV3]
			}
			TdxVersion3 => &[TdxV4],
			UnknownBodyType | BodyLengthMismatch => &[TdxV5Td10, TdxV5Td15, TdxV5Td15ex],
			CurrentModuleRevoked | LowerCurrentTdxSvn | UnknownCurrentTdxModule | TdServiceTd => {
				&[TdxV5Td15, TdxV5Td15ex]
			}
			TrailingCertificationBytes
			| OuterCertificationType
			| WrapperLengthOverflow
			| SgxTcbInfoForTdx
			| QeIdentityForTdx
			| UnknownModuleStatus
			| MisplacedModuleStatus
			| ModuleRevoked
			| LowerTdxSvn
			| MissingTdxComponent
			| MissingTdxComponents
			| MissingTdxModule
			| MissingTdxModuleIdentities
			| UnknownTdxModule
			| LowerTdxModuleSvn
			| SeamSigner
			| SeamAttributes
			| TdDebug
			| TdProfiling
			| TdReservedAttribute
			| TdSeptVe
			| TdMigratable
			| TdPks
			| TdKeyLocker
			| TdProvisioningAgent
			| TdServiceTdExtension => &[TdxV4, TdxV5Td10, TdxV5Td15, TdxV5Td15ex],
			_ => QuoteKind::ALL,
		}
	}

	/// The case on a quote of this kind; `None` if the mutation does not apply to it. Two seeds
	/// are two platforms with two report data.
	pub fn case_on(self, kind: QuoteKind, seed: u64) -> Option<Case> {
		self.issue(kind, seed, None)
	}

	/// The same, with a quote that carries this report data.
	pub fn case_with(self, kind: QuoteKind, seed: u64, report_data: [u8; 64]) -> Option<Case> {
		self.issue(kind, seed, Some(report_data))
	}

	fn issue(self, kind: QuoteKind, seed: u64, report_data: Option<[u8; 64]>) -> Option<Case> {
		self.kinds().contains(&kind).then(|| {
			let mut scenario = Scenario::new(kind, seed).reporting(report_data);
			self.apply(&mut scenario);
			scenario.issue().expect("every mutation is encodable: a test issues each")
		})
	}

	/// The kind of [`case`]'s quotes.
	pub fn kind(self) -> QuoteKind {
		self.kinds()[0]
	}
}

/// The case of a mutation, on the first kind of quote to which it applies.
pub fn case(mutation: Mutation, seed: u64) -> Case {
	mutation.case_on(mutation.kind(), seed).expect("kind() is one of kinds()")
}
