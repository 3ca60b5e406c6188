//! What the program encodes and decodes, against real runtimes.

use crate::chain::Test;
use codec::{Decode, DecodeAll, Encode};
use phala_gatekeeper::{election, registry};
use phala_node_common::{
	board::{self, Message},
	chain::{Raw, encode_general, misfits, missing},
};
use phala_runtime::{Runtime, RuntimeCall, UncheckedExtrinsic};
use sp_runtime::generic::Preamble;
use subxt::Metadata;

fn phala() -> Metadata {
	// Some constants are read from storage.
	let metadata = sp_io::TestExternalities::default()
		.execute_with(|| Runtime::metadata_at_version(16))
		.expect("the runtime has metadata V16");
	Metadata::decode_from(&metadata).expect("subxt reads it")
}

fn test() -> Metadata {
	let metadata = Test::metadata_at_version(16).expect("the runtime has metadata V16");
	Metadata::decode_from(&metadata).expect("subxt reads it")
}

#[test]
fn the_pallets_fit() {
	assert_eq!(misfits(&test(), &board::encodings()), Vec::<String>::new());
	for encodings in [board::encodings(), registry::encodings()] {
		assert_eq!(misfits(&phala(), &encodings), Vec::<String>::new());
	}
	assert_eq!(missing(&phala(), &[election::SHAPE]), Vec::<String>::new());
}

#[test]
fn what_does_not_fit_is_named() {
	let mut encodings = registry::encodings();
	encodings.storage.push(("Workers", scale_info::meta_type::<u8>()));
	encodings.storage.push(("Clouds", scale_info::meta_type::<u8>()));
	encodings.calls.push(("register", vec![]));
	assert_eq!(
		misfits(&phala(), &encodings),
		[
			"storage WorkerRegistry.Workers",
			"storage WorkerRegistry.Clouds",
			"call WorkerRegistry.register"
		]
	);
}

/// The runtime reads a general transaction as this program wrote it.
#[test]
fn general_transactions_are_read_by_the_runtime() {
	let metadata = phala();
	let remark = vec![1u8, 2, 3];
	let make = |number| {
		encode_general(&metadata, "System", "remark", &Raw(remark.encode()), number).unwrap()
	};
	assert_eq!(make(7), make(7), "the same bytes each time");
	assert_ne!(make(7), make(8));
	let expected = RuntimeCall::System(frame_system::Call::remark { remark: remark.clone() });
	for number in [0, 63, 64, u32::MAX] {
		let read = UncheckedExtrinsic::decode_all(&mut &make(number)[..]).unwrap();
		assert_eq!(read.function, expected);
		assert!(matches!(read.preamble, Preamble::General(..)), "{:?}", read.preamble);
	}
	assert!(encode_general(&metadata, "System", "fly", &Raw(vec![]), 0).is_err());
}

/// Arguments of messages are those of the calls.
#[test]
fn messages_are_read_by_the_pallet() {
	use pallet_gatekeeper_keys::Call;
	use phala_primitives::{
		GuardRequestStatement, KeyRequestStatement, RegistrationStatement, WorkerSignature,
	};
	use phala_threshold::{Blind, CeremonyId, ClusterInput, Inquiry, Registration};
	use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
	let rng = &mut ChaCha20Rng::seed_from_u64(1);
	let secret = phala_node_common::cluster_key::Asking::new(
		&crate::chain::Chain::id(),
		&sp_core::Pair::from_seed(&[1; 32]),
		ClusterInput { epoch: 1, cluster: [1; 32] },
		*some_key(rng),
		77,
		rng,
	);
	let Message::Request(asked, signature) = secret.unwrap().message() else { panic!("a request") };
	let input = asked.input.into();
	let inquiry = Inquiry { public_key: *some_key(rng), input, requester: [0; 32] };
	let _ = Blind::new(inquiry, rng).unwrap();
	let statement = RegistrationStatement {
		member: asked.worker,
		ceremony: CeremonyId([1; 32]),
		registration: Registration { key: None, digest: None },
	};
	let none = WorkerSignature::from_raw([7; 64]);
	let guard = GuardRequestStatement {
		member: asked.worker,
		epoch: 1,
		ceremony: CeremonyId([1; 32]),
		valid_until: 77,
		request: asked.request,
	};
	for message in [
		Message::Request(asked.clone(), signature),
		Message::Register(Box::new(statement.clone()), none),
		Message::RequestGuard(Box::new(guard.clone()), none),
	] {
		let arguments = Raw(message.arguments());
		let call = call_data(message.call(), &arguments);
		let read = crate::chain::RuntimeCall::decode(&mut &call[..]).unwrap();
		let crate::chain::RuntimeCall::GatekeeperKeys(read) = read else { panic!("{read:?}") };
		let expected = match message {
			Message::Request(..) => {
				let statement: Box<KeyRequestStatement> = asked.clone();
				Call::request { statement, signature }
			}
			Message::RequestGuard(..) => {
				Call::request_guard { statement: Box::new(guard.clone()), signature: none }
			}
			_ => Call::register { statement: Box::new(statement.clone()), signature: none },
		};
		assert_eq!(read, expected);
	}
}

/// The call in SCALE.
fn call_data(call: &str, arguments: &Raw) -> Vec<u8> {
	use subxt::ext::frame_decode::extrinsics::encode_call_data;
	let metadata = test();
	encode_call_data(board::PALLET, call, arguments, &metadata, metadata.types()).unwrap()
}

/// Some element of the group.
fn some_key(rng: &mut rand_chacha::ChaCha20Rng) -> Box<phala_threshold::Element> {
	use phala_threshold::{Ceremony, Kind, Member, MemberIndex, Role, Threshold};
	let ceremony = Ceremony {
		chain: [1; 32],
		number: 1,
		members: [2; 32],
		size: Threshold::of(2).unwrap(),
		kind: Kind::Generation,
	};
	let role = Role::Generate(MemberIndex::new(1).unwrap());
	let member = Member::join(ceremony, role, rng).unwrap();
	Box::new(member.registration(rng).unwrap().key.unwrap().key)
}
