//! Worst cases, on recorded quotes and collateral: see `fixtures/`.

use crate::{
	fixtures,
	types::{Claim, MeasurementRecord, Policy, SignedDocument, Standing},
	*,
};
use alloc::vec::Vec;
use codec::Decode;
use frame_benchmarking::v2::*;
use frame_support::{
	BoundedVec, assert_ok,
	traits::{Consideration, EnsureOrigin, Get},
};
use frame_system::RawOrigin;
use phala_attestation::TrustRoot;
use phala_primitives::{
	BenchmarkStatement, BlockRef, Endpoint, EndpointStatement, MAX_ENDPOINT_LEN, Statement, WorkerKey,
	WorkerSignature,
};
use sp_core::{H256, crypto::KeyTypeId};

/// Keys of benchmarks in the client's keystore.
const KEY_TYPE: KeyTypeId = KeyTypeId(*b"pwrk");

fn operator<T: Config>() -> T::AccountId {
	T::AccountId::decode(&mut &fixtures::OPERATOR[..]).expect("an account id is 32 bytes")
}

/// The worker's key, now in the keystore.
fn worker_key() -> WorkerKey {
	let key = sp_io::crypto::sr25519_generate(KEY_TYPE, Some(fixtures::WORKER_SEED.into()));
	assert_eq!(key, fixtures::claim().worker);
	key
}

fn sign<T: Config>(statement: &impl Statement) -> WorkerSignature {
	let message = statement.message(&Pallet::<T>::chain_id());
	sp_io::crypto::sr25519_sign(KEY_TYPE, &worker_key(), &message).expect("the key is there")
}
