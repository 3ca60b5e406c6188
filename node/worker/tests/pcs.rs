//! Fetching collateral from a service on this machine that serves what Intel's would.

use phala_attestation::{PckCaKind, Tee};
use phala_dev_pki::{Collateral, CollateralOptions, Pki, Platform};
use phala_worker::collateral::{Http, Pcs, PcsError, Subject};
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
	let platform = Platform::development(0);
	let options = CollateralOptions::for_platform(&platform, phala_dev_pki::Tee::Tdx);
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

fn answers() -> Answers {
	let collateral = issued();
	let ok = |header: Option<(&'static str, &str)>, body: Vec<u8>| Answer {
		status: 200,
		header: header.map(|(name, chain)| (name, percent_encode(chain))),
		body,
	};
	let signed = |name: &str, json: &str, signature: &[u8]| {
		format!("{{\"{name}\":{json},\"signature\":\"{}\"}}", hex::encode(signature)).into_bytes()
	};
	[
		(
			TCB,
			ok(
				Some(("TCB-Info-Issuer-Chain", &collateral.tcb_info_issuer_chain)),
				signed("tcbInfo", &collateral.tcb_info, &collateral.tcb_info_signature),
			),
		),
		(
			QE,
			ok(
				Some(("SGX-Enclave-Identity-Issuer-Chain", &collateral.qe_identity_issuer_chain)),
				signed(
					"enclaveIdentity",
					&collateral.qe_identity,
					&collateral.qe_identity_signature,
				),
			),
		),
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
	assert_eq!(serve(answers()).await.fetch(&SUBJECT).await.unwrap(), issued());
}

#[tokio::test]
async fn each_part_that_is_missing_or_wrong_is_named() {
	for path in [TCB, QE, CRL, ROOT_CRL] {
		let refusal = |change: fn(&mut Answer)| async move {
			let mut answers = answers();
			change(answers.get_mut(path).unwrap());
			serve(answers).await.fetch(&SUBJECT).await.unwrap_err().to_string()
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
	let error = pcs.fetch(&SUBJECT).await.unwrap_err().to_string();
	assert!(error.contains(&free.to_string()) && error.contains("refused"), "{error}");
}
