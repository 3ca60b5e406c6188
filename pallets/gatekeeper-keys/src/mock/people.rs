//! Gatekeepers and workers with real keys, who follow the chain.

use super::*;
use crate::{Call, CeremonyKeys, Current, Dealings, Digests, LiveKeys, Partials, types::*};
use frame_support::{
	pallet_prelude::{TransactionSource, TransactionValidityError, ValidTransaction},
	traits::{Authorize, UnfilteredDispatchable},
};
use phala_attestation::Role;
use phala_primitives::{
	ChainId, ComplaintStatement, DealingStatement, Gatekeepers, GuardRequestStatement,
	KeyRequestStatement, RegistrationStatement, Statement, requester,
};
use phala_threshold::{self as threshold, *};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sp_core::{Pair, sr25519};

pub fn seat(number: u8) -> MemberIndex {
	MemberIndex::new(number).unwrap()
}

pub fn chain() -> ChainId {
	ChainId { genesis: H256::repeat_byte(7), para_id: 2_035 }
}

pub fn rng(seed: u64) -> ChaCha20Rng {
	ChaCha20Rng::seed_from_u64(seed)
}

/// Why a message did not reach the chain.
pub type Refused = TransactionValidityError;

/// What the pool says of a message.
pub fn in_pool(call: &Call<Test>) -> Result<ValidTransaction, Refused> {
	call.authorize(TransactionSource::External).unwrap().map(|(valid, _)| valid)
}

/// Sends a message through the pool to the chain. What the pool takes, the chain takes.
pub fn send(call: Call<Test>) -> Result<(), Refused> {
	in_pool(&call)?;
	apply(call).unwrap();
	Ok(())
}

/// Applies a message without asking the pool.
pub fn apply(call: Call<Test>) -> Result<(), sp_runtime::DispatchError> {
	let origin = frame_system::RawOrigin::Authorized.into();
	call.dispatch_bypass_filter(origin).map(|_| ()).map_err(|error| error.error)
}

/// A gatekeeper with its TEE's keys and shares.
pub struct Person {
	pub account: AccountId,
	pub pair: sr25519::Pair,
	pub rng: ChaCha20Rng,
	/// Its part in the ceremony under way.
	pub member: Option<Member>,
	/// Shares by epoch.
	pub shares: BTreeMap<u32, KeyShare>,
}

impl Person {
	/// A person with an attested TEE on a machine of its own.
	pub fn new(account: AccountId) -> Self {
		let pair = sr25519::Pair::from_seed(&H256::from_low_u64_be(account).0);
		attest(pair.public(), account, Role::Gatekeeper, account);
		let (member, shares) = (None, BTreeMap::new());
		Self { account, pair, rng: rng(account), member, shares }
	}

	pub fn worker(&self) -> WorkerKey {
		self.pair.public()
	}

	/// Its seats in the dealing and the receiving set of the ceremony under way.
	pub fn seats(&self, attempt: &Attempt) -> (Option<MemberIndex>, Option<MemberIndex>) {
		let deals = Keys::seat_of(attempt.dealing_number(), &self.worker())
			.filter(|seat| attempt.dealers.contains(*seat));
		(deals, Keys::seat_of(attempt.number(), &self.worker()))
	}

	/// Does the chain still wait for its registration, for its dealing?
	pub fn owes(&self) -> (bool, bool) {
		let Some(attempt) = Current::<Test>::get() else { return (false, false) };
		let (deals, receives) = self.seats(&attempt);
		let lacks = |seat: Option<MemberIndex>, set: MemberSet| {
			seat.is_some_and(|seat| !set.contains(seat))
		};
		let committing = matches!(attempt.phase, Phase::Committing { .. });
		let sharing = matches!(attempt.phase, Phase::Sharing { .. });
		let committed = deals.is_some_and(|seat| attempt.digests.contains(seat));
		(
			committing && (lacks(deals, attempt.digests) || lacks(receives, attempt.keys)),
			sharing && committed && lacks(deals, attempt.dealings),
		)
	}

	/// Takes its part in the ceremony under way; `None` if it has none.
	pub fn join(&mut self) -> Option<&mut Member> {
		let attempt = Current::<Test>::get()?;
		if self.member.as_ref().is_none_or(|member| *member.ceremony() != attempt.ceremony) {
			let (deals, receives) = self.seats(&attempt);
			let share = self.shares.get(&attempt.epoch).map(copy).filter(|share| {
				matches!(&attempt.ceremony.kind, Kind::Resharing { from, .. } if share.ceremony() == from)
					&& deals.is_some()
			});
			let role = match (attempt.from, share, receives) {
				(None, _, Some(seat)) => threshold::Role::Generate(seat),
				(Some(_), Some(share), Some(seat)) => threshold::Role::Stay(share, seat),
				(Some(_), Some(share), None) => threshold::Role::HandOver(share),
				(Some(_), None, Some(seat)) => threshold::Role::Receive(seat),
				_ => return None,
			};
			let member = Member::join(attempt.ceremony, role, &mut self.rng).unwrap();
			self.member = Some(member);
		}
		self.member.as_mut()
	}

	pub fn sign(&self, statement: &impl Statement) -> sr25519::Signature {
		statement.sign(&chain(), &self.pair)
	}

	pub fn registration(&mut self) -> Option<Call<Test>> {
		let mut fresh = self.rng.clone();
		let member = self.join()?;
		let registration = member.registration(&mut fresh).unwrap();
		let ceremony = member.ceremony().id();
		Some(self.registering(ceremony, registration))
	}

	pub fn registering(&self, ceremony: CeremonyId, registration: Registration) -> Call<Test> {
		let statement = RegistrationStatement { member: self.worker(), ceremony, registration };
		let signature = self.sign(&statement);
		Call::register { statement: Box::new(statement), signature }
	}

	pub fn dealt(&mut self) -> Option<Dealing> {
		let mut fresh = self.rng.clone();
		let attempt = Current::<Test>::get()?;
		self.join()?.deal(&roster(&attempt), &mut fresh).unwrap()
	}

	pub fn dealing(&mut self) -> Option<Call<Test>> {
		let dealing = self.dealt()?;
		Some(self.dealing_with(dealing))
	}

	pub fn dealing_with(&self, dealing: Dealing) -> Call<Test> {
		let ceremony = Current::<Test>::get().unwrap().ceremony.id();
		let statement = DealingStatement { member: self.worker(), ceremony, dealing };
		let signature = self.sign(&statement);
		Call::deal { statement: Box::new(statement), signature }
	}

	/// Looks at a dealer's dealing, as it is on chain or as `seen`; its complaint, if it has one.
	pub fn inspect(&mut self, dealer: MemberIndex, seen: Option<Dealing>) -> Option<Complaint> {
		let attempt = Current::<Test>::get()?;
		let number = attempt.number();
		let dealing = seen.or_else(|| Dealings::<Test>::get(number, dealer))?;
		let digest = Digests::<Test>::get(number, dealer)?;
		let share = Keys::dealt_share(&attempt, dealer).unwrap();
		let constant = share.as_ref().map_or(Constant::Fresh, Constant::Share);
		let mut fresh = self.rng.clone();
		let member = self.join()?;
		member.deal(&roster(&attempt), &mut fresh).unwrap();
		member.receive(dealer, &digest, constant, &dealing, &mut fresh).unwrap()
	}

	pub fn complaining(&self, dealer: MemberIndex, complaint: Complaint) -> Call<Test> {
		let ceremony = Current::<Test>::get().unwrap().ceremony.id();
		let member = self.worker();
		let statement = ComplaintStatement { member, ceremony, dealer, complaint };
		let signature = self.sign(&statement);
		Call::complain { statement: Box::new(statement), signature }
	}

	/// An opening of a good share: made by showing this member another ciphertext than the chain has.
	pub fn false_complaint(&mut self, dealer: MemberIndex) -> Option<Complaint> {
		let attempt = Current::<Test>::get()?;
		let mut dealing = Dealings::<Test>::get(attempt.number(), dealer)?;
		spoil(&mut dealing, &attempt, self.seats(&attempt).1?);
		self.inspect(dealer, Some(dealing))
	}

	/// Takes its share of the key that a ceremony made.
	pub fn take_share(&mut self, epoch: u32) {
		let Some(key) = LiveKeys::<Test>::get(epoch) else { return };
		let Some(member) = self.member.as_ref() else { return };
		if member.ceremony().id() == *key.sharing.ceremony()
			&& let Ok(share) = member.finish(&key.sharing)
		{
			self.member = None;
			self.shares.remove(&epoch);
			self.shares.extend(share.map(|share| (epoch, share)));
		}
	}

	/// Its answer to a request, with the share of the request's epoch.
	pub fn answer(&mut self, id: RequestId) -> Option<Call<Test>> {
		let request = crate::Requests::<Test>::get(id)?;
		let epoch = request.input.epoch();
		let share = self.shares.get(&epoch)?;
		let key = crate::Epochs::<Test>::get(epoch)?.public_key;
		let inquiry = Keys::inquiry(key, request.input, &request.worker, request.valid_until);
		let partial = share.evaluate(&inquiry, &request.request, &mut self.rng).ok()?;
		Some(Call::answer { id, seat: share.index(), partial: Box::new(partial) })
	}

	/// A request for the guard of a ceremony, as long as it can be valid.
	pub fn ask_guard(&mut self, epoch: u32, ceremony: CeremonyId) -> (Blind, Request, Call<Test>) {
		let valid_until = RelayBlock::get() + REQUEST - 1;
		let public_key = crate::Epochs::<Test>::get(epoch).unwrap().public_key;
		let input = GuardInput { epoch, ceremony, member: self.worker().0 };
		let requester = requester(&chain(), &self.worker(), valid_until);
		let inquiry = Inquiry { public_key, input: input.into(), requester };
		let (blind, request) = Blind::new(inquiry, &mut self.rng).unwrap();
		let call = self.asking_guard(epoch, ceremony, valid_until, request);
		(blind, request, call)
	}

	pub fn asking_guard(
		&self,
		epoch: u32,
		ceremony: CeremonyId,
		valid_until: u32,
		request: Request,
	) -> Call<Test> {
		let member = self.worker();
		let statement = GuardRequestStatement { member, epoch, ceremony, valid_until, request };
		let signature = self.sign(&statement);
		Call::request_guard { statement: Box::new(statement), signature }
	}
}

pub fn copy(share: &KeyShare) -> KeyShare {
	KeyShare::restore(&share.save()).unwrap()
}

/// The keys on chain.
pub fn roster(attempt: &Attempt) -> Roster {
	let mut roster = Roster::new(attempt.ceremony.id());
	for seat in attempt.keys.iter() {
		roster.insert(seat, &CeremonyKeys::<Test>::get(attempt.number(), seat).unwrap()).unwrap();
	}
	roster
}

/// Falsifies the share of a recipient.
pub fn spoil(dealing: &mut Dealing, attempt: &Attempt, victim: MemberIndex) {
	let position = attempt.keys.position(victim).unwrap();
	dealing.shares.iter_mut().nth(position).unwrap()[0] ^= 1;
}

/// All gatekeepers of a test.
pub struct World {
	pub people: Vec<Person>,
}

impl World {
	/// `count` gatekeepers with accounts from 1; nobody is elected yet.
	pub fn new(count: u64) -> Self {
		Self { people: (1..=count).map(Person::new).collect() }
	}

	pub fn person(&mut self, account: AccountId) -> &mut Person {
		self.people.iter_mut().find(|person| person.account == account).unwrap()
	}

	pub fn entries(&self, accounts: &[AccountId]) -> Vec<(AccountId, WorkerKey)> {
		let worker = |account: &AccountId| {
			self.people.iter().find(|person| person.account == *account).unwrap().worker()
		};
		accounts.iter().map(|account| (*account, worker(account))).collect()
	}

	pub fn elect(&self, accounts: &[AccountId]) {
		Keys::on_set_elected(self.entries(accounts)).unwrap();
	}

	/// Everybody but `silent` registers.
	pub fn register(&mut self, silent: &[AccountId]) {
		for person in &mut self.people {
			if !silent.contains(&person.account)
				&& person.owes().0
				&& let Some(call) = person.registration()
			{
				send(call).unwrap();
			}
		}
	}

	/// Everybody but `silent` deals.
	pub fn deal(&mut self, silent: &[AccountId]) {
		for person in &mut self.people {
			if !silent.contains(&person.account)
				&& person.owes().1
				&& let Some(call) = person.dealing()
			{
				send(call).unwrap();
			}
		}
	}

	/// Everybody but `silent` looks at all dealings and complains where there is reason to.
	pub fn inspect(&mut self, silent: &[AccountId]) {
		let Some(attempt) = Current::<Test>::get() else { return };
		for person in &mut self.people {
			if silent.contains(&person.account) || person.seats(&attempt).1.is_none() {
				continue;
			}
			for dealer in attempt.dealings.iter() {
				if let Some(complaint) = person.inspect(dealer, None) {
					// Somebody else may have been faster.
					let _ = send(person.complaining(dealer, complaint));
				}
			}
		}
	}

	pub fn take_shares(&mut self) {
		let epoch = crate::CurrentEpoch::<Test>::get();
		for person in &mut self.people {
			if let Some(epoch) = epoch {
				person.take_share(epoch);
			}
		}
	}

	/// Waits for the next ceremony if none is under way, and has everybody do what is to be done until
	/// it is over and cleared; those in `silent` do nothing at all.
	pub fn run(&mut self, silent: &[AccountId]) {
		poll();
		for _ in 0..RETRY {
			if !Current::<Test>::exists() {
				pass(1);
			}
		}
		self.register(silent);
		self.pass_phase();
		self.deal(silent);
		self.pass_phase();
		self.inspect(silent);
		self.pass_phase();
		self.take_shares();
		while Current::<Test>::get().is_some_and(|attempt| !attempt.is_open()) {
			pass(1);
		}
	}

	/// Waits until the phase is over, at once if nobody is awaited.
	pub fn pass_phase(&mut self) {
		let phase = |attempt: &Attempt| core::mem::discriminant(&attempt.phase);
		let Some(now) = Current::<Test>::get() else { return };
		poll();
		while let Some(attempt) = Current::<Test>::get()
			&& phase(&attempt) == phase(&now)
			&& attempt.is_open()
		{
			pass(1);
		}
	}

	/// A first key for the given accounts.
	pub fn with_key(count: u64, accounts: &[AccountId]) -> Self {
		let mut world = Self::new(count);
		world.elect(accounts);
		world.run(&[]);
		assert_eq!(crate::CurrentEpoch::<Test>::get(), Some(0));
		assert!(!Current::<Test>::exists());
		reports();
		events();
		world
	}

	/// Lets everybody but `silent` answer.
	pub fn answer(&mut self, id: RequestId, silent: &[AccountId]) {
		for person in &mut self.people {
			if !silent.contains(&person.account)
				&& let Some(call) = person.answer(id)
			{
				let _ = send(call);
			}
		}
	}
}

/// A worker that wants a key.
pub struct Client {
	pub pair: sr25519::Pair,
	pub rng: ChaCha20Rng,
}

pub const CLUSTER: ClusterId = [0xc1; 32];
pub const OTHER: ClusterId = [0xc2; 32];

impl Client {
	/// A worker that is attested as one, and a member of [`CLUSTER`].
	pub fn new(seed: u64) -> Self {
		let pair = sr25519::Pair::from_seed(&H256::from_low_u64_be(seed).0);
		attest(pair.public(), 0, Role::Worker, seed);
		admit(CLUSTER, pair.public());
		Self { pair, rng: rng(seed) }
	}

	pub fn worker(&self) -> WorkerKey {
		self.pair.public()
	}

	/// A request, as long as it can be valid.
	pub fn ask(&mut self, epoch: u32, cluster: ClusterId) -> (Blind, Request, Call<Test>) {
		self.ask_until(epoch, cluster, RelayBlock::get() + REQUEST - 1)
	}

	pub fn ask_until(
		&mut self,
		epoch: u32,
		cluster: ClusterId,
		valid_until: u32,
	) -> (Blind, Request, Call<Test>) {
		let public_key = crate::Epochs::<Test>::get(epoch).unwrap().public_key;
		let input = ClusterInput { epoch, cluster };
		let requester = requester(&chain(), &self.worker(), valid_until);
		let inquiry = Inquiry { public_key, input: input.into(), requester };
		let (blind, request) = Blind::new(inquiry, &mut self.rng).unwrap();
		let call = self.asking(input, valid_until, request);
		(blind, request, call)
	}

	pub fn asking(&self, input: ClusterInput, valid_until: u32, request: Request) -> Call<Test> {
		let statement = KeyRequestStatement { worker: self.worker(), input, valid_until, request };
		let signature = statement.sign(&chain(), &self.pair);
		Call::request { statement: Box::new(statement), signature }
	}

	/// Asks, waits for the answers, and makes the key.
	pub fn obtain(&mut self, world: &mut World, epoch: u32, cluster: ClusterId) -> [u8; 32] {
		let (blind, request, call) = self.ask(epoch, cluster);
		send(call).unwrap();
		let id = crate::Queue::<Test>::get().next - 1;
		world.answer(id, &[]);
		combine(&blind, &request, id).unwrap()
	}
}

/// What the answers on chain are.
fn answers(id: RequestId) -> (Sharing, BTreeMap<MemberIndex, Partial>) {
	let open = crate::Requests::<Test>::get(id).unwrap();
	let sharing = LiveKeys::<Test>::get(open.input.epoch()).unwrap().sharing;
	let partials = open.answered.iter();
	(sharing, partials.map(|seat| (seat, Partials::<Test>::get(id, seat).unwrap())).collect())
}

/// The key that the answers on chain make.
pub fn combine(blind: &Blind, request: &Request, id: RequestId) -> Result<[u8; 32], Error> {
	let (sharing, partials) = answers(id);
	let combined = blind.combine(request, &sharing, &partials)?;
	assert!(combined.faulty.is_empty(), "the chain takes proven partials only");
	Ok(*combined.secret.derive("test"))
}

/// The guard that they make.
pub fn combine_guard(blind: &Blind, request: &Request, id: RequestId) -> Result<[u8; 32], Error> {
	let (sharing, partials) = answers(id);
	let combined = blind.combine_guard(request, &sharing, &partials)?;
	assert!(combined.faulty.is_empty(), "the chain takes proven partials only");
	Ok(*combined.secret.as_bytes())
}
