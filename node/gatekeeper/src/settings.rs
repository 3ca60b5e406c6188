//! Configuration: flags, environment (`PHALA_GATEKEEPER_…`), a TOML file, defaults.

use clap::ValueEnum;
use phala_node_common::{
	chain::{Account, AccountError},
	config::{self, ConfigError},
	logging::LogFormat,
	seal::Sealer,
	tee::{self, QuoteProvider, Simulated, TeeError, TeeKind},
};
use phala_worker::settings::{self as worker, SealKind, SettingsError, SimulatedTee};
use serde::{Deserialize, Serialize};
use sp_core::H256;
use std::{net::SocketAddr, path::PathBuf};

/// Prefix of the variables in the environment.
pub const PREFIX: &str = "PHALA_GATEKEEPER";
/// Name of the simulated program: gives its measurement.
pub const SIMULATED_PROGRAM: &str = "phala-gatekeeper";

/// Settings that decide about secrets. They come from the command line only, which the manifest of an
/// enclave fixes: a host that writes files and environment must not choose how keys are sealed, nor who
/// says which chain is final.
const FLAG_ONLY: &[&str] = &[
	"tee",
	"seal",
	"peer-seal",
	"sealing-secret-file",
	"tsm-dir",
	"attestation-dir",
	"witness-url",
	"relay-url",
	"relay-checkpoint",
	"max-head-age",
];

/// Whether shares are sealed with a second key that peers give back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerSeal {
	/// Under the TEE's key alone.
	#[default]
	Off,
	/// With the guard, too. A majority of the set must run for a share to be opened after a restart.
	On,
}

phala_node_common::settings! {
	/// Node to use: ws://… or wss://…. Several are tried in turn. Run your own.
	/// [default: ws://127.0.0.1:9944]
	rpc_url: Vec<String> => Vec<String> = vec!["ws://127.0.0.1:9944".into()],
	/// Node of somebody else, wss://…, that must know a block as final, too, before anything is done at
	/// it. Can be given several times; all must agree.
	witness_url: Vec<String> => Vec<String> = vec![],
	/// Node of the relay chain, ws:// or wss://, for example the one inside of a collator (its port after
	/// `--`). Nothing is done at a block before the relay chain's validators have signed that it is final.
	/// Several are tried in turn.
	relay_url: Vec<String> => Vec<String> = vec![],
	/// Hash of a final relay-chain block, 0x…, at which trust begins, and whose state the node still has.
	/// Not older than 21 days. Without it the first start believes the node about one block. Later starts
	/// go on from what they trusted before, if that began here; another hash begins anew.
	relay_checkpoint: Option<String> => Option<String> = None,
	/// Seconds by which the newest final block may be older or newer than this machine's clock.
	/// [default: 600]
	max_head_age: Option<u64> => u64 = 600,
	/// File with the secret of the account that signs and pays. [default: operator.key in the state
	/// folder]
	key_file: Option<PathBuf> => Option<PathBuf> = None,
	/// Address of the operator, if the key file's account is only its proxy.
	operator: Option<String> => Option<String> = None,
	/// Folder for sealed keys, shares and secrets of ceremonies.
	/// [default: /var/lib/phala-gatekeeper]
	state_dir: Option<PathBuf> => PathBuf = "/var/lib/phala-gatekeeper".into(),
	/// TEE to use; auto never chooses the simulated one. [default: auto]
	tee: Option<TeeKind> => TeeKind = TeeKind::Auto,
	/// How to seal keys. [default: auto]
	seal: Option<SealKind> => SealKind = SealKind::Auto,
	/// Seal shares with a guard, too, which t peers give back at each start: an old copy is worth nothing
	/// then. If more than n − t of a set are stopped at once, the key is lost. [default: off]
	peer_seal: Option<PeerSeal> => PeerSeal = PeerSeal::Off,
	/// File with at least 32 random bytes to seal with; implies --seal secret in a TD.
	sealing_secret_file: Option<PathBuf> => Option<PathBuf> = None,
	/// Where Linux offers quotes of a TD. [default: /sys/kernel/config/tsm/report]
	tsm_dir: Option<PathBuf> => PathBuf = tee::TSM_DIR.into(),
	/// Where Gramine offers quotes of an enclave. [default: /dev/attestation]
	attestation_dir: Option<PathBuf> => PathBuf = tee::ATTESTATION_DIR.into(),
	/// TEE that --tee simulated simulates. [default: tdx]
	simulated_tee: Option<SimulatedTee> => SimulatedTee = SimulatedTee::Tdx,
	/// Number of the simulated machine: two numbers are two machines. [default: 0]
	simulated_platform: Option<u64> => u64 = 0,
	/// PCS or PCCS to fetch collateral from. [default: Intel's]
	pccs_url: Option<String> => String = phala_worker::collateral::INTEL_PCS.into(),
	/// Take any TLS certificate of the PCCS; what it serves is signed by Intel. [default: false]
	pccs_any_certificate: Option<bool> => bool = false,
	/// JSON file with collateral, in place of a service.
	collateral_file: Option<PathBuf> => Option<PathBuf> = None,
	/// Seconds between two looks at the chain. [default: 6]
	poll_seconds: Option<u64> => u64 = 6,
	/// Serve Prometheus metrics at this address, for example 127.0.0.1:9621.
	metrics_address: Option<SocketAddr> => Option<SocketAddr> = None,
	/// How logs look. [default: text]
	log_format: Option<LogFormat> => LogFormat = LogFormat::Text,
	/// What is logged, as in RUST_LOG. [default: info]
	log: Option<String> => String = "info".into(),
}

impl Flags {
	/// The settings, with this process's environment.
	pub fn settings(&self) -> Result<Settings, SettingsError> {
		let mut flags = self.clone();
		// Every program of the host shares this one variable.
		flags.log = flags.log.or_else(|| std::env::var("RUST_LOG").ok());
		let environment = std::env::vars_os()
			.filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
		self.read(&flags, environment)
	}

	fn read(
		&self,
		flags: &Self,
		environment: impl IntoIterator<Item = (String, String)>,
	) -> Result<Settings, SettingsError> {
		let settings: Result<Settings, ConfigError> =
			config::load(flags, FLAG_ONLY, PREFIX, environment, self.config.as_deref());
		let settings = settings?;
		settings.check()?;
		Ok(settings)
	}
}

impl Settings {
	fn check(&self) -> Result<(), SettingsError> {
		if self.rpc_url.is_empty() {
			return Err(SettingsError::Contradiction(
				"rpc-url is empty: give the address of a node",
			));
		}
		if self.poll_seconds == 0 || self.max_head_age == 0 {
			return Err(SettingsError::Contradiction(
				"poll-seconds and max-head-age must be at least 1",
			));
		}
		if self.witness_url.iter().any(|url| self.rpc_url.contains(url)) {
			return Err(SettingsError::Contradiction(
				"a witness is another node than the one it watches: give witness-url another address",
			));
		}
		if self.relay_checkpoint.is_some() && self.relay_url.is_empty() {
			return Err(SettingsError::Contradiction(
				"relay-checkpoint is of no use without a node of the relay chain: give relay-url",
			));
		}
		if self.relay_checkpoint.is_some() && self.checkpoint().is_none() {
			return Err(SettingsError::Contradiction(
				"relay-checkpoint is no hash of a block: give 0x and 64 hexadecimal digits",
			));
		}
		Ok(())
	}

	/// The relay chain's block at which trust begins.
	pub fn checkpoint(&self) -> Option<H256> {
		let digits = self.relay_checkpoint.as_ref()?.strip_prefix("0x")?;
		let mut hash = [0; 32];
		hex::decode_to_slice(digits, &mut hash).ok()?;
		Some(H256(hash))
	}

	/// The settings of attestation, which is the worker's.
	pub fn attestation(&self) -> worker::Settings {
		let settings = self.clone();
		worker::Settings {
			rpc_url: settings.rpc_url,
			key_file: settings.key_file,
			operator: settings.operator,
			state_dir: settings.state_dir,
			tee: settings.tee,
			seal: settings.seal,
			sealing_secret_file: settings.sealing_secret_file,
			tsm_dir: settings.tsm_dir,
			attestation_dir: settings.attestation_dir,
			simulated_tee: settings.simulated_tee,
			simulated_platform: settings.simulated_platform,
			pccs_url: settings.pccs_url,
			pccs_any_certificate: settings.pccs_any_certificate,
			collateral_file: settings.collateral_file,
			..worker::Settings::default()
		}
	}

	/// The TEE.
	pub fn provider(&self) -> Result<Box<dyn QuoteProvider>, TeeError> {
		let simulated = || {
			let tee = match self.simulated_tee {
				SimulatedTee::Sgx => phala_attestation::Tee::Sgx,
				SimulatedTee::Tdx => phala_attestation::Tee::Tdx,
			};
			Simulated::new(tee, SIMULATED_PROGRAM, self.simulated_platform)
		};
		tee::provider(self.tee, &self.tsm_dir, &self.attestation_dir, simulated)
	}

	/// How keys are sealed in this TEE. A real one never writes a key in the clear.
	pub fn sealer(&self, tee: &dyn QuoteProvider) -> Result<Sealer, SettingsError> {
		self.attestation().sealer(tee)
	}

	/// The account that signs.
	pub fn account(&self) -> Result<Account, AccountError> {
		self.attestation().account()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn settings(text: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("gatekeeper.toml");
		std::fs::write(&path, text).unwrap();
		let flags = Flags { config: Some(path), ..Flags::default() };
		let environment =
			environment.iter().map(|(name, text)| (name.to_string(), text.to_string()));
		flags.read(&flags, environment).map_err(|error| error.to_string())
	}

	#[test]
	fn defaults_are_usable_and_mistakes_named() {
		let defaults = settings("", &[]).unwrap();
		assert_eq!((defaults.tee, defaults.max_head_age), (TeeKind::Auto, 600));
		for (text, part) in [
			("rpc-url = []", "rpc-url"),
			("poll-seconds = 0", "poll-seconds"),
			("tee = 'simulated'", "--tee"),
			("seal = 'ram'", "--seal"),
			("peer-seal = 'on'", "--peer-seal"),
			("witness-url = ['wss://evil']", "--witness-url"),
			("relay-url = ['wss://evil']", "--relay-url"),
			("relay-checkpoint = '0x00'", "--relay-checkpoint"),
			("max-head-age = 999999999", "--max-head-age"),
			("benchmark = 'never'", "benchmark"),
		] {
			let error = settings(text, &[]).unwrap_err();
			assert!(error.contains(part), "{error}");
		}
		let error = settings("", &[("PHALA_GATEKEEPER_TEE", "simulated")]).unwrap_err();
		assert!(error.contains("--tee"), "{error}");
	}

	#[test]
	fn a_node_is_no_witness_of_itself() {
		let flags = Flags {
			rpc_url: vec!["ws://a:1".into()],
			witness_url: vec!["ws://a:1".into()],
			..Flags::default()
		};
		assert!(flags.settings().unwrap_err().to_string().contains("witness"));
	}

	#[test]
	fn a_checkpoint_is_a_hash_of_the_relay_chain() {
		let given = |relay: &[&str], checkpoint: &str| Flags {
			relay_url: relay.iter().map(|url| url.to_string()).collect(),
			relay_checkpoint: Some(checkpoint.into()),
			..Flags::default()
		};
		let hash = format!("0x{}", "ab".repeat(32));
		let settings = given(&["ws://relay:1"], &hash).settings().unwrap();
		assert_eq!(settings.checkpoint(), Some(H256::repeat_byte(0xab)));
		assert_eq!(Settings::default().checkpoint(), None);
		for flags in
			[given(&[], &hash), given(&["ws://relay:1"], "0xab"), given(&["ws://a:1"], "0xzz")]
		{
			let error = flags.settings().unwrap_err().to_string();
			assert!(error.contains("relay-checkpoint"), "{error}");
		}
	}

	#[test]
	fn attestation_uses_the_same_machine_and_account() {
		let settings = settings("state-dir = '/s'\nsimulated-platform = 3", &[]).unwrap();
		let attestation = settings.attestation();
		assert_eq!(attestation.state_dir, PathBuf::from("/s"));
		assert_eq!(attestation.simulated_platform, 3);
	}

	/// The development network allows this measurement.
	#[test]
	fn the_simulated_program_is_the_one_that_development_chains_allow() {
		use phala_runtime::constants::attestation::DEVELOPMENT_GATEKEEPERS;
		for (kind, measurement) in
			[SimulatedTee::Sgx, SimulatedTee::Tdx].into_iter().zip(DEVELOPMENT_GATEKEEPERS)
		{
			let settings =
				Settings { tee: TeeKind::Simulated, simulated_tee: kind, ..Settings::default() };
			let evidence = tee::quote(&*settings.provider().unwrap(), &[0; 64]).unwrap();
			assert_eq!(evidence.measurement, measurement);
		}
	}
}
