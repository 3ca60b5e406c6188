//! Facts about this machine, the node and the chain. Changes nothing anywhere, but for creating the
//! state folder.

use super::{ChainFacts, Fact, Facts, MiningFacts, QuoteFacts};
use crate::{
	collateral::{self, Numbers, Subject},
	journal::Item,
	mining::{
		pallet::{self as mining, Mining},
		position::{Position, Reason},
	},
	plan::Registered,
	registry::{Call, Claim, Registry, SHAPE},
	settings::Settings,
};
use phala_attestation::{Binding, Role};
use phala_node_common::{
	chain::{Account, Chain, ChainError, Finalised},
	files,
	keystore::Keys,
	seal::{Seal, Sealer},
	tee::{self, Evidence, QuoteProvider, TeeError},
};
use phala_primitives::{BlockRef, ChainId};
use sp_core::sr25519;
use std::{
	fs,
	time::{Instant, SystemTime},
};

fn say(error: impl std::fmt::Display) -> String {
	error.to_string()
}

/// Gathers what can be had about a worker.
pub async fn gather(settings: &Settings) -> Facts {
	gather_as(settings, Role::Worker, settings.provider()).await
}

/// Gathers what can be had about a program of another role, with its TEE.
pub async fn gather_as(
	settings: &Settings,
	role: Role,
	provider: Result<Box<dyn QuoteProvider>, TeeError>,
) -> Facts {
	let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
	let mut facts = Facts { clock: clock.map_or(0, |time| time.as_secs()), ..Facts::default() };
	let folder = &settings.state_dir;
	facts.state = Some(
		files::create_private_dir(folder)
			.and_then(|()| {
				let probe = folder.join("doctor");
				files::write(&probe, b"")?;
				files::remove(&probe)
			})
			.map(|()| folder.display().to_string())
			.map_err(say),
	);
	facts.tee = Some(match &provider {
		Ok(provider) => Ok((provider.tee(), provider.is_simulated())),
		Err(error) => Err(say(error)),
	});
	let account = settings.account();
	facts.account = Some(match &account {
		Ok(account) if account.real().is_some() => {
			Ok(format!("{}, as proxy of {}", account.signer(), account.acting()))
		}
		Ok(account) => Ok(account.signer().to_string()),
		Err(error) => Err(say(error)),
	});
	let chain = first_chain(settings).await;
	let provider = provider.ok();
	let mut keys = None;
	if let Some(provider) = &provider {
		facts.keys = Some(sealed_keys(settings, &**provider).map(|(sealer, found)| {
			let fact = found.as_ref().map(|keys| (hex::encode(keys.worker()), keys.chain));
			keys = found;
			(sealer, fact)
		}));
		if matches!(settings.sealer(&**provider), Ok(Sealer::Ram(_))) {
			facts.swaps = swaps(&fs::read_to_string("/proc/swaps").unwrap_or_default());
		}
	}
	let connected = match chain {
		Err(reason) => {
			facts.chain = Some(Err(reason));
			None
		}
		Ok((chain, state)) => {
			let time = state.time().await.unwrap_or(0);
			facts.chain = Some(Ok(ChainFacts {
				url: chain.url().into(),
				id: chain.id(),
				height: state.block.number,
				time,
				shape: state.ensure_shape(&[SHAPE]).map_err(say),
			}));
			Some((chain, state, time))
		}
	};
	// Without an account or a chain, a quote over anything shows whether the TEE works.
	let account = account.ok();
	let operator = account.as_ref().map_or([0; 32], |account| account.acting().0);
	if let (Some((_, state, _)), Role::Worker) = (&connected, role) {
		facts.mining = Some(standing(state, keys.as_ref()).await.map_err(say));
	}
	let Some(provider) = provider else { return facts };
	let (id, block) = match &connected {
		Some((chain, state, _)) => (chain.id(), state.claimable().await.unwrap_or(state.block)),
		None => (
			ChainId { genesis: Default::default(), para_id: 0 },
			BlockRef { number: 0, hash: Default::default() },
		),
	};
	let (claim, report_data) = claim(role, keys.as_ref(), operator, id, block);
	let started = Instant::now();
	let evidence = tee::quote(&*provider, &report_data);
	facts.quote = Some(match &evidence {
		Err(error) => Err(say(error)),
		Ok(evidence) => Ok(QuoteFacts {
			millis: started.elapsed().as_millis(),
			measurement: hex::encode(evidence.measurement),
			fmspc: evidence.fmspc.to_string(),
			pck_expires: evidence.pck_expires,
		}),
	});
	let fits = matches!(&facts.chain, Some(Ok(chain)) if chain.shape.is_ok());
	if let (Ok(evidence), Some((chain, state, time)), true) = (evidence, connected, fits) {
		on_chain(&mut facts, settings, &*provider, &evidence, &state, time).await;
		if let Some(account) = account {
			facts.worker = worker(&state, &account, keys.as_ref()).await;
			let known = facts.worker.as_ref();
			facts.verdict = Some(verdict(&state, &account, &evidence, &claim, known).await);
			facts.balance = Some(balance(&chain, &state, &account, evidence, claim).await);
		}
	}
	facts
}

async fn first_chain(settings: &Settings) -> Fact<(Chain, Finalised)> {
	let mut reasons = vec![];
	for url in &settings.rpc_url {
		let connected = async {
			let chain = Chain::connect(url).await?;
			let state = chain.finalised().await?;
			Ok::<_, phala_node_common::chain::ChainError>((chain, state))
		};
		match connected.await {
			Ok(connected) => return Ok(connected),
			Err(error) => reasons.push(say(error)),
		}
	}
	Err(reasons.join("; "))
}

/// The keys, if they are there: the doctor makes none.
fn sealed_keys(settings: &Settings, provider: &dyn QuoteProvider) -> Fact<(String, Option<Keys>)> {
	let sealer = settings.sealer(provider).map_err(say)?;
	sealer.existing_key().map_err(say)?;
	let keys = Keys::load(&settings.state_dir, &sealer).map_err(say)?;
	Ok((sealer.describe().into(), keys))
}

/// What the kernel's table says where memory may be swapped to. Zram is memory, too.
fn swaps(table: &str) -> Vec<String> {
	let names = table.lines().skip(1).filter_map(|line| line.split_whitespace().next());
	names.filter(|name| !name.starts_with("/dev/zram")).map(String::from).collect()
}

/// What a program would claim now, and what its quote would be bound to. A key that is not there yet
/// is replaced by zeros: the chain judges everything else all the same.
fn claim(
	role: Role,
	keys: Option<&Keys>,
	operator: [u8; 32],
	id: ChainId,
	block: BlockRef,
) -> (Claim, [u8; 64]) {
	let claim = Claim {
		role,
		worker: keys.map_or(sr25519::Public::default(), Keys::worker),
		encryption_key: keys.map_or([0; 32], Keys::encryption_key),
		block,
	};
	let binding = Binding {
		genesis_hash: id.genesis.0,
		para_id: id.para_id,
		role,
		operator,
		identity_key: claim.worker.0,
		encryption_key: claim.encryption_key,
		block_number: block.number,
		block_hash: block.hash.0,
	};
	(claim, binding.hash())
}

async fn on_chain(
	facts: &mut Facts,
	settings: &Settings,
	provider: &dyn QuoteProvider,
	evidence: &Evidence,
	state: &Finalised,
	time: u64,
) {
	let subject = Subject { tee: evidence.tee, fmspc: evidence.fmspc.0, ca: evidence.ca };
	let asked = async {
		let held = Registry(state).collateral(subject.tee, subject.fmspc).await?;
		Ok::<_, ChainError>((held, Registry(state).evaluations().await?))
	};
	let (held, numbers) = match asked.await {
		Ok((held, known)) => (held, Numbers::at(time, &known)),
		Err(error) => {
			facts.held = Some(Err(say(error)));
			return;
		}
	};
	let held = Item::ALL.map(|item| (item, collateral::held(&held, item, subject.ca)));
	(facts.held, facts.number) = (Some(Ok(held.to_vec())), numbers.in_force);
	facts.source = Some(match settings.source(provider) {
		Err(error) => Err(say(error)),
		Ok(source) => match source.fetch(&subject, numbers.in_force, time).await {
			Err(error) => Err(say(error)),
			Ok(fetched) => fetched
				.sets()
				.flat_map(|set| Item::ALL.map(|item| (set, item)))
				.map(|(set, item)| Ok((item, collateral::issue(set, item).map_err(say)?)))
				.collect::<Fact<Vec<_>>>()
				.map(|items| (source.to_string(), items)),
		},
	});
}

async fn verdict(
	state: &Finalised,
	account: &Account,
	evidence: &Evidence,
	claim: &Claim,
	known: Option<&Option<Registered>>,
) -> Fact<u64> {
	let answer = Registry(state).why_refused(&account.acting(), &evidence.quote, claim).await;
	let accepted = answer.map_err(say)?.map_err(|refusal| {
		// Missing collateral is the worker's job, and has a check of its own.
		format!("the chain would refuse the quote now: {refusal}")
	})?;
	// The quote is not all that can be refused: deposits, and what a proxy may do.
	let call = match known {
		Some(None) => Some(Call::Register(evidence.quote.clone(), *claim)),
		Some(Some(worker)) if worker.is_ours => Some(Call::Renew(evidence.quote.clone(), *claim)),
		_ => None,
	};
	if let Some(call) = call {
		call.rehearse(state, account).await.map_err(say)?;
	}
	Ok(accepted.judgement.expires_at)
}

async fn balance(
	chain: &Chain,
	state: &Finalised,
	account: &Account,
	evidence: Evidence,
	claim: Claim,
) -> Fact<(u128, u128)> {
	let free = state.free_balance(&account.signer()).await.map_err(say)?;
	let call = Call::Register(evidence.quote, claim);
	let fee = call.fee(chain, state, account).await.map_err(say)?;
	let deposit: u128 = state.constant("Balances", "ExistentialDeposit").map_err(say)?;
	Ok((free, fee.saturating_add(deposit)))
}

async fn standing(state: &Finalised, keys: Option<&Keys>) -> Result<MiningFacts, ChainError> {
	if let Err(error) = state.ensure_shape(&[mining::SHAPE]) {
		return Ok(MiningFacts::None(error.to_string()));
	}
	let Some(keys) = keys else { return Ok(MiningFacts::NoKeys) };
	let (mining, key) = (Mining(state), keys.worker());
	let session = mining.session(&key).await?;
	let open = match &session {
		Some(session) => mining.open(&key, session).await?,
		None => None,
	};
	Ok(MiningFacts::Standing {
		position: Box::new(Position {
			session,
			pending: mining.pending(&key).await?,
			unpaid: mining.why_unpaid(&key).await?.iter().map(Reason::of).collect(),
		}),
		minimum: mining.minimum_stake(&key).await?,
		deadline: open.map(|open| open.seconds_left()),
	})
}

async fn worker(
	state: &Finalised,
	account: &Account,
	keys: Option<&Keys>,
) -> Option<Option<Registered>> {
	let Some(keys) = keys else { return Some(None) };
	let record = Registry(state).worker(&keys.worker()).await.ok()?;
	Some(record.map(|record| Registered::of(record, &account.acting())))
}

#[cfg(test)]
mod tests {
	use super::*;
	use phala_node_common::tee::TeeKind;

	#[test]
	fn looking_for_keys_makes_none() {
		let folder = tempfile::tempdir().unwrap();
		let settings = Settings {
			state_dir: folder.path().into(),
			tee: TeeKind::Simulated,
			..Settings::default()
		};
		let provider = settings.provider().unwrap();
		let found = || {
			let (_, keys) = sealed_keys(&settings, &*provider)?;
			Ok::<_, String>(keys.map(|keys| keys.worker()))
		};
		assert_eq!(found(), Ok(None));
		assert_eq!(files::names(folder.path()).unwrap(), [""; 0]);

		let chain = ChainId { genesis: Default::default(), para_id: 0 };
		let sealer = Sealer::Plain(folder.path().into());
		let keys = Keys::open(folder.path(), &sealer, &chain).unwrap();
		assert_eq!(found(), Ok(Some(keys.worker())));
		files::remove(&folder.path().join("sealing-key")).unwrap();
		assert!(found().unwrap_err().contains("cannot open"));
		assert_eq!(files::names(folder.path()).unwrap(), ["keys.sealed"]);
	}

	#[test]
	fn swaps_on_disks_are_named() {
		let table = "Filename\tType\tSize\tUsed\tPriority\n\
			/dev/zram0 partition\t8388604\t0\t100\n\
			/dev/vda2  partition\t4194300\t0\t-2\n";
		assert_eq!(swaps(table), ["/dev/vda2"]);
		assert_eq!(swaps(""), [""; 0]);
	}
}
