//! The chains that the node knows by name.

use polkadot_omni_node_lib::{
	chain_spec::{ChainSpec, Extensions, GenericChainSpec, LoadSpec},
	runtime::{AuraConsensusId, BlockNumber, Consensus, Runtime, RuntimeResolver},
};
use sp_core::storage::Storage;
use std::path::Path;

/// Id of the parachain on its relay chain, as in the genesis presets.
const PARA_ID: u32 = 2035;

/// A chain that this program can build a specification of.
struct Known {
	id: &'static str,
	what: &'static str,
	build: fn() -> Result<GenericChainSpec, String>,
}

const KNOWN: &[Known] = &[
	Known { id: "dev", what: "one node alone, as with --dev", build: dev },
	Known { id: "local", what: "two collators under a local relay chain", build: local },
	Known { id: "live", what: "a template for a network of your own", build: live },
];

fn dev() -> Result<GenericChainSpec, String> {
	development_chain("Phala Development", "phala-dev", sp_genesis_builder::DEV_RUNTIME_PRESET)
}

fn local() -> Result<GenericChainSpec, String> {
	development_chain(
		"Phala Local",
		"phala-local",
		sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
	)
}

fn development_chain(name: &str, id: &str, preset: &str) -> Result<GenericChainSpec, String> {
	let chain_type = if preset == sp_genesis_builder::DEV_RUNTIME_PRESET {
		sc_chain_spec::ChainType::Development
	} else {
		sc_chain_spec::ChainType::Local
	};
	chain(phala_runtime_wasm::development(), name, id, "westend-local", preset, chain_type)
}

fn live() -> Result<GenericChainSpec, String> {
	chain(
		phala_runtime_wasm::live(),
		"Phala",
		"phala",
		"polkadot",
		"live",
		sc_chain_spec::ChainType::Live,
	)
}

fn chain(
	wasm: Option<&'static [u8]>,
	name: &str,
	id: &str,
	relay_chain: &str,
	preset: &str,
	chain_type: sc_chain_spec::ChainType,
) -> Result<GenericChainSpec, String> {
	let wasm = wasm.ok_or(
		"this program was built with SKIP_WASM_BUILD and has no runtime: build it again without, or \
		give a chain specification file",
	)?;
	let mut properties = sc_chain_spec::Properties::new();
	properties.insert("tokenSymbol".into(), "PHA".into());
	properties.insert("tokenDecimals".into(), 12.into());
	properties.insert("ss58Format".into(), 30.into());
	let spec = GenericChainSpec::builder(wasm, Extensions::new(relay_chain.into(), PARA_ID))
		.with_name(name)
		.with_id(id)
		.with_protocol_id(id)
		.with_chain_type(chain_type)
		.with_properties(properties)
		.with_genesis_config_preset_name(preset)
		.build();
	Ok(spec)
}

/// Loads a chain by its name, or from a JSON file.
#[derive(Default)]
pub struct Chains {
	/// The chain that this process runs, and its genesis state.
	genesis: Option<(String, Storage)>,
}

impl Chains {
	/// For a node that runs the chain `id`. Its parts ask for the genesis state several times, and to
	/// build one means to compile the runtime: it is built here, once.
	pub fn running(id: String) -> Result<Self, String> {
		let storage = load(&id)?.build_storage()?;
		Ok(Self { genesis: Some((id, storage)) })
	}
}

impl LoadSpec for Chains {
	fn load_spec(&self, id: &str) -> Result<Box<dyn ChainSpec>, String> {
		let mut spec = load(id)?;
		if let Some((_, storage)) = self.genesis.as_ref().filter(|(of, _)| of == id) {
			spec.set_storage(storage.clone());
		}
		Ok(spec)
	}
}

/// What every chain of this node has in common, so that nothing has to be compiled to find it out.
pub struct PhalaRuntime;

impl RuntimeResolver for PhalaRuntime {
	fn runtime(&self, _: &dyn ChainSpec) -> sc_cli::Result<Runtime> {
		Ok(Runtime::Omni(BlockNumber::U32, Consensus::Aura(AuraConsensusId::Sr25519)))
	}
}

fn load(id: &str) -> Result<Box<dyn ChainSpec>, String> {
	if let Some(known) = KNOWN.iter().find(|known| known.id == id) {
		return Ok(Box::new((known.build)()?));
	}
	let problem = match id {
		"" => "no chain was named".into(),
		file if !Path::new(file).exists() => {
			format!("`{file}` is neither a known chain nor a file")
		}
		file => {
			return GenericChainSpec::from_json_file(file.into())
				.map(|spec| Box::new(spec) as Box<dyn ChainSpec>)
				.map_err(|error| {
					format!("{file} is not a chain specification of this node: {error}")
				});
		}
	};
	let known = KNOWN
		.iter()
		.map(|known| format!("\n  --chain {:<6} {}", known.id, known.what))
		.collect::<String>();
	Err(format!(
		"{problem}. Known chains are:{known}\n  --chain FILE   a chain specification in JSON"
	))
}

#[cfg(test)]
mod tests {
	use super::*;

	/// The error of a chain that cannot be loaded.
	fn refused(id: &str) -> String {
		match load(id) {
			Ok(spec) => panic!("`{id}` loads {}", spec.name()),
			Err(error) => error,
		}
	}

	#[test]
	fn unknown_chain_lists_the_known_ones() {
		let error = refused("phalla");
		assert!(error.contains("`phalla` is neither a known chain nor a file"), "{error}");
		for known in KNOWN {
			assert!(error.contains(&format!("--chain {}", known.id)), "{error}");
		}
	}

	#[test]
	fn no_chain_is_an_error_that_lists_the_known_ones() {
		let error = refused("");
		assert!(error.contains("no chain was named") && error.contains("--chain dev"), "{error}");
	}

	#[test]
	fn a_file_that_is_no_specification_is_named() {
		let error = refused("Cargo.toml");
		assert!(error.contains("Cargo.toml is not a chain specification"), "{error}");
	}

	#[test]
	fn development_chains_build_a_genesis() {
		for id in ["dev", "local"] {
			let spec = load(id).expect("it is known");
			let storage = spec.build_storage().expect("the preset is sound");
			assert!(storage.top.contains_key(b":code".as_slice()));
			assert_eq!(Extensions::try_get(&*spec).and_then(Extensions::para_id), Some(PARA_ID));
		}
	}

	#[test]
	fn a_running_chain_has_the_genesis_of_its_specification_and_others_have_theirs() {
		let chains = Chains::running("dev".into()).expect("it is known");
		for id in ["dev", "local"] {
			let [built, plain] = [chains.load_spec(id), load(id)].map(|spec| {
				spec.and_then(|spec| spec.build_storage()).expect("the preset is sound").top
			});
			assert!(built == plain, "{id}");
		}
	}

	#[test]
	fn live_template_refuses_to_start_before_it_is_completed() {
		let spec = load("live").expect("it is known");
		let error = spec.build_storage().expect_err("it has no holders and no collators");
		assert!(error.contains("0 plancks can vote"), "{error}");
	}

	#[test]
	fn live_genesis_with_a_well_known_key_is_refused() {
		let spec = load("live").expect("it is known");
		let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		let mut json: serde_json::Value =
			serde_json::from_str(&spec.as_json(false).expect("it serialises")).expect("it is JSON");
		let patch = &mut json["genesis"]["runtimeGenesis"]["patch"];
		// Ten million of the treasury's 299,999,999.99 PHA; 64 bits are too few for plancks.
		let plancks = |plancks: &str| serde_json::from_str(plancks).expect("a number");
		let balances = &mut patch["balances"]["balances"];
		balances[2][1] = plancks("289999999990000000000");
		let alices = serde_json::json!([alice, plancks("10000000000000000000")]);
		balances.as_array_mut().expect("a list").push(alices);
		patch["collatorSelection"]["invulnerables"] = serde_json::json!([alice]);
		patch["session"]["keys"] = serde_json::json!([[alice, alice, { "aura": alice }]]);
		let spec: Box<dyn ChainSpec> = Box::new(
			GenericChainSpec::from_json_bytes(json.to_string().into_bytes())
				.expect("it is a specification"),
		);
		let error = spec.build_storage().expect_err("everybody has that key");
		assert!(error.contains("well-known development key"), "{error}");
	}
}
