//! See the library.

use clap::{Parser, Subcommand};
use phala_attestation::Role;
use phala_node_common::{
	chain::{AccountId32, Chain, ChainError},
	files,
	keystore::Keys,
	logging, metrics as prometheus,
	program::{self, Outcome},
	shutdown::Shutdown,
	tee,
};
use phala_primitives::operator_cluster;
use phala_threshold::Element;
use phala_worker::{
	attest::{Nodes, keep},
	benchmark::{self, Until},
	cluster, doctor,
	journal::Journal,
	metrics::Metrics,
	mining::{
		book::Book,
		earn::earn,
		kernel::{Kernel, Machine},
		pallet::{self as mining, Mining},
		position::{Position, Reason, pha},
		world::Real as Miner,
	},
	plan::Wish,
	registry::{Call, Registry},
	settings::{BenchmarkWhen, Flags, Settings},
	world::{Own, Real},
};
use sp_core::{Pair, sr25519};
use std::{process::ExitCode, sync::atomic::AtomicBool, time::Duration};

/// Worker of the Phala parachain: proves its TEE to the chain, registers, measures its performance,
/// renews before the proof expires, and answers the challenges by which it earns. Without a command it
/// does just that, until it is stopped.
#[derive(Parser)]
#[command(version)]
struct Cli {
	#[command(flatten)]
	flags: Flags,
	/// End as soon as nothing is left to do for now. Answers no challenges.
	#[arg(long)]
	once: bool,
	#[command(subcommand)]
	command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
	/// Check TEE, keys, chain, clock, balance, quote and collateral, and say what to do.
	Doctor {
		/// Print one JSON object per check.
		#[arg(long)]
		json: bool,
	},
	/// Print this program's measurement, as governance has to allow it.
	Measure,
	/// Print this worker's key, how it stands, and what a pool needs to start it.
	Key,
	/// Measure performance here, without telling anybody.
	Benchmark {
		/// Duration of the run.
		#[arg(long, default_value_t = 20)]
		seconds: u64,
	},
	/// Obtain the key of this worker's cluster from the gatekeepers, and print the public key that derives
	/// from it. The key itself stays here. May run beside the worker.
	ClusterKey {
		/// The cluster, in hexadecimal. [default: the one of the operator's workers]
		#[arg(long)]
		cluster: Option<String>,
		/// Epoch of the master key. [default: the current one]
		#[arg(long)]
		epoch: Option<u32>,
		/// The master key of that epoch, in hexadecimal, if it is known from elsewhere.
		#[arg(long)]
		master_key: Option<String>,
		/// What the printed key is for: other purposes have other keys.
		#[arg(long, default_value = "phala/cluster/identity/1")]
		purpose: String,
		/// Seconds to wait for answers.
		#[arg(long, default_value_t = 1_800)]
		patience: u64,
		/// Print JSON.
		#[arg(long)]
		json: bool,
	},
	/// List the operator's workers, or remove one of them from the chain.
	Deregister {
		/// Identity key of the worker to remove, in hexadecimal.
		worker: Option<String>,
	},
}

fn main() -> ExitCode {
	let cli: Cli = program::parse();
	program::run("phala-worker", || {
		let settings = cli.flags.settings()?;
		logging::init(settings.log_format, &settings.log)?;
		Ok(async move {
			match cli.command {
				None => work(settings, cli.once).await,
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
		Command::Key => key(settings).await,
		Command::Benchmark { seconds } => {
			let threads = settings.threads.unwrap_or_else(benchmark::default_threads);
			let until = Until::Elapsed(Duration::from_secs(seconds));
			let run = move || benchmark::run(&[0; 32], threads, until, &AtomicBool::new(false));
			if let Some(report) = tokio::task::spawn_blocking(run).await? {
				println!("{} iterations per 6 s on {threads} threads", report.score());
			}
			Ok(ExitCode::SUCCESS)
		}
		Command::ClusterKey { cluster, epoch, master_key, purpose, patience, json } => {
			let (cluster, master) = (cluster.as_deref(), master_key.as_deref());
			let cluster = cluster.map(|text| bytes("the id of a cluster", text)).transpose()?;
			let master = master.map(|text| bytes("a master key", text)).transpose()?;
			let master = master.map(|bytes| Element::from_bytes(&bytes)).transpose()?;
			let key = cluster_key(&settings, cluster, epoch, master, patience).await?;
			tell_key(&key, &purpose, json);
			Ok(ExitCode::SUCCESS)
		}
		Command::Deregister { worker } => deregister(settings, worker).await,
	}
}

/// 32 bytes in hexadecimal.
fn bytes(what: &str, text: &str) -> Outcome<[u8; 32]> {
	let bytes = hex::decode(text.trim_start_matches("0x")).ok();
	let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
	Ok(bytes.ok_or_else(|| format!("{what} has 32 bytes, 64 hexadecimal digits"))?)
}

async fn cluster_key(
	settings: &Settings,
	cluster: Option<[u8; 32]>,
	epoch: Option<u32>,
	master: Option<Element>,
	patience: u64,
) -> Outcome<(cluster::Wanted, cluster::ClusterKey)> {
	let provider = settings.provider()?;
	let sealer = settings.sealer(&*provider)?;
	let keys = Keys::load(&settings.state_dir, &sealer)?
		.ok_or("there are no keys yet: start the worker, which makes and registers them")?;
	let cluster = match cluster {
		Some(cluster) => cluster,
		None => operator_cluster(&settings.account()?.acting().0),
	};
	let chain = connect_once(settings).await?;
	if chain.id() != keys.chain {
		return Err("the keys belong to another chain: correct rpc-url or state-dir".into());
	}
	let notes = cluster::Notes::open(&settings.state_dir, &sealer, &keys)?;
	let wanted = cluster::Wanted { cluster, epoch, master };
	let interval = Duration::from_secs(settings.poll_seconds.min(6));
	let patience = Duration::from_secs(patience);
	let key = cluster::obtain(&chain, &keys, &notes, &wanted, interval, patience).await?;
	Ok((wanted, key))
}

/// Prints what may be known of a cluster's key.
fn tell_key((wanted, key): &(cluster::Wanted, cluster::ClusterKey), purpose: &str, json: bool) {
	let seed = key.obtained.secret.derive(purpose);
	let public = <sr25519::Pair as Pair>::from_seed(&seed).public();
	let cluster = format!("0x{}", hex::encode(wanted.cluster));
	let master = format!("0x{}", hex::encode(key.obtained.public_key.as_bytes()));
	let public = format!("0x{}", hex::encode(public));
	let epoch = key.epoch;
	if json {
		let told = serde_json::json!({
			"cluster": cluster, "epoch": epoch, "master": master, "purpose": purpose,
			"public": public,
		});
		println!("{told}");
		return;
	}
	println!("cluster  {cluster}");
	println!("epoch    {epoch}, master key {master}");
	println!("public   {public} (sr25519, for {purpose})");
}

/// Prints what the owner of a pool needs to know about this worker.
async fn key(settings: Settings) -> Outcome<ExitCode> {
	let provider = settings.provider()?;
	let sealer = settings.sealer(&*provider)?;
	let keys = Keys::load(&settings.state_dir, &sealer)?
		.ok_or("there are no keys yet: start the worker, which makes and registers them")?;
	let (worker, account) = (keys.worker(), settings.account()?);
	println!("worker    0x{}", hex::encode(worker));
	println!("operator  {}", account.acting());
	let chain = connect_once(&settings).await?;
	let state = chain.finalised().await?;
	state.ensure_shape(&[mining::SHAPE])?;
	let mining = Mining(&state);
	let session = mining.session(&worker).await?;
	let running = session.is_some();
	let unpaid = mining.why_unpaid(&worker).await?.iter().map(Reason::of).collect();
	let pending = mining.pending(&worker).await?;
	let position = Position { session, pending, unpaid };
	println!("mining    {position}");
	for reason in &position.unpaid {
		println!("unpaid    {reason}: {}", reason.remedy());
	}
	if running {
		return Ok(ExitCode::SUCCESS);
	}
	match mining.minimum_stake(&worker).await? {
		Some(stake) => println!("stake     at least {} ({stake} planck)", pha(stake)),
		None => println!(
			"stake     it cannot start: it needs an attestation that counts, a score, and room on its \
			 machine; `phala-worker doctor` says which"
		),
	}
	println!(
		"\nTo mine, in polkadot.js (Developer, Extrinsics), with the number of a pool:\n\
		 1. operator: stakePools.consent(worker, pool). Not needed if the operator owns the pool.\n\
		 2. owner of the pool: stakePools.addWorker(pool, worker)\n\
		 3. owner of the pool: stakePools.start(worker, stake)"
	);
	Ok(ExitCode::SUCCESS)
}

/// Attests, and keeps the attestation alive.
async fn work(settings: Settings, once: bool) -> Outcome<ExitCode> {
	let shutdown = Shutdown::on_signals()?;
	files::create_private_dir(&settings.state_dir)?;
	let _lock = files::lock_dir(&settings.state_dir)?;
	let provider = settings.provider()?;
	let sealer = settings.sealer(&*provider)?;
	let source = settings.source(&*provider)?;
	let account = settings.account()?;
	if provider.is_simulated() {
		tracing::warn!("the TEE is simulated: nothing that this worker does is protected");
	}

	let registry = prometheus::Registry::new();
	let metrics = Metrics::new(&registry)?;
	if let Some(address) = settings.metrics_address {
		prometheus::serve(address, registry).await?;
	}

	let mut nodes = Nodes::new(settings.rpc_url.clone(), metrics.clone(), shutdown.clone());
	// With several nodes, those of another chain than the keys' are passed over. A single one is an error.
	let known = Keys::load(&settings.state_dir, &sealer)?.map(|keys| keys.chain);
	let known = known.filter(|_| settings.rpc_url.len() > 1);
	let Some(chain) = nodes.connect(known).await else { return Ok(ExitCode::SUCCESS) };
	let keys = Keys::open(&settings.state_dir, &sealer, &chain.id())?;
	tracing::info!(
		worker = %hex::encode(keys.worker()),
		operator = %account.acting(),
		node = chain.url(),
		genesis = ?chain.id().genesis,
		"worker"
	);

	let start = chain.finalised().await?.block.number;
	let wish = Wish {
		endpoint: settings.endpoint.clone().map(String::into_bytes),
		score_after: (settings.benchmark == BenchmarkWhen::Start).then_some(start),
		no_score: settings.benchmark == BenchmarkWhen::Never,
	};
	let machine = Machine::default();
	let threads = settings.threads.unwrap_or_else(benchmark::default_threads);
	if !once {
		let kernel = Kernel::new(threads, machine.clone());
		let book = Book::new(&settings.state_dir);
		let miner = Miner::new(keys.clone(), book, kernel, metrics.clone(), chain.clone());
		let urls = settings.rpc_url.clone();
		let mining = tokio::spawn(earn(miner, urls, metrics.clone(), shutdown.clone()));
		tokio::spawn(async move {
			if mining.await.is_err_and(|error| error.is_panic()) {
				// A worker that is attested and does not answer loses stake: let it be started again.
				tracing::error!("mining broke down; please report what is above");
				std::process::exit(1);
			}
		});
	}
	let own = Own {
		role: Role::Worker,
		tee: provider.into(),
		keys,
		account,
		source,
		journal: Journal::new(&settings.state_dir),
		threads,
		machine,
		metrics,
		shutdown,
	};
	let mut world = Real::new(own, chain, wish);
	let poll = Duration::from_secs(settings.poll_seconds);
	keep(&mut world, &mut nodes, poll, once).await?;
	tracing::info!("bye");
	Ok(ExitCode::SUCCESS)
}

/// Lists the operator's workers, or removes one.
async fn deregister(settings: Settings, worker: Option<String>) -> Outcome<ExitCode> {
	let account = settings.account()?;
	let chain = connect_once(&settings).await?;
	let state = chain.finalised().await?;
	let operator: AccountId32 = account.acting();
	let Some(worker) = worker else {
		for key in Registry(&state).workers_of(&operator).await? {
			let record = Registry(&state).worker(&key.into()).await?;
			let Some(record) = record else { continue };
			let counts = if record.attested.is_some() { "attested" } else { "lapsed" };
			println!("{} {counts} platform {}", hex::encode(key), hex::encode(record.platform));
		}
		return Ok(ExitCode::SUCCESS);
	};
	let key = bytes("a worker's identity key", &worker)?;
	let signed = Call::Deregister(key.into()).sign(&chain, &state, &account).await?;
	let outcome = loop {
		match chain.conclude(&signed, Duration::from_secs(3)).await {
			// It is valid for a while, and would fail if it were sent again.
			Err(error @ ChainError::Stalled { .. }) => {
				eprintln!("{error}. The transaction is sent, and still waited for");
			}
			concluded => break concluded?,
		}
	};
	match outcome {
		phala_node_common::chain::Outcome::Done(block) => {
			println!("removed, final in block {}", block.number);
			Ok(ExitCode::SUCCESS)
		}
		phala_node_common::chain::Outcome::Failed(reason) => Err(reason.to_string().into()),
		other => Err(format!("not included ({other:?}): try again").into()),
	}
}

/// Connects to the first node that answers.
async fn connect_once(settings: &Settings) -> Outcome<Chain> {
	let mut last = None;
	for url in &settings.rpc_url {
		match Chain::connect(url).await {
			Ok(chain) => return Ok(chain),
			Err(error) => last = Some(error),
		}
	}
	Err(last.map_or_else(|| "no node is configured".into(), Into::into))
}
