//! Writes what the benchmarks run on: `cargo run -p pallet-worker-registry --example fixtures`.

#[path = "../fixtures/generate.rs"]
mod generate;

fn main() -> std::io::Result<()> {
	let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
	for (name, bytes) in generate::all() {
		std::fs::write(folder.join(&name), &bytes)?;
		println!("{:>6} bytes  {name}", bytes.len());
	}
	Ok(())
}
