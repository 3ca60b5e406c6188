//! Arguments and commands.

use clap::{
	Args, Parser, Subcommand, ValueEnum,
	builder::{PossibleValuesParser, TypedValueParser},
};
use phala_dev_pki::{
	CaKind, Case, CollateralOptions, DEVELOPMENT_SEED, Error, Mutation, Pki, Platform, QuoteKind,
	QuoteRequest, TcbStatus, Tee, Validity, Variant,
};
use std::{
	fmt, fs, io,
	io::Write,
	path::{Path, PathBuf},
	str::FromStr,
	time::SystemTime,
};
use strum::VariantArray;

/// Development PKI and software quoting enclave: attestation material that proves nothing.
#[derive(Parser)]
#[command(version)]
pub struct Cli {
	#[command(subcommand)]
	command: Command,
}

#[derive(Subcommand)]
enum Command {
	/// Writes the root certificate.
	Root {
		/// Encoding.
		#[arg(long, value_enum, default_value_t = Format::Pem)]
		format: Format,
		#[command(flatten)]
		pki: PkiArgs,
		#[command(flatten)]
		output: Output,
	},
	/// Writes collateral as JSON, in the shape of dcap-qvl's `QuoteCollateralV3`.
	Collateral {
		/// The TEE whose quotes it is for.
		#[arg(long, value_parser = one_of::<Tee>())]
		tee: Tee,
		/// Time of issue in Unix seconds; default: now. Valid from a day before to 29 days after.
		#[arg(long)]
		now: Option<u64>,
		/// Status of the highest TCB level, by Intel's name.
		#[arg(long, default_value_t = TcbStatus::UpToDate, value_parser = one_of::<TcbStatus>())]
		status: TcbStatus,
		/// Advisory of the highest TCB level; may be repeated.
		#[arg(long = "advisory", value_name = "ID")]
		advisories: Vec<String>,
		/// Evaluation number of TCB info and QE identity.
		#[arg(long, default_value_t = 20)]
		evaluation_number: u32,
		/// Number of both CRLs.
		#[arg(long, default_value_t = 1)]
		crl_number: u64,
		#[command(flatten)]
		platform: PlatformArgs,
		#[command(flatten)]
		pki: PkiArgs,
		#[command(flatten)]
		output: Output,
	},
	/// Writes a quote: raw into a file, in hex to the terminal.
	Quote {
		/// Format of the quote.
		#[arg(long, value_parser = one_of::<QuoteKind>())]
		kind: QuoteKind,
		/// Report data in hex, at most 64 bytes; zeros are appended.
		#[arg(long, value_parser = report_data)]
		report_data: Hex<64>,
		/// Name from which the measurements are derived.
		#[arg(long, default_value = "development")]
		program: String,
		/// Debug mode.
		#[arg(long)]
		debug: bool,
		#[command(flatten)]
		platform: PlatformArgs,
		#[command(flatten)]
		pki: PkiArgs,
		#[command(flatten)]
		output: Output,
	},
	/// Writes a case of the negative suite, or a valid variant, of the development PKI.
	Case {
		/// Name of the case; `--list` has them all.
		#[arg(required_unless_present = "list")]
		name: Option<String>,
		/// Lists all cases: whether they are valid, kinds of quotes, meaning.
		#[arg(long)]
		list: bool,
		/// Format of the quote; default: the first to which the case applies.
		#[arg(long, value_parser = one_of::<QuoteKind>())]
		kind: Option<QuoteKind>,
		/// Number of the platform.
		#[arg(long, default_value_t = 0)]
		platform: u64,
		/// Folder for quote.bin, collateral.json, root.der, now (Unix seconds) and, if a registry
		/// must hold collateral before, stored.json.
		#[arg(long, default_value = ".")]
		out: PathBuf,
	},
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
	Der,
	Pem,
}

#[derive(Args)]
struct PkiArgs {
	/// Seed of the PKI, 32 bytes in hex; default: the well-known development seed.
	#[arg(long, value_parser = hex_array::<32>)]
	seed: Option<[u8; 32]>,
}

impl PkiArgs {
	fn pki(&self) -> Result<Pki, Error> {
		Pki::from_seed(self.seed.unwrap_or(DEVELOPMENT_SEED), Validity::DEVELOPMENT)
	}
}

#[derive(Args)]
struct PlatformArgs {
	/// Number of the platform: another number is another machine.
	#[arg(long, default_value_t = 0)]
	platform: u64,
	/// FMSPC, 6 bytes in hex.
	#[arg(long, value_parser = hex_array::<6>)]
	fmspc: Option<[u8; 6]>,
	/// Issuer of the PCK certificate.
	#[arg(long, default_value_t = CaKind::Platform, value_parser = one_of::<CaKind>())]
	ca: CaKind,
}

impl PlatformArgs {
	fn platform(&self) -> Platform {
		let mut platform = Platform::development(self.platform);
		platform.fmspc = self.fmspc.unwrap_or(platform.fmspc);
		platform.ca = self.ca;
		platform
	}
}

#[derive(Args)]
struct Output {
	/// File to write; default: the terminal.
	#[arg(long)]
	out: Option<PathBuf>,
}

impl Output {
	fn write(&self, content: &[u8]) -> Result<(), Failure> {
		match &self.out {
			Some(path) => write(path, content),
			None => io::stdout()
				.write_all(content)
				.map_err(|error| Failure::Write("the terminal".into(), error)),
		}
	}
}

/// Why a command failed.
pub enum Failure {
	Issue(Error),
	Write(PathBuf, io::Error),
	UnknownCase(String),
	OtherKind { name: &'static str, kinds: &'static [QuoteKind] },
}

impl fmt::Display for Failure {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Issue(error) => error.fmt(f),
			Self::Write(path, error) => {
				write!(f, "cannot write {}: {error}", path.display())
			}
			Self::UnknownCase(name) => {
				write!(f, "there is no case {name:?}: see `phala-dev-pki case --list`")
			}
			Self::OtherKind { name, kinds } => {
				write!(f, "{name} applies to {} only: choose one of them with --kind", list(kinds))
			}
		}
	}
}

impl From<Error> for Failure {
	fn from(error: Error) -> Self {
		Self::Issue(error)
	}
}

impl Cli {
	/// Runs the command.
	pub fn run(self) -> Result<(), Failure> {
		match self.command {
			Command::Root { format, pki, output } => match format {
				Format::Der => output.write(&pki.pki()?.root_der()?),
				Format::Pem => output.write(pki.pki()?.root_pem()?.as_bytes()),
			},
			Command::Collateral {
				tee,
				now,
				status,
				advisories,
				evaluation_number,
				crl_number,
				platform,
				pki,
				output,
			} => {
				let mut options = CollateralOptions::for_platform(&platform.platform(), tee);
				let level = &mut options.tcb_info.tcb_levels[0];
				(level.tcb_status, level.advisory_ids) = (status, advisories);
				options.tcb_info.tcb_evaluation_data_number = evaluation_number;
				options.qe_identity.tcb_evaluation_data_number = evaluation_number;
				options.root_ca_crl.number = Some(crl_number);
				options.pck_crl.number = Some(crl_number);
				let collateral =
					pki.pki()?.issue_collateral(now.unwrap_or_else(clock), &options)?;
				output.write(json(&collateral).as_bytes())
			}
			Command::Quote { kind, report_data, program, debug, platform, pki, output } => {
				let request = QuoteRequest::new(kind, report_data.0).program(&program).debug(debug);
				let quote = pki.pki()?.quoting_enclave(&platform.platform())?.quote(&request);
				match output.out {
					Some(_) => output.write(&quote),
					None => output.write(format!("{}\n", hex::encode(quote)).as_bytes()),
				}
			}
			Command::Case { list: true, .. } => Output { out: None }.write(catalogue().as_bytes()),
			Command::Case { name, kind, platform, out, .. } => {
				let case = find_case(&name.unwrap_or_default(), kind, platform)?;
				write_case(&out, &case)
			}
		}
	}
}

fn find_case(name: &str, kind: Option<QuoteKind>, platform: u64) -> Result<Case, Failure> {
	let (case, name, kinds) = if let Ok(mutation) = name.parse::<Mutation>() {
		let kind = kind.unwrap_or(mutation.kinds()[0]);
		(mutation.case_on(kind, platform), mutation.name(), mutation.kinds())
	} else if let Ok(variant) = name.parse::<Variant>() {
		let kind = kind.unwrap_or(variant.kinds()[0]);
		(variant.case_on(kind, platform), variant.name(), variant.kinds())
	} else {
		return Err(Failure::UnknownCase(name.into()));
	};
	case.ok_or(Failure::OtherKind { name, kinds })
}

fn write_case(folder: &Path, case: &Case) -> Result<(), Failure> {
	fs::create_dir_all(folder).map_err(|error| Failure::Write(folder.into(), error))?;
	write(&folder.join("quote.bin"), &case.quote)?;
	write(&folder.join("collateral.json"), json(&case.collateral).as_bytes())?;
	write(&folder.join("root.der"), &case.root_der)?;
	write(&folder.join("now"), format!("{}\n", case.now).as_bytes())?;
	let stored = folder.join("stored.json");
	match &case.stored {
		Some(collateral) => write(&stored, json(collateral).as_bytes()),
		// A file of an earlier case would belong to none.
		None if stored.exists() => {
			fs::remove_file(&stored).map_err(|error| Failure::Write(stored, error))
		}
		None => Ok(()),
	}
}

fn catalogue() -> String {
	let row = |name, valid, kinds, description: &str| {
		let description = description.replace('\n', " ");
		format!("{name:42} {valid:7} {description} ({})\n", list(kinds))
	};
	let variants = Variant::ALL.iter().map(|v| row(v.name(), "valid", v.kinds(), v.description()));
	let mutations =
		Mutation::ALL.iter().map(|m| row(m.name(), "invalid", m.kinds(), m.description()));
	variants.chain(mutations).collect()
}

fn list(kinds: &[QuoteKind]) -> String {
	if kinds.len() == QuoteKind::ALL.len() {
		return "all kinds".into();
	}
	kinds.iter().map(QuoteKind::to_string).collect::<Vec<_>>().join(", ")
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
	fs::write(path, content).map_err(|error| Failure::Write(path.into(), error))
}

fn json(collateral: &phala_dev_pki::Collateral) -> String {
	let json = serde_json::to_string_pretty(collateral);
	json.expect("strings serialise") + "\n"
}

fn clock() -> u64 {
	SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// A parser that knows, and tells, all names.
fn one_of<T>() -> impl TypedValueParser<Value = T>
where
	T: VariantArray + Copy + Into<&'static str> + FromStr<Err: fmt::Debug> + Send + Sync,
{
	PossibleValuesParser::new(T::VARIANTS.iter().map(|&value| value.into()))
		.map(|name| name.parse().expect("strum parses the names that it writes"))
}

/// A clap value; a bare array would be taken for a list.
#[derive(Clone)]
struct Hex<const N: usize>([u8; N]);

fn hex_array<const N: usize>(text: &str) -> Result<[u8; N], String> {
	let bytes = hex::decode(text).map_err(|error| error.to_string())?;
	bytes.try_into().map_err(|bytes: Vec<_>| format!("{} bytes instead of {N}", bytes.len()))
}

fn report_data(text: &str) -> Result<Hex<64>, String> {
	let bytes = hex::decode(text).map_err(|error| error.to_string())?;
	let mut padded = [0; 64];
	padded
		.get_mut(..bytes.len())
		.ok_or_else(|| format!("{} bytes; report data has at most 64", bytes.len()))?
		.copy_from_slice(&bytes);
	Ok(Hex(padded))
}
