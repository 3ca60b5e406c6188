//! Gatekeepers on the whole runtime: attested with real quotes, elected with real bonds, in real
//! ceremonies.

use crate::{
	chain::{account, block, general, pair, run_at, signed},
	workers::submissions,
};
use frame_support::{assert_ok, traits::fungible::InspectHold};
use pallet_gatekeeper_keys::{
	Call, CeremonyKeys, Current, CurrentEpoch, Dealings, Digests, Epochs, LiveKeys, Partials,
	Queue, Requests, Sets, VerificationShares,
	types::{Attempt, Phase},
};
use pallet_staking::{ActiveEra, RewardDestination};
use pallet_worker_registry::types::{Claim, MeasurementRecord};
use phala_attestation::{PckCaKind, Quote, Role, collateral::Bundle};
use phala_dev_pki::{CollateralOptions, Pki, Platform, QuoteKind, QuoteRequest};
use phala_primitives::{
	BlockRef, ChainId, ComplaintStatement, DealingStatement, KeyRequestStatement,
	RegistrationStatement, Statement, WorkerKey, operator_cluster, requester,
};
use phala_runtime::{
	constants::{attestation::*, currency::PHA, gatekeepers::*, time::SESSION_PERIOD},
	*,
};
use phala_threshold::{self as threshold, *};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sp_core::{H256, Pair, sr25519};
use std::collections::BTreeMap;

mod eras;
mod limits;
mod losses;

const NOW: u64 = phala_dev_pki::NOW;
const BOND: Balance = 20_000 * PHA;

/// Applies calls, each of which must succeed.
fn apply(extrinsics: Vec<UncheckedExtrinsic>) {
	for result in block(extrinsics) {
		assert_eq!(result, Ok(Ok(())));
	}
}

fn quote(program: &str, platform: u64, report_data: [u8; 64]) -> Vec<u8> {
	let enclave = Pki::development()
		.quoting_enclave(&Platform::development(platform))
		.expect("the platform is encodable");
	enclave.quote(&QuoteRequest::new(QuoteKind::TdxV4, report_data).program(program))
}

/// Lets the development's TEEs in, which no genesis of this composition does.
fn admit_development() {
	let root = phala_attestation::TrustRoot::from_der(DEVELOPMENT_ROOT).expect("it is a root");
	pallet_worker_registry::DevelopmentRoot::<Runtime>::put(root);
	assert_ok!(WorkerRegistry::activate_evaluation(RuntimeOrigin::root(), DEVELOPMENT_EVALUATION));
	for (program, role) in [("phala-worker", Role::Worker), ("phala-gatekeeper", Role::Gatekeeper)]
	{
		let quote = quote(program, 1, [0; 64]);
		let measurement = Quote::parse(&quote).expect("it is well-formed").measurement();
		let record = MeasurementRecord {
			role,
			active_from: 0,
			sunset: None,
			provenance: Default::default(),
		};
		let admin = RuntimeOrigin::root();
		assert_ok!(WorkerRegistry::set_measurement(admin, H256(measurement), record));
	}
	for call in development_collateral(NOW) {
		apply(vec![signed("charlie", call)]);
	}
}

/// The calls that bring the collateral of the development's TEEs, as issued at a Unix second.
pub fn development_collateral(now: u64) -> Vec<RuntimeCall> {
	let options =
		CollateralOptions::for_platform(&Platform::development(1), QuoteKind::TdxV4.tee());
	let collateral = Pki::development().issue_collateral(now, &options).expect("encodable");
	let json = serde_json::to_value(collateral).expect("JSON");
	let bundle: Bundle = serde_json::from_value(json).expect("a bundle");
	submissions(&bundle, PckCaKind::Platform)
}

/// What a TEE claims now, and its quote for that.
pub fn evidence(
	operator: AccountId,
	worker: &sr25519::Pair,
	role: Role,
	platform: u64,
) -> (pallet_worker_registry::types::QuoteBytes, Claim) {
	let number = System::block_number() - 1;
	let claim = Claim {
		role,
		worker: worker.public(),
		encryption_key: [9; 32],
		block: BlockRef { number, hash: System::block_hash(number) },
	};
	let program = if role == Role::Worker { "phala-worker" } else { "phala-gatekeeper" };
	let report_data = WorkerRegistry::report_data(operator, claim);
	let quote = quote(program, platform, report_data).try_into().expect("at most 8 KiB");
	(quote, claim)
}

/// Registers a TEE.
fn register(operator: &str, worker: &sr25519::Pair, role: Role, platform: u64) {
	let (quote, claim) = evidence(account(operator), worker, role, platform);
	let call = pallet_worker_registry::Call::<Runtime>::register { quote, claim };
	apply(vec![signed(operator, call)]);
}

fn chain() -> ChainId {
	ChainId { genesis: System::block_hash(0), para_id: ParachainInfo::parachain_id().into() }
}

fn seat_of(number: u64, worker: &WorkerKey) -> Option<MemberIndex> {
	let position = Sets::<Runtime>::get(number).iter().position(|seat| seat.worker == *worker)?;
	MemberIndex::new(position as u8 + 1).ok()
}

/// The keys of recipients on chain.
fn roster(attempt: &Attempt) -> Roster {
	let mut roster = Roster::new(attempt.ceremony.id());
	for seat in attempt.keys.iter() {
		let key = CeremonyKeys::<Runtime>::get(attempt.number(), seat).expect("it has one");
		roster.insert(seat, &key).expect("it was checked");
	}
	roster
}

/// A gatekeeper with its TEE's keys and shares, whose operator is its stash.
struct Person {
	name: String,
	platform: u64,
	pair: sr25519::Pair,
	rng: ChaCha20Rng,
	member: Option<Member>,
	shares: BTreeMap<u32, KeyShare>,
}

impl Person {
	/// A stash with a bond that stands with its gatekeeper.
	fn stand(number: u64) -> Self {
		let name = format!("gatekeeper {number}");
		let pair = pair(&format!("{name} tee"));
		let value = BOND + 100 * PHA;
		let endow =
			pallet_balances::Call::transfer_keep_alive { dest: account(&name).into(), value };
		apply(vec![signed("alice", endow)]);
		register(&name, &pair, Role::Gatekeeper, number);
		let bond = pallet_staking::Call::bond { value: BOND, payee: RewardDestination::Staked };
		let validate = pallet_staking::Call::validate { prefs: Default::default() };
		let bind = pallet_gatekeeper_election::Call::bind { worker: pair.public() };
		let calls = vec![bond.into(), validate.into(), bind.into()];
		apply(vec![signed(&name, pallet_utility::Call::batch_all { calls })]);
		assert_eq!(GatekeeperElection::why_not_eligible(account(&name)), None);
		let rng = ChaCha20Rng::seed_from_u64(number);
		Self { name, platform: number, pair, rng, member: None, shares: BTreeMap::new() }
	}

	/// Renews its attestation, which lasts for a week.
	fn renew(&self) {
		let (quote, claim) = evidence(self.account(), &self.pair, Role::Gatekeeper, self.platform);
		let call = pallet_worker_registry::Call::<Runtime>::renew { quote, claim };
		apply(vec![signed(&self.name, call)]);
	}

	fn account(&self) -> AccountId {
		account(&self.name)
	}

	fn worker(&self) -> WorkerKey {
		self.pair.public()
	}

	fn seats(&self, attempt: &Attempt) -> (Option<MemberIndex>, Option<MemberIndex>) {
		let deals = seat_of(attempt.dealing_number(), &self.worker())
			.filter(|seat| attempt.dealers.contains(*seat));
		(deals, seat_of(attempt.number(), &self.worker()))
	}

	/// Takes its part in the ceremony under way.
	fn join(&mut self) -> Option<&mut Member> {
		let attempt = Current::<Runtime>::get()?;
		if self.member.as_ref().is_none_or(|member| *member.ceremony() != attempt.ceremony) {
			let (deals, receives) = self.seats(&attempt);
			let share = self.shares.get(&attempt.epoch).filter(|share| {
				deals.is_some()
					&& matches!(&attempt.ceremony.kind,
						Kind::Resharing { from, .. } if share.ceremony() == from)
			});
			let share = share.map(|share| KeyShare::restore(&share.save()).expect("it was saved"));
			let role = match (attempt.from, share, receives) {
				(None, _, Some(seat)) => threshold::Role::Generate(seat),
				(Some(_), Some(share), Some(seat)) => threshold::Role::Stay(share, seat),
				(Some(_), Some(share), None) => threshold::Role::HandOver(share),
				(Some(_), None, Some(seat)) => threshold::Role::Receive(seat),
				_ => return None,
			};
			let member = Member::join(attempt.ceremony, role, &mut self.rng);
			self.member = Some(member.expect("the chain's ceremony is in order"));
		}
		self.member.as_mut()
	}

	fn registration(&mut self) -> Option<UncheckedExtrinsic> {
		let mut fresh = self.rng.clone();
		let member = self.join()?;
		let registration = member.registration(&mut fresh).expect("it may register");
		let ceremony = member.ceremony().id();
		let statement = RegistrationStatement { member: self.worker(), ceremony, registration };
		let signature = statement.sign(&chain(), &self.pair);
		let call = Call::<Runtime>::register { statement: Box::new(statement), signature };
		Some(general(call))
	}

	/// Its shares for the others; with a faulty one for `victim`.
	fn dealing(&mut self, victim: Option<MemberIndex>) -> Option<UncheckedExtrinsic> {
		let attempt = Current::<Runtime>::get()?;
		let mut fresh = self.rng.clone();
		let member = self.join()?;
		let ceremony = member.ceremony().id();
		let mut dealing = member.deal(&roster(&attempt), &mut fresh).expect("it may deal")?;
		if let Some(victim) = victim {
			let position = attempt.keys.position(victim).expect("it has a key");
			dealing.shares.iter_mut().nth(position).expect("there is one for each")[0] ^= 1;
		}
		let statement = DealingStatement { member: self.worker(), ceremony, dealing };
		let signature = statement.sign(&chain(), &self.pair);
		let call = Call::<Runtime>::deal { statement: Box::new(statement), signature };
		Some(general(call))
	}

	/// Looks at all dealings; its complaints.
	fn complaints(&mut self) -> Vec<UncheckedExtrinsic> {
		let Some(attempt) = Current::<Runtime>::get() else { return Vec::new() };
		let number = attempt.number();
		if self.seats(&attempt).1.is_none() {
			return Vec::new();
		}
		let mut complaints = Vec::new();
		for dealer in attempt.dealings.iter() {
			let dealing = Dealings::<Runtime>::get(number, dealer).expect("it dealt");
			let digest = Digests::<Runtime>::get(number, dealer).expect("it committed");
			let share = attempt.from.map(|from| {
				VerificationShares::<Runtime>::get(from, dealer).expect("it holds a share")
			});
			let constant = share.as_ref().map_or(Constant::Fresh, Constant::Share);
			let mut fresh = self.rng.clone();
			let (member, ceremony) = (self.worker(), attempt.ceremony.id());
			let me = self.join().expect("it has a seat");
			me.deal(&roster(&attempt), &mut fresh).expect("it may look");
			let found = me.receive(dealer, &digest, constant, &dealing, &mut fresh);
			if let Some(complaint) = found.expect("the chain took it") {
				let statement = ComplaintStatement { member, ceremony, dealer, complaint };
				let signature = statement.sign(&chain(), &self.pair);
				let statement = Box::new(statement);
				complaints.push(general(Call::<Runtime>::complain { statement, signature }));
			}
		}
		complaints
	}

	/// Takes its share of the key that came into use.
	fn finish(&mut self) {
		let Some(epoch) = CurrentEpoch::<Runtime>::get() else { return };
		let key = LiveKeys::<Runtime>::get(epoch).expect("it is in use");
		let Some(member) = self.member.as_mut() else { return };
		if member.ceremony().id() == *key.sharing.ceremony()
			&& let Ok(share) = member.finish(&key.sharing)
		{
			self.member = None;
			self.shares.remove(&epoch);
			self.shares.extend(share.map(|share| (epoch, share)));
		}
	}

	fn answer(&mut self, id: u64) -> Option<UncheckedExtrinsic> {
		let request = Requests::<Runtime>::get(id)?;
		let share = self.shares.get(&request.input.epoch())?;
		let public_key = Epochs::<Runtime>::get(request.input.epoch())?.public_key;
		let requester = requester(&chain(), &request.worker, request.valid_until);
		let inquiry = Inquiry { public_key, input: request.input, requester };
		let partial = share.evaluate(&inquiry, &request.request, &mut self.rng).ok()?;
		let partial = Box::new(partial);
		Some(general(Call::<Runtime>::answer { id, seat: share.index(), partial }))
	}
}

/// Skips the time until a block, makes it and the next one. The scheduler does not look through the
/// agendas of what was skipped, which would take it, and the weight of its blocks, an hour.
fn skip_to(number: BlockNumber) {
	System::set_block_number(number - 1);
	block(vec![]);
	pallet_scheduler::IncompleteSince::<Runtime>::kill();
	block(vec![]);
}

/// Goes to the end of the session, and lets its last block and the next one be.
fn session() {
	skip_to((System::block_number() / SESSION_PERIOD + 1) * SESSION_PERIOD);
}

/// Sessions until a set waits for the key, and blocks until its ceremony begins: the dealings of the one
/// before stay for some time.
fn to_election() {
	for _ in 0..=SESSIONS_PER_ERA {
		session();
		if GatekeeperElection::status().0.is_some() {
			to_ceremony();
			return;
		}
	}
	panic!("no set: {:?}", GatekeeperElection::status());
}

fn is_open() -> bool {
	Current::<Runtime>::get().is_some_and(|attempt| attempt.is_open())
}

fn to_ceremony() {
	for _ in 0..KEEP_PERIOD + 100 {
		if is_open() {
			return;
		}
		block(vec![]);
	}
	panic!("no ceremony: {:?}", GatekeeperKeys::status());
}

fn phase() -> Option<Phase> {
	Current::<Runtime>::get().map(|attempt| attempt.phase)
}

/// Lets everybody do what is to be done, until the key is in use. `faulty` deals a bad share to seat 1.
fn ceremony(people: &mut [Person], faulty: Option<usize>) {
	assert!(matches!(phase(), Some(Phase::Committing { .. })), "{:?}", phase());
	let all: Vec<_> = people.iter_mut().filter_map(Person::registration).collect();
	apply(all);
	block(vec![]);
	assert!(matches!(phase(), Some(Phase::Sharing { .. })), "{:?}", phase());
	let victim = MemberIndex::new(1).expect("it is a seat");
	let mut dealings = Vec::new();
	for (at, person) in people.iter_mut().enumerate() {
		dealings.extend(person.dealing((faulty == Some(at)).then_some(victim)));
	}
	apply(dealings);
	block(vec![]);
	assert!(matches!(phase(), Some(Phase::Complaining { .. })), "{:?}", phase());
	let complaints: Vec<_> = people.iter_mut().flat_map(Person::complaints).collect();
	assert_eq!(complaints.len(), usize::from(faulty.is_some()));
	apply(complaints);
	for _ in 0..COMPLAIN_PERIOD + 10 {
		if !is_open() {
			break;
		}
		block(vec![]);
	}
	people.iter_mut().for_each(Person::finish);
	// The election's hook has seen that it is final.
	block(vec![]);
}

/// Lets the dealings of a ceremony go, without which no other begins.
fn settle() {
	for _ in 0..KEEP_PERIOD + 100 {
		if !Current::<Runtime>::exists() {
			return;
		}
		block(vec![]);
	}
	panic!("it stays: {:?}", GatekeeperKeys::status());
}

fn active() -> u32 {
	ActiveEra::<Runtime>::get().expect("staking has begun").index
}

fn public_key() -> Element {
	let epoch = CurrentEpoch::<Runtime>::get().expect("there is a key");
	*LiveKeys::<Runtime>::get(epoch).expect("it is in use").sharing.public_key()
}

fn office() -> Vec<AccountId> {
	GatekeeperKeys::office().into_iter().map(|seat| seat.account).collect()
}

/// A worker of alice's asks for the key of her cluster.
fn question(worker: &sr25519::Pair) -> (Blind, Request, UncheckedExtrinsic) {
	let mut rng = ChaCha20Rng::seed_from_u64(System::block_number().into());
	let cluster = operator_cluster(&account("alice"));
	let input = ClusterInput { epoch: 0, cluster };
	let valid_until = ParachainSystem::last_relay_block_number() + REQUEST_PERIOD / 2;
	let requester = requester(&chain(), &worker.public(), valid_until);
	let inquiry = Inquiry { public_key: public_key(), input: input.into(), requester };
	let (blind, request) = Blind::new(inquiry, &mut rng).expect("it can be blinded");
	let statement = KeyRequestStatement { worker: worker.public(), input, valid_until, request };
	let signature = statement.sign(&chain(), worker);
	let call = Call::<Runtime>::request { statement: Box::new(statement), signature };
	(blind, request, general(call))
}

/// She asks, and makes it from the answers.
fn cluster_key(worker: &sr25519::Pair, people: &mut [Person]) -> [u8; 32] {
	let (blind, request, asking) = question(worker);
	apply(vec![asking]);
	let id = Queue::<Runtime>::get().next - 1;
	for person in people.iter_mut() {
		if let Some(answer) = person.answer(id) {
			// Those after the threshold come too late.
			let _ = block(vec![answer]);
		}
	}
	let open = Requests::<Runtime>::get(id).expect("it is on record");
	assert!(open.fulfilled, "{} answered", open.answered.len());
	let sharing = LiveKeys::<Runtime>::get(0).expect("it is in use").sharing;
	let partials = open.answered.iter();
	let partials = partials
		.map(|seat| (seat, Partials::<Runtime>::get(id, seat).expect("it answered")))
		.collect();
	let combined = blind.combine(&request, &sharing, &partials).expect("they are enough");
	*combined.secret.derive("test")
}

/// A chain with so many gatekeepers that stand.
fn with_candidates(count: u64, test: impl FnOnce(Vec<Person>)) {
	run_at(NOW, || {
		block(vec![]);
		admit_development();
		let people: Vec<_> = (1..=count).map(Person::stand).collect();
		test(people);
	});
}

fn staked(who: &AccountId) -> Balance {
	let reason = RuntimeHoldReason::Staking(pallet_staking::HoldReason::Staking);
	Balances::balance_on_hold(&reason, who)
}

fn suspected(who: &AccountId) -> Balance {
	let reason =
		RuntimeHoldReason::GatekeeperElection(pallet_gatekeeper_election::HoldReason::Suspected);
	Balances::balance_on_hold(&reason, who)
}
