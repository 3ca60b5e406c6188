//! Messages from other chains: what they may do with PHA, and that they can create none.

use crate::chain::{account, block, run};
use frame_support::{assert_ok, traits::fungible::Mutate, weights::Weight};
use phala_runtime::{
	configs::xcm::{LocationToAccountId, XcmConfig},
	constants::{accounts::treasury, currency::PHA},
	*,
};
use xcm::latest::prelude::*;
use xcm_executor::{
	XcmExecutor,
	traits::{ConvertLocation, WeightBounds},
};

const SIBLING: u32 = 1_000;

fn sibling() -> Location {
	Location::new(1, [Parachain(SIBLING)])
}

fn sovereign(location: &Location) -> AccountId {
	LocationToAccountId::convert_location(location).expect("it has an account")
}

fn pha(amount: u128) -> Assets {
	(Location::here(), amount).into()
}

fn beneficiary(name: &str) -> Location {
	Location::new(0, [AccountId32 { network: None, id: account(name).into() }])
}

/// Executes `message` as if `origin` had sent it, within half a block.
fn receive(origin: Location, message: Vec<Instruction<RuntimeCall>>) -> Outcome {
	let message = Xcm(message);
	let mut id = [0; 32];
	XcmExecutor::<XcmConfig>::prepare_and_execute(
		origin,
		message,
		&mut id,
		Weight::from_parts(1_000_000_000_000, 5 * 1024 * 1024),
		Weight::zero(),
	)
}

/// `take` some PHA, and deposit all of it with bob.
fn deposit_of(take: Instruction<RuntimeCall>) -> Vec<Instruction<RuntimeCall>> {
	vec![
		take,
		BuyExecution { fees: (Location::here(), PHA).into(), weight_limit: Unlimited },
		DepositAsset { assets: AllCounted(1).into(), beneficiary: beneficiary("bob") },
	]
}

#[test]
fn a_sibling_spends_what_its_account_has() {
	run(|| {
		block(vec![]);
		let from = sovereign(&sibling());
		assert_ok!(<Balances as Mutate<_>>::transfer(
			&account("alice"),
			&from,
			10 * PHA,
			frame_support::traits::tokens::Preservation::Preserve,
		));
		let (bob, pot) =
			(Balances::free_balance(account("bob")), Balances::free_balance(treasury()));
		let issued = Balances::total_issuance();
		assert_ok!(receive(sibling(), deposit_of(WithdrawAsset(pha(5 * PHA)))).ensure_complete());
		let to_bob = Balances::free_balance(account("bob")) - bob;
		let fee = Balances::free_balance(treasury()) - pot;
		assert_eq!(to_bob + fee, 5 * PHA, "what is not paid for execution arrives");
		assert!(fee > 0);
		assert_eq!(Balances::free_balance(from), 5 * PHA);
		assert_eq!(Balances::total_issuance(), issued);
	});
}

#[test]
fn nobody_creates_pha() {
	run(|| {
		block(vec![]);
		let issued = Balances::total_issuance();
		let bob = Balances::free_balance(account("bob"));
		for origin in [sibling(), Location::parent(), Location::new(2, [GlobalConsensus(Kusama)])] {
			for take in [
				ReserveAssetDeposited(pha(5 * PHA)),
				ReceiveTeleportedAsset(pha(5 * PHA)),
				ClaimAsset { assets: pha(5 * PHA), ticket: Location::here() },
				WithdrawAsset(pha(5 * PHA)),
			] {
				let outcome = receive(origin.clone(), deposit_of(take.clone()));
				assert!(outcome.ensure_complete().is_err(), "{take:?} from {origin:?}");
			}
		}
		assert_eq!(Balances::free_balance(account("bob")), bob);
		assert_eq!(Balances::total_issuance(), issued);
	});
}

/// Assets that messages left behind in this block.
fn trapped() -> Vec<Assets> {
	let events = System::events().into_iter();
	events
		.filter_map(|record| match record.event {
			RuntimeEvent::PolkadotXcm(pallet_xcm::Event::AssetsTrapped { assets, .. }) => {
				Some(Assets::try_from(assets).expect("it is the latest version"))
			}
			_ => None,
		})
		.collect()
}

/// How often somebody took such assets back.
fn claimed() -> usize {
	let is_claim = |event: &RuntimeEvent| {
		matches!(event, RuntimeEvent::PolkadotXcm(pallet_xcm::Event::AssetsClaimed { .. }))
	};
	System::events().iter().filter(|record| is_claim(&record.event)).count()
}

#[test]
fn what_a_message_leaves_behind_can_be_claimed_and_is_counted_all_along() {
	run(|| {
		block(vec![]);
		let issued = Balances::total_issuance();
		let from = sovereign(&sibling());
		assert_ok!(<Balances as Mutate<_>>::transfer(
			&account("alice"),
			&from,
			10 * PHA,
			frame_support::traits::tokens::Preservation::Preserve,
		));
		let mut message = deposit_of(WithdrawAsset(pha(5 * PHA)));
		message.pop();
		assert_ok!(receive(sibling(), message).ensure_complete());
		assert_eq!(Balances::total_issuance(), issued);
		assert_eq!((trapped().len(), claimed()), (1, 0));
		// Claimed in a hurry with a guess, it stays where it is.
		let guess = ClaimAsset { assets: pha(5 * PHA), ticket: Location::here() };
		assert!(receive(sibling(), deposit_of(guess)).ensure_complete().is_err());
		assert_eq!(claimed(), 0);

		let assets = trapped().pop().expect("the trap was announced");
		let bob = Balances::free_balance(account("bob"));
		let claim = ClaimAsset { assets, ticket: Location::here() };
		assert_ok!(receive(sibling(), deposit_of(claim)).ensure_complete());
		assert!(Balances::free_balance(account("bob")) > bob);
		assert_eq!(Balances::total_issuance(), issued);
		assert_eq!(claimed(), 1);
	});
}

#[test]
fn the_relay_chain_is_no_superuser() {
	run(|| {
		block(vec![]);
		let call: RuntimeCall =
			frame_system::Call::set_storage { items: vec![(b"a".to_vec(), b"b".to_vec())] }.into();
		let parent = sovereign(&Location::parent());
		assert_ok!(<Balances as Mutate<_>>::transfer(
			&account("alice"),
			&parent,
			10 * PHA,
			frame_support::traits::tokens::Preservation::Preserve,
		));
		for origin_kind in [OriginKind::Superuser, OriginKind::Native, OriginKind::SovereignAccount]
		{
			let _ = receive(
				Location::parent(),
				vec![
					WithdrawAsset(pha(3 * PHA)),
					BuyExecution { fees: (Location::here(), PHA).into(), weight_limit: Unlimited },
					Transact {
						origin_kind,
						fallback_max_weight: None,
						call: codec::Encode::encode(&call).into(),
					},
				],
			);
			assert_eq!(sp_io::storage::get(b"a"), None, "{origin_kind:?}");
		}
		let free = receive(
			Location::parent(),
			vec![UnpaidExecution { weight_limit: Unlimited, check_origin: None }, ClearOrigin],
		);
		assert!(free.ensure_complete().is_err(), "nobody executes for free");
	});
}

#[test]
fn nothing_is_teleported() {
	run(|| {
		block(vec![]);
		let issued = Balances::total_issuance();
		let result = PolkadotXcm::limited_teleport_assets(
			RuntimeOrigin::signed(account("alice")),
			Box::new(sibling().into()),
			Box::new(beneficiary("bob").into()),
			Box::new(pha(PHA).into()),
			0,
			Unlimited,
		);
		assert_eq!(result, Err(pallet_xcm::Error::<Runtime>::Filtered.into()));
		assert_eq!(Balances::total_issuance(), issued);
	});
}

/// Some of them send a message all the same.
#[test]
fn an_instruction_about_no_assets_has_its_weight() {
	type Weigher = <XcmConfig as xcm_executor::Config>::Weigher;
	let none = Assets::new;
	let mut instructions: Vec<Instruction<RuntimeCall>> = vec![
		WithdrawAsset(none()),
		TransferAsset { assets: none(), beneficiary: beneficiary("bob") },
		TransferReserveAsset { assets: none(), dest: sibling(), xcm: Xcm::new() },
		InitiateTransfer {
			destination: sibling(),
			remote_fees: None,
			preserve_origin: false,
			assets: Default::default(),
			remote_xcm: Xcm::new(),
		},
		ClaimAsset { assets: none(), ticket: Location::here() },
		BurnAsset(none()),
		ExpectAsset(none()),
	];
	for assets in [AssetFilter::from(none()), AllCounted(0).into()] {
		instructions.extend([
			DepositAsset { assets: assets.clone(), beneficiary: beneficiary("bob") },
			DepositReserveAsset { assets: assets.clone(), dest: sibling(), xcm: Xcm::new() },
			InitiateReserveWithdraw { assets, reserve: sibling(), xcm: Xcm::new() },
		]);
	}
	for mut instruction in instructions {
		let weight = Weigher::instr_weight(&mut instruction).expect("it has one");
		assert!(weight.ref_time() > 0, "{instruction:?}");
	}
}
