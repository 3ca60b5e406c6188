//! The command writes what the library issues, and says what is wrong with its arguments.

mod common;

use common::oracle;
use phala_dev_pki::{
	Case, Collateral, Mutation, NOW, Pki, QuoteKind, TcbStatus, Variant, Verdict, case,
	development_root_der,
};
use std::{
	fs,
	path::Path,
	process::{Command, Output},
};

fn run(args: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_phala-dev-pki")).args(args).output().unwrap()
}

fn stdout(args: &[&str]) -> Vec<u8> {
	let output = run(args);
	assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
	output.stdout
}

fn failure(args: &[&str]) -> String {
	let output = run(args);
	assert!(!output.status.success(), "{args:?} succeeds");
	assert!(output.stdout.is_empty(), "{args:?} writes to stdout");
	String::from_utf8(output.stderr).unwrap()
}

fn read_case(folder: &Path) -> Case {
	let read = |name: &str| fs::read(folder.join(name)).unwrap();
	let collateral = |json: Vec<u8>| serde_json::from_slice::<Collateral>(&json).unwrap();
	Case {
		quote: read("quote.bin"),
		collateral: collateral(read("collateral.json")),
		root_der: read("root.der"),
		now: String::from_utf8(read("now")).unwrap().trim().parse().unwrap(),
		stored: folder.join("stored.json").exists().then(|| collateral(read("stored.json"))),
	}
}

#[test]
fn root_is_written_in_both_encodings() {
	assert_eq!(stdout(&["root", "--format", "der"]), development_root_der());
	let pem = Pki::development().root_pem().unwrap();
	assert_eq!(stdout(&["root"]), pem.as_bytes());
	let seed = "42".repeat(32);
	assert_ne!(stdout(&["root", "--seed", &seed]), pem.as_bytes());
}

#[test]
fn root_collateral_and_quote_belong_together() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("quote");
	let seed = "07".repeat(32);
	let machine =
		["--seed", &seed, "--platform", "9", "--fmspc", "0102030405ff", "--ca", "processor"];
	let with = |args: &[&'static str]| -> Vec<String> {
		args.iter().copied().chain(machine).map(String::from).collect()
	};
	let call = |args: Vec<String>| stdout(&args.iter().map(String::as_str).collect::<Vec<_>>());

	let now = NOW.to_string();
	let mut args = with(&["collateral", "--tee", "sgx", "--status", "ConfigurationNeeded"]);
	args.extend(["--advisory", "INTEL-SA-1", "--advisory", "INTEL-SA-2"].map(String::from));
	args.extend(
		["--evaluation-number", "33", "--crl-number", "70000", "--now", &now].map(String::from),
	);
	let collateral: Collateral = serde_json::from_slice(&call(args)).unwrap();
	assert!(collateral.tcb_info.contains("\"tcbEvaluationDataNumber\":33"));
	assert!(collateral.qe_identity.contains("\"tcbEvaluationDataNumber\":33"));

	let quote = with(&["quote", "--kind", "sgx-v3", "--report-data", "c0ffee"]);
	let hex = String::from_utf8(call(quote.clone())).unwrap();
	let to_file = [quote, vec!["--out".into(), file.to_str().unwrap().into()]].concat();
	assert!(call(to_file).is_empty());
	let quote = fs::read(&file).unwrap();
	assert_eq!(hex.trim(), hex::encode(&quote));
	assert_eq!(quote[48 + 320..][..4], [0xC0, 0xFF, 0xEE, 0]);

	let case = Case {
		quote,
		collateral,
		root_der: stdout(&["root", "--seed", &seed, "--format", "der"]),
		now: NOW,
		stored: None,
	};
	let advisories = ["INTEL-SA-1", "INTEL-SA-2"];
	assert_eq!(oracle(&case), Ok(Verdict::new(TcbStatus::ConfigurationNeeded, &advisories)));
}

#[test]
fn collateral_is_valid_now_by_default() {
	let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
	let collateral = stdout(&["collateral", "--tee", "tdx"]);
	let quote = stdout(&["quote", "--kind", "tdx-v4", "--report-data", ""]);
	let case = Case {
		quote: hex::decode(quote.trim_ascii()).unwrap(),
		collateral: serde_json::from_slice(&collateral).unwrap(),
		root_der: development_root_der().to_vec(),
		now,
		stored: None,
	};
	assert_eq!(oracle(&case), Ok(Verdict::new(TcbStatus::UpToDate, &[])));
}

#[test]
fn debug_and_program_change_the_quote() {
	let quote = |more: &[&str]| {
		stdout(&[&["quote", "--kind", "tdx-v5-td15ex", "--report-data", "00"], more].concat())
	};
	assert_eq!(quote(&[]), quote(&["--program", "development", "--platform", "0"]));
	assert_ne!(quote(&[]), quote(&["--debug"]));
	assert_ne!(quote(&[]), quote(&["--program", "other"]));
	assert_ne!(quote(&[]), quote(&["--platform", "1"]));
}

#[test]
fn cases_are_the_librarys() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().join("new/folder");
	let out_arg = out.to_str().unwrap();

	stdout(&["case", "lower-evaluation-number", "--out", out_arg]);
	assert_eq!(read_case(&out), case(Mutation::LowerEvaluationNumber, 0));
	// The next case leaves nothing of the last one.
	stdout(&["case", "td-debug", "--kind", "tdx-v5-td15", "--platform", "4", "--out", out_arg]);
	assert_eq!(Some(read_case(&out)), Mutation::TdDebug.case_on(QuoteKind::TdxV5Td15, 4));
	stdout(&["case", "sw-hardening-needed", "--out", out_arg]);
	assert_eq!(Some(read_case(&out)), Variant::SwHardeningNeeded.case_on(QuoteKind::SgxV3, 0));
}

#[test]
fn the_list_has_every_case() {
	let list = String::from_utf8(stdout(&["case", "--list"])).unwrap();
	let names: Vec<_> = list.lines().filter_map(|line| line.split(' ').next()).collect();
	let variants = Variant::ALL.iter().map(|variant| variant.name());
	let all: Vec<_> = variants.chain(Mutation::ALL.iter().map(|m| m.name())).collect();
	assert_eq!(names, all);
}

#[test]
fn errors_name_cause_and_remedy() {
	for (args, message) in [
		(
			&["case", "nonsense"][..],
			"there is no case \"nonsense\": see `phala-dev-pki case --list`",
		),
		(&["case", "sgx-debug", "--kind", "tdx-v4"], "applies to sgx-v3 only"),
		(&["case", "sgx-debug", "--out", "/dev/null/x"], "cannot write /dev/null/x"),
		(&["case"], "required arguments were not provided"),
		(&["quote", "--kind", "sgx-v4", "--report-data", ""], "possible values: sgx-v3, tdx-v4"),
		(&["quote", "--kind", "sgx-v3", "--report-data", "0"], "Odd number of digits"),
		(&["collateral", "--tee", "sev"], "possible values: sgx, tdx"),
		(&["collateral", "--tee", "sgx", "--fmspc", "00"], "1 bytes instead of 6"),
		(&["collateral", "--tee", "sgx", "--now", "999999999999999"], "beyond the year 9999"),
		(&["root", "--seed", "00"], "1 bytes instead of 32"),
	] {
		let stderr = failure(args);
		assert!(stderr.contains(message), "{args:?}: {stderr}");
	}
	let long = "00".repeat(65);
	assert!(failure(&["quote", "--kind", "sgx-v3", "--report-data", &long]).contains("at most 64"));
}
