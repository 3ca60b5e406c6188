use super::*;
use phala_threshold::{
	Aggregation, Ceremony, Constant, KeyShare, Kind, Member, Role, Roster, Sharing, Threshold,
};
use rand::{SeedableRng, rngs::StdRng};
use sp_core::{H256, Pair};

const PERIOD: u32 = 100;
const NUMBER: u64 = 5;

fn chain() -> ChainId {
	ChainId { genesis: H256::repeat_byte(7), para_id: 2_035 }
}

fn wish() -> Wish {
	let input = ClusterInput { epoch: 2, cluster: [3; 32] };
	Wish { input, public_key: None }
}

/// Five holders of a key.
fn holders(rng: &mut StdRng) -> (LiveKey, Vec<KeyShare>) {
	let size = Threshold::of(5).unwrap();
	let kind = Kind::Generation;
	let ceremony = Ceremony { chain: [7; 32], number: NUMBER, members: [2; 32], size, kind };
	let mut roster = Roster::new(ceremony.id());
	let (mut members, mut digests) = (BTreeMap::new(), BTreeMap::new());
	for seat in size.seats().iter() {
		let member = Member::join(ceremony.clone(), Role::Generate(seat), rng).unwrap();
		let registration = member.registration(rng).unwrap();
		roster.insert(seat, &registration.key.unwrap()).unwrap();
		digests.insert(seat, registration.digest.unwrap());
		members.insert(seat, member);
	}
	let mut sum = Aggregation::new(ceremony, size.seats(), roster.recipients()).unwrap();
	let mut dealings = vec![];
	for (seat, member) in &mut members {
		let dealing = member.deal(&roster, rng).unwrap().unwrap();
		sum.add(*seat, &dealing.commitments).unwrap();
		dealings.push((*seat, dealing));
	}
	let sharing: Sharing = sum.finish().unwrap();
	let shares = members.values_mut().map(|member| {
		for (dealer, dealing) in &dealings {
			let digest = &digests[dealer];
			let complaint = member.receive(*dealer, digest, Constant::Fresh, dealing, rng).unwrap();
			assert!(complaint.is_none());
		}
		member.finish(&sharing).unwrap().unwrap()
	});
	let shares = shares.collect();
	(LiveKey { number: NUMBER, sharing, since: 0, until: None }, shares)
}

struct World {
	rng: StdRng,
	identity: sr25519::Pair,
	shares: Vec<KeyShare>,
	scene: Scene,
}

impl World {
	fn new() -> Self {
		let mut rng = StdRng::seed_from_u64(1);
		let (key, shares) = holders(&mut rng);
		let clocks = Clocks { relay: 1_000, board: 900, unix: 1 };
		let scene = Scene { clocks, key: Some(key), open: None, partials: BTreeMap::new() };
		Self { rng, identity: sr25519::Pair::from_seed(&[1; 32]), shares, scene }
	}

	fn next(&self, asking: Option<&Asking>) -> Next {
		next(&wish(), asking, &self.scene, PERIOD).unwrap()
	}

	fn ask(&mut self) -> Asking {
		let Next::Ask { public_key, valid_until } = self.next(None) else { panic!("asks first") };
		let now = self.scene.clocks.relay;
		assert!(valid_until > now && valid_until < now + PERIOD, "the chain takes it");
		let input = wish().input;
		Asking::new(&chain(), &self.identity, input, public_key, valid_until, &mut self.rng)
			.unwrap()
	}

	/// The chain takes the question.
	fn open(&mut self, asking: &Asking) {
		let Message::Request(statement, signature) = asking.message() else { panic!("a request") };
		assert!(statement.is_signed_by(&chain(), &statement.worker, &signature));
		let KeyRequestStatement { worker, input, valid_until, request } = *statement;
		let request = OpenRequest {
			worker,
			input: input.into(),
			valid_until,
			request,
			asked: 900,
			sharing: NUMBER,
			answered: MemberSet::EMPTY,
			fulfilled: false,
			stored: MemberSet::EMPTY,
			replaced: false,
			excused: false,
		};
		self.scene.open = Some((0, request));
	}

	/// Holders answer.
	fn answer(&mut self, asking: &Asking, holders: &[usize]) {
		let required = self.scene.key.as_ref().unwrap().sharing.size().required();
		let (_, open) = self.scene.open.as_mut().unwrap();
		for holder in holders {
			let share = &self.shares[*holder];
			let inquiry = asking.blind.inquiry();
			let partial = share.evaluate(inquiry, &open.request, &mut self.rng).unwrap();
			self.scene.partials.insert(share.index(), partial);
			open.answered.insert(share.index());
		}
		open.fulfilled = open.answered.len() >= required;
	}

	fn obtain(&mut self, holders: &[usize]) -> [u8; 32] {
		(self.scene.open, self.scene.partials) = (None, BTreeMap::new());
		let asking = self.ask();
		self.open(&asking);
		self.answer(&asking, holders);
		assert_eq!(self.next(Some(&asking)), Next::Combine);
		let key = self.scene.key.as_ref().unwrap();
		let obtained = asking.combine(key, &self.scene.partials).unwrap();
		assert!(obtained.faulty.is_empty());
		*obtained.secret.derive("test")
	}
}

#[test]
fn any_three_of_five_make_the_same_key() {
	let mut world = World::new();
	let key = world.obtain(&[0, 1, 2]);
	assert_eq!(world.obtain(&[4, 2, 0]), key);
	assert_eq!(world.obtain(&[1, 3, 4]), key);
}

#[test]
fn the_steps_come_in_order() {
	let mut world = World::new();
	let asking = world.ask();
	assert_eq!(world.next(Some(&asking)), Next::Repeat, "until it is on record");
	world.open(&asking);
	assert_eq!(world.next(Some(&asking)), Next::Wait);
	assert_eq!(world.next(None), Next::Wait, "nothing takes its place in the same block");
	world.answer(&asking, &[0, 1]);
	assert_eq!(world.next(Some(&asking)), Next::Wait);
	let key = world.scene.key.clone().unwrap();
	let few = asking.combine(&key, &world.scene.partials).unwrap_err();
	assert_eq!(few, Error::Protocol(phala_threshold::Error::NotEnoughPartials));
	world.answer(&asking, &[2]);
	assert_eq!(world.next(Some(&asking)), Next::Combine);

	// Handed over before the answers were read: they do not fit the new shares.
	world.scene.key.as_mut().unwrap().number += 1;
	assert_eq!(world.next(Some(&asking)), Next::Wait);
	// It has expired, and its statement with it.
	world.scene.open = None;
	world.scene.clocks.relay += PERIOD;
	assert!(matches!(world.next(Some(&asking)), Next::Ask { .. }));
}

/// The secret of a question is lost: another takes its place, and is repeated until it does.
#[test]
fn a_lost_question_is_replaced() {
	let mut world = World::new();
	let lost = world.ask();
	world.open(&lost);
	world.scene.clocks.relay += 1;
	let Next::Ask { public_key, valid_until } = world.next(None) else { panic!("asks anew") };
	assert!(valid_until < world.scene.clocks.relay + PERIOD, "the chain takes it");
	let input = wish().input;
	let rng = &mut world.rng;
	let asking =
		Asking::new(&chain(), &world.identity, input, public_key, valid_until, rng).unwrap();
	assert_eq!(world.next(Some(&asking)), Next::Repeat);
	world.open(&asking);
	assert_eq!(world.next(Some(&asking)), Next::Wait);
	// One that cannot take the other's place any more is given up.
	world.scene.clocks.relay += 1;
	assert!(matches!(world.next(Some(&lost)), Next::Ask { .. }));
	world.answer(&asking, &[0, 1, 2]);
	assert_eq!(world.next(Some(&asking)), Next::Combine);
}

#[test]
fn another_master_key_is_refused() {
	let world = World::new();
	let expected = *holders(&mut StdRng::seed_from_u64(9)).0.sharing.public_key();
	let pinned = Wish { public_key: Some(expected), ..wish() };
	let error = next(&pinned, None, &world.scene, PERIOD).unwrap_err();
	assert!(matches!(error, Error::OtherKey { epoch: 2, .. }), "{error}");
	let gone = Scene { key: None, ..world.scene.clone() };
	assert_eq!(next(&wish(), None, &gone, PERIOD), Err(Error::NotLive(2)));
}

#[test]
fn a_false_answer_is_found_and_its_member_named() {
	let mut world = World::new();
	let asking = world.ask();
	world.open(&asking);
	world.answer(&asking, &[0, 1, 2, 3]);
	let key = world.scene.key.clone().unwrap();
	let seat = world.shares[1].index();
	let other = world.scene.partials[&world.shares[0].index()];
	world.scene.partials.insert(seat, other);
	let obtained = asking.combine(&key, &world.scene.partials).unwrap();
	assert_eq!(obtained.faulty.iter().collect::<Vec<_>>(), [seat]);
	assert_eq!(*obtained.secret.derive("test"), world.obtain(&[0, 2, 4]));
}

#[test]
fn a_saved_question_is_the_same_and_only_its_own() {
	let mut world = World::new();
	let asking = world.ask();
	let (saved, worker) = (asking.save(), world.identity.public());
	let restored = Asking::restore(&chain(), &worker, &saved).unwrap();
	assert_eq!(restored.message(), asking.message());
	world.open(&asking);
	world.answer(&asking, &[0, 1, 2]);
	let key = world.scene.key.clone().unwrap();
	let [one, two] = [asking, restored]
		.map(|asking| *asking.combine(&key, &world.scene.partials).unwrap().secret.derive("test"));
	assert_eq!(one, two);

	let other_chain = ChainId { para_id: 1, ..chain() };
	assert!(Asking::restore(&other_chain, &worker, &saved).is_err());
	let other = sr25519::Pair::from_seed(&[2; 32]).public();
	assert!(Asking::restore(&chain(), &other, &saved).is_err());
	for length in 0..saved.len() {
		assert!(Asking::restore(&chain(), &worker, &saved[..length]).is_err());
	}
}

/// Answers from a map of the state.
struct State(BTreeMap<Vec<u8>, Vec<u8>>);

impl Reader for State {
	type Error = std::convert::Infallible;

	async fn read(&mut self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Self::Error> {
		Ok(keys.iter().map(|key| self.0.get(key).cloned()).collect())
	}
}

#[tokio::test]
async fn the_scene_is_read_from_the_board() {
	let mut world = World::new();
	let asking = world.ask();
	world.open(&asking);
	world.answer(&asking, &[3]);
	let (worker, input) = (world.identity.public(), wish().input);
	let seat = world.shares[3].index();
	let (_, open) = world.scene.open.clone().unwrap();
	let mut state = State(BTreeMap::new());
	let mut put = |key: &[u8], value: Vec<u8>| state.0.insert(key.to_vec(), value);
	use crate::chain::Item;
	put(Item::<u32>::new(board::PALLET, "LastSeen").key(), 1_000u32.encode());
	put(Item::<u32>::new(board::PALLET, "StalledFor").key(), 100u32.encode());
	put(Item::<u64>::new("Timestamp", "Now").key(), 1_999u64.encode());
	put(board::live_key(2).key(), world.scene.key.encode()[1..].to_vec());
	put(board::open_for(&worker, &Input::Cluster(input)).key(), 9u64.encode());
	put(board::request(9).key(), open.encode());
	put(board::partial(9, seat).key(), world.scene.partials[&seat].encode());
	let scene = look(&mut state, &worker, &input).await.unwrap();
	assert_eq!(scene.clocks, world.scene.clocks);
	assert_eq!(scene.key, world.scene.key);
	assert_eq!(scene.open, Some((9, open)));
	assert_eq!(scene.partials, world.scene.partials);
}
