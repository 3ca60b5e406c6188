//! Configuration: flags, environment (`PHALA_WORKER_…`), a TOML file, defaults.

use crate::collateral::{Http, Pcs, PcsError, Source};
use clap::ValueEnum;
use phala_node_common::{
	chain::{Account, AccountError},
	config::{self, ConfigError},
	logging::LogFormat,
	seal::Sealer,
	tee::{self, QuoteProvider, Simulated, TeeError, TeeKind},
};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};

/// Prefix of the variables in the environment.
pub const PREFIX: &str = "PHALA_WORKER";
/// Name of the simulated program: gives its measurement.
pub const SIMULATED_PROGRAM: &str = "phala-worker";

/// Settings that decide about secrets. They come from the command line only, which the manifest of an
/// enclave fixes: a host that writes files and environment must not choose how keys are sealed.
const FLAG_ONLY: &[&str] = &["tee", "seal", "sealing-secret-file", "tsm-dir", "attestation-dir"];

/// How keys are sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SealKind {
	/// SGX: the image's key. TDX: the sealing secret if there is one, else memory. Simulated: plain.
	#[default]
	Auto,
	/// SGX key of this very image.
	SgxMrenclave,
	/// A secret from a file.
	Secret,
	/// A key in the TD's memory.
	Ram,
}

/// Which TEE the simulated one simulates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SimulatedTee {
	/// Intel SGX.
	Sgx,
	/// Intel TDX.
	#[default]
	Tdx,
}

/// When the benchmark runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BenchmarkWhen {
	/// If the chain has no score of this worker.
	#[default]
	Missing,
	/// Once at each start of the program, too.
	Start,
	/// Never.
	Never,
}

phala_node_common::settings! {
	/// Node to use: ws://… or wss://…. Several are tried in turn. Run your own: what it says is
	/// believed. [default: ws://127.0.0.1:9944]
	rpc_url: Vec<String> => Vec<String> = vec!["ws://127.0.0.1:9944".into()],
	/// File with the secret of the account that signs and pays. [default: operator.key in the state
	/// folder]
	key_file: Option<PathBuf> => Option<PathBuf> = None,
	/// Address of the operator, if the key file's account is only its proxy.
	operator: Option<String> => Option<String> = None,
	/// Folder for sealed keys and the note about the transaction under way.
	/// [default: /var/lib/phala-worker]
	state_dir: Option<PathBuf> => PathBuf = "/var/lib/phala-worker".into(),
	/// TEE to use; auto never chooses the simulated one. [default: auto]
	tee: Option<TeeKind> => TeeKind = TeeKind::Auto,
	/// How to seal keys. [default: auto]
	seal: Option<SealKind> => SealKind = SealKind::Auto,
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
	pccs_url: Option<String> => String = crate::collateral::INTEL_PCS.into(),
	/// Take any TLS certificate of the PCCS; what it serves is signed by Intel. [default: false]
	pccs_any_certificate: Option<bool> => bool = false,
	/// JSON file with collateral, in place of a service.
	collateral_file: Option<PathBuf> => Option<PathBuf> = None,
	/// Where clients reach this worker: scheme://host:port, published on chain.
	endpoint: Option<String> => Option<String> = None,
	/// When to run the benchmark. [default: missing]
	benchmark: Option<BenchmarkWhen> => BenchmarkWhen = BenchmarkWhen::Missing,
	/// Threads of the benchmark. [default: all that the process may use]
	threads: Option<usize> => Option<usize> = None,
	/// Seconds between two looks at the chain while nothing is to be done. [default: 30]
	poll_seconds: Option<u64> => u64 = 30,
	/// Serve Prometheus metrics at this address, for example 127.0.0.1:9620.
	metrics_address: Option<SocketAddr> => Option<SocketAddr> = None,
	/// How logs look. [default: text]
	log_format: Option<LogFormat> => LogFormat = LogFormat::Text,
	/// What is logged, as in RUST_LOG. [default: info]
	log: Option<String> => String = "info".into(),
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
	/// They cannot be read.
	#[error(transparent)]
	Config(#[from] ConfigError),
	/// The account.
	#[error(transparent)]
	Account(#[from] AccountError),
	/// The TEE.
	#[error(transparent)]
	Tee(#[from] TeeError),
	/// The collateral service.
	#[error(transparent)]
	Pcs(#[from] PcsError),
	/// They contradict each other.
	#[error("{0}")]
	Contradiction(&'static str),
}

impl Flags {
	/// The settings, with this process's environment.
	pub fn settings(&self) -> Result<Settings, SettingsError> {
		let mut flags = self.clone();
		// Every program of the host shares this one variable.
		flags.log = flags.log.or_else(|| std::env::var("RUST_LOG").ok());
		let environment = std::env::vars_os()
			.filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
		let settings: Settings =
			config::load(&flags, FLAG_ONLY, PREFIX, environment, self.config.as_deref())?;
		settings.check()?;
		Ok(settings)
	}
}

impl Settings {
	fn check(&self) -> Result<(), SettingsError> {
		let contradiction = |text| Err(SettingsError::Contradiction(text));
		if self.rpc_url.is_empty() {
			return contradiction("rpc-url is empty: give the address of a node");
		}
		if self.poll_seconds == 0 || self.threads == Some(0) {
			return contradiction("poll-seconds and threads must be at least 1");
		}
		if let Some(endpoint) = &self.endpoint {
			let bounded = phala_primitives::Endpoint::try_from(endpoint.clone().into_bytes()).ok();
			let statement = phala_primitives::EndpointStatement {
				worker: Default::default(),
				sequence: 0,
				endpoint: bounded.clone(),
			};
			if bounded.is_none() || !statement.is_plausible() {
				return contradiction(
					"endpoint must be scheme://host:port in at most 128 characters of ASCII",
				);
			}
		}
		Ok(())
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
		use phala_attestation::Tee::{Sgx, Tdx};
		let secret = || {
			self.sealing_secret_file
				.clone()
				.map(Sealer::Secret)
				.ok_or(SettingsError::Contradiction("seal = secret needs sealing-secret-file"))
		};
		match (self.seal, tee.tee(), tee.is_simulated()) {
			(SealKind::Secret, Sgx, false) => Err(SettingsError::Contradiction(
				"an enclave has a sealing key that its host does not know: choose seal = sgx-mrenclave",
			)),
			(SealKind::Secret, ..) => secret(),
			(SealKind::Auto, _, true) => Ok(Sealer::Plain(self.state_dir.clone())),
			(SealKind::Auto, Tdx, _) if self.sealing_secret_file.is_some() => secret(),
			(SealKind::Auto | SealKind::Ram, Tdx, _) => Ok(Sealer::Ram(self.state_dir.clone())),
			(SealKind::Auto | SealKind::SgxMrenclave, Sgx, _) => {
				Ok(Sealer::SgxMrenclave(self.attestation_dir.clone()))
			}
			(SealKind::SgxMrenclave, Tdx, _) => Err(SettingsError::Contradiction(
				"a TD has no SGX sealing key: choose seal = ram or secret",
			)),
			(SealKind::Ram, Sgx, _) => Err(SettingsError::Contradiction(
				"an enclave has no memory that outlives it: choose seal = sgx-mrenclave",
			)),
		}
	}

	/// Where collateral comes from.
	pub fn source(&self, tee: &dyn QuoteProvider) -> Result<Source, SettingsError> {
		if let Some(path) = &self.collateral_file {
			return Ok(Source::File(path.clone()));
		}
		if tee.is_simulated() {
			return Ok(Source::Simulated);
		}
		let http = Http::new(self.pccs_any_certificate);
		Ok(Source::Pcs(Box::new(Pcs::new(&self.pccs_url, http)?)))
	}

	/// The account that signs.
	pub fn account(&self) -> Result<Account, AccountError> {
		let default = || self.state_dir.join("operator.key");
		let account = Account::from_file(&self.key_file.clone().unwrap_or_else(default))?;
		match &self.operator {
			Some(operator) => account.proxy_of(operator),
			None => Ok(account),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn settings(text: &str) -> Result<Settings, String> {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("worker.toml");
		std::fs::write(&path, text).unwrap();
		let flags = Flags { config: Some(path), ..Flags::default() };
		flags.settings().map_err(|error| error.to_string())
	}

	#[test]
	fn defaults_are_usable_and_mistakes_named() {
		let defaults = settings("").unwrap();
		assert_eq!(defaults.tee, TeeKind::Auto);
		assert_eq!(defaults.rpc_url, ["ws://127.0.0.1:9944"]);
		for (text, part) in [
			("rpc-url = []", "rpc-url"),
			("poll-seconds = 0", "poll-seconds"),
			("endpoint = 'worker.example'", "scheme://"),
			("benchmark = 'sometimes'", "sometimes"),
			("tee = 'simulated'", "--tee"),
			("seal = 'secret'", "--seal"),
			("sealing-secret-file = '/known/to/the/host'", "--sealing-secret-file"),
			("attestation-dir = '/fake'", "--attestation-dir"),
			("sael = 'ram'", "sael"),
		] {
			let error = settings(text).unwrap_err();
			assert!(error.contains(part), "{error}");
		}
	}

	struct Fake(phala_attestation::Tee, bool);

	impl QuoteProvider for Fake {
		fn tee(&self) -> phala_attestation::Tee {
			self.0
		}
		fn is_simulated(&self) -> bool {
			self.1
		}
		fn raw_quote(&self, _: &[u8; 64]) -> Result<Vec<u8>, TeeError> {
			unreachable!("no quote is asked for")
		}
	}

	#[test]
	fn keys_of_a_real_tee_are_sealed_with_what_its_host_does_not_know() {
		use phala_attestation::Tee::{Sgx, Tdx};
		let of = |seal: SealKind, secret: bool, tee, simulated| {
			let flags = Flags {
				seal: Some(seal),
				sealing_secret_file: secret.then(|| "/s".into()),
				..Flags::default()
			};
			flags.settings().unwrap().sealer(&Fake(tee, simulated)).ok()
		};
		for seal in SealKind::value_variants() {
			for secret in [false, true] {
				for tee in [Sgx, Tdx] {
					let sealer = of(*seal, secret, tee, false);
					assert!(!matches!(sealer, Some(Sealer::Plain(_))), "{tee:?} {seal:?}");
					assert!(tee == Tdx || !matches!(sealer, Some(Sealer::Secret(_))), "{seal:?}");
				}
			}
		}
		let state: PathBuf = "/var/lib/phala-worker".into();
		let device: PathBuf = "/dev/attestation".into();
		use SealKind::{Auto, Ram, Secret, SgxMrenclave};
		assert_eq!(of(Auto, false, Sgx, false), Some(Sealer::SgxMrenclave(device.clone())));
		assert_eq!(of(Auto, true, Sgx, false), Some(Sealer::SgxMrenclave(device.clone())));
		assert_eq!(of(SgxMrenclave, false, Sgx, false), Some(Sealer::SgxMrenclave(device)));
		assert_eq!(of(Auto, false, Tdx, false), Some(Sealer::Ram(state.clone())));
		assert_eq!(of(Auto, true, Tdx, false), Some(Sealer::Secret("/s".into())));
		assert_eq!(of(Auto, false, Tdx, true), Some(Sealer::Plain(state)));
		assert_eq!(of(SgxMrenclave, false, Tdx, false), None);
		assert_eq!(of(Ram, false, Sgx, false), None);
		assert_eq!(of(Secret, false, Tdx, false), None);
	}

	#[test]
	fn collateral_comes_from_the_nearest_source() {
		use phala_attestation::Tee::Tdx;
		let of = |text, simulated| settings(text).unwrap().source(&Fake(Tdx, simulated));
		assert!(matches!(of("", true), Ok(Source::Simulated)));
		assert!(matches!(of("collateral-file = '/c'", true), Ok(Source::File(_))));
		let Ok(Source::Pcs(pcs)) = of("", false) else { panic!("Intel's") };
		assert_eq!(pcs.url(), "https://api.trustedservices.intel.com");
		assert!(of("pccs-url = 'pccs'", false).is_err());
	}
}
