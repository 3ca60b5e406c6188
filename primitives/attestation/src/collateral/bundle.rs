//! All collateral of one quote as provisioning caches deliver it.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{Anchor, Collateral, Crl, CrlIssuer, Item, PckCa, QeIdentity, TcbInfo};
use crate::{crypto::RawSignature, error::Error, pem, root::TrustRoot, types::UnixTime};

/// The collateral of one quote, unverified: the fields and the JSON form of Intel's
/// `sgx_ql_qve_collateral_t`, version 3, with binary fields in hexadecimal.
#[derive(Clone, Debug, Deserialize)]
pub struct Bundle {
	/// PEM chain of the PCK CRL's issuer, leaf first.
	pub pck_crl_issuer_chain: String,
	/// Root CA's list, DER.
	#[serde(deserialize_with = "hex")]
	pub root_ca_crl: Vec<u8>,
	/// PCK CA's list, DER.
	#[serde(deserialize_with = "hex")]
	pub pck_crl: Vec<u8>,
	/// PEM chain of the TCB info's signer, leaf first.
	pub tcb_info_issuer_chain: String,
	/// TCB info, JSON.
	pub tcb_info: String,
	/// Its signature.
	#[serde(deserialize_with = "hex")]
	pub tcb_info_signature: Vec<u8>,
	/// PEM chain of the QE identity's signer, leaf first.
	pub qe_identity_issuer_chain: String,
	/// QE identity, JSON.
	pub qe_identity: String,
	/// Its signature.
	#[serde(deserialize_with = "hex")]
	pub qe_identity_signature: Vec<u8>,
}

/// The verified items of a [`Bundle`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
	/// The root's list.
	pub root_crl: Crl,
	/// The PCK CA.
	pub pck_ca: PckCa,
	/// Its list.
	pub pck_crl: Crl,
	/// The TCB info.
	pub tcb_info: TcbInfo,
	/// The QE identity.
	pub qe_identity: QeIdentity,
}

impl Bundle {
	/// Verifies every item: seven signatures.
	///
	/// # Errors
	///
	/// Those of the items.
	pub fn verify(&self, root: &TrustRoot, now: UnixTime) -> Result<Verified, Error> {
		let root_crl = Crl::verify(&self.root_ca_crl, CrlIssuer::Root(root), now)?;
		let anchor = Anchor { root, root_crl: &root_crl };
		let pck_ca = PckCa::verify(&first(&self.pck_crl_issuer_chain)?, &anchor, now)?;
		let pck_crl = Crl::verify(&self.pck_crl, CrlIssuer::PckCa(&pck_ca), now)?;
		let tcb_info = TcbInfo::verify(
			self.tcb_info.as_bytes(),
			&signature(Item::TcbInfo, &self.tcb_info_signature)?,
			&first(&self.tcb_info_issuer_chain)?,
			&anchor,
			now,
		)?;
		let qe_identity = QeIdentity::verify(
			self.qe_identity.as_bytes(),
			&signature(Item::QeIdentity, &self.qe_identity_signature)?,
			&first(&self.qe_identity_issuer_chain)?,
			&anchor,
			now,
		)?;
		Ok(Verified { root_crl, pck_ca, pck_crl, tcb_info, qe_identity })
	}
}

impl Verified {
	/// The items, to verify a quote against.
	pub fn collateral<'a>(&'a self, root: &'a TrustRoot) -> Collateral<'a> {
		Collateral {
			anchor: Anchor { root, root_crl: &self.root_crl },
			pck_ca: &self.pck_ca,
			pck_crl: &self.pck_crl,
			tcb_info: &self.tcb_info,
			qe_identity: &self.qe_identity,
		}
	}
}

fn first(chain: &str) -> Result<Vec<u8>, Error> {
	pem::certificates(chain.as_bytes())?.into_iter().next().ok_or(Error::CertificateChainTooShort)
}

fn signature(item: Item, bytes: &[u8]) -> Result<RawSignature, Error> {
	bytes.try_into().map_err(|_| Error::CollateralSignature(item))
}

fn hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
	let text = String::deserialize(deserializer)?;
	base16ct::mixed::decode_vec(text).map_err(|_| D::Error::custom("no hexadecimal"))
}
