//! A relay-chain node that knows `westend-dev` and `westend-local`.

// Links the allocator that official builds use.
#[cfg(target_os = "linux")]
extern crate polkadot_jemalloc_shim;

fn main() -> color_eyre::eyre::Result<()> {
	color_eyre::install()?;
	polkadot_cli::run()?;
	Ok(())
}
