//! See the library.

use clap::{Parser, Subcommand};
use phala_gatekeeper::{
	attest, doctor,
	election::Candidacy,
	engine::{Done, Engine, Limits, Progress, StepError, World},
	finality::Follower,
	metrics::Metrics,
	report::Report,
	settings::{Flags, PeerSeal, Settings},
	vault::{Folder, Vault},
	view::Rules,
	world::{Patience, Real},
};
use phala_node_common::{
	backoff::Backoff,
	chain::{Chain, Submission, Turn},
	files,
	keystore::Keys,
	logging, metrics as prometheus,
	program::{self, Outcome},
	shutdown::Shutdown,
	tee,
};
use phala_primitives::ChainId;
use rand::rngs::OsRng;
use std::{
	process::ExitCode,
	sync::Arc,
	time::{Duration, Instant},
};

/// Gatekeeper of the Phala parachain: proves its TEE to the chain, holds a share of the master key, and
/// takes part in the ceremonies that make and hand over the key. Without a command it does just that,
/// until it is stopped.
#[derive(Parser)]
#[command(version)]
struct Cli {
	#[command(flatten)]
	flags: Flags,
	/// Deal faulty shares: for tests of networks, with the simulated TEE.
	#[cfg(feature = "fault-injection")]
	#[arg(long)]
	deal_bad_shares: bool,
	#[command(subcommand)]
	command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
	/// Check TEE, keys, chain, clock, balance, collateral, shares and ceremonies, and say what to do.
	Doctor {
		/// Print one JSON object per check.
		#[arg(long)]
		json: bool,
	},
	/// Print this program's measurement, as governance has to allow it.
	Measure,
	/// Print this gatekeeper's key, how it stands in the election, and what is to be done to be elected.
	Key,
	/// Print keys in use, the ceremony under way, and what is awaited of this gatekeeper.
	Status {
		/// Print JSON.
		#[arg(long)]
		json: bool,
	},
}

const NO_KEYS: &str = "there are no keys yet: start the gatekeeper, which makes and registers them";

fn main() -> ExitCode {
	let cli: Cli = program::parse();
	program::run("phala-gatekeeper", || {
		let settings = cli.flags.settings()?;
		logging::init(settings.log_format, &settings.log)?;
		Ok(async move {
			match cli.command {
				#[cfg(feature = "fault-injection")]
				None => work(settings, cli.deal_bad_shares).await,
				#[cfg(not(feature = "fault-injection"))]
				None => work(settings, false).await,
				Some(command) => perform(command, settings).await,
			}
		})
	})
}

async fn perform(command: Command, settings: Settings) -> Outcome<ExitCode> {
	match command {
		Command::Doctor { json } => Ok(doctor::tell(&doctor::examine(&settings).await, json)),
		Command::Measure => {
			let evidence = tee::quote(&*settings.provider()?, &[0; 64])?;
			println!("0x{}", hex::encode(evidence.measurement));
			Ok(ExitCode::SUCCESS)
		}
		Command::Key => key(&settings).await,
		Command::Status { json } => {
			let report = doctor::status(&settings).await?;
			let report = report.ok_or(NO_KEYS)?;
			if json {
				println!("{}", serde_json::to_string(&report)?);
			} else {
				print!("{report}");
			}
			Ok(ExitCode::SUCCESS)
		}
	}
}

/// Prints what those who elect and bond need to know about this gatekeeper.
async fn key(settings: &Settings) -> Outcome<ExitCode> {
	let sealer = settings.sealer(&*settings.provider()?)?;
	let keys = Keys::load(&settings.state_dir, &sealer)?.ok_or(NO_KEYS)?;
	println!("gatekeeper  0x{}", hex::encode(keys.worker()));
	println!("operator    {}", settings.account()?.acting());
	let state = doctor::connect(settings).await?.finalised().await?;
	let candidacy = Candidacy::of(&state, &keys.worker()).await?;
	println!("election    {candidacy}");
	if !candidacy.remedy().is_empty() {
		println!("            {}", candidacy.remedy());
	}
	Ok(ExitCode::SUCCESS)
}

/// Attests, and keeps the keys.
async fn work(settings: Settings, deals_bad_shares: bool) -> Outcome<ExitCode> {
	let shutdown = Shutdown::on_signals()?;
	files::create_private_dir(&settings.state_dir)?;
	let _lock = files::lock_dir(&settings.state_dir)?;
	let provider = settings.provider()?;
	let sealer = settings.sealer(&*provider)?;
	let account = settings.account()?;
	let source = settings.attestation().source(&*provider)?;
	if deals_bad_shares && !provider.is_simulated() {
		return Err("faulty shares are dealt by the simulated TEE only".into());
	}
	if provider.is_simulated() {
		tracing::warn!("the TEE is simulated: nothing that this gatekeeper holds is protected");
	}
	if settings.relay_url.is_empty() {
		let who = if settings.witness_url.is_empty() {
			"the node says"
		} else {
			"the node and its witnesses say"
		};
		tracing::warn!("no relay-url: {who} which chain is final");
	}

	let registry = prometheus::Registry::new();
	let metrics = Metrics::new(&registry)?;
	let attestation = phala_worker::metrics::Metrics::new(&registry)?;
	if let Some(address) = settings.metrics_address {
		prometheus::serve(address, registry).await?;
	}

	let (mut turn, mut backoff) = (Turn::default(), Backoff::default());
	// With several nodes, those of another chain than the keys' are passed over. A single one is an error.
	let known = Keys::load(&settings.state_dir, &sealer)?.map(|keys| keys.chain);
	let known = known.filter(|_| settings.rpc_url.len() > 1);
	let connected = connect(&settings, known, &metrics, &mut turn, &mut backoff, &shutdown).await;
	let Some(chain) = connected else { return Ok(ExitCode::SUCCESS) };
	let id = chain.id();
	let keys = Keys::open(&settings.state_dir, &sealer, &id)?;
	tracing::info!(
		gatekeeper = %hex::encode(keys.worker()),
		operator = %account.acting(),
		node = chain.url(),
		genesis = ?chain.id().genesis,
		"gatekeeper"
	);
	let attesting = attest::keep(
		settings.attestation(),
		provider.into(),
		keys.clone(),
		account,
		source,
		attestation,
		shutdown.clone(),
	);
	let sealer = Arc::new(sealer);
	let vault = || Vault::new(Folder(settings.state_dir.clone()), sealer.clone(), &keys);
	let relay = Follower::open(&settings, chain.id().para_id, vault(), true)?;
	let vault = vault().with_peer_seal(settings.peer_seal == PeerSeal::On);
	let engine = engine(&settings, keys, vault, deals_bad_shares);
	let world = Real::new(chain, &settings.witness_url).with_relay(relay);
	let keeping = keep(&settings, id, turn, world, engine, &metrics, &shutdown);
	// The second ends by itself only where nothing can go on.
	tokio::select! {
		() = keeping => {}
		() = async { attesting.await; shutdown.wait().await } => {}
	}
	tracing::info!("bye");
	Ok(ExitCode::SUCCESS)
}

async fn connect(
	settings: &Settings,
	on: Option<ChainId>,
	metrics: &Metrics,
	turn: &mut Turn,
	backoff: &mut Backoff,
	shutdown: &Shutdown,
) -> Option<Chain> {
	let chain = Chain::connect_any(&settings.rpc_url, on, turn, backoff, shutdown, |error| {
		metrics.connected.set(0);
		metrics.failures.with_label_values(&["chain"]).inc();
		tracing::warn!(%error, "trying again");
	});
	let chain = chain.await;
	metrics.connected.set(chain.is_some().into());
	chain
}

fn engine(
	settings: &Settings,
	keys: Keys,
	vault: Vault<Folder>,
	_deals_bad_shares: bool,
) -> Engine<Folder, OsRng> {
	// Replaced by the runtime's before the first look.
	let rules = Rules { request_period: 0, reshare_grace: 0 };
	let limits = Limits { rules, max_age: settings.max_head_age };
	let engine = Engine::new(keys, vault, limits, OsRng);
	#[cfg(feature = "fault-injection")]
	let engine = {
		let mut engine = engine;
		engine.deals_bad_shares = _deals_bad_shares;
		engine
	};
	engine
}

/// Follows the chain and does what is to be done, until the program ends.
async fn keep(
	settings: &Settings,
	id: ChainId,
	mut turn: Turn,
	mut world: Real,
	mut engine: Engine<Folder, OsRng>,
	metrics: &Metrics,
	shutdown: &Shutdown,
) {
	let (poll, mut backoff) = (Duration::from_secs(settings.poll_seconds), Backoff::default());
	let mut patience = Patience::default();
	let mut failures = Backoff::new(Duration::from_secs(3), Duration::from_secs(60));
	loop {
		let step = async {
			let rules = world.rules().await.map_err(StepError::World)?;
			engine.set_rules(rules);
			engine.step(&mut world).await
		};
		let Some(result) = shutdown.or(step).await else { return };
		metrics.relay.set(world.relay().map_or(0, |(_, height)| height.into()));
		let elsewhere = match result {
			Ok(progress) => {
				failures.reset();
				backoff.reset();
				patience = Patience::default();
				let report = Report::of(&progress.view, &progress.memory, world.clock());
				metrics.note(&progress, &report);
				tell(&progress);
				if !progress.is_news() && !shutdown.sleep(poll).await {
					return;
				}
				progress.is_in_vain()
			}
			Err(error) => {
				let kind = match &error {
					StepError::World(error) => error.kind(),
					StepError::Look(_) => "look",
					StepError::Vault(_) => "file",
					StepError::Distrust(_) => "distrust",
					StepError::Protocol { .. } => "protocol",
					StepError::Missing { .. } => "missing",
				};
				metrics.failures.with_label_values(&[kind]).inc();
				metrics.distrust.set(matches!(error, StepError::Distrust(_)).into());
				let delay = failures.delay(&mut OsRng);
				tracing::error!(%error, retry_in = delay.as_secs(), "failed");
				if !shutdown.sleep(delay).await {
					return;
				}
				let stuck = patience.ends(error.is_of_lag(), Instant::now());
				if stuck {
					world.leave_relay();
				}
				stuck || error.is_of_connection()
			}
		};
		if !elsewhere {
			continue;
		}
		let connected =
			connect(settings, Some(id), metrics, &mut turn, &mut backoff, shutdown).await;
		let Some(chain) = connected else { return };
		world.reconnect(chain);
	}
}

/// Says in the log what was done.
fn tell(progress: &Progress) {
	for done in &progress.done {
		match done {
			Done::Joined(number) => tracing::info!(number, "joined the ceremony"),
			Done::Published(message, Submission::Accepted) => {
				tracing::info!(call = message.call(), "published");
			}
			Done::Published(message, Submission::Refused(reason)) => {
				// It may be in a block already that is not final yet.
				tracing::debug!(call = message.call(), reason, "not taken by the pool");
			}
			Done::Answered(requests) => tracing::info!(requests, "answered"),
			Done::Examined(number, dealers, 0) => {
				tracing::info!(number, dealings = dealers.len(), "received shares");
			}
			Done::Examined(number, dealers, faulty) => tracing::warn!(
				number,
				dealings = dealers.len(),
				faulty,
				"received shares, and complains about faulty ones"
			),
			Done::Holds(number) => tracing::warn!(
				number,
				"holds a share of the key, which is sealed for good when the peers have given its guard"
			),
			Done::Guarded(number) => tracing::info!(number, "has its guard"),
			Done::Resealed(number) => tracing::info!(number, "sealed anew"),
			Done::Took(number) => tracing::info!(number, "holds a share of the key"),
			Done::Lost(number, dealer) => tracing::error!(
				number,
				%dealer,
				"cannot get its share: this dealer's part of it is faulty or gone. The next handover \
				 brings a new one"
			),
			Done::Missed(number, dealers) => tracing::error!(
				number,
				dealings = dealers.len(),
				"does not find its share in old blocks: it looks again later, with the next rpc-url. The \
				 next handover brings a new share"
			),
			Done::Erased(what) => tracing::info!(?what, "erased"),
		}
	}
}
