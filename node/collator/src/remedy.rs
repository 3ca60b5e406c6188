//! What to do about errors that operators meet.

/// Parts of an error's text, and the remedy for it.
const REMEDIES: &[(&[&str], &str)] = &[
	(
		&["address already in use", "addrinuse", "already in use"],
		"another program, perhaps another node, uses the port: stop it, or choose others with \
		--port, --rpc-port and --prometheus-port (those of the relay-chain side come after `--`)",
	),
	(
		&[
			"relay chain argument error: invalid input: error opening spec file",
			"native runtime no longer part of the node",
			"-native` feature",
		],
		"this program has no such relay chain built in: name its specification after `--`, as in \
		`-- --chain relay-chain.json`, or use a relay-chain node with --relay-chain-rpc-urls; \
		purge-chain takes neither: delete `db` and `paritydb` in chains/… of the base path instead",
	),
	(
		&["<node_binary> key generate-node-key"],
		"make the node's key once with `phala-node key generate-node-key --chain … --base-path …`: \
		this program has no default chain, so it wants --chain in each of these commands",
	),
	(
		&["compilation feature missing"],
		"this program has `benchmark block` and `benchmark machine`; scripts/bench measures pallets, \
		with frame-omni-bencher",
	),
	(
		&["is of another chain", "genesis mismatch"],
		"check --chain and --base-path; if the data is of a chain that is no more, remove it with \
		`phala-node purge-chain`, or delete `db` and `paritydb` in chains/… of the base path where \
		that command does not know the relay chain",
	),
	(
		&["resource temporarily unavailable", "while lock file"],
		"another node uses this base path: stop it, or choose another with --base-path",
	),
];

/// The remedy for an error, where one is known.
pub fn of(error: &sc_cli::Error) -> Option<&'static str> {
	let text = format!("{error} {error:?}").to_lowercase();
	REMEDIES
		.iter()
		.find(|(parts, _)| parts.iter().any(|part| text.contains(part)))
		.map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::PhalaNode;
	use clap::CommandFactory;
	use polkadot_omni_node_lib::cli::Cli;

	/// Were it otherwise, the remedies would say so.
	#[test]
	fn purge_chain_takes_no_relay_chain() {
		let parse = |words: &[&str]| {
			let command = <Cli<PhalaNode> as CommandFactory>::command().version("of the node");
			command.try_get_matches_from(words).is_ok()
		};
		let purge = ["phala-node", "purge-chain", "-y", "--chain", "dev"];
		assert!(parse(&purge));
		assert!(!parse(&[&purge[..], &["--", "--chain", "relay-chain.json"]].concat()));
	}

	#[test]
	fn errors_of_the_sdk_have_their_remedies() {
		let cases = [
			("Relay chain argument error: Invalid input: Error opening spec file", "-- --chain"),
			(
				"`polkadot-local` is not supported anymore as the polkadot native runtime no longer part of the node",
				"-- --chain",
			),
			("the data in /data is of another chain", "purge-chain"),
			(
				"Benchmarking sub-command unsupported or compilation feature missing",
				"scripts/bench",
			),
			("While lock file: db/full/LOCK: Resource temporarily unavailable", "--base-path"),
		];
		for (text, remedy) in cases {
			let found = of(&sc_cli::Error::Input(text.into())).expect("there is one");
			assert!(found.contains(remedy), "{text}: {found}");
		}
		let no_key = sc_cli::Error::NetworkKeyNotFound("/base".into());
		assert!(of(&no_key).expect("there is one").contains("--chain"));
		let io = std::io::Error::from(std::io::ErrorKind::AddrInUse);
		assert!(of(&io.into()).expect("there is one").contains("--rpc-port"));
		for other in ["something else", "Relay chain argument error: invalid value for --port"] {
			assert_eq!(of(&sc_cli::Error::Input(other.into())), None);
		}
	}
}
