//! Justifications by real keys, and every way to get one wrong that matters.

use crate::client::{
	Header, Justification, MAX_AGE_DAYS, MAX_ANCESTRY, MAX_ANCESTRY_SIZE, MAX_AUTHORITIES,
	TrustError, Trusted, checkpoint_keys, para_head, para_head_key, time, time_key,
};
use codec::{Decode, Encode};
use phala_primitives::BlockRef;
use proptest::prelude::*;
use sp_consensus_grandpa::{
	AuthorityList, AuthorityPair, ConsensusLog, GRANDPA_ENGINE_ID, Message, Precommit,
	ScheduledChange, localized_payload,
};
use sp_core::{Blake2Hasher, H256, Pair, storage::StateVersion};
use sp_runtime::{Digest, DigestItem, traits::Header as _};
use sp_state_machine::{InMemoryBackend, StorageProof, prove_read, read_proof_check};

const ROUND: u64 = 7;
pub(crate) const GENESIS: H256 = H256::repeat_byte(1);

fn pair(number: u8) -> AuthorityPair {
	AuthorityPair::from_seed(&[number; 32])
}

/// The set of these keys, with one vote each.
pub(crate) fn set(keys: &[u8]) -> AuthorityList {
	keys.iter().map(|number| (pair(*number).public(), 1)).collect()
}

pub(crate) fn trusted(set_id: u64, keys: &[u8]) -> Trusted {
	let block = BlockRef { number: 10, hash: H256::repeat_byte(10) };
	Trusted { genesis: GENESIS, origin: None, block, time: 0, set_id, authorities: set(keys) }
}

pub(crate) fn header(number: u32, parent: H256, logs: Vec<ConsensusLog<u32>>) -> Header {
	let logs =
		logs.iter().map(|log| DigestItem::Consensus(GRANDPA_ENGINE_ID, log.encode())).collect();
	Header::new(number, H256::zero(), H256::zero(), parent, Digest { logs })
}

pub(crate) fn plain(number: u32) -> Header {
	header(number, H256::zero(), vec![])
}

pub(crate) fn change(keys: &[u8], delay: u32) -> ScheduledChange<u32> {
	ScheduledChange { next_authorities: set(keys), delay }
}

type Vote = finality_grandpa::SignedPrecommit<
	H256,
	u32,
	sp_consensus_grandpa::AuthoritySignature,
	sp_consensus_grandpa::AuthorityId,
>;

fn vote(key: u8, set_id: u64, on: &Header) -> Vote {
	let precommit = Precommit::<Header> { target_hash: on.hash(), target_number: *on.number() };
	let message = Message::<Header>::Precommit(precommit.clone());
	let signature = pair(key).sign(&localized_payload(ROUND, set_id, &message));
	Vote { precommit, signature, id: pair(key).public() }
}

fn justification(of: &Header, precommits: Vec<Vote>) -> Justification {
	let commit = sp_consensus_grandpa::Commit::<Header> {
		target_hash: of.hash(),
		target_number: *of.number(),
		precommits,
	};
	Justification { round: ROUND, commit, votes_ancestries: vec![] }
}

pub(crate) fn signed(of: &Header, set_id: u64, keys: &[u8]) -> Justification {
	justification(of, keys.iter().map(|key| vote(*key, set_id, of)).collect())
}

/// Is it refused, and is nothing believed that was not before?
fn refused(trusted: &Trusted, justification: &Justification, header: &Header) -> TrustError {
	let mut changed = trusted.clone();
	let error = changed.advance(justification.clone(), header).unwrap_err();
	assert_eq!(changed, *trusted);
	error
}

#[test]
fn more_than_two_thirds_are_believed_and_no_fewer() {
	let (mut trusted, target) = (trusted(3, &[1, 2, 3, 4]), plain(20));
	let two = signed(&target, 3, &[1, 2]);
	assert!(matches!(refused(&trusted, &two, &target), TrustError::Unsigned { set_id: 3, .. }));
	trusted.advance(signed(&target, 3, &[1, 2, 3]), &target).unwrap();
	assert_eq!(trusted.block, BlockRef { number: 20, hash: target.hash() });
	assert_eq!((trusted.set_id, trusted.authorities.len()), (3, 4));
	// Nodes send all votes that they have.
	let later = plain(21);
	trusted.advance(signed(&later, 3, &[1, 2, 3, 4]), &later).unwrap();
	// Exactly two thirds are too few.
	let of_three = Trusted { authorities: set(&[1, 2, 3]), ..trusted };
	let target = plain(30);
	refused(&of_three, &signed(&target, 3, &[1, 2]), &target);
}

#[test]
fn a_justification_survives_the_wire() {
	let (mut trusted, target) = (trusted(3, &[1, 2, 3]), plain(20));
	let bytes = signed(&target, 3, &[1, 2, 3]).encode();
	let read = Justification::decode(&mut &bytes[..]).unwrap();
	trusted.advance(read, &target).unwrap();
	assert_eq!(Trusted::decode(&mut &trusted.encode()[..]).unwrap(), trusted);
}

#[test]
fn votes_that_do_not_count_do_not_help() {
	let (trusted, target) = (trusted(3, &[1, 2, 3, 4]), plain(20));
	let two = || vec![vote(1, 3, &target), vote(2, 3, &target)];
	let mut bent = vote(3, 3, &target);
	let signature: &mut [u8] = bent.signature.as_mut();
	signature[5] ^= 1;
	let mut anothers = vote(3, 3, &target);
	anothers.id = pair(4).public();
	let third = [
		("an outsider", vote(9, 3, &target)),
		("of the set before", vote(3, 2, &target)),
		("of the set after", vote(3, 4, &target)),
		("a second time", vote(2, 3, &target)),
		("of a bent signature", bent),
		("under another's name", anothers),
		("on another block", vote(3, 3, &plain(21))),
		("on an older block", vote(3, 3, &plain(19))),
	];
	for (what, third) in third {
		let votes = [two(), vec![third]].concat();
		let error = refused(&trusted, &justification(&target, votes), &target);
		assert!(matches!(error, TrustError::Unsigned { number: 20, .. }), "{what}: {error}");
	}
	let mut other_round = signed(&target, 3, &[1, 2, 3]);
	other_round.round += 1;
	refused(&trusted, &other_round, &target);
}

#[test]
fn it_is_for_this_block_and_a_newer_one() {
	let trusted = trusted(3, &[1, 2, 3]);
	let (target, other) = (plain(20), header(20, H256::repeat_byte(9), vec![]));
	let good = signed(&target, 3, &[1, 2, 3]);
	assert!(matches!(refused(&trusted, &good, &other), TrustError::OtherHeader { .. }));
	let mut renamed = good.clone();
	renamed.commit.target_hash = other.hash();
	assert!(matches!(refused(&trusted, &renamed, &other), TrustError::Unsigned { .. }));
	let mut higher = good.clone();
	higher.commit.target_number = 21;
	assert!(matches!(refused(&trusted, &higher, &target), TrustError::OtherHeader { .. }));
	for number in [9, 10] {
		let old = plain(number);
		let error = refused(&trusted, &signed(&old, 3, &[1, 2, 3]), &old);
		assert_eq!(error, TrustError::Older { number, trusted: 10 });
	}
	let many = justification(&target, vec![vote(1, 3, &target); 7]);
	assert!(matches!(refused(&trusted, &many, &target), TrustError::TooLarge { votes: 7, .. }));
}

#[test]
fn votes_for_descendants_count_with_the_headers_between() {
	let mut trusted = trusted(3, &[1, 2, 3, 4]);
	let target = plain(20);
	let child = header(21, target.hash(), vec![]);
	let grandchild = header(22, child.hash(), vec![]);
	let votes = vec![vote(1, 3, &target), vote(2, 3, &child), vote(3, 3, &grandchild)];
	let mut good = justification(&target, votes);
	refused(&trusted, &good, &target);
	good.votes_ancestries = vec![child];
	refused(&trusted, &good, &target);
	good.votes_ancestries.push(grandchild);
	trusted.advance(good, &target).unwrap();
	assert_eq!(trusted.block.number, 20);
}

/// A chain of headers after a block.
fn descendants(of: &Header, count: usize, digest: &Digest) -> Vec<Header> {
	let mut chain = vec![of.clone()];
	for number in (of.number + 1..).take(count) {
		let mut next = header(number, chain[chain.len() - 1].hash(), vec![]);
		next.digest = digest.clone();
		chain.push(next);
	}
	chain.split_off(1)
}

#[test]
fn more_headers_than_honest_voters_need_are_not_looked_at() {
	let (trusted, target) = (trusted(3, &[1, 2, 3]), plain(20));
	let ahead = |count, digest: &Digest| {
		let headers = descendants(&target, count, digest);
		let newest = &headers[count - 1];
		let votes = [1, 2, 3].map(|key| vote(key, 3, newest)).to_vec();
		Justification { votes_ancestries: headers, ..justification(&target, votes) }
	};
	let empty = Digest::default();
	trusted.clone().advance(ahead(MAX_ANCESTRY, &empty), &target).unwrap();
	let error = refused(&trusted, &ahead(MAX_ANCESTRY + 1, &empty), &target);
	assert!(matches!(error, TrustError::TooLarge { headers: 65, .. }), "{error}");

	let large = |size| Digest { logs: vec![DigestItem::Other(vec![0; size])] };
	trusted.clone().advance(ahead(2, &large(MAX_ANCESTRY_SIZE / 3)), &target).unwrap();
	let error = refused(&trusted, &ahead(2, &large(MAX_ANCESTRY_SIZE / 2)), &target);
	assert!(matches!(error, TrustError::TooLarge { headers: 2, .. }), "{error}");
}

#[test]
fn a_set_hands_over_to_the_next() {
	let mut trusted = trusted(3, &[1, 2, 3]);
	let end = header(20, H256::zero(), vec![ConsensusLog::ScheduledChange(change(&[4, 5, 6], 0))]);
	trusted.advance(signed(&end, 3, &[1, 2, 3]), &end).unwrap();
	assert_eq!((trusted.set_id, &trusted.authorities), (4, &set(&[4, 5, 6])));
	let next = plain(21);
	// The old set says nothing any more, under its number or the new one's.
	refused(&trusted, &signed(&next, 3, &[1, 2, 3]), &next);
	refused(&trusted, &signed(&next, 4, &[1, 2, 3]), &next);
	trusted.advance(signed(&next, 4, &[4, 5, 6]), &next).unwrap();

	// Who misses a change is stuck, and not misled.
	let late = Trusted { set_id: 3, authorities: set(&[4, 5, 6]), ..trusted };
	let newest = plain(30);
	refused(&late, &signed(&newest, 4, &[4, 5, 6]), &newest);
}

#[test]
fn of_several_changes_the_first_counts_and_other_logs_do_not() {
	let mut trusted = trusted(3, &[1, 2, 3]);
	let logs = vec![
		ConsensusLog::OnDisabled(1),
		ConsensusLog::ScheduledChange(change(&[4], 0)),
		ConsensusLog::ScheduledChange(change(&[5], 0)),
	];
	let mut end = header(20, H256::zero(), logs);
	end.digest.logs.insert(0, DigestItem::Consensus(GRANDPA_ENGINE_ID, vec![99]));
	end.digest.logs.insert(0, DigestItem::Consensus(*b"BABE", vec![1, 0]));
	trusted.advance(signed(&end, 3, &[1, 2, 3]), &end).unwrap();
	assert_eq!(trusted.authorities, set(&[4]));
}

#[test]
fn changes_that_prove_nothing_are_refused() {
	let trusted = trusted(3, &[1, 2, 3]);
	let scheduled = ConsensusLog::ScheduledChange(change(&[4], 0));
	let forced = ConsensusLog::ForcedChange(5, change(&[4], 0));
	let refusal = |trusted: &Trusted, logs| {
		let end = header(20, H256::zero(), logs);
		refused(trusted, &signed(&end, trusted.set_id, &[1, 2, 3]), &end)
	};
	assert_eq!(refusal(&trusted, vec![scheduled.clone(), forced]), TrustError::Forced(20));
	let delayed = vec![ConsensusLog::ScheduledChange(change(&[4], 6))];
	assert_eq!(refusal(&trusted, delayed), TrustError::Delayed { number: 20, delay: 6 });
	let nobody = vec![ConsensusLog::ScheduledChange(change(&[], 0))];
	let error = TrustError::Authorities { set_id: 4, count: 0 };
	assert_eq!(refusal(&trusted, nobody), error);
	let last = Trusted { set_id: u64::MAX, ..trusted };
	assert_eq!(refusal(&last, vec![scheduled]), TrustError::LastSet(u64::MAX));
}

/// What is stored where.
pub(crate) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// A state with `entries`: its root, and the proof of what is at these addresses.
pub(crate) fn prove(entries: Entries, keys: &[Vec<u8>]) -> (H256, Vec<Vec<u8>>) {
	let backend = InMemoryBackend::<Blake2Hasher>::from((
		sp_core::storage::Storage::default(),
		StateVersion::V1,
	));
	let filler = (0..50u8).map(|number| (vec![number; 20], vec![number; 40]));
	let entries = filler.chain(entries).map(|(key, value)| (key, Some(value)));
	let backend = backend.update(vec![(None, entries.collect())], StateVersion::V1);
	let root = *backend.root();
	let nodes = prove_read(backend, keys).unwrap().into_iter_nodes().collect();
	(root, nodes)
}

/// What a proof shows at these addresses of a state with `entries`.
fn proven(entries: Entries, keys: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
	let (root, nodes) = prove(entries, keys);
	let found = read_proof_check::<Blake2Hasher, _>(root, StorageProof::new(nodes), keys).unwrap();
	keys.iter().map(|key| found.get(key).cloned().flatten()).collect()
}

/// What the state of a checkpoint has.
pub(crate) fn checkpoint(set_id: u64, authorities: AuthorityList, millis: u64) -> Entries {
	let [at_set, at_authorities, _, at_genesis, at_time] = checkpoint_keys();
	vec![
		(at_set, set_id.encode()),
		(at_authorities, authorities.encode()),
		(at_genesis, GENESIS.encode()),
		(at_time, millis.encode()),
	]
}

#[test]
fn trust_begins_at_the_state_of_a_checkpoint() {
	let keys = checkpoint_keys();
	let block = BlockRef { number: 5, hash: H256::repeat_byte(5) };
	let begin = |entries| Trusted::at_checkpoint(Some(block.hash), block, proven(entries, &keys));
	let trusted = begin(checkpoint(8, set(&[1, 2, 3]), 7_999)).unwrap();
	let expected =
		Trusted { block, origin: Some(block.hash), time: 7, ..self::trusted(8, &[1, 2, 3]) };
	assert_eq!(trusted, expected);
	let mut pending = checkpoint(8, set(&[1]), 7_999);
	pending.push((keys[2].clone(), vec![1]));
	assert_eq!(begin(pending), Err(TrustError::Pending(block.hash)));
	let nobody = TrustError::Authorities { set_id: 8, count: 0 };
	assert_eq!(begin(checkpoint(8, vec![], 0)), Err(nobody));
	let many = vec![(pair(1).public(), 1); MAX_AUTHORITIES + 1];
	assert!(matches!(begin(checkpoint(8, many, 0)), Err(TrustError::Authorities { .. })));
	let at = |stored| Trusted::at_checkpoint(None, block, stored);
	assert!(matches!(at(vec![None, Some(vec![255])]), Err(TrustError::Malformed(_))));
	assert!(at(vec![]).is_err());
}

#[test]
fn the_first_block_is_the_one_that_the_checkpoint_knows() {
	let keys = checkpoint_keys();
	let mut entries = checkpoint(8, set(&[1, 2, 3]), 0);
	let begin = |number, entries: &Entries| {
		let block = BlockRef { number, hash: H256::repeat_byte(5) };
		Trusted::at_checkpoint(None, block, proven(entries.clone(), &keys))
	};
	assert_eq!(begin(5, &entries).unwrap().genesis, GENESIS);
	// The state of block 0 has something else there.
	assert_eq!(begin(0, &entries).unwrap().genesis, H256::repeat_byte(5));
	entries.retain(|(key, _)| *key != keys[3]);
	assert_eq!(begin(5, &entries), Err(TrustError::NoGenesis(H256::repeat_byte(5))));
	assert_eq!(begin(0, &entries).unwrap().genesis, H256::repeat_byte(5));
}

#[test]
fn trust_ages() {
	const DAY: u64 = 86_400;
	let mut trusted = Trusted { time: 1_000, ..trusted(3, &[1, 2, 3]) };
	let end = 1_000 + MAX_AGE_DAYS * DAY;
	// A clock that is a little behind is no failure.
	for clock in [0, 999, 1_000, end - 1] {
		trusted.ensure_young(clock).unwrap();
	}
	for (now, days) in [(end, 21), (end + DAY, 22), (u64::MAX, (u64::MAX - 1_000) / DAY)] {
		let error = trusted.ensure_young(now).unwrap_err();
		assert_eq!(error, TrustError::Aged { number: 10, days });
		assert!(error.to_string().contains("give a newer --relay-checkpoint"), "{error}");
	}
	// Another block alone makes it no younger.
	let next = plain(20);
	trusted.advance(signed(&next, 3, &[1, 2, 3]), &next).unwrap();
	assert_eq!(trusted.time, 1_000);
	// Block 0 has no time.
	trusted.time = time(proven(vec![], &[time_key()])[0].clone()).unwrap();
	trusted.ensure_young(u64::MAX).unwrap();
}

#[test]
fn trust_is_from_where_the_operator_says() {
	let [here, there] = [5, 6].map(|byte| Some(H256::repeat_byte(byte)));
	let of_node = trusted(3, &[1]);
	let of_operator = Trusted { origin: here, ..of_node.clone() };
	assert!(of_operator.is_from(here) && of_operator.is_from(None) && of_node.is_from(None));
	assert!(!of_operator.is_from(there) && !of_node.is_from(here));
}

#[test]
fn the_parachains_head_is_read_from_the_relay_chains_state() {
	let head = header(77, H256::repeat_byte(3), vec![]);
	let entries = vec![(para_head_key(2035), head.encode().encode())];
	let stored = proven(entries, &[para_head_key(2035), para_head_key(2036)]);
	let found = para_head(2035, stored[0].clone()).unwrap();
	assert_eq!(found, BlockRef { number: 77, hash: head.hash() });
	assert_eq!(para_head(2036, stored[1].clone()), Err(TrustError::NoPara(2036)));
	let no_header = Some(vec![1u8, 2, 3].encode());
	assert_eq!(para_head(2035, no_header), Err(TrustError::NoHeader(2035)));
	assert!(matches!(para_head(2035, Some(vec![255])), Err(TrustError::Malformed(_))));
	let longer = Some([head.encode(), vec![0]].concat().encode());
	assert_eq!(para_head(2035, longer), Err(TrustError::NoHeader(2035)));
	assert_eq!(para_head_key(2035).len(), 32 + 8 + 4);
}

/// A change to a justification that makes too few of its votes count.
#[derive(Clone, Copy, Debug)]
enum Mutation {
	Drop,
	Bend,
	OtherSet,
	Outsider,
	Double,
}

/// All but the last votes that are needed, and that one spoilt.
fn mutate(header: &Header, set_id: u64, keys: &[u8], mutation: Mutation) -> Justification {
	let threshold = keys.len() - (keys.len() - 1) / 3;
	let (last, others) = keys[..threshold].split_last().unwrap();
	let mut votes: Vec<_> = others.iter().map(|key| vote(*key, set_id, header)).collect();
	match mutation {
		Mutation::Drop => {}
		Mutation::Bend => {
			let mut bent = vote(*last, set_id, header);
			let signature: &mut [u8] = bent.signature.as_mut();
			signature[0] ^= 1;
			votes.push(bent);
		}
		Mutation::OtherSet => votes.push(vote(*last, set_id + 1, header)),
		Mutation::Outsider => votes.push(vote(250, set_id, header)),
		Mutation::Double => votes.extend(votes.first().cloned()),
	}
	justification(header, votes)
}

fn mutation() -> impl Strategy<Value = Mutation> {
	prop_oneof![
		Just(Mutation::Drop),
		Just(Mutation::Bend),
		Just(Mutation::OtherSet),
		Just(Mutation::Outsider),
		Just(Mutation::Double),
	]
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

	/// Honest histories are followed to the end, and nothing else is believed on the way.
	#[test]
	fn honest_histories_are_followed_and_others_never(
		steps in prop::collection::vec((1u32..9, 1u8..8, any::<bool>(), mutation()), 1..12),
	) {
		let mut keys: Vec<u8> = vec![1, 2, 3, 4];
		let mut trusted = trusted(0, &keys);
		let (mut number, mut set_id) = (10, 0);
		for (step, (ahead, size, ends, mutation)) in steps.into_iter().enumerate() {
			number += ahead;
			let first = (step as u8 + 1) * 10;
			let next: Vec<u8> = (first..first + size).collect();
			let logs = if ends {
				vec![ConsensusLog::ScheduledChange(change(&next, 0))]
			} else {
				vec![]
			};
			let block = header(number, H256::zero(), logs);
			refused(&trusted, &mutate(&block, set_id, &keys, mutation), &block);
			trusted.advance(signed(&block, set_id, &keys), &block).unwrap();
			if ends {
				(keys, set_id) = (next, set_id + 1);
			}
			prop_assert_eq!(trusted.block, BlockRef { number, hash: block.hash() });
			prop_assert_eq!((trusted.set_id, &trusted.authorities), (set_id, &set(&keys)));
		}
	}
}
