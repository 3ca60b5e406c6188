//! Gatekeepers, each a real engine with real sealed files, that can be killed at any point.

use crate::chain::{Account, CLUSTER, Chain, GRACE, REQUEST, Test, next_request, unix};
use codec::Encode;
use pallet_gatekeeper_keys as pallet;
use phala_attestation::Role;
use phala_gatekeeper::{
	engine::{Distrust, Done, Engine, Limits, Progress, StepError, World},
	vault::{Disk, Folder, Vault},
	view::Rules,
};
use phala_node_common::{
	board::{self, Message, types::Phase},
	chain::{ReadError, Reader, Submission},
	cluster_key::{self, Asking, Next, Wish},
	files::FileError,
	keystore::Keys,
	seal::{Seal, SealError, Sealer},
};
use phala_primitives::{BlockRef, Statement, WorkerKey};
use phala_threshold::{ClusterInput, Element, MemberIndex};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sp_core::{H256, Pair, sr25519};
use std::{
	cell::{Cell, RefCell},
	collections::BTreeMap,
	io,
	path::PathBuf,
	pin::pin,
	rc::Rc,
	sync::Arc,
	task::{Context, Poll, Waker},
};
use zeroize::Zeroizing;

/// Nothing in these tests waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
	match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
		Poll::Ready(output) => output,
		Poll::Pending => panic!("nothing in these tests waits"),
	}
}

/// Ends a process at a point, for good.
#[derive(Default)]
pub struct Fuse {
	/// Points until it blows.
	left: Cell<Option<u32>>,
	blown: Cell<bool>,
	/// Points passed, in all lives.
	pub passed: Cell<u32>,
	/// Whether looks at the chain, and the note of them, are points, too.
	pub looks: Cell<bool>,
}

impl Fuse {
	fn point(&self) -> Result<(), Killed> {
		self.passed.set(self.passed.get() + 1);
		match self.left.get() {
			Some(0) => self.blown.set(true),
			Some(left) => self.left.set(Some(left - 1)),
			None => {}
		}
		if self.blown.get() { Err(Killed) } else { Ok(()) }
	}

	fn look(&self) -> Result<(), Killed> {
		if self.looks.get() { self.point() } else { Ok(()) }
	}
}

/// The process was killed here.
#[derive(Debug)]
pub struct Killed;

/// Where files survive a process.
#[derive(Clone)]
pub enum Store {
	Memory(Rc<RefCell<BTreeMap<String, Vec<u8>>>>),
	Folder(PathBuf),
}

impl Disk for Store {
	fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
		match self {
			Self::Memory(files) => Ok(files.borrow().get(name).cloned()),
			Self::Folder(path) => Folder(path.clone()).read(name),
		}
	}

	fn write(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
		match self {
			Self::Memory(files) => {
				files.borrow_mut().insert(name.into(), content.into());
				Ok(())
			}
			Self::Folder(path) => Folder(path.clone()).write(name, content),
		}
	}

	fn erase(&self, name: &str) -> Result<(), FileError> {
		match self {
			Self::Memory(files) => {
				files.borrow_mut().remove(name);
				Ok(())
			}
			Self::Folder(path) => Folder(path.clone()).erase(name),
		}
	}

	fn names(&self) -> Result<Vec<String>, FileError> {
		match self {
			Self::Memory(files) => Ok(files.borrow().keys().cloned().collect()),
			Self::Folder(path) => Folder(path.clone()).names(),
		}
	}
}

/// A disk whose process may be killed before and after each change.
pub struct Flaky {
	store: Store,
	fuse: Rc<Fuse>,
}

impl Flaky {
	fn point(&self, name: &str) -> Result<(), FileError> {
		let killed = |Killed| FileError {
			action: "go on with",
			path: "the process".into(),
			cause: io::ErrorKind::Interrupted.into(),
		};
		match name {
			"seen.sealed" => self.fuse.look().map_err(killed),
			_ => self.fuse.point().map_err(killed),
		}
	}
}

impl Disk for Flaky {
	fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
		self.store.read(name)
	}

	fn write(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
		self.point(name)?;
		self.store.write(name, content)?;
		self.point(name)
	}

	fn erase(&self, name: &str) -> Result<(), FileError> {
		self.point(name)?;
		self.store.erase(name)?;
		self.point(name)
	}

	fn names(&self) -> Result<Vec<String>, FileError> {
		self.store.names()
	}
}

/// The TEE's key: the same for all.
pub struct Fixed;

impl Seal for Fixed {
	fn describe(&self) -> &'static str {
		"test key"
	}

	fn root_key(&self) -> Result<Zeroizing<[u8; 32]>, SealError> {
		Ok(Zeroizing::new([9; 32]))
	}
}

/// How a gatekeeper lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lie {
	/// Its share for this seat is faulty.
	BadShare(MemberIndex),
	/// It complains about this dealer without reason.
	FalseComplaint(MemberIndex),
}

/// What a gatekeeper sees of the chain.
pub struct Gate {
	chain: Rc<RefCell<Chain>>,
	keys: Keys,
	fuse: Rc<Fuse>,
	lie: Option<Lie>,
	told: Option<Message>,
	/// Shows this block as the newest final one.
	pub shown: Option<BlockRef>,
	/// Seconds by which the machine's clock is wrong.
	pub clock_error: u64,
	/// What the node says is stored in blocks before the newest final one.
	pub forged: BTreeMap<Vec<u8>, Vec<u8>>,
}

fn killed(Killed: Killed) -> &'static str {
	"killed"
}

impl World for Gate {
	type Error = &'static str;

	async fn finalised(&mut self) -> Result<BlockRef, &'static str> {
		self.fuse.look().map_err(killed)?;
		Ok(self.shown.unwrap_or_else(|| self.chain.borrow().finalised()))
	}

	async fn hash_at(&mut self, number: u32) -> Result<Option<H256>, &'static str> {
		Ok(self.chain.borrow().hash_at(number))
	}

	async fn read(
		&mut self,
		block: &BlockRef,
		keys: &[Vec<u8>],
	) -> Result<Vec<Option<Vec<u8>>>, &'static str> {
		let finalised = self.chain.borrow().finalised();
		let mut found = self.chain.borrow().read(block, keys)?;
		if *block != finalised {
			for (key, value) in keys.iter().zip(&mut found) {
				*value = self.forged.get(key).cloned().or(value.take());
			}
		}
		if let Some(Lie::FalseComplaint(dealer)) = self.lie {
			self.misread(dealer, keys, &mut found);
		}
		Ok(found)
	}

	fn clock(&self) -> u64 {
		unix() + self.clock_error
	}

	async fn publish(&mut self, message: &Message) -> Result<Submission, &'static str> {
		self.fuse.point().map_err(killed)?;
		let message = self.falsify(message.clone());
		let taken = self.chain.borrow_mut().publish(self.keys.worker(), &message);
		self.fuse.point().map_err(killed)?;
		Ok(match taken {
			Ok(()) => Submission::Accepted,
			Err(reason) => Submission::Refused(reason),
		})
	}
}

impl Gate {
	/// Shows another ciphertext than the one on chain.
	fn misread(&self, dealer: MemberIndex, keys: &[Vec<u8>], found: &mut [Option<Vec<u8>>]) {
		let Some(attempt) = self.chain.borrow_mut().attempt() else { return };
		let dealing = board::dealing(attempt.number(), dealer);
		for (key, value) in keys.iter().zip(found) {
			if key == dealing.key()
				&& let Some(mut bent) = dealing.decode(value.clone()).unwrap()
			{
				bent.shares.iter_mut().for_each(|share| share[0] ^= 1);
				*value = Some(bent.encode());
			}
		}
	}

	/// Shows another chain.
	pub fn show(&mut self, chain: Rc<RefCell<Chain>>) {
		self.chain = chain;
	}

	/// Lies where it is told to, each time in the same way.
	fn falsify(&mut self, message: Message) -> Message {
		let (Message::Deal(statement, _), Some(Lie::BadShare(victim))) = (&message, self.lie)
		else {
			return message;
		};
		if let Some(lie @ Message::Deal(before, _)) = &self.told
			&& before.ceremony == statement.ceremony
		{
			return lie.clone();
		}
		let attempt = self.chain.borrow_mut().attempt().unwrap();
		let mut statement = statement.clone();
		let position = attempt.keys.position(victim).unwrap();
		statement.dealing.shares.iter_mut().nth(position).unwrap()[0] ^= 1;
		let signature = statement.sign(&self.keys.chain, &self.keys.identity);
		let lie = Message::Deal(statement, signature);
		self.told = Some(lie.clone());
		lie
	}
}

pub struct Person {
	pub account: Account,
	pub keys: Keys,
	pub store: Store,
	pub fuse: Rc<Fuse>,
	pub gate: Gate,
	/// Does not run.
	pub down: bool,
	engine: Engine<Flaky, ChaCha20Rng>,
	pub lives: u64,
	/// Whether it seals with guards, from its next life on.
	pub peer_seal: bool,
	/// What it did last, and all errors.
	pub last: Option<Progress>,
	pub done: Vec<Done>,
	pub errors: Vec<StepError<&'static str>>,
}

fn engine(
	keys: &Keys,
	store: &Store,
	fuse: &Rc<Fuse>,
	life: u64,
	peer_seal: bool,
) -> Engine<Flaky, ChaCha20Rng> {
	let disk = Flaky { store: store.clone(), fuse: fuse.clone() };
	let rules = Rules { request_period: REQUEST, reshare_grace: GRACE };
	let seed = sp_crypto_hashing::blake2_256(&(keys.worker(), life).encode());
	let vault = Vault::new(disk, Arc::new(Fixed), keys).with_peer_seal(peer_seal);
	Engine::new(keys.clone(), vault, Limits { rules, max_age: 60 }, ChaCha20Rng::from_seed(seed))
}

pub fn account(number: u8) -> Account {
	Account::new([number; 32])
}

impl Person {
	pub fn new(chain: &Rc<RefCell<Chain>>, number: u8, store: Store) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let sealer = Sealer::Plain(folder.path().into());
		let mut keys = Keys::open(folder.path(), &sealer, &Chain::id()).unwrap();
		keys.identity = sr25519::Pair::from_seed(&[number; 32]);
		let fuse = Rc::<Fuse>::default();
		let gate = Gate {
			chain: chain.clone(),
			keys: keys.clone(),
			fuse: fuse.clone(),
			lie: None,
			told: None,
			shown: None,
			clock_error: 0,
			forged: BTreeMap::new(),
		};
		chain.borrow_mut().attest(keys.worker(), account(number), Role::Gatekeeper, u64::MAX / 2);
		Self {
			account: account(number),
			engine: engine(&keys, &store, &fuse, 0, false),
			peer_seal: false,
			keys,
			store,
			fuse,
			gate,
			down: false,
			lives: 0,
			last: None,
			done: vec![],
			errors: vec![],
		}
	}

	pub fn worker(&self) -> WorkerKey {
		self.keys.worker()
	}

	pub fn lie(&mut self, lie: Lie) {
		self.gate.lie = Some(lie);
	}

	/// Kills the process now and starts another one. Nothing but the files is left.
	pub fn restart(&mut self) {
		self.lives += 1;
		self.fuse.left.set(None);
		self.fuse.blown.set(false);
		self.engine = engine(&self.keys, &self.store, &self.fuse, self.lives, self.peer_seal);
	}

	/// Kills the process after that many points.
	pub fn kill_after(&self, points: u32) {
		self.fuse.left.set(Some(points));
	}

	/// Runs until nothing is news. Killed, it starts again the next time.
	pub fn run(&mut self) {
		if self.down {
			return;
		}
		for _ in 0..100 {
			let result = now(self.engine.step(&mut self.gate));
			if self.fuse.blown.get() {
				assert!(result.is_err(), "nothing is done after the end");
				return self.restart();
			}
			match result {
				Ok(progress) => {
					self.done.extend(progress.done.iter().cloned());
					let news = progress.is_news();
					self.last = Some(progress);
					if !news {
						return;
					}
				}
				Err(error) => return self.errors.push(error),
			}
		}
		panic!("it never comes to rest");
	}

	/// Files of a kind, by ceremony.
	pub fn files(&self, kind: &str) -> Vec<u64> {
		let number = |name: String| {
			name.strip_prefix(kind)?.strip_prefix('-')?.strip_suffix(".sealed")?.parse().ok()
		};
		let mut numbers: Vec<_> =
			self.store.names().unwrap().into_iter().filter_map(number).collect();
		numbers.sort();
		numbers
	}

	/// Does it have the share of a ceremony, open?
	pub fn holds(&self, number: u64) -> bool {
		self.last.as_ref().is_some_and(|last| last.memory.shares.contains_key(&number))
	}

	/// What is in a file.
	pub fn content(&self, name: &str) -> Vec<u8> {
		self.store.read(name).unwrap().unwrap_or_default()
	}

	pub fn distrust(&self) -> Option<&Distrust> {
		match self.errors.last() {
			Some(StepError::Distrust(distrust)) => Some(distrust),
			_ => None,
		}
	}
}

/// All gatekeepers, and their chain.
pub struct Crowd {
	pub chain: Rc<RefCell<Chain>>,
	pub people: Vec<Person>,
	/// Folders of those who have some.
	_folders: Vec<tempfile::TempDir>,
}

impl Crowd {
	/// Gatekeepers 1 to `count`.
	pub fn new(count: u8) -> Self {
		let chain = Rc::new(RefCell::new(Chain::new()));
		let memory = || Store::Memory(Rc::default());
		let people = (1..=count).map(|number| Person::new(&chain, number, memory())).collect();
		let mut crowd = Self { chain, people, _folders: vec![] };
		crowd.rounds(3);
		crowd
	}

	/// With files on a real disk.
	pub fn on_disk(count: u8) -> Self {
		let mut crowd = Self::new(0);
		for number in 1..=count {
			let folder = tempfile::tempdir().unwrap();
			let store = Store::Folder(folder.path().into());
			crowd.people.push(Person::new(&crowd.chain, number, store));
			crowd._folders.push(folder);
		}
		crowd.rounds(3);
		crowd
	}

	/// Who seal with guards.
	pub fn guarded(count: u8) -> Self {
		let mut crowd = Self::new(count);
		crowd.people.iter_mut().for_each(|person| {
			person.peer_seal = true;
			person.restart();
		});
		crowd
	}

	/// With a first key held by `set`.
	pub fn with_key(count: u8, set: &[u8]) -> Self {
		Self::new(count).make_key(set)
	}

	/// With a first key held by `set`, whose shares are sealed with guards.
	pub fn guarded_with_key(count: u8, set: &[u8]) -> Self {
		Self::guarded(count).make_key(set)
	}

	fn make_key(self, set: &[u8]) -> Self {
		let mut crowd = self;
		crowd.elect(set);
		crowd.until("the first key", |crowd| crowd.key().is_some());
		crowd.settle();
		crowd.chain.borrow().reported();
		crowd
	}

	pub fn person(&mut self, number: u8) -> &mut Person {
		&mut self.people[usize::from(number) - 1]
	}

	pub fn elect(&mut self, set: &[u8]) {
		let set =
			set.iter().map(|number| (account(*number), self.person(*number).worker())).collect();
		self.chain.borrow_mut().elect(set);
	}

	/// Everybody runs, then there is a block.
	pub fn round(&mut self) {
		self.people.iter_mut().for_each(Person::run);
		self.chain.borrow_mut().block();
	}

	pub fn rounds(&mut self, count: u32) {
		(0..count).for_each(|_| self.round());
	}

	pub fn until(&mut self, what: &str, mut reached: impl FnMut(&mut Self) -> bool) {
		for _ in 0..1_000 {
			if reached(self) {
				return;
			}
			self.round();
		}
		panic!("{what} is never reached: {:?}", self.chain.borrow_mut().attempt());
	}

	pub fn until_phase(&mut self, what: &str, is: fn(&Phase) -> bool) {
		self.until(what, |crowd| crowd.chain.borrow_mut().phase().is_some_and(|phase| is(&phase)));
	}

	/// Until nothing is under way and everybody knows.
	pub fn settle(&mut self) {
		self.until("rest", |crowd| crowd.chain.borrow_mut().attempt().is_none());
		self.rounds(8);
	}

	/// Epoch, number of the ceremony and public key.
	pub fn key(&mut self) -> Option<(u32, u64, Element)> {
		let (epoch, live) = self.chain.borrow_mut().live()?;
		Some((epoch, live.number, *live.sharing.public_key()))
	}

	/// Is there nothing to do, now or later?
	pub fn is_idle(&mut self) -> bool {
		let idle = pallet::types::Status::Idle { waiting: pallet::types::Waiting::NothingToDo };
		let gave_up = pallet::types::Status::Idle { waiting: pallet::types::Waiting::GaveUp };
		let status = self.chain.borrow_mut().at(pallet::Pallet::<Test>::status);
		status == idle || status == gave_up
	}

	/// For each worker, the ceremonies whose shares it is to hold.
	pub fn shares_to_hold(&mut self) -> BTreeMap<[u8; 32], Vec<u64>> {
		self.chain.borrow_mut().at(|| {
			let mut held = BTreeMap::<_, Vec<u64>>::new();
			for (_, live) in pallet::Pallet::<Test>::live_keys() {
				let set = pallet::Sets::<Test>::get(live.number);
				for seat in live.sharing.holders().iter() {
					let worker = set[usize::from(seat.get()) - 1].worker.0;
					held.entry(worker).or_default().push(live.number);
				}
			}
			held.values_mut().for_each(|numbers| numbers.sort());
			held
		})
	}

	/// Errors of all.
	pub fn assert_no_errors(&self) {
		for person in &self.people {
			assert!(person.errors.is_empty(), "{}: {:?}", person.account, person.errors);
		}
	}

	/// A worker, attested as one.
	pub fn client(&mut self, number: u8) -> Client {
		let pair = sr25519::Pair::from_seed(&[number; 32]);
		let mut chain = self.chain.borrow_mut();
		chain.attest(pair.public(), account(number), Role::Worker, u64::MAX / 2);
		let rng = ChaCha20Rng::from_seed([number; 32]);
		Client { chain: self.chain.clone(), pair, rng, asking: None }
	}

	/// The key of the cluster, as a worker obtains it.
	pub fn obtain(&mut self, client: &mut Client, epoch: u32) -> [u8; 32] {
		for _ in 0..200 {
			if let Some(key) = client.run(epoch) {
				return key;
			}
			self.round();
		}
		panic!("{} never obtains its key", hex::encode(client.pair.public()));
	}
}

/// A worker that wants its cluster's key.
pub struct Client {
	pub chain: Rc<RefCell<Chain>>,
	pub pair: sr25519::Pair,
	rng: ChaCha20Rng,
	asking: Option<Asking>,
}

struct Finalised<'a>(&'a Chain, BlockRef);

impl Reader for Finalised<'_> {
	type Error = &'static str;

	async fn read(&mut self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, &'static str> {
		self.0.read(&self.1, keys)
	}
}

impl Client {
	/// One look; the key, when it is there.
	pub fn run(&mut self, epoch: u32) -> Option<[u8; 32]> {
		let input = ClusterInput { epoch, cluster: CLUSTER };
		let wish = Wish { input, public_key: None };
		let worker = self.pair.public();
		let scene: Result<_, ReadError<_>> = {
			let chain = self.chain.borrow();
			let block = chain.finalised();
			now(cluster_key::look(&mut Finalised(&chain, block), &worker, &input))
		};
		let scene = scene.unwrap();
		let next = cluster_key::next(&wish, self.asking.as_ref(), &scene, REQUEST);
		if next == Err(cluster_key::Error::NotLive(epoch)) {
			// Not final yet.
			return None;
		}
		match next.unwrap() {
			Next::Ask { public_key, valid_until } => {
				let asking = Asking::new(
					&Chain::id(),
					&self.pair,
					input,
					public_key,
					valid_until,
					&mut self.rng,
				);
				self.asking = Some(asking.unwrap());
				self.publish();
			}
			Next::Repeat => self.publish(),
			Next::Wait => {}
			Next::Combine => {
				let obtained =
					self.asking.take()?.combine(scene.key.as_ref()?, &scene.partials).unwrap();
				assert!(obtained.faulty.is_empty());
				return Some(*obtained.secret.derive("test"));
			}
		}
		None
	}

	fn publish(&self) {
		if let Some(asking) = &self.asking {
			let _ = self.chain.borrow_mut().publish(self.pair.public(), &asking.message());
		}
	}
}

/// How many requests there were.
pub fn requests(crowd: &mut Crowd) -> u64 {
	next_request(&mut crowd.chain.borrow_mut())
}

/// Is anything but nothing stored of a ceremony?
pub fn dealings_on_record(crowd: &mut Crowd, number: u64) -> usize {
	crowd.chain.borrow_mut().at(|| pallet::Dealings::<Test>::iter_prefix(number).count())
}

/// Has a ceremony failed since one last completed?
pub fn has_failed(crowd: &mut Crowd) -> bool {
	crowd.chain.borrow_mut().at(pallet::LastFailure::<Test>::exists)
}
