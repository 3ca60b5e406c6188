//! Collateral: everything besides the quote that a verifier needs.

use crate::{
	CaKind, CrlOptions, DAY, Error, Pki, Platform, QeIdentity, TcbInfo, Tee, Window,
	certificate::{Authority, pem_chain},
	time,
};
use serde::{Deserialize, Serialize};

/// Collateral in the JSON shape of dcap-qvl's `QuoteCollateralV3`: PEM and JSON as strings, binary
/// fields in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collateral {
	/// PEM: PCK CA, root.
	pub pck_crl_issuer_chain: String,
	/// DER.
	#[serde(with = "hex::serde")]
	pub root_ca_crl: Vec<u8>,
	/// DER.
	#[serde(with = "hex::serde")]
	pub pck_crl: Vec<u8>,
	/// PEM: TCB signing certificate, root.
	pub tcb_info_issuer_chain: String,
	/// JSON of the TCB info proper, exactly as signed.
	pub tcb_info: String,
	/// `r ‖ s`.
	#[serde(with = "hex::serde")]
	pub tcb_info_signature: Vec<u8>,
	/// PEM: TCB signing certificate, root.
	pub qe_identity_issuer_chain: String,
	/// JSON of the enclave identity proper, exactly as signed.
	pub qe_identity: String,
	/// `r ‖ s`.
	#[serde(with = "hex::serde")]
	pub qe_identity_signature: Vec<u8>,
	/// PEM: PCK certificate, PCK CA, root. Quotes with certification data of type 5 carry it.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub pck_certificate_chain: Option<String>,
}

/// What collateral shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollateralOptions {
	/// CA whose revocation list is included.
	pub ca: CaKind,
	/// TCB info; its dates are set from `tcb_info_window`.
	pub tcb_info: TcbInfo,
	/// Validity of the TCB info.
	pub tcb_info_window: Window,
	/// QE identity; its dates are set from `qe_identity_window`.
	pub qe_identity: QeIdentity,
	/// Validity of the QE identity.
	pub qe_identity_window: Window,
	/// Revocation list of the root.
	pub root_ca_crl: CrlOptions,
	/// Revocation list of the PCK CA.
	pub pck_crl: CrlOptions,
}

impl CollateralOptions {
	/// Collateral that finds the platform and its quoting enclave `UpToDate`.
	pub fn for_platform(platform: &Platform, tee: Tee) -> Self {
		Self {
			ca: platform.ca,
			tcb_info: TcbInfo::for_platform(platform, tee),
			tcb_info_window: Window::default(),
			qe_identity: QeIdentity::development(tee),
			qe_identity_window: Window::default(),
			// Intel renews the root's list once a year.
			root_ca_crl: CrlOptions {
				window: Window { start: -DAY, end: 365 * DAY },
				..CrlOptions::default()
			},
			pck_crl: CrlOptions::default(),
		}
	}
}

impl Pki {
	/// Collateral as of `now`, Unix seconds.
	pub fn issue_collateral(
		&self,
		now: u64,
		options: &CollateralOptions,
	) -> Result<Collateral, Error> {
		let (mut tcb_info, mut qe_identity) =
			(options.tcb_info.clone(), options.qe_identity.clone());
		(tcb_info.issue_date, tcb_info.next_update) = dates(now, &options.tcb_info_window)?;
		(qe_identity.issue_date, qe_identity.next_update) =
			dates(now, &options.qe_identity_window)?;
		let tcb_info = json(&tcb_info);
		let qe_identity = json(&qe_identity);
		let pck_ca = self.pck_ca(options.ca);
		Ok(Collateral {
			pck_crl_issuer_chain: self.chain_of(pck_ca)?,
			root_ca_crl: options.root_ca_crl.issue(now, &self.root)?,
			pck_crl: options.pck_crl.issue(now, pck_ca)?,
			tcb_info_issuer_chain: self.chain_of(&self.tcb_signing)?,
			tcb_info_signature: self.tcb_signing.sign(tcb_info.as_bytes()).to_vec(),
			tcb_info,
			qe_identity_issuer_chain: self.chain_of(&self.tcb_signing)?,
			qe_identity_signature: self.tcb_signing.sign(qe_identity.as_bytes()).to_vec(),
			qe_identity,
			pck_certificate_chain: None,
		})
	}

	/// PEM of an authority's certificate and the root's.
	pub(crate) fn chain_of(&self, authority: &Authority) -> Result<String, Error> {
		pem_chain([&authority.certificate, &self.root.certificate])
	}
}

fn dates(now: u64, window: &Window) -> Result<(String, String), Error> {
	let validity = window.around(now);
	Ok((time::rfc3339(validity.not_before)?, time::rfc3339(validity.not_after)?))
}

pub(crate) fn json(value: &impl Serialize) -> String {
	serde_json::to_string(value).expect("maps have string keys and serialising cannot fail")
}
