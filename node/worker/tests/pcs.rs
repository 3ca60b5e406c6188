//! Fetching collateral from a service on this machine that serves what Intel's would.

use phala_attestation::{PckCaKind, Tee};
use phala_dev_pki::{Collateral, CollateralOptions, Pki, Platform};
use phala_worker::{
	collateral::{self, Fetched, Held, Http, Need, Numbers, Pcs, PcsError, Source, Subject},
	journal::Item,
};
use std::{collections::HashMap, fmt::Write as _};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpListener,
};

const NOW: u64 = 1_800_000_000;
const SUBJECT: Subject =
	Subject { tee: Tee::Tdx, fmspc: [0xDE, 0x50, 0x6F, 0, 0, 0], ca: PckCaKind::Platform };
const TCB: &str = "/tdx/certification/v4/tcb?fmspc=de506f000000";
const QE: &str = "/tdx/certification/v4/qe/identity";
const CRL: &str = "/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
const ROOT_CRL: &str = "/sgx/certification/v4/rootcacrl";

#[derive(Clone)]
struct Answer {
	status: u16,
	header: Option<(&'static str, String)>,
	body: Vec<u8>,
}

type Answers = HashMap<String, Answer>;

fn issued() -> Collateral {
	numbered(20)
}

/// With documents of this evaluation number.
fn numbered(number: u32) -> Collateral {
	let platform = Platform::development(0);
	let mut options = CollateralOptions::for_platform(&platform, phala_dev_pki::Tee::Tdx);
	options.tcb_info.tcb_evaluation_data_number = number;
	options.qe_identity.tcb_evaluation_data_number = number;
	Pki::development().issue_collateral(NOW, &options).unwrap()
}

/// As in a header: everything but letters and digits is encoded.
fn percent_encode(text: &str) -> String {
	text.bytes().fold(String::new(), |mut encoded, byte| {
		if byte.is_ascii_alphanumeric() {
			encoded.push(byte.into());
		} else {
			write!(encoded, "%{byte:02X}").unwrap();
		}
		encoded
	})
}

fn ok(header: Option<(&'static str, &str)>, body: Vec<u8>) -> Answer {
	let header = header.map(|(name, chain)| (name, percent_encode(chain)));
	Answer { status: 200, header, body }
}

/// TCB info and QE identity.
fn documents(collateral: &Collateral) -> [Answer; 2] {
	let signed = |name: &str, json: &str, signature: &[u8]| {
		format!("{{\"{name}\":{json},\"signature\":\"{}\"}}", hex::encode(signature)).into_bytes()
	};
	[
		ok(
			Some(("TCB-Info-Issuer-Chain", &collateral.tcb_info_issuer_chain)),
			signed("tcbInfo", &collateral.tcb_info, &collateral.tcb_info_signature),
		),
		ok(
			Some(("SGX-Enclave-Identity-Issuer-Chain", &collateral.qe_identity_issuer_chain)),
			signed("enclaveIdentity", &collateral.qe_identity, &collateral.qe_identity_signature),
		),
	]
}

/// Where documents are asked for with a parameter.
fn asked(parameter: &str) -> [String; 2] {
	[format!("{TCB}&{parameter}"), format!("{QE}?{parameter}")]
}

fn answers() -> Answers {
	let collateral = issued();
	let [tcb_info, qe_identity] = documents(&collateral);
	[
		(TCB, tcb_info),
		(QE, qe_identity),
		(
			CRL,
			ok(
				Some(("SGX-PCK-CRL-Issuer-Chain", &collateral.pck_crl_issuer_chain)),
				collateral.pck_crl,
			),
		),
		// As a PCCS does.
		(ROOT_CRL, ok(None, hex::encode(&collateral.root_ca_crl).into_bytes())),
	]
	.map(|(path, answer)| (path.to_owned(), answer))
	.into()
}

/// Serves until the test ends.
async fn serve(answers: Answers) -> Pcs {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	tokio::spawn(async move {
		while let Ok((mut stream, _)) = listener.accept().await {
			let mut request = vec![];
			while !request.ends_with(b"\r\n\r\n") {
				request.push(stream.read_u8().await.unwrap());
			}
			let request = String::from_utf8(request).unwrap();
			let path = request.split(' ').nth(1).unwrap();
			let missing = Answer { status: 404, header: None, body: vec![] };
			let answer = answers.get(path).cloned().unwrap_or(missing);
			let header = answer.header.map(|(name, value)| format!("{name}: {value}\r\n"));
			let head = format!(
				"HTTP/1.1 {} x\r\nconnection: close\r\ncontent-length: {}\r\n{}\r\n",
				answer.status,
				answer.body.len(),
				header.unwrap_or_default()
			);
			stream.write_all(&[head.into_bytes(), answer.body].concat()).await.unwrap();
			let _ = stream.shutdown().await;
		}
	});
	Pcs::new(&url, Http::new(false)).unwrap()
}

#[tokio::test]
async fn everything_arrives_byte_for_byte() {
	assert_eq!(serve(answers()).await.fetch(&SUBJECT, 0).await.unwrap(), issued());
}

#[tokio::test]
async fn the_number_in_force_is_asked_for() {
	let mut answers = answers();
	answers.retain(|path, _| path != TCB && path != QE);
	answers.extend(asked("tcbEvaluationDataNumber=17").into_iter().zip(documents(&numbered(17))));
	let pcs = serve(answers).await;
	assert_eq!(pcs.fetch(&SUBJECT, 17).await.unwrap(), numbered(17));
	assert!(matches!(pcs.fetch(&SUBJECT, 18).await, Err(PcsError::Status { status: 404, .. })));
}

#[tokio::test]
async fn what_is_not_served_by_number_is_taken_by_default() {
	for status in [400, 404, 410, 503] {
		let refusal = Answer { status, header: None, body: vec![] };
		let mut answers = answers();
		answers.extend(asked("tcbEvaluationDataNumber=17").map(|path| (path, refusal.clone())));
		let fetched = serve(answers).await.fetch(&SUBJECT, 17).await;
		match status {
			// Overloaded: another request would not help.
			503 => assert!(matches!(fetched, Err(PcsError::Status { status: 503, .. }))),
			_ => assert_eq!(fetched.unwrap(), issued(), "{status}"),
		}
	}
}

/// What comes from a service where a number is in force.
async fn fetched(answers: &Answers, in_force: u32) -> Fetched {
	let pcs = serve(answers.clone()).await;
	Source::Pcs(Box::new(pcs)).fetch(&SUBJECT, in_force, NOW).await.unwrap()
}

/// Whether an item is needed where the chain has that of `held`, until so many seconds from now.
fn is_needed(set: &Collateral, item: Item, held: &Collateral, left: u64, in_force: u32) -> bool {
	let mut current = collateral::issue(held, item).unwrap();
	current.until = NOW + left;
	let held = Held { current: Some(current), waiting: None };
	let numbers = Numbers { in_force, newest: in_force };
	let need = Need { margin: 3_600, lifetime: 7 * 86_400 };
	collateral::is_needed(held, collateral::issue(set, item).unwrap(), numbers, NOW, need)
}

#[tokio::test]
async fn early_documents_come_along_and_are_submitted() {
	let mut answers = answers();
	let alone = Fetched { ours: issued(), early: None };
	assert_eq!(fetched(&answers, 20).await, alone, "a cache has none");
	answers.extend(asked("update=early").into_iter().zip(documents(&issued())));
	assert_eq!(fetched(&answers, 20).await, alone, "they are the same");
	answers.extend(asked("update=early").into_iter().zip(documents(&numbered(21))));
	let Fetched { ours, early } = fetched(&answers, 20).await;
	assert_eq!((&ours, early.as_ref()), (&issued(), Some(&numbered(21))));
	let (early, fresh) = (early.unwrap(), 29 * 86_400);
	assert!(is_needed(&early, Item::TcbInfo, &ours, fresh, 20), "the chain's delay begins");
	assert!(!is_needed(&ours, Item::TcbInfo, &ours, fresh, 20));
}

/// As Intel's PCCS, which ignores the parameter.
#[tokio::test]
async fn a_cache_that_knows_no_numbers_serves_the_one_in_force_all_the_same() {
	let mut answers = answers();
	answers.extend(asked("tcbEvaluationDataNumber=21").into_iter().zip(documents(&issued())));
	answers.extend(asked("update=early").into_iter().zip(documents(&numbered(21))));
	let Fetched { ours, early } = fetched(&answers, 21).await;
	let early = early.unwrap();
	for item in [Item::TcbInfo, Item::QeIdentity] {
		assert!(!is_needed(&ours, item, &early, 0, 21), "the number would fall");
		assert!(is_needed(&early, item, &early, 0, 21));
	}
}

#[tokio::test]
async fn each_part_that_is_missing_or_wrong_is_named() {
	for path in [TCB, QE, CRL, ROOT_CRL] {
		let refusal = |change: fn(&mut Answer)| async move {
			let mut answers = answers();
			change(answers.get_mut(path).unwrap());
			serve(answers).await.fetch(&SUBJECT, 0).await.unwrap_err().to_string()
		};
		let error = refusal(|answer| answer.status = 404).await;
		assert!(error.contains(path) && error.contains("404"), "{error}");
		let error = refusal(|answer| answer.body = b"<html>".to_vec()).await;
		assert!(error.contains(path) && error.contains("no valid"), "{error}");
		if path != ROOT_CRL {
			let error = refusal(|answer| answer.header = None).await;
			assert!(error.contains("Issuer-Chain"), "{error}");
		}
		let error = refusal(|answer| answer.body = vec![b' '; 300_000]).await;
		assert!(error.contains(path), "{error}");
	}
}

#[tokio::test]
async fn addresses_and_silence_are_named() {
	for address in ["", "pccs.example", "ftp://pccs.example", "https://"] {
		let error = Pcs::new(address, Http::new(false)).unwrap_err();
		assert!(matches!(error, PcsError::Address(_)), "{address}");
	}
	// Nobody listens on a port that was just free.
	let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
	let pcs = Pcs::new(&format!("http://{free}/"), Http::new(true)).unwrap();
	let error = pcs.fetch(&SUBJECT, 0).await.unwrap_err().to_string();
	assert!(error.contains(&free.to_string()) && error.contains("refused"), "{error}");
}
