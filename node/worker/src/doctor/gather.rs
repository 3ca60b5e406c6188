//! Facts about this machine, the node and the chain. Changes nothing anywhere, but for creating the
//! state folder.

use super::{ChainFacts, Fact, Facts, MiningFacts, QuoteFacts};
use crate::{
	collateral::{self, Subject},
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
	seal::Seal,
	tee::{self, Evidence, QuoteProvider, TeeError},
};
use phala_primitives::{BlockRef, ChainId};
use sp_core::sr25519;
use std::time::{Instant, SystemTime};

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
			facts.verdict = Some(verdict(&state, &account, &evidence, &claim).await);
			facts.balance = Some(balance(&chain, &state, &account, evidence, claim).await);
			facts.worker = worker(&state, &account, keys.as_ref()).await;
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
	sealer.root_key().map_err(say)?;
	let keys = Keys::load(&settings.state_dir, &sealer).map_err(say)?;
	Ok((sealer.describe().into(), keys))
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
	facts.held = Some(match Registry(state).collateral(subject.tee, subject.fmspc).await {
		Err(error) => Err(say(error)),
		Ok(held) => {
			Ok(Item::ALL.map(|item| (item, collateral::held(&held, item, subject.ca))).to_vec())
		}
	});
	facts.source = Some(match settings.source(provider) {
		Err(error) => Err(say(error)),
		Ok(source) => match source.fetch(&subject, time).await {
			Err(error) => Err(say(error)),
			Ok(ours) => Item::ALL
				.into_iter()
				.map(|item| Ok((item, collateral::next_update(&ours, item).map_err(say)?)))
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
) -> Fact<u64> {
	let answer = Registry(state).why_refused(&account.acting(), &evidence.quote, claim).await;
	let accepted = answer.map_err(say)?;
	accepted.map(|accepted| accepted.judgement.expires_at).map_err(|refusal| {
		// Missing collateral is the worker's job, and has a check of its own.
		format!("the chain would refuse the quote now: {refusal}")
	})
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
