//! QE identity, version 2, as Intel's PCS serves it, and the enclaves it describes.
//!
//! Source: "Intel SGX and Intel TDX Provisioning Certification Service API v4", Get QE Identity.

use crate::{IsvTcbLevel, TcbStatus, Tee, key};
use serde::Serialize;

/// What a quoting enclave's report says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnclaveIdentity {
	/// Measurement.
	pub mr_enclave: [u8; 32],
	/// Signer.
	pub mr_signer: [u8; 32],
	/// Product.
	pub isv_prod_id: u16,
	/// Security version.
	pub isv_svn: u16,
	/// MISCSELECT.
	pub misc_select: u32,
	/// ATTRIBUTES: flags and XFRM, 8 bytes each.
	pub attributes: [u8; 16],
}

impl EnclaveIdentity {
	/// The up-to-date quoting enclave of a TEE. The signer is ours, not Intel's.
	pub fn quoting_enclave(tee: Tee) -> Self {
		let (name, isv_prod_id) = match tee {
			Tee::Sgx => ("qe", 1),
			Tee::Tdx => ("td qe", 2),
		};
		let mut attributes = [0; 16];
		// INIT, MODE64BIT, PROVISIONKEY; XFRM with AVX-512.
		attributes[0] = 0x15;
		attributes[8] = 0xE7;
		Self {
			mr_enclave: key::derive(&[0; 32], &format!("{name} enclave")),
			mr_signer: key::derive(&[0; 32], &format!("{name} signer")),
			isv_prod_id,
			isv_svn: 8,
			misc_select: 0,
			attributes,
		}
	}
}

/// QE identity: what a quoting enclave must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QeIdentity {
	/// `QE` for SGX, `TD_QE` for TDX.
	pub id: &'static str,
	/// Of the format: 2.
	pub version: u8,
	/// Set when issued.
	pub issue_date: String,
	/// Set when issued.
	pub next_update: String,
	/// Number of the TCB recovery that this belongs to.
	pub tcb_evaluation_data_number: u32,
	/// Upper-case hex of four little-endian bytes.
	pub miscselect: String,
	/// Upper-case hex of the bits that count.
	pub miscselect_mask: String,
	/// Upper-case hex, 16 bytes.
	pub attributes: String,
	/// Upper-case hex of the bits that count.
	pub attributes_mask: String,
	/// Upper-case hex, 32 bytes.
	pub mrsigner: String,
	/// Product.
	pub isvprodid: u16,
	/// Highest first.
	pub tcb_levels: Vec<IsvTcbLevel>,
}

/// Advisory of an outdated development QE.
pub const QE_ADVISORY: &str = "INTEL-SA-00615";

impl QeIdentity {
	/// The identity of [`EnclaveIdentity::quoting_enclave`], with an `OutOfDate` level below.
	pub fn development(tee: Tee) -> Self {
		let enclave = EnclaveIdentity::quoting_enclave(tee);
		Self {
			id: match tee {
				Tee::Sgx => "QE",
				Tee::Tdx => "TD_QE",
			},
			version: 2,
			issue_date: String::new(),
			next_update: String::new(),
			tcb_evaluation_data_number: 20,
			miscselect: "00000000".into(),
			miscselect_mask: "FFFFFFFF".into(),
			// MODE64BIT and XFRM are free.
			attributes: "11000000000000000000000000000000".into(),
			attributes_mask: "FBFFFFFFFFFFFFFF0000000000000000".into(),
			mrsigner: hex::encode_upper(enclave.mr_signer),
			isvprodid: enclave.isv_prod_id,
			tcb_levels: vec![
				IsvTcbLevel::new(enclave.isv_svn, TcbStatus::UpToDate),
				IsvTcbLevel::new(enclave.isv_svn - 2, TcbStatus::OutOfDate)
					.advisories(&[QE_ADVISORY]),
			],
		}
	}
}
