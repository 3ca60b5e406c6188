//! Chain, TEE, keys and disk behind the engine.

use crate::{
	benchmark::{self, Until},
	collateral::{self, CollateralError, Fetched, Issue, Need, Numbers, Source, Subject},
	engine::{Prepared, World},
	journal::{Item, Journal, Pending, Purpose},
	metrics::Metrics,
	mining::kernel::Machine,
	plan::{Action, Registered, View, Wish},
	registry::{Accepted, Call, Claim, Policy, Refusal, Registry, SHAPE},
};
use phala_attestation::{Binding, Role};
use phala_node_common::{
	chain::{Account, Chain, ChainError, Finalised, Ledger, Outcome, Standstill},
	files::FileError,
	keystore::Keys,
	shutdown::Shutdown,
	tee::{self, Evidence, QuoteProvider, TeeError},
};
use phala_primitives::{
	BenchmarkStatement, BlockRef, ChainId, Endpoint, EndpointStatement, Statement,
};
use std::{
	sync::{
		Arc,
		atomic::{AtomicBool, Ordering},
	},
	time::{Duration, Instant},
};

/// Between two looks at a transaction under way.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(3);
/// For how long collateral is not fetched anew.
const COLLATERAL_CACHE: Duration = Duration::from_secs(3_600);
/// Seconds by which a renewal must prolong an attestation that still counts.
const WORTHWHILE_RENEWAL: u64 = 3_600;
/// Smallest unit per thousandth of a PHA.
const PER_MILLIPHA: u128 = 1_000_000_000;

/// What can go wrong on the way to an attested worker.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
	/// The chain or the way to it.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The TEE.
	#[error(transparent)]
	Tee(#[from] TeeError),
	/// The disk.
	#[error(transparent)]
	File(#[from] FileError),
	/// Collateral.
	#[error(transparent)]
	Collateral(#[from] CollateralError),
	/// The chain would refuse the quote.
	#[error("the chain would refuse the quote: {refusal}{hint}")]
	Refused {
		/// Why.
		refusal: Refusal,
		/// What this program knows beyond that.
		hint: &'static str,
	},
	/// A transaction was included and failed.
	#[error("could not {purpose}: {reason}")]
	Failed {
		/// What it was for.
		purpose: Purpose,
		/// Why.
		reason: String,
	},
	/// The worker is another account's.
	#[error(
		"this worker's keys are registered by another account: use that account's key file, or let \
		 its owner call worker_registry.offer_worker and accept it"
	)]
	Foreign,
	/// The program is to end.
	#[error("shutting down")]
	Interrupted,
}

impl WorldError {
	/// Whether a new connection may help.
	pub fn is_of_connection(&self) -> bool {
		matches!(
			self,
			Self::Chain(
				ChainError::Connect { .. }
					| ChainError::Request { .. }
					| ChainError::Stalled { .. }
			)
		)
	}

	/// One word for the metrics.
	pub fn kind(&self) -> &'static str {
		match self {
			Self::Chain(ChainError::Refused(_)) | Self::Refused { .. } => "refused",
			Self::Chain(_) => "chain",
			Self::Tee(_) => "tee",
			Self::File(_) => "file",
			Self::Collateral(_) => "collateral",
			Self::Failed { .. } => "transaction",
			Self::Foreign => "foreign",
			Self::Interrupted => "interrupted",
		}
	}
}

/// What stays the same while the program runs.
#[derive(Clone)]
pub struct Own {
	/// What the program does.
	pub role: Role,
	/// The TEE.
	pub tee: Arc<dyn QuoteProvider>,
	/// The keys.
	pub keys: Keys,
	/// Who signs.
	pub account: Account,
	/// Where collateral comes from.
	pub source: Source,
	/// The note on disk.
	pub journal: Journal,
	/// Threads of the benchmark.
	pub threads: usize,
	/// What is measured on, one thing at a time.
	pub machine: Machine,
	/// Monitoring.
	pub metrics: Metrics,
	/// The end.
	pub shutdown: Shutdown,
}

/// The real world.
pub struct Real {
	own: Own,
	chain: Chain,
	wish: Wish,
	/// The state that was looked at last.
	state: Option<Finalised>,
	standstill: Standstill,
	/// Unix second until which renewals rest.
	rests_until: u64,
	/// Runtime whose shape was checked.
	checked: Option<u32>,
	/// What was fetched last, where which number was in force.
	collateral: Option<(Instant, (Subject, u32), Fetched)>,
	/// Documents that were brought though they only wait, by number: not again, if they failed.
	early: Vec<(Item, u32)>,
	/// The PCK CA that was brought last because a quote needs it: not again, if it failed.
	pck_ca: Option<Vec<u8>>,
}

/// A quote for a claim at a block.
pub async fn quote(own: &Own, block: BlockRef) -> Result<(Evidence, Claim), TeeError> {
	let (worker, encryption_key) = (own.keys.worker(), own.keys.encryption_key());
	let claim = Claim { role: own.role, worker, encryption_key, block };
	let report_data = report_data(own, &claim);
	let tee = own.tee.clone();
	let started = Instant::now();
	let evidence = tokio::task::spawn_blocking(move || tee::quote(&*tee, &report_data))
		.await
		.expect("making a quote does not panic, and the task is not cancelled")?;
	let millis = started.elapsed().as_millis();
	own.metrics.quote_millis.set(u64::try_from(millis).unwrap_or(u64::MAX));
	Ok((evidence, claim))
}

/// What a quote for this claim is bound to.
fn report_data(own: &Own, claim: &Claim) -> [u8; 64] {
	Binding {
		genesis_hash: own.keys.chain.genesis.0,
		para_id: own.keys.chain.para_id,
		role: claim.role,
		operator: own.account.acting().0,
		identity_key: claim.worker.0,
		encryption_key: claim.encryption_key,
		block_number: claim.block.number,
		block_hash: claim.block.hash.0,
	}
	.hash()
}

impl Real {
	/// Over a connection.
	pub fn new(own: Own, chain: Chain, wish: Wish) -> Self {
		Self {
			own,
			chain,
			wish,
			state: None,
			standstill: Standstill::default(),
			rests_until: 0,
			checked: None,
			collateral: None,
			early: vec![],
			pck_ca: None,
		}
	}

	/// The chain that the keys are for.
	pub fn chain_id(&self) -> ChainId {
		self.own.keys.chain
	}

	/// Another connection to the same chain.
	pub fn reconnect(&mut self, chain: Chain) {
		(self.chain, self.state, self.standstill) = (chain, None, Standstill::default());
	}

	fn state(&self) -> &Finalised {
		self.state.as_ref().expect("the engine looks before it acts")
	}

	/// Our collateral for a platform: fetched, or kept from less than an hour ago.
	async fn collateral(
		&mut self,
		subject: Subject,
		in_force: u32,
		now: u64,
	) -> Result<Fetched, CollateralError> {
		if let Some((at, of, fetched)) = &self.collateral
			&& at.elapsed() < COLLATERAL_CACHE
			&& *of == (subject, in_force)
		{
			return Ok(fetched.clone());
		}
		let fetched = self.own.source.fetch(&subject, in_force, now).await?;
		self.collateral = Some((Instant::now(), (subject, in_force), fetched.clone()));
		Ok(fetched)
	}

	/// The first item that the chain needs and we have.
	async fn needed(
		&mut self,
		subject: Subject,
		numbers: Numbers,
		policy: &Policy,
		now: u64,
	) -> Result<Option<(Item, Issue, Call)>, WorldError> {
		let state = self.state().clone();
		let held = Registry(&state).collateral(subject.tee, subject.fmspc).await?;
		let need = Need { margin: policy.collateral_margin, lifetime: policy.tcb.ttl };
		let held_of = |item| collateral::held(&held, item, subject.ca);
		// With everything in place for long enough, nobody has to be asked.
		let suffices = |item: &Item| {
			let number = if item.is_numbered() { numbers.in_force } else { 0 };
			let best = Issue { number, until: u64::MAX };
			!collateral::is_needed(held_of(*item), best, numbers, now, need)
		};
		if Item::ALL.iter().all(suffices) {
			return Ok(None);
		}
		let is_there = |item: &Item| counts(held_of(*item).expires(), now, need);
		let fetched = match self.collateral(subject, numbers.in_force, now).await {
			Ok(fetched) => fetched,
			// What the chain has will do.
			Err(error) if Item::ALL.iter().all(is_there) => {
				tracing::warn!(%error, "fresh collateral is not to be had; the chain's still counts");
				return Ok(None);
			}
			Err(error) => return Err(error.into()),
		};
		for (set, item) in fetched.sets().flat_map(|set| Item::ALL.map(|item| (set, item))) {
			let issue = collateral::issue(set, item)?;
			let waits = issue.number > numbers.in_force;
			if !collateral::is_needed(held_of(item), issue, numbers, now, need)
				|| (waits && self.early.contains(&(item, issue.number)))
			{
				continue;
			}
			let call = collateral::call(set, item, subject.ca)?;
			let Some(reason) = self.refusal(&call).await? else {
				return Ok(Some((item, issue, call)));
			};
			tracing::warn!(?item, reason, "the chain would not take it");
			// A list under another key of the CA counts only after the certificate of that key.
			let ca = Item::PckCa;
			if item == Item::PckCrl
				&& let call @ Call::PckCa(_) = collateral::call(set, ca, subject.ca)?
				&& self.refusal(&call).await?.is_none()
			{
				return Ok(Some((ca, collateral::issue(set, ca)?, call)));
			}
		}
		for item in Item::ALL.iter().filter(|item| !is_there(item)) {
			tracing::warn!(
				?item,
				source = %self.own.source,
				"the chain needs it, and its source has none that would count now: it has ended there, \
				 or its evaluation number is not the chain's"
			);
		}
		Ok(None)
	}

	/// Why the chain would refuse a call now, if it would: in a block that would be paid for each time.
	async fn refusal(&self, call: &Call) -> Result<Option<String>, ChainError> {
		match call.clone().rehearse(self.state(), &self.own.account).await {
			Ok(()) => Ok(None),
			Err(ChainError::Refused(reason)) => Ok(Some(reason)),
			Err(error) => Err(error),
		}
	}

	/// The PCK CA of a quote that the chain refuses because it has another certificate of that CA, which may
	/// be the newer one.
	async fn other_pck_ca(
		&mut self,
		evidence: &Evidence,
		subject: Subject,
		numbers: Numbers,
		now: u64,
	) -> Result<Option<Vec<u8>>, WorldError> {
		let fetched = self.collateral(subject, numbers.in_force, now).await?;
		let ours = collateral::ca_of_quote(&fetched.ours, &evidence.quote);
		Ok(ours.filter(|ours| self.pck_ca.as_ref() != Some(ours)))
	}

	async fn sign(&self, purpose: Purpose, call: Call) -> Result<Prepared, WorldError> {
		let signed = call.sign(&self.chain, self.state(), &self.own.account).await?;
		tracing::info!(%purpose, hash = ?signed.hash, nonce = signed.nonce, "transaction");
		Ok(Prepared::Transaction(Pending { purpose, signed }))
	}

	/// Register or renew, or what has to come before that.
	async fn attest(&mut self, action: &Action, view: &View) -> Result<Prepared, WorldError> {
		let (evidence, claim) = quote(&self.own, self.state().claimable().await?).await?;
		let policy = Registry(self.state()).policy().await?;
		let subject = Subject { tee: evidence.tee, fmspc: evidence.fmspc.0, ca: evidence.ca };
		let numbers = Numbers::at(view.now, &Registry(self.state()).evaluations().await?);
		if let Some((item, issue, call)) = self.needed(subject, numbers, &policy, view.now).await? {
			let prepared = self.sign(Purpose::Collateral(item), call).await?;
			if issue.number > numbers.in_force {
				self.early.push((item, issue.number));
			}
			return Ok(prepared);
		}
		let operator = self.own.account.acting();
		let answer = Registry(self.state()).why_refused(&operator, &evidence.quote, &claim).await?;
		if let Err(refusal) = &answer
			&& refusal.error.inner() == "OtherPckCa"
			&& let Some(ca) = self.other_pck_ca(&evidence, subject, numbers, view.now).await?
		{
			let call = Call::PckCa(ca.clone());
			let prepared = self.sign(Purpose::Collateral(Item::PckCa), call).await?;
			self.pck_ca = Some(ca);
			return Ok(prepared);
		}
		let Accepted { judgement, .. } = answer.map_err(refused)?;
		let (purpose, call) = match (action, &view.worker) {
			(Action::Renew, Some(worker)) => {
				let gain = judgement.expires_at.saturating_sub(worker.expires_at);
				if worker.counts && gain < WORTHWHILE_RENEWAL {
					tracing::warn!(
						expires_at = worker.expires_at,
						"a renewal would not prolong the attestation: collateral or the platform's \
						 certificate limits it"
					);
					return Ok(Prepared::NoGain);
				}
				(Purpose::Renew, Call::Renew(evidence.quote, claim))
			}
			_ => (Purpose::Register, Call::Register(evidence.quote, claim)),
		};
		// The quote is not all that can be refused: deposits, and what a proxy may do.
		call.clone().rehearse(self.state(), &self.own.account).await?;
		self.sign(purpose, call).await
	}

	async fn score(&mut self) -> Result<Prepared, WorldError> {
		let policy = Registry(self.state()).policy().await?;
		// A tenth more than demanded: the two clocks differ.
		let millis = policy.min_benchmark_ms.saturating_add(policy.min_benchmark_ms / 10);
		// An answer to a challenge may be under way: both would be slower than the machine.
		let machine = self.own.shutdown.or(self.own.machine.clone().lock_owned()).await;
		let machine = machine.ok_or(WorldError::Interrupted)?;
		// The chain compares the run's time with its own, from the block that seeds it.
		let block = self.chain.finalised().await?.block;
		let (seed, threads) = (block.hash.0, self.own.threads);
		tracing::info!(threads, millis, "measuring performance");
		let stop = Arc::new(AtomicBool::new(false));
		let run = tokio::task::spawn_blocking({
			let stop = stop.clone();
			move || {
				let until = Until::Elapsed(Duration::from_millis(millis));
				let report = benchmark::run(&seed, threads, until, &stop);
				drop(machine);
				report
			}
		});
		let Some(report) = self.own.shutdown.or(run).await else {
			stop.store(true, Ordering::Relaxed);
			return Err(WorldError::Interrupted);
		};
		let report = report
			.expect("a thread that cannot be started or get memory is no result")
			.ok_or(WorldError::Interrupted)?;
		tracing::info!(
			score = report.score(),
			iterations = report.total(),
			digest = hex::encode(report.digest),
			"measured"
		);
		let statement = BenchmarkStatement {
			worker: self.own.keys.worker(),
			started_at: block,
			iterations: report.total(),
			elapsed_ms: u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
		};
		let signature = statement.sign(&self.own.keys.chain, &self.own.keys.identity);
		// The run took longer than a block: sign against the newest.
		self.state = Some(self.chain.finalised().await?);
		self.sign(Purpose::Score, Call::ReportScore(statement, signature)).await
	}

	async fn endpoint(&self, sequence: u64) -> Result<Prepared, WorldError> {
		let endpoint = self.wish.endpoint.clone().and_then(|url| Endpoint::try_from(url).ok());
		let statement = EndpointStatement { worker: self.own.keys.worker(), sequence, endpoint };
		let signature = statement.sign(&self.own.keys.chain, &self.own.keys.identity);
		self.sign(Purpose::Endpoint, Call::SetEndpoint(statement, signature)).await
	}
}

fn counts(expires: Option<u64>, now: u64, need: Need) -> bool {
	expires.is_some_and(|expires| expires > now.saturating_add(need.margin))
}

fn refused(refusal: Refusal) -> WorldError {
	let hint = match (refusal.error.outer(), refusal.error.inner()) {
		("Measurement", "Unknown") => {
			". `phala-worker measure` prints the measurement that governance has to allow"
		}
		("Measurement", "NotYetActive") => {
			". Governance has allowed the image from a later block on"
		}
		("Measurement", "PastSunset") => ". Run the image that follows it",
		("Platform", "Banned") => ". Governance has banned this machine",
		("Platform", "Full") => {
			". Earlier keys of this machine, or another TEE on it, hold its place. If a session of theirs \
			 still runs, its stake falls: stop it with `stakePools.stop`. `phala-worker deregister` \
			 lists keys and removes those without a session"
		}
		_ => "",
	};
	WorldError::Refused { refusal, hint }
}

impl World for Real {
	type Error = WorldError;

	async fn look(&mut self) -> Result<View, WorldError> {
		let state = self.chain.finalised().await?;
		if self.standstill.sees(state.block.number) {
			return Err(self.chain.stalled().into());
		}
		let version = state.at.spec_version();
		if self.checked != Some(version) {
			state.ensure_shape(&[SHAPE])?;
			self.checked = Some(version);
		}
		let signer = self.own.account.signer();
		let worker = Registry(&state).worker(&self.own.keys.worker()).await?;
		let metrics = &self.own.metrics;
		let score = worker.as_ref().and_then(|worker| worker.score.as_ref());
		metrics.score.set(score.map_or(0, |score| score.value));
		let view = View {
			block: state.block,
			now: state.time().await?,
			nonce: state.nonce(&signer).await?,
			worker: worker.map(|worker| Registered::of(worker, &self.own.account.acting())),
			rests_until: self.rests_until,
		};
		let balance = state.free_balance(&signer).await? / PER_MILLIPHA;
		metrics.balance.set(u64::try_from(balance).unwrap_or(u64::MAX));
		metrics.finalised.set(view.block.number.into());
		metrics.chain_time.set(view.now);
		let worker = view.worker.as_ref();
		metrics.attested.set(worker.is_some_and(|worker| worker.counts).into());
		metrics.expires.set(worker.map_or(0, |worker| worker.expires_at));
		metrics.attested_at.set(worker.map_or(0, |worker| worker.attested_at));
		self.state = Some(state);
		Ok(view)
	}

	fn wish(&self) -> Wish {
		self.wish.clone()
	}

	fn noted(&mut self) -> Result<Option<Pending>, WorldError> {
		let pending = self.own.journal.read()?;
		// Of another account, after a change of settings: not ours to follow.
		Ok(pending.filter(|pending| pending.signed.signer == self.own.account.signer().0))
	}

	fn note(&mut self, pending: Option<&Pending>) -> Result<(), WorldError> {
		match pending {
			Some(pending) => Ok(self.own.journal.write(pending)?),
			None => Ok(self.own.journal.clear()?),
		}
	}

	fn rest(&mut self, until: u64) {
		self.rests_until = until;
	}

	async fn prepare(&mut self, action: &Action, view: &View) -> Result<Prepared, WorldError> {
		match action {
			Action::Score => self.score().await,
			Action::Endpoint { sequence } => self.endpoint(*sequence).await,
			_ => self.attest(action, view).await,
		}
	}

	async fn conclude(&mut self, pending: &Pending) -> Result<Outcome, WorldError> {
		let outcome = self
			.own
			.shutdown
			.or(self.chain.conclude(&pending.signed, FOLLOW_INTERVAL))
			.await
			.ok_or(WorldError::Interrupted)??;
		if let (Purpose::Collateral(item), Outcome::Superseded | Outcome::Expired { .. }) =
			(pending.purpose, &outcome)
		{
			// It is in no block, and has cost nothing: it may be brought again.
			self.early.retain(|(brought, _)| *brought != item);
			self.pck_ca = self.pck_ca.take().filter(|_| item != Item::PckCa);
		}
		let word = match &outcome {
			Outcome::Done(_) => "done",
			Outcome::Failed(_) => "failed",
			Outcome::Superseded => "superseded",
			Outcome::Expired { .. } => "expired",
		};
		tracing::info!(purpose = %pending.purpose, outcome = word, "final");
		let purpose = pending.purpose.to_string();
		self.own.metrics.transactions.with_label_values(&[&purpose, word]).inc();
		Ok(outcome)
	}

	fn fail(&mut self, purpose: Purpose, outcome: &Outcome) -> WorldError {
		// What was fetched may be what failed.
		self.collateral = None;
		let reason = match outcome {
			Outcome::Failed(explained) => explained.to_string(),
			Outcome::Expired { refusal: Some(refusal) } => {
				format!("the node's pool refused it until it expired: {refusal}")
			}
			_ => "no block included it before it expired".into(),
		};
		WorldError::Failed { purpose, reason }
	}

	fn foreign(&mut self) -> WorldError {
		WorldError::Foreign
	}
}
