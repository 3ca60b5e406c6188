//! What t − 1 members know of the key: nothing.

use curve25519_dalek::Scalar;
use phala_threshold::*;
use rand_chacha::{
	ChaCha20Rng,
	rand_core::{RngCore, SeedableRng},
};

use crate::chain::{World, interpolate, stolen};

/// A linear form in the honest dealers' coefficients, which are the unknowns.
type Form = Vec<Scalar>;

/// Is `target` a linear combination of `forms`? Gauss elimination. If it is not, every value of the
/// target fits what is known, and just as well.
fn determined(mut forms: Vec<Form>, mut target: Form) -> bool {
	for column in 0..target.len() {
		let Some(pivot) = forms.iter().position(|form| form[column] != Scalar::ZERO) else {
			continue;
		};
		let pivot = forms.swap_remove(pivot);
		let inverse = pivot[column].invert();
		for form in forms.iter_mut().chain([&mut target]) {
			let factor = form[column] * inverse;
			if factor != Scalar::ZERO {
				form.iter_mut().zip(&pivot).for_each(|(a, b)| *a -= factor * b);
			}
		}
	}
	target.iter().all(|c| *c == Scalar::ZERO)
}

fn random_seats(size: u8, count: u8, rng: &mut ChaCha20Rng) -> Vec<u8> {
	let mut seats: Vec<_> = (1..=size).collect();
	while seats.len() > usize::from(count) {
		let index = rng.next_u32() as usize % seats.len();
		seats.swap_remove(index);
	}
	seats
}

/// Seats `corrupt` of both sets see their shares of every honest dealer's polynomial. The key is the
/// sum of the constants; in the resharing dealer i deals its share f(i).
fn knows_the_key(
	(old, new): (Threshold, Threshold),
	(old_corrupt, new_corrupt): (&[u8], &[u8]),
) -> bool {
	let (t, u) = (usize::from(old.required()), usize::from(new.required()));
	// Unknowns: the coefficients of the sum f of the honest dealers' polynomials in the generation
	// (the corrupt know their own part), then for each honest member of the old set the
	// coefficients of what it deals in the resharing, but the constant.
	let honest: Vec<_> = (1..=old.members()).filter(|seat| !old_corrupt.contains(seat)).collect();
	let width = t + honest.len() * (u - 1);
	let powers = |x: u8| {
		let x = Scalar::from(x);
		core::iter::successors(Some(Scalar::ONE), move |power| Some(power * x))
	};
	let share = |seat: u8| {
		let mut form = vec![Scalar::ZERO; width];
		form.iter_mut().take(t).zip(powers(seat)).for_each(|(c, power)| *c = power);
		form
	};
	let mut view: Vec<Form> = old_corrupt.iter().map(|seat| share(*seat)).collect();
	for (position, dealer) in honest.iter().enumerate() {
		for recipient in new_corrupt {
			let mut form = share(*dealer);
			let start = t + position * (u - 1);
			let fresh = powers(*recipient).skip(1);
			form[start..start + u - 1].iter_mut().zip(fresh).for_each(|(c, power)| *c = power);
			view.push(form);
		}
	}
	let mut key = vec![Scalar::ZERO; width];
	key[0] = Scalar::ONE;
	determined(view, key)
}

#[test]
fn fewer_than_the_threshold_of_both_sets_leave_the_key_undetermined() {
	let mut rng = ChaCha20Rng::seed_from_u64(1);
	for case in 0..60 {
		let mut size = || match case {
			0..50 => 2 + (rng.next_u32() % 8) as u8,
			_ => 2 + (rng.next_u32() % 15) as u8,
		};
		let (old, new) = (Threshold::of(size()).unwrap(), Threshold::of(size()).unwrap());
		let mut corrupt = |set: Threshold, count| random_seats(set.members(), count, &mut rng);
		let (a, b) = (corrupt(old, old.required() - 1), corrupt(new, new.required() - 1));
		assert!(!knows_the_key((old, new), (&a, &b)));
		// The test can fail: one member more in either set, and the key is known.
		let (c, d) = (corrupt(old, old.required()), corrupt(new, new.required()));
		assert!(knows_the_key((old, new), (&c, &b)));
		assert!(knows_the_key((old, new), (&a, &d)));
	}
}

/// Counts in how many bits two scalars agree.
#[derive(Default)]
struct Agreement {
	same: f64,
	total: f64,
}

impl Agreement {
	/// The low 250 bits of a uniform scalar are uniform.
	fn add(&mut self, a: Scalar, b: Scalar) {
		for bit in 0..250 {
			let get = |scalar: &Scalar| scalar.as_bytes()[bit / 8] >> (bit % 8) & 1;
			self.same += f64::from(u8::from(get(&a) == get(&b)));
			self.total += 1.0;
		}
	}

	/// Distance from chance, in standard deviations.
	fn deviation(&self) -> f64 {
		((self.same - self.total / 2.0) / (self.total / 4.0).sqrt()).abs()
	}
}

/// The best guesses that the stolen shares of real ceremonies allow agree with the key as often as
/// coins do.
#[test]
fn guesses_from_stolen_shares_are_coin_tosses() {
	let mut rng = ChaCha20Rng::seed_from_u64(2);
	let [mut old_only, mut new_only, mut mixed, mut enough] =
		core::array::from_fn(|_| Agreement::default());
	for round in 0..150 {
		let old = World::generate(3 + round % 3, &mut rng);
		let new = old.reshare(3 + round % 4, &mut rng);
		let steal = |world: &World, count: u8, rng: &mut ChaCha20Rng| -> Vec<_> {
			random_seats(world.sharing.size().members(), count, rng)
				.into_iter()
				.map(|seat| stolen(&world.shares[usize::from(seat) - 1]))
				.collect()
		};
		let (t, u) = (old.sharing.size().required(), new.sharing.size().required());
		let key = interpolate(&steal(&old, t, &mut rng));
		assert_eq!(key, interpolate(&steal(&new, u, &mut rng)));
		let (below, after) = (steal(&old, t - 1, &mut rng), steal(&new, u - 1, &mut rng));
		let mut both = below.clone();
		both.extend(after.iter().filter(|(seat, _)| below.iter().all(|(taken, _)| taken != seat)));
		for (guess, statistic) in
			[(&below, &mut old_only), (&after, &mut new_only), (&both, &mut mixed)]
		{
			assert_ne!(interpolate(guess), key);
			statistic.add(interpolate(guess), key);
		}
		enough.add(interpolate(&steal(&new, u, &mut rng)), key);
	}
	for statistic in [&old_only, &new_only, &mixed] {
		assert!(statistic.deviation() < 5.0, "{}", statistic.deviation());
	}
	assert!(enough.deviation() > 100.0, "t shares are the key");
}
