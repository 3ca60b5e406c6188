//! Members with real secrets, brought to the point that is measured.

use crate::{types::*, *};
use alloc::vec::Vec;
use core::marker::PhantomData;
use frame_support::traits::Get;
use phala_primitives::{
	ClusterId, ComplaintStatement, DealingStatement, Gatekeepers, GuardRequestStatement,
	KeyRequestStatement, RegistrationStatement, Statement, WorkerKey, WorkerSignature, requester,
};
use phala_threshold::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::BlockNumberProvider;

/// Sets the stage in a runtime.
pub trait BenchmarkHelper<AccountId> {
	/// Lets `worker` be attested as a gatekeeper on a machine of its own; the account that its stake
	/// is of, and whose slash costs most. Another one for each `seed`.
	fn gatekeeper(seed: u32, worker: WorkerKey) -> AccountId;

	/// Lets `worker` be attested as a worker; a cluster that it is a member of.
	fn worker(worker: WorkerKey) -> ClusterId;
}

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"gkbm");

/// The last seat of the largest set: the longest search.
pub fn last() -> MemberIndex {
	MemberIndex::new(MAX_MEMBERS).expect("it is a seat")
}

/// Lets the chain take its next step.
pub fn step<T: Config>() {
	Pallet::<T>::next_step().expect("there is one").take();
}

/// Goes on in time, without the hook.
pub fn wait<T: Config>(blocks: u32) {
	let now = T::BlockNumberProvider::current_block_number();
	T::BlockNumberProvider::set_block_number(now.saturating_add(blocks));
}

fn key(seed: u32) -> WorkerKey {
	let uri = alloc::format!("//Benchmark//{seed}");
	sp_io::crypto::sr25519_generate(KEY_TYPE, Some(uri.into_bytes()))
}

fn sign<T: Config>(key: &WorkerKey, statement: &impl Statement) -> WorkerSignature {
	let message = statement.message(&Pallet::<T>::chain_id());
	sp_io::crypto::sr25519_sign(KEY_TYPE, key, &message).expect("the key was just made")
}

/// As if `worker` had made as many requests as it may.
pub fn requests_of<T: Config>(worker: &WorkerKey) {
	let size = Threshold::of(MAX_MEMBERS).expect("it is a size");
	let kind = Kind::Generation;
	let ceremony = Ceremony { chain: [0; 32], number: 0, members: [0; 32], size, kind };
	let rng = &mut ChaCha20Rng::seed_from_u64(1);
	let member = Member::join(ceremony, Role::Generate(last()), rng).expect("it has a seat");
	let key = member.registration(rng).expect("it can register").key.expect("it receives");
	for number in 0..T::MaxRequestsPerWorker::get() {
		let (id, epoch) = (RequestId::from(number), number);
		let input = Input::from(ClusterInput { epoch, cluster: [0; 32] });
		let request = OpenRequest {
			worker: *worker,
			input,
			valid_until: 0,
			// Nobody looks at it.
			request: Request { blinded: key.key, proof: key.proof },
			asked: 0,
			sharing: 0,
			answered: MemberSet::EMPTY,
			fulfilled: false,
			stored: MemberSet::EMPTY,
			replaced: false,
			excused: false,
		};
		OpenFor::<T>::insert(worker, input, id);
		Requests::<T>::insert(id, request);
	}
}

struct Actor {
	worker: WorkerKey,
	member: Option<Member>,
	share: Option<KeyShare>,
}

/// 32 gatekeepers and a worker.
pub struct Stage<T> {
	actors: Vec<Actor>,
	client: WorkerKey,
	cluster: ClusterId,
	rng: ChaCha20Rng,
	runtime: PhantomData<T>,
}

type Signed<Message> = (Message, WorkerSignature);

impl<T: Config> Stage<T> {
	/// 32 gatekeepers hold a key.
	pub fn in_office() -> Self {
		wait::<T>(1);
		let actors: Vec<_> = (0..MAX_SEATS)
			.map(|seed| Actor { worker: key(seed), member: None, share: None })
			.collect();
		let client = key(1_000);
		let cluster = T::BenchmarkHelper::worker(client);
		let rng = ChaCha20Rng::seed_from_u64(1);
		let mut stage = Self { actors, client, cluster, rng, runtime: PhantomData };
		stage.elect();
		step::<T>();
		stage.register();
		stage.deal();
		let attempt = Current::<T>::get().expect("it is under way");
		for dealer in attempt.dealings.iter() {
			let dealing = Dealings::<T>::get(0, dealer).expect("it was dealt");
			let digest = Digests::<T>::get(0, dealer).expect("it was promised");
			for actor in &mut stage.actors {
				let member = actor.member.as_mut().expect("it takes part");
				let complaint =
					member.receive(dealer, &digest, Constant::Fresh, &dealing, &mut stage.rng);
				assert!(complaint.expect("it is in order").is_none());
			}
		}
		wait::<T>(T::ComplainPeriod::get());
		while !matches!(Current::<T>::get(), Some(Attempt { phase: Phase::Kept { .. }, .. })) {
			step::<T>();
		}
		let sharing = LiveKeys::<T>::get(0).expect("there is a key").sharing;
		for actor in &mut stage.actors {
			let member = actor.member.take().expect("it took part");
			actor.share = member.finish(&sharing).expect("all shares were good");
		}
		wait::<T>(T::KeepPeriod::get());
		while Current::<T>::exists() {
			step::<T>();
		}
		stage
	}

	/// They are elected again and renew their shares.
	pub fn elected() -> Self {
		let stage = Self::in_office();
		wait::<T>(T::RefreshPeriod::get());
		stage.elect();
		stage
	}

	/// A handover begins.
	pub fn handover() -> Self {
		let stage = Self::elected();
		step::<T>();
		stage
	}

	/// The dealings are to be summed.
	pub fn aggregating() -> Self {
		let mut stage = Self::handover();
		stage.register();
		stage.deal();
		wait::<T>(T::ComplainPeriod::get());
		step::<T>();
		stage
	}

	/// The sum is there.
	pub fn deriving() -> Self {
		let stage = Self::aggregating();
		(0..MAX_SEATS).for_each(|_| step::<T>());
		stage
	}

	fn elect(&self) {
		let elected = self.candidates(MAX_SEATS);
		Pallet::<T>::on_set_elected(elected).expect("they are eligible");
	}

	/// That many candidates, our own first.
	pub fn candidates(&self, count: u32) -> Vec<(T::AccountId, WorkerKey)> {
		let candidate = |seed| (T::BenchmarkHelper::gatekeeper(seed, key(seed)), key(seed));
		(0..count).map(candidate).collect()
	}

	fn actor(&mut self, seat: MemberIndex) -> &mut Actor {
		&mut self.actors[usize::from(seat.get()) - 1]
	}

	pub fn registration(&mut self, seat: MemberIndex) -> Signed<RegistrationStatement> {
		let ceremony = Current::<T>::get().expect("it is under way").ceremony;
		let rng = &mut self.rng.clone();
		let actor = self.actor(seat);
		let role = match &actor.share {
			None => Role::Generate(seat),
			Some(share) => {
				Role::Stay(KeyShare::restore(&share.save()).expect("it was saved"), seat)
			}
		};
		let member = Member::join(ceremony.clone(), role, rng).expect("it has a part");
		let registration = member.registration(rng).expect("it can register");
		actor.member = Some(member);
		let (worker, ceremony) = (actor.worker, ceremony.id());
		let statement = RegistrationStatement { member: worker, ceremony, registration };
		let signature = sign::<T>(&worker, &statement);
		(statement, signature)
	}

	/// All register; the next phase begins.
	pub fn register(&mut self) {
		for seat in all() {
			let (statement, signature) = self.registration(seat);
			Pallet::<T>::do_register(&statement, &signature).expect("it is in order");
		}
		step::<T>();
	}

	pub fn dealing(&mut self, seat: MemberIndex) -> Signed<DealingStatement> {
		let attempt = Current::<T>::get().expect("it is under way");
		let mut roster = Roster::new(attempt.ceremony.id());
		for seat in attempt.keys.iter() {
			let key = CeremonyKeys::<T>::get(attempt.number(), seat).expect("it is counted");
			roster.insert(seat, &key).expect("it is proven");
		}
		let rng = &mut self.rng.clone();
		let actor = self.actor(seat);
		let member = actor.member.as_mut().expect("it takes part");
		let dealing = member.deal(&roster, rng).expect("it is in order").expect("it deals");
		let (worker, ceremony) = (actor.worker, attempt.ceremony.id());
		let statement = DealingStatement { member: worker, ceremony, dealing };
		let signature = sign::<T>(&worker, &statement);
		(statement, signature)
	}

	/// All deal; the next phase begins.
	pub fn deal(&mut self) {
		for seat in all() {
			let (statement, signature) = self.dealing(seat);
			Pallet::<T>::do_deal(&statement, &signature).expect("it is in order");
		}
		step::<T>();
	}

	/// All deal, the first a faulty share for the last.
	pub fn deal_badly(&mut self) {
		for seat in all() {
			let (mut statement, _) = self.dealing(seat);
			if seat == ceremony::FIRST {
				spoil(&mut statement.dealing);
			}
			let signature = sign::<T>(&statement.member, &statement);
			Pallet::<T>::do_deal(&statement, &signature).expect("it is in order");
		}
		step::<T>();
	}

	/// The last complains about the first.
	pub fn complain(&mut self) {
		let dealing = Dealings::<T>::get(1, ceremony::FIRST).expect("it was dealt");
		let (statement, signature) = self.complaint(last(), dealing);
		Pallet::<T>::do_complain(&statement, &signature).expect("it is in order");
	}

	/// A complaint of `seat` about the first dealer's good share.
	pub fn false_complaint(&mut self, seat: MemberIndex) -> Signed<ComplaintStatement> {
		let mut dealing = Dealings::<T>::get(1, ceremony::FIRST).expect("it was dealt");
		spoil(&mut dealing);
		self.complaint(seat, dealing)
	}

	fn complaint(&mut self, seat: MemberIndex, dealing: Dealing) -> Signed<ComplaintStatement> {
		let attempt = Current::<T>::get().expect("it is under way");
		let (number, dealer) = (attempt.number(), ceremony::FIRST);
		let digest = Digests::<T>::get(number, dealer).expect("it was promised");
		let share = Pallet::<T>::dealt_share(&attempt, dealer).ok().flatten();
		let constant = Constant::Share(share.as_ref().expect("it is a handover"));
		let rng = &mut self.rng.clone();
		let actor = self.actor(seat);
		let member = actor.member.as_mut().expect("it takes part");
		let complaint = member.receive(dealer, &digest, constant, &dealing, rng);
		let complaint = complaint.expect("it was accepted").expect("it is faulty");
		let (worker, ceremony) = (actor.worker, attempt.ceremony.id());
		let statement = ComplaintStatement { member: worker, ceremony, dealer, complaint };
		let signature = sign::<T>(&worker, &statement);
		(statement, signature)
	}

	pub fn request(&mut self) -> Signed<KeyRequestStatement> {
		let (epoch, key) = Pallet::<T>::current_key().expect("there is a key");
		let valid_until = Pallet::<T>::now().saturating_add(T::RequestPeriod::get() - 1);
		let input = ClusterInput { epoch, cluster: self.cluster };
		let requester = requester(&Pallet::<T>::chain_id(), &self.client, valid_until);
		let public_key = *key.sharing.public_key();
		let inquiry = Inquiry { public_key, input: input.into(), requester };
		let (_, request) = Blind::new(inquiry, &mut self.rng).expect("it can be blinded");
		let statement = KeyRequestStatement { worker: self.client, input, valid_until, request };
		let signature = sign::<T>(&self.client, &statement);
		(statement, signature)
	}

	pub fn ask(&mut self) {
		let (statement, signature) = self.request();
		Pallet::<T>::do_request(&statement, &signature).expect("it is in order");
	}

	/// The last member asks for the guard of the ceremony under way.
	pub fn guard_request(&mut self) -> Signed<GuardRequestStatement> {
		let (epoch, key) = Pallet::<T>::current_key().expect("there is a key");
		let ceremony = Current::<T>::get().expect("it is under way").ceremony.id();
		let valid_until = Pallet::<T>::now().saturating_add(T::RequestPeriod::get() - 1);
		let member = self.actor(last()).worker;
		let input = GuardInput { epoch, ceremony, member: member.0 };
		let requester = requester(&Pallet::<T>::chain_id(), &member, valid_until);
		let public_key = *key.sharing.public_key();
		let inquiry = Inquiry { public_key, input: input.into(), requester };
		let (_, request) = Blind::new(inquiry, &mut self.rng).expect("it can be blinded");
		let statement = GuardRequestStatement { member, epoch, ceremony, valid_until, request };
		let signature = sign::<T>(&member, &statement);
		(statement, signature)
	}

	pub fn ask_guard(&mut self) {
		let (statement, signature) = self.guard_request();
		Pallet::<T>::do_request_guard(&statement, &signature).expect("it is in order");
	}

	pub fn partial(&mut self, seat: MemberIndex) -> Partial {
		let OpenRequest { worker, input, valid_until, request, .. } =
			Requests::<T>::get(0).expect("it was made");
		let key = Epochs::<T>::get(input.epoch()).expect("it is known").public_key;
		let inquiry = Pallet::<T>::inquiry(key, input, &worker, valid_until);
		let rng = &mut self.rng.clone();
		let share = self.actor(seat).share.as_ref().expect("it holds one");
		share.evaluate(&inquiry, &request, rng).expect("it is proven")
	}

	/// The first `count` seats answer.
	pub fn answer(&mut self, count: usize) {
		for seat in all().into_iter().take(count) {
			let partial = self.partial(seat);
			Pallet::<T>::do_answer(0, seat, partial).expect("it is in order");
		}
	}

	/// As if all others had answered before a handover.
	pub fn store_all(&mut self) {
		for seat in all() {
			let partial = self.partial(seat);
			Partials::<T>::insert(0, seat, partial);
		}
		Requests::<T>::mutate(0, |request| {
			request.iter_mut().for_each(|request| request.stored = all().into_iter().collect());
		});
	}

	/// The request expires, and nothing else.
	pub fn expire(&mut self) {
		let asked = Pallet::<T>::time().saturating_sub(T::RequestPeriod::get());
		Requests::<T>::mutate(0, |request| {
			request.iter_mut().for_each(|request| request.asked = asked);
		});
	}

	/// As if all holders had been reported for another request of the same time.
	pub fn blame_all(&mut self) {
		let request = Requests::<T>::get(0).expect("it was made");
		let period = request.asked / T::AbsencePeriod::get();
		let key = LiveKeys::<T>::get(request.input.epoch()).expect("there is a key");
		LastBlamed::<T>::insert(key.number, Silence { period, seats: key.sharing.holders() });
	}

	/// The key is an old one: as if a rotation had just made another.
	pub fn age_key(&mut self) {
		let mut key = LiveKeys::<T>::get(0).expect("there is a key");
		let record = Epochs::<T>::get(0).expect("there is a key");
		LiveKeys::<T>::insert(1, key.clone());
		Epochs::<T>::insert(1, record);
		CurrentEpoch::<T>::put(1);
		key.until = Some(Pallet::<T>::time().saturating_add(T::RetirementPeriod::get()));
		LiveKeys::<T>::insert(0, key);
	}
}

fn all() -> Vec<MemberIndex> {
	(1..=MAX_MEMBERS).filter_map(|seat| MemberIndex::new(seat).ok()).collect()
}

/// Falsifies the last recipient's share.
fn spoil(dealing: &mut Dealing) {
	let share = dealing.shares.iter_mut().last().expect("there are 32");
	share[0] ^= 1;
}
