//! Recorded quotes and collateral. `cargo run -p pallet-worker-registry --example fixtures` writes the
//! files; a test compares them.

use phala_primitives::{EncryptionKey, WorkerKey};
use sp_core::H256;

/// Unix second at which everything is valid.
pub const NOW: u64 = 1_800_000_000;
/// Evaluation number of the documents.
pub const EVALUATION: u32 = 20;
/// Genesis hash that the quotes are bound to.
pub const GENESIS: H256 = H256([0x45; 32]);
/// Block that the quotes are bound to.
pub const BLOCK: u32 = 100;
/// Its hash.
pub const BLOCK_HASH: H256 = H256([0x64; 32]);
/// Account that the quotes are bound to.
pub const OPERATOR: [u8; 32] = [7; 32];
/// Secret of the worker's key.
pub const WORKER_SEED: &str = "//worker";
/// Public half of [`WORKER_SEED`].
pub fn worker() -> WorkerKey {
	WorkerKey::from_raw(hex_literal::hex!(
		"2a23a959ac70dea542bc29c9880093db4520138015ce170642cea41d639c1d10"
	))
}
/// Encryption key that the quotes are bound to.
pub const ENCRYPTION_KEY: EncryptionKey = [9; 32];

macro_rules! files {
	($($name:ident = $file:literal),* $(,)?) => {
		$(pub const $name: &[u8] = include_bytes!(concat!("../fixtures/", $file));)*

		/// Every file by its name.
		#[cfg(test)]
		pub const ALL: &[(&str, &[u8])] = &[$(($file, $name)),*];
	};
}

files! {
	QUOTE = "quote.bin",
	OTHER_QUOTE = "other_quote.bin",
	ROOT = "root.der",
	ROOT_CRL = "root_crl.der",
	PCK_CA = "pck_ca.der",
	SIGNER = "signer.der",
	QE_IDENTITY = "qe_identity.json",
	QE_IDENTITY_SIGNATURE = "qe_identity.sig",
	TCB_INFO_1 = "tcb_info_1.json",
	TCB_INFO_1_SIGNATURE = "tcb_info_1.sig",
	TCB_INFO_2 = "tcb_info_2.json",
	TCB_INFO_2_SIGNATURE = "tcb_info_2.sig",
	TCB_INFO_3 = "tcb_info_3.json",
	TCB_INFO_3_SIGNATURE = "tcb_info_3.sig",
	TCB_INFO_4 = "tcb_info_4.json",
	TCB_INFO_4_SIGNATURE = "tcb_info_4.sig",
	PCK_CRL_1 = "pck_crl_1.der",
	PCK_CRL_2 = "pck_crl_2.der",
	PCK_CRL_3 = "pck_crl_3.der",
	PCK_CRL_4 = "pck_crl_4.der",
}

/// TCB info of 1 to 4 times 8 KiB, and its signature.
pub const TCB_INFOS: [(&[u8], &[u8]); 4] = [
	(TCB_INFO_1, TCB_INFO_1_SIGNATURE),
	(TCB_INFO_2, TCB_INFO_2_SIGNATURE),
	(TCB_INFO_3, TCB_INFO_3_SIGNATURE),
	(TCB_INFO_4, TCB_INFO_4_SIGNATURE),
];

/// Revocation list of 1 to 4 times 4 KiB.
pub const PCK_CRLS: [&[u8]; 4] = [PCK_CRL_1, PCK_CRL_2, PCK_CRL_3, PCK_CRL_4];
