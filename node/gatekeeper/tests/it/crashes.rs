//! Killed at every point, one after the other.

use crate::crowd::{Crowd, Lie};
use phala_threshold::MemberIndex;

/// A first key, a handover and a request, in which gatekeeper 2 is killed after `points` points. How
/// many points it passes in all.
fn killed_after(points: Option<u32>, bad_share: bool) -> u32 {
	let mut crowd = Crowd::new(4);
	if bad_share {
		// Gatekeeper 2 is the one that has to complain.
		crowd.person(1).lie(Lie::BadShare(MemberIndex::new(2).unwrap()));
	}
	crowd.person(2).fuse.passed.set(0);
	if let Some(points) = points {
		crowd.person(2).kill_after(points);
	}
	crowd.elect(&[1, 2, 3]);
	crowd.until("the first key", |crowd| crowd.key().is_some());
	crowd.settle();
	let (epoch, first, public) = crowd.key().unwrap();
	let mut client = crowd.client(101);
	// With one more away, its answer is needed.
	crowd.person(3).down = true;
	let key = crowd.obtain(&mut client, epoch);
	crowd.person(3).down = false;

	crowd.elect(&[2, 3, 4]);
	crowd.until("the handover", |crowd| crowd.key().is_some_and(|(_, number, _)| number != first));
	crowd.settle();
	let (_, second, same) = crowd.key().unwrap();
	assert_eq!(public, same);
	for number in [2, 3, 4] {
		assert_eq!(crowd.person(number).files("share"), [second], "killed after {points:?}");
		assert!(crowd.person(number).files("part").is_empty());
	}
	assert!(crowd.person(1).files("share").is_empty());
	let mut client = crowd.client(102);
	crowd.person(3).down = true;
	assert_eq!(crowd.obtain(&mut client, epoch), key);
	crowd.assert_no_errors();
	let reported = crowd.chain.borrow().reported();
	assert_eq!(reported.len(), usize::from(bad_share), "killed after {points:?}: {reported:?}");
	crowd.person(2).fuse.passed.get()
}

#[test]
fn killed_once_at_every_single_point() {
	let points = killed_after(None, false);
	assert!(points > 40, "only {points} points");
	for at in 0..points {
		killed_after(Some(at), false);
	}
}

#[test]
fn killed_at_points_around_a_complaint() {
	let points = killed_after(None, true);
	for at in (0..points).step_by(3) {
		killed_after(Some(at), true);
	}
}
