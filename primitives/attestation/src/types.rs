//! Small shared types.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Seconds since 1970-01-01T00:00:00Z.
pub type UnixTime = u64;

macro_rules! bytes {
	($(#[$doc:meta])* $name:ident, $len:literal) => {
		$(#[$doc])*
		#[derive(
			Clone,
			Copy,
			PartialEq,
			Eq,
			PartialOrd,
			Ord,
			Hash,
			Encode,
			Decode,
			DecodeWithMemTracking,
			MaxEncodedLen,
			TypeInfo,
		)]
		pub struct $name(pub [u8; $len]);

		impl core::fmt::Display for $name {
			fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
				self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
			}
		}

		impl core::fmt::Debug for $name {
			fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
				core::fmt::Display::fmt(self, f)
			}
		}
	};
}

bytes!(
	/// FMSPC: family, model, stepping, platform type and customized SKU of a platform. TCB info
	/// is issued per FMSPC.
	Fmspc,
	6
);
bytes!(
	/// Identifier of the provisioning certification enclave.
	PceId,
	2
);
bytes!(
	/// Platform provisioning id: the same for every PCK certificate of a platform.
	Ppid,
	16
);
bytes!(
	/// Subject key identifier of an authority (RFC 5280 §4.2.1.2).
	KeyId,
	20
);
bytes!(
	/// SHA-256 of a public key.
	KeyHash,
	32
);
bytes!(
	/// Serial number of a certificate, big-endian, padded with zeros (at most 20 octets, RFC 5280
	/// §4.1.2.2).
	Serial,
	20
);
bytes!(
	/// SHA-256 of a distinguished name in DER.
	NameHash,
	32
);

/// Trusted execution environment.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Debug,
	strum::Display,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Tee {
	/// Software Guard Extensions: an enclave in a process.
	#[strum(to_string = "SGX")]
	Sgx,
	/// Trust Domain Extensions: a virtual machine.
	#[strum(to_string = "TDX")]
	Tdx,
}

/// Which of Intel's two intermediate authorities issued a PCK certificate.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Debug,
	strum::Display,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum PckCaKind {
	/// Single-package platforms without registration.
	Processor,
	/// Platforms with one or more packages, registered with Intel.
	Platform,
}

/// The certificates that are verified.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	strum::Display,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum CertificateKind {
	/// The trust root.
	#[strum(to_string = "root CA")]
	Root,
	/// PCK Platform CA or PCK Processor CA.
	#[strum(to_string = "PCK CA")]
	PckCa,
	/// The platform's PCK certificate, carried in the quote.
	#[strum(to_string = "PCK")]
	Pck,
	/// Signer of a TCB info.
	#[strum(to_string = "TCB info signing")]
	TcbInfoSigner,
	/// Signer of a QE identity.
	#[strum(to_string = "QE identity signing")]
	QeIdentitySigner,
}
