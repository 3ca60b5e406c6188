//! Gatekeepers on the whole runtime: attested with real quotes, elected with real bonds, in real
//! ceremonies.

use crate::{
	chain::{account, block, general, pair, run_at, signed},
	workers::submissions,
};
use frame_support::{
	assert_ok,
	traits::fungible::{Inspect, InspectHold},
};
use pallet_gatekeeper_election::types::WhyBonded;
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
	BlockRef, ChainId, ComplaintStatement, DealingStatement, KeyRequestStatement, OffenceClass,
	OffenceId, RegistrationStatement, Statement, WorkerKey, operator_cluster, requester,
};
use phala_runtime::{
	configs::Offender,
	constants::{attestation::*, currency::PHA, gatekeepers::*, market::*, time::SESSION_PERIOD},
	*,
};
use phala_threshold::{self as threshold, *};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sp_core::{H256, Pair, sr25519};
use std::collections::BTreeMap;

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

#[test]
fn a_set_is_elected_makes_a_key_and_hands_it_over() {
	with_candidates(7, |mut people| {
		let issued = Balances::total_issuance();
		to_election();
		assert_eq!((active(), office()), (0, vec![]), "nobody is in office before there is a key");
		ceremony(&mut people, None);
		assert_eq!((active(), office().len()), (1, 7));
		let key = public_key();
		let worker = pair("worker");
		register("alice", &worker, Role::Worker, 100);
		let before = cluster_key(&worker, &mut people);

		// An eighth is nominated in, and the first one leaves.
		people.push(Person::stand(8));
		let (first, eighth) = (people[0].account(), people[7].account());
		let bond =
			pallet_staking::Call::bond { value: 500_000 * PHA, payee: RewardDestination::Staked };
		let nominate = pallet_staking::Call::nominate { targets: vec![eighth.clone().into()] };
		let calls = vec![bond.into(), nominate.into()];
		let leave = vec![
			pallet_staking::Call::chill {}.into(),
			pallet_staking::Call::unbond { value: BOND }.into(),
		];
		apply(vec![
			signed("bob", pallet_utility::Call::batch_all { calls }),
			signed("gatekeeper 1", pallet_utility::Call::batch_all { calls: leave }),
		]);
		to_election();
		assert_eq!(active(), 1, "the era waits for the key");
		assert_eq!(GatekeeperElection::why_bonded(first.clone()), Some(WhyBonded::InOffice));
		assert_eq!(GatekeeperElection::why_bonded(eighth.clone()), Some(WhyBonded::InOffice));
		ceremony(&mut people, None);
		assert_eq!((active(), public_key()), (2, key), "the same key for another set");
		assert!(office().contains(&eighth) && !office().contains(&first));
		assert_eq!(GatekeeperElection::why_bonded(first.clone()), None);
		assert_eq!(cluster_key(&worker, &mut people), before);

		// Era 1 is in the escrow, and paid without a planck that was not there before.
		let (escrowed, claimed) = GatekeeperElection::era_escrow(1).expect("it was paid");
		assert!(escrowed > 0 && claimed == 0);
		let stake = staked(&people[2].account());
		for person in &people[..7] {
			let claim =
				pallet_staking::Call::payout_stakers { validator_stash: person.account(), era: 1 };
			apply(vec![signed("charlie", claim)]);
		}
		// Who had no seat leaves no note of a claim either.
		let stranger = account("bob");
		let claim =
			pallet_staking::Call::payout_stakers { validator_stash: stranger.clone(), era: 1 };
		let calls = vec![claim.clone().into()];
		let batch = pallet_utility::Call::batch_all { calls };
		for result in block(vec![signed("charlie", claim), signed("alice", batch)]) {
			assert_eq!(result, Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into())));
		}
		assert!(pallet_staking::ClaimedRewards::<Runtime>::get(1, stranger).is_empty());
		let paid = staked(&people[2].account()) - stake;
		assert!(paid.abs_diff(escrowed / 7) < PHA / 1_000, "{paid} of {escrowed}");
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn a_faulty_dealer_is_slashed_when_the_deferral_is_over() {
	with_candidates(8, |mut people| {
		to_election();
		ceremony(&mut people, Some(3));
		assert_eq!((active(), office().len()), (1, 8), "the others made a key");
		let culprit = people[3].account();
		// The fault is on the ledger, and the stake aside.
		for _ in 0..5 {
			block(vec![]);
		}
		let id = OffenceId { class: OffenceClass::KeyCeremony, index: 0 };
		let offence =
			pallet_slashing::Ledger::<Runtime>::get(id.class, id.index).expect("reported");
		assert_eq!(offence.offender, Offender::Gatekeeper(culprit.clone()));
		let lost = suspected(&culprit);
		assert!(lost >= BOND / 20, "{lost}");
		assert_eq!(staked(&culprit) + lost, BOND);
		assert_eq!(GatekeeperElection::why_bonded(culprit.clone()), Some(WhyBonded::InOffice));

		let (treasury, issued) =
			(Balances::balance(&constants::accounts::treasury()), Balances::total_issuance());
		// The appeal is open for so long, on a chain that does not stand still.
		while pallet_slashing::OpenCases::<Runtime>::contains_key(&offence.offender) {
			let step = (STALL_AFTER / 2).min(SESSION_PERIOD / 4);
			let next = System::block_number() + step;
			let end = (System::block_number() / SESSION_PERIOD + 1) * SESSION_PERIOD;
			skip_to(if next >= end { end } else { next });
			if is_open() {
				ceremony(&mut people, None);
			}
			assert!(System::block_number() < 12 * 14_400, "it is due long ago");
		}
		assert_eq!(suspected(&culprit), 0);
		let taken = Balances::balance(&constants::accounts::treasury()) - treasury;
		assert!(taken > 0 && taken <= lost, "{taken} of {lost}");
		assert!(staked(&culprit) >= BOND - lost);
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn a_loss_that_grows_does_not_reach_who_came_later() {
	use configs::Stakes;
	use phala_primitives::Slashable;
	use sp_staking::{Exposure, IndividualExposure};
	with_candidates(1, |people| {
		let stash = people[0].account();
		let offender = Offender::Gatekeeper(stash.clone());
		let first = Stakes::suspect(&offender, PHA).expect("it stands");
		// It gets a seat, with a bond of bob's behind it.
		let (value, payee) = (1_000 * PHA, RewardDestination::Stash);
		apply(vec![signed("bob", pallet_staking::Call::bond { value, payee })]);
		let own = BOND - PHA;
		let total = own + value;
		let others = vec![IndividualExposure { who: account("bob"), value }];
		let exposure = Exposure { total, own, others };
		pallet_staking::EraInfo::<Runtime>::set_exposure(active(), &stash, exposure);
		assert_eq!(Stakes::stake(&offender), total);
		assert_eq!(Stakes::stake_behind(&offender, &first), own);
		assert_ok!(Stakes::suspect_more(&offender, &first, own));
		assert_eq!((suspected(&stash), suspected(&account("bob"))), (BOND, 0));
	});
}

#[test]
fn nobody_pays_for_a_worker_that_gave_its_right_away_and_got_it_back() {
	with_candidates(7, |mut people| {
		to_election();
		ceremony(&mut people, None);
		let worker = pair("worker");
		register("alice", &worker, Role::Worker, 100);
		let give = |from: &str, to: &str| {
			type Registry = pallet_worker_registry::Call<Runtime>;
			let key = worker.public();
			let offer = Registry::offer_worker { worker: key, to: Some(account(to)) };
			let accept = Registry::accept_worker { worker: key };
			vec![signed(from, offer), signed(to, accept)]
		};
		// Until it has expired, and been looked at; how many were absent.
		let absences = || {
			for _ in 0..REQUEST_PERIOD + 10 {
				block(vec![]);
			}
			assert_eq!(Requests::<Runtime>::count(), 0);
			pallet_slashing::Ledger::<Runtime>::iter_prefix_values(OffenceClass::Absence).count()
		};
		let mut calls = give("alice", "bob");
		calls.insert(0, question(&worker).2);
		apply(calls);
		// While it is bob's, no answer is taken.
		let answer = people[0].answer(0).expect("it holds a share");
		assert!(block(vec![answer])[0].is_err());
		apply(give("bob", "alice"));
		assert_eq!(absences(), 0);
		// Otherwise they owe an answer.
		apply(vec![question(&worker).2]);
		assert_eq!(absences(), office().len());
	});
}

#[test]
fn holders_bond_nominate_and_leave_as_on_any_chain() {
	with_candidates(7, |mut people| {
		let targets = vec![people[0].account().into(), people[1].account().into()];
		let bond =
			pallet_staking::Call::bond { value: 100_000 * PHA, payee: RewardDestination::Stash };
		apply(vec![signed("bob", bond)]);
		apply(vec![signed("bob", pallet_staking::Call::nominate { targets })]);
		to_election();
		ceremony(&mut people, None);
		settle();
		let exposure =
			|who: &AccountId| pallet_staking::EraInfo::<Runtime>::get_full_exposure(active(), who);
		let behind: Balance = (0..2)
			.flat_map(|at| exposure(&people[at].account()).others)
			.filter(|one| one.who == account("bob"))
			.map(|one| one.value)
			.sum();
		assert!(behind.abs_diff(100_000 * PHA) < PHA, "{behind}");
		// Held PHA votes, and does not move.
		assert_eq!(staked(&account("bob")), 100_000 * PHA);
		apply(vec![signed("bob", pallet_staking::Call::chill {})]);
		apply(vec![signed("bob", pallet_staking::Call::unbond { value: 100_000 * PHA })]);
		let withdraw = || pallet_staking::Call::withdraw_unbonded { num_slashing_spans: 0 };
		apply(vec![signed("bob", withdraw())]);
		assert_eq!(staked(&account("bob")), 100_000 * PHA);
		let ends = active() + BONDING_DURATION;
		while active() < ends {
			people.iter().for_each(Person::renew);
			session();
			if is_open() {
				ceremony(&mut people, None);
				settle();
			}
		}
		apply(vec![signed("bob", withdraw())]);
		assert_eq!(staked(&account("bob")), 0);

		// A member's does not leave while it is in office, in a batch or by proxy.
		let calls = vec![
			pallet_staking::Call::chill {}.into(),
			pallet_staking::Call::unbond { value: BOND }.into(),
		];
		apply(vec![signed("gatekeeper 1", pallet_utility::Call::batch_all { calls })]);
		pallet_staking::Ledger::<Runtime>::mutate(people[0].account(), |ledger| {
			ledger.as_mut().expect("it is bonded").unlocking[0].era = 0;
		});
		let calls = vec![withdraw().into()];
		let batch = pallet_utility::Call::batch_all { calls };
		let refused = pallet_gatekeeper_election::Error::<Runtime>::InOffice;
		let results = block(vec![signed("gatekeeper 1", batch)]);
		assert_eq!(results, vec![Ok(Err(refused.into()))]);
		assert!(staked(&people[0].account()) >= BOND);
	});
}

#[test]
fn the_largest_election_leaves_room_in_its_block() {
	use frame_election_provider_support::WeightInfo as _;
	use frame_support::traits::Hooks;
	use pallet_gatekeeper_election::WeightInfo as _;
	use pallet_staking::WeightInfo as _;
	type Election = <Runtime as pallet_gatekeeper_election::Config>::WeightInfo;
	type Stakers = <Runtime as pallet_staking::Config>::WeightInfo;
	type Solver = weights::frame_election_provider_support::WeightInfo<Runtime>;
	// A tick, and what staking and the solver add to it by themselves. There are two rounds.
	let tick = Election::poll().saturating_add(Election::tick());
	let voters = Stakers::get_npos_voters(MAX_CANDIDATES, MAX_VOTERS);
	let solve = Solver::phragmen(MAX_VOTERS + MAX_CANDIDATES, MAX_CANDIDATES, MAX_NOMINATIONS);
	let whole = tick.saturating_add(voters).saturating_add(solve * 2);
	let most = configs::RuntimeBlockWeights::get().max_block;
	assert!((whole * 3).all_lte(most), "{whole:?} of {most:?}");
	Staking::integrity_test();
	VoterList::integrity_test();
	GatekeeperElection::integrity_test();
	GatekeeperKeys::integrity_test();
	Slashing::integrity_test();
}

#[test]
fn requests_that_are_taken_can_be_answered_and_forgotten() {
	use frame_support::{dispatch::DispatchClass, traits::Get};
	use pallet_gatekeeper_keys::{Config, WeightInfo, types::ROOM_FOR_GUARDS};
	type Keys = <Runtime as Config>::WeightInfo;
	let limits = configs::RuntimeBlockWeights::get();
	let base = limits.get(DispatchClass::Operational).base_extrinsic;
	let blocks = u64::from(REQUEST_PERIOD * constants::consensus::BLOCK_PROCESSING_VELOCITY);
	let most: u32 = <Runtime as Config>::MaxRequests::get();
	let most = u64::from(most);
	// All of them take half of the blocks in which they are open, for the set that a chain starts with.
	let threshold = Threshold::of(SEATS as u8).expect("it is a size").required();
	let request = Keys::request() + Keys::authorize_request() + base;
	let answer = Keys::answer() + Keys::authorize_answer() + base;
	let all = (request + answer * u64::from(threshold)) * most;
	let room = limits.max_block * blocks;
	assert!((all * 2).all_lte(room), "{all:?} of {room:?}");
	// Half as many again are forgotten in a time as can be made in it.
	let each = 3 * (most + u64::from(ROOM_FOR_GUARDS)) / (2 * blocks);
	let service = <Runtime as Config>::ServiceWeight::get();
	let forgotten = Keys::serve() + Keys::step_forget() * each;
	assert!(forgotten.all_lte(service), "{forgotten:?} of {service:?}");
}

#[test]
fn a_steps_weight_covers_everybody_who_answers_for_a_gatekeeper() {
	// Whoever counts holders counts the same.
	let holders = u64::from(MAX_BACKERS) + 1;
	assert_eq!(pallet_slashing::weights::HOLDERS, holders);
	assert_eq!(u64::from(pallet_gatekeeper_election::types::MAX_HOLDERS), holders);
	let items = pallet_slashing::weights::HOLDER_ITEMS * holders;
	assert!(pallet_gatekeeper_keys::weights::REPORT >= items);
	// Each 200 ms of computation at most.
	let steps = [
		Slashing::step_weight(),
		<<Runtime as pallet_gatekeeper_keys::Config>::WeightInfo as
			pallet_gatekeeper_keys::WeightInfo>::step_report(),
	];
	for step in steps {
		assert!(step.ref_time() < 200_000_000_000, "{step:?}");
	}
}
