//! One variant per rule.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	collateral::Item,
	policy::{Role, Tier},
	tcb::TcbStatus,
	types::{CertificateKind, Fmspc, PckCaKind, Tee, UnixTime},
};

/// Why something was refused. Each variant is one rule; its text names the cause and, where the
/// sender can do something, the remedy.
///
/// [`Rule`] is the same enum without the data: one byte of SCALE, for use inside a pallet's error.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	thiserror::Error,
	strum::EnumDiscriminants,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[strum_discriminants(
	name(Rule),
	cfg_attr(all(), doc = "Which rule refused: [`Error`] without its data, one byte in SCALE."),
	derive(
		Hash,
		PartialOrd,
		Ord,
		strum::IntoStaticStr,
		strum::EnumIter,
		Encode,
		Decode,
		DecodeWithMemTracking,
		MaxEncodedLen,
		TypeInfo
	),
	allow(missing_docs)
)]
pub enum Error {
	// 1: the quote's form
	/// Longer than [`MAX_QUOTE_LEN`](crate::quote::MAX_QUOTE_LEN).
	#[error("the quote has {0} bytes, more than the allowed 8192: remove padding")]
	QuoteTooLarge(u32),
	/// Ends inside a field, or a length field points past the end of what holds it.
	#[error("the quote ends inside a field: send the quote as the TEE returned it")]
	QuoteTruncated,
	/// Bytes other than zero padding follow the quote, or any bytes follow inside a length field.
	#[error("bytes follow the end of the quote or of a part of it: cut the quote to its length")]
	QuoteTrailingBytes,
	/// Quote format version other than 3, 4 and 5.
	#[error("quote version {0} is not supported: SGX version 3 and TDX versions 4 and 5 are")]
	UnsupportedQuoteVersion(u16),
	/// An SGX quote of a version other than 3.
	#[error("SGX quotes must have version 3, not {0}")]
	UnsupportedSgxQuoteVersion(u16),
	/// A TDX quote of a version other than 4 and 5.
	#[error("TDX quotes must have version 4 or 5, not {0}")]
	UnsupportedTdxQuoteVersion(u16),
	/// TEE type other than SGX (0) and TDX (0x81).
	#[error("TEE type {0:#x} is neither SGX nor TDX")]
	UnsupportedTee(u32),
	/// Attestation key type other than ECDSA over P-256 (2).
	#[error("attestation key type {0} is not ECDSA-256 with P-256")]
	UnsupportedAttestationKey(u16),
	/// The quoting enclave is not Intel's.
	#[error("the QE vendor is not Intel")]
	UnknownQeVendor,
	/// Body type of a version 5 quote other than TD 1.0 (2), TD 1.5 (3) and TD 1.5ex (4).
	#[error("body type {0} is not supported: TD reports 1.0, 1.5 and 1.5ex are")]
	UnsupportedBodyType(u16),
	/// The length of a version 5 quote's body is not that of its type.
	#[error("a body of type {body_type} cannot have {size} bytes")]
	BodySizeMismatch {
		/// Body type.
		body_type: u16,
		/// Length the quote states.
		size: u32,
	},
	/// The certification data is not a PCK certificate chain (type 5).
	#[error(
		"certification data type {0} is not supported: the quote must carry its PCK certificate chain (type 5)"
	)]
	UnsupportedCertificationData(u16),
	/// The outer certification data of a TDX quote is not a QE report (type 6).
	#[error("the certification data of a TDX quote must hold a QE report (type 6), not type {0}")]
	QeReportExpected(u16),
	/// A chain is not one of PEM certificates.
	#[error("the certificate chain is not well-formed PEM")]
	InvalidPem,
	/// A chain holds no certificate, or the quote's not the PCK certificate and its CA's.
	#[error("the certificate chain is too short: the PCK certificate and its CA's are needed")]
	CertificateChainTooShort,
	/// A chain holds more than the three certificates of Intel's.
	#[error("the certificate chain has more than three certificates")]
	CertificateChainTooLong,
	/// The PCK certificate has no SGX extension.
	#[error("the PCK certificate has no SGX extension")]
	SgxExtensionMissing,
	/// The PCK certificate's SGX extension lacks a field, repeats one, or has one of another form.
	#[error("the SGX extension of the PCK certificate is malformed")]
	SgxExtensionMalformed,
	/// The PCK certificate's issuer is neither the PCK Platform CA nor the PCK Processor CA.
	#[error("the PCK certificate's issuer is neither the PCK Platform CA nor the PCK Processor CA")]
	UnknownPckCa,

	/// The CA certificate in the quote's chain is not the stored one.
	#[error(
		"the quote carries another PCK CA certificate than the stored one: refresh the platform's PCK certificate chain, or submit the CA's newer certificate"
	)]
	OtherPckCa,

	// X.509
	/// Longer than [`MAX_CERTIFICATE_LEN`](crate::x509::MAX_CERTIFICATE_LEN).
	#[error("the {0} certificate is longer than 2048 bytes")]
	CertificateTooLarge(CertificateKind),
	/// Not an X.509 version 3 certificate in DER.
	#[error("the {0} certificate is not a well-formed X.509 v3 certificate")]
	CertificateMalformed(CertificateKind),
	/// Not signed with ECDSA over P-256 with SHA-256, or its key is of another kind.
	#[error("the {0} certificate must use ECDSA over P-256 with SHA-256")]
	CertificateAlgorithm(CertificateKind),
	/// Has a critical extension that this profile does not know.
	#[error("the {0} certificate has a critical extension that is not understood")]
	CertificateCriticalExtension(CertificateKind),
	/// Not issued by the expected authority: names or key identifiers differ.
	#[error("the {0} certificate was not issued by the expected authority")]
	CertificateIssuer(CertificateKind),
	/// The issuer's signature over the certificate is wrong.
	#[error("the signature of the {0} certificate is wrong")]
	CertificateSignature(CertificateKind),
	/// Before its validity.
	#[error("the {kind} certificate is not valid before {not_before} (Unix time)")]
	CertificateNotYetValid {
		/// Which certificate.
		kind: CertificateKind,
		/// First second of its validity.
		not_before: UnixTime,
	},
	/// After its validity.
	#[error("the {kind} certificate expired at {not_after} (Unix time)")]
	CertificateExpired {
		/// Which certificate.
		kind: CertificateKind,
		/// Last second of its validity.
		not_after: UnixTime,
	},
	/// On the issuer's revocation list.
	#[error("the {0} certificate has been revoked")]
	CertificateRevoked(CertificateKind),
	/// A CA certificate where an end entity's is needed.
	#[error("the {0} certificate is a CA certificate, an end entity's is needed")]
	CertificateIsCa(CertificateKind),
	/// An end entity's certificate where a CA's is needed, or one that may not sign this.
	#[error("the {0} certificate is not a CA certificate, or its path length is exceeded")]
	CertificateIsNotCa(CertificateKind),
	/// Its validity ends within the margin.
	#[error(
		"the {kind} certificate expires at {not_after} (Unix time), too soon: submit or provision a newer one"
	)]
	CertificateExpiresSoon {
		/// Which certificate.
		kind: CertificateKind,
		/// Last second of its validity.
		not_after: UnixTime,
	},
	/// Its subject is not the one that Intel gives to certificates of this kind.
	#[error("the subject of the {0} certificate is not that of such certificates")]
	CertificateSubject(CertificateKind),
	/// Its key usage does not allow what it is used for.
	#[error("the key usage of the {0} certificate does not allow this use")]
	CertificateKeyUsage(CertificateKind),
	/// Under another root, or another CA, than the one it is used with.
	#[error("the stored {0} belongs to another authority")]
	AuthorityMismatch(Item),

	// 2: collateral
	/// Nothing is stored for this platform.
	#[error(
		"no {item} is stored for {tee} platforms with FMSPC {fmspc} under the PCK {ca} CA: submit it first"
	)]
	CollateralMissing {
		/// What is missing.
		item: Item,
		/// The quote's TEE.
		tee: Tee,
		/// The platform's FMSPC.
		fmspc: Fmspc,
		/// The CA of the platform's PCK certificate.
		ca: PckCaKind,
	},
	/// Past its next update.
	#[error("the {item} expired at {next_update} (Unix time): submit a newer one{}", Platform(*fmspc))]
	CollateralExpired {
		/// What expired.
		item: Item,
		/// The platform's FMSPC, if the item or the use has one.
		fmspc: Option<Fmspc>,
		/// When its issuer promised a newer one.
		next_update: UnixTime,
	},
	/// Its next update lies within the margin.
	#[error("the {item} expires at {next_update} (Unix time), too soon: submit a newer one{}", Platform(*fmspc))]
	CollateralExpiresSoon {
		/// What expires.
		item: Item,
		/// The platform's FMSPC.
		fmspc: Option<Fmspc>,
		/// When it does.
		next_update: UnixTime,
	},
	/// Issued in the future.
	#[error("the {item} is dated {issue_date} (Unix time), in the future")]
	CollateralNotYetValid {
		/// What is dated so.
		item: Item,
		/// Its date.
		issue_date: UnixTime,
	},
	/// JSON longer than 32 KiB, or a revocation list longer than 16 KiB.
	#[error("the {0} is too long")]
	CollateralTooLarge(Item),
	/// The signature over the document is wrong.
	#[error("the signature of the {0} is wrong: send the signed bytes exactly as delivered")]
	CollateralSignature(Item),
	/// Signed, but not of the documented form.
	#[error("the {0} is not of the documented form")]
	CollateralMalformed(Item),
	/// Signed and well-formed, but with more entries than we keep.
	#[error("the {0} has more entries than supported")]
	CollateralTooManyEntries(Item),
	/// A document of another kind or version.
	#[error("the {0} is of a kind or version that is not supported")]
	CollateralUnsupported(Item),
	/// The number of SVN components of a TCB level is not 16.
	#[error("a TCB level does not have 16 SVN components")]
	TcbComponentCount,
	/// A status that the document may not carry.
	#[error("the {0} has an unknown TCB status, or one that it may not carry")]
	UnknownTcbStatus(Item),
	/// A delta, partial or indirect list.
	#[error("the {0} is a delta, partial or indirect list: submit the full one")]
	CrlUnsupported(Item),
	/// The list's issuer is another authority: names or key identifiers differ.
	#[error("the {0} was not issued by the expected authority")]
	CrlIssuer(Item),
	/// Not the same item as the stored one: for other platforms, or of another authority.
	#[error("the {0} replaces another one than the stored")]
	UpdateOfAnother(Item),
	/// The evaluation number is lower than the stored one's.
	#[error("the {item} has evaluation number {offered}, the stored one has {stored}")]
	EvaluationNumberFell {
		/// Which item.
		item: Item,
		/// Stored number.
		stored: u32,
		/// Offered number.
		offered: u32,
	},
	/// The CRL number is lower than the stored one's.
	#[error("the {item} has CRL number {offered}, the stored one has {stored}")]
	CrlNumberFell {
		/// Which item.
		item: Item,
		/// Stored number.
		stored: u64,
		/// Offered number.
		offered: u64,
	},
	/// The issue date is not later than the stored one's.
	#[error("the {item} is dated {offered} (Unix time), not later than the stored one: {stored}")]
	IssueDateNotNewer {
		/// Which item.
		item: Item,
		/// Stored date.
		stored: UnixTime,
		/// Offered date.
		offered: UnixTime,
	},
	/// TCB info of SGX for a TDX quote or the reverse.
	#[error("the {0} is for the other TEE")]
	CollateralForOtherTee(Item),
	/// The TCB info is for another FMSPC.
	#[error("the TCB info is for FMSPC {tcb_info}, the platform has {platform}")]
	FmspcMismatch {
		/// The platform's.
		platform: Fmspc,
		/// The TCB info's.
		tcb_info: Fmspc,
	},
	/// The TCB info is for another PCE.
	#[error("the TCB info is for another PCE id than the platform's")]
	PceIdMismatch,

	// 3: signatures of the quote
	/// The QE report is not signed by the PCK certificate's key.
	#[error("the signature of the QE report is wrong")]
	QeReportSignature,
	/// The QE report does not commit to the attestation key and the authentication data.
	#[error("the QE report does not commit to the attestation key")]
	QeReportData,
	/// The quote is not signed by the attestation key, or that is not a point of the curve.
	#[error("the signature of the quote is wrong")]
	QuoteSignature,

	// 4: QE identity
	/// The QE's MRSIGNER is not Intel's.
	#[error("the MRSIGNER of the QE is not that of the QE identity")]
	QeMrSigner,
	/// The QE's ISVPRODID differs.
	#[error("the ISVPRODID of the QE is not that of the QE identity")]
	QeIsvProdId,
	/// The QE's MISCSELECT differs under its mask.
	#[error("the MISCSELECT of the QE is not that of the QE identity")]
	QeMiscSelect,
	/// The QE's attributes differ under their mask.
	#[error("the attributes of the QE are not those of the QE identity")]
	QeAttributes,
	/// The QE runs in debug mode.
	#[error("the QE runs in debug mode")]
	QeDebug,
	/// The QE's ISVSVN is below every level of the QE identity.
	#[error("the ISVSVN {0} of the QE is below every level of the QE identity: update the QE")]
	QeIsvSvnTooLow(u16),
	/// The QE's level is revoked.
	#[error("the TCB level of the QE has been revoked: update the QE")]
	QeRevoked,

	// 5: TCB
	/// No level of the TCB info is met: the platform is older than every known one.
	#[error("the platform meets no level of the TCB info: update its firmware")]
	NoMatchingTcbLevel,
	/// As [`Error::NoMatchingTcbLevel`], for the TDX module that runs now (`TEE_TCB_SVN_2`).
	#[error("the current TDX TCB meets no level of the TCB info: update the platform's firmware")]
	NoMatchingCurrentTcbLevel,
	/// The TCB info knows no TDX module of this version.
	#[error("the TCB info knows no TDX module of version {0}")]
	UnknownTdxModule(u8),
	/// The TDX module's ISVSVN is below every level.
	#[error("the ISVSVN {0} of the TDX module is below every level: update the TDX module")]
	TdxModuleIsvSvnTooLow(u8),
	/// The TDX module is not signed by the expected key.
	#[error("the signer of the TDX module is not the expected one")]
	TdxModuleSigner,
	/// The SEAM attributes differ.
	#[error("the SEAM attributes of the TDX module are not the expected ones")]
	TdxModuleAttributes,
	/// The TDX module's level is revoked.
	#[error("the TCB level of the TDX module has been revoked: update the TDX module")]
	TdxModuleRevoked,
	/// The platform's level is revoked.
	#[error("the TCB level of the platform has been revoked: update its firmware")]
	PlatformRevoked,

	// 6: flags of the body
	/// The enclave runs in debug mode.
	#[error("the enclave runs in debug mode")]
	SgxDebug,
	/// ATTRIBUTES of the enclave are not those of a 64-bit program.
	#[error(
		"the enclave was not signed as a 64-bit program, or has attributes that no program here needs: sign it with MODE64BIT alone, or with CET, KSS or AEXNOTIFY"
	)]
	SgxAttributes,
	/// The TD runs in debug mode.
	#[error("the TD runs in debug mode")]
	TdDebug,
	/// The TD is being profiled (TUD bits 4 to 6).
	#[error("profiling of the TD is enabled")]
	TdProfiling,
	/// A TD attribute is set that is not known to be harmless.
	#[error("a reserved TD attribute is set, or one that no program here needs")]
	TdReservedAttributes,
	/// The TD does not disable EPT violation exceptions.
	#[error("SEPT_VE_DISABLE is off: start the TD with it")]
	TdSeptVeEnabled,
	/// The TD may be migrated.
	#[error("the TD is migratable")]
	TdMigratable,
	/// The TD may use supervisor protection keys.
	#[error("the TD has supervisor protection keys (PKS)")]
	TdProtectionKeys,
	/// The TD may use Key Locker.
	#[error("the TD has Key Locker (KL)")]
	TdKeyLocker,
	/// The TD has a service TD.
	#[error("the TD is bound to a service TD")]
	TdServiceTd,

	// 8: binding
	/// The report data is not that of the claim.
	#[error("the quote's report data is not the hash of this claim")]
	ReportDataMismatch,

	// Policy
	/// A status that no tier accepts.
	#[error("TCB status {0} is not accepted")]
	StatusRefused(TcbStatus),
	/// Out of date for longer than the grace.
	#[error("TCB status {status}, and the grace ended at {ended} (Unix time): update the firmware")]
	GraceEnded {
		/// The status.
		status: TcbStatus,
		/// When the grace ended.
		ended: UnixTime,
	},
	/// The collateral's evaluation number is below the minimum.
	#[error(
		"the collateral has evaluation number {offered}, at least {minimum} is required: submit newer"
	)]
	EvaluationNumberTooLow {
		/// The minimum.
		minimum: u32,
		/// The collateral's.
		offered: u32,
	},
	/// The collateral's evaluation number is not in force yet.
	#[error(
		"the collateral has evaluation number {offered}, and {active} is in force: wait for its activation"
	)]
	EvaluationNumberNotActive {
		/// The highest one in force.
		active: u32,
		/// The collateral's.
		offered: u32,
	},
	/// The role needs a better tier.
	#[error("a {role} needs tier {} or better, this platform has tier {}", *worst as u8, *tier as u8)]
	TierTooLow {
		/// The role.
		role: Role,
		/// The worst tier the role accepts.
		worst: Tier,
		/// The platform's tier.
		tier: Tier,
	},
}

impl Error {
	/// The rule, without data.
	pub fn rule(&self) -> Rule {
		self.into()
	}
}

impl Rule {
	/// Name of the variant, for logs and JSON.
	pub fn name(self) -> &'static str {
		self.into()
	}
}

/// ` for FMSPC …`, if there is one.
struct Platform(Option<Fmspc>);

impl core::fmt::Display for Platform {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		self.0.iter().try_for_each(|fmspc| write!(f, " for FMSPC {fmspc}"))
	}
}
