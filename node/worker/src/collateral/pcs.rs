//! Intel's Provisioning Certification Service, or a cache of it (PCCS).
//!
//! Source: "Intel SGX and Intel TDX Provisioning Certification Service API", version 4. A PCCS has
//! the same paths below its own address; it serves the root's revocation list at `rootcacrl`, which
//! Intel publishes as a file instead.

use super::{CollateralError, Subject, issue};
use crate::journal::Item;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{StatusCode, Uri, body::Bytes, header::HeaderMap};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
	client::legacy::{Client, connect::HttpConnector},
	rt::TokioExecutor,
};
use phala_attestation::{PckCaKind, Tee};
use phala_dev_pki::Collateral;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// Intel's service.
pub const INTEL: &str = "https://api.trustedservices.intel.com";
/// Where Intel publishes the root's revocation list.
const INTEL_ROOT_CRL: &str = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
const TCB_INFO_CHAIN: &str = "TCB-Info-Issuer-Chain";
const QE_IDENTITY_CHAIN: &str = "SGX-Enclave-Identity-Issuer-Chain";
const TIMEOUT: Duration = Duration::from_secs(30);
/// Far above everything that the chain takes.
const MAX_BODY: usize = 256 * 1024;

/// Why something could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum PcsError {
	/// The address is none.
	#[error("`{0}` is no address of a PCS or PCCS: give http(s)://host[:port]")]
	Address(String),
	/// No answer.
	#[error(
		"GET {url}: {cause}. Does this machine reach that host? Otherwise run a PCCS near it, or \
		 fetch collateral elsewhere and give the file"
	)]
	Request {
		/// What was asked for.
		url: String,
		/// What went wrong.
		cause: String,
	},
	/// Another answer than 200.
	#[error("GET {url}: status {status}{}", status_hint(*status))]
	Status {
		/// What was asked for.
		url: String,
		/// The answer.
		status: u16,
	},
	/// The answer lacks something.
	#[error("GET {url}: the answer has no valid {what}: is this a PCS or PCCS of API version 4?")]
	Answer {
		/// What was asked for.
		url: String,
		/// What is missing.
		what: &'static str,
	},
}

fn status_hint(status: u16) -> &'static str {
	match status {
		401 | 403 => ": the service wants a subscription key, or the PCCS refuses this machine",
		404 => ": Intel knows no such platform (FMSPC), or this is no PCS of API version 4",
		429 | 503 => ": the service is overloaded; it is tried again later",
		_ => "",
	}
}

/// An HTTP client.
#[derive(Clone, Debug)]
pub struct Http(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

impl Http {
	/// Trusts the public authorities that browsers trust. `any_certificate` takes every one: a PCCS
	/// usually has one that it signed itself, and what it serves is signed by Intel.
	pub fn new(any_certificate: bool) -> Self {
		let tls = rustls::ClientConfig::builder_with_provider(
			rustls::crypto::ring::default_provider().into(),
		)
		.with_safe_default_protocol_versions()
		.expect("the provider has TLS 1.2 and 1.3; qed");
		let tls = if any_certificate {
			tls.dangerous()
				.with_custom_certificate_verifier(std::sync::Arc::new(AnyCertificate))
				.with_no_client_auth()
		} else {
			tls.with_webpki_roots().with_no_client_auth()
		};
		let connector = HttpsConnectorBuilder::new()
			.with_tls_config(tls)
			.https_or_http()
			.enable_http1()
			.build();
		Self(Client::builder(TokioExecutor::new()).build(connector))
	}

	async fn get(&self, url: &str) -> Result<(HeaderMap, Bytes), PcsError> {
		let fail = |cause: String| PcsError::Request { url: url.into(), cause };
		let uri: Uri = url.parse().map_err(|_| PcsError::Address(url.into()))?;
		let exchange = async {
			let answer = self.0.get(uri).await.map_err(|error| fail(chain_of(&error)))?;
			if answer.status() != StatusCode::OK {
				let status = answer.status().as_u16();
				return Err(PcsError::Status { url: url.into(), status });
			}
			let (head, body) = answer.into_parts();
			let body = Limited::new(body, MAX_BODY).collect().await;
			let body = body.map_err(|error| fail(error.to_string()))?;
			Ok((head.headers, body.to_bytes()))
		};
		tokio::time::timeout(TIMEOUT, exchange)
			.await
			.map_err(|_| fail("no answer in time".into()))?
	}
}

/// An error and what caused it.
fn chain_of(error: &dyn std::error::Error) -> String {
	let causes = std::iter::successors(error.source(), |error| error.source());
	causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A service.
#[derive(Clone, Debug)]
pub struct Pcs {
	base: String,
	http: Http,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedAnswer<'a> {
	// Exactly the bytes that are signed.
	#[serde(borrow, alias = "tcbInfo", alias = "enclaveIdentity")]
	body: &'a RawValue,
	signature: &'a str,
}

/// A signed document: body, signature, issuer chain.
type Document = (String, Vec<u8>, String);

impl Pcs {
	/// The service at `url`: scheme, host and port.
	pub fn new(url: &str, http: Http) -> Result<Self, PcsError> {
		let base = url.trim_end_matches('/');
		let uri: Result<Uri, _> = base.parse();
		let is_address = uri.is_ok_and(|uri| {
			matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
		});
		if !is_address {
			return Err(PcsError::Address(url.into()));
		}
		Ok(Self { base: base.into(), http })
	}

	/// Its address.
	pub fn url(&self) -> &str {
		&self.base
	}

	/// All collateral for a platform, with documents of this evaluation number if the service has them; else,
	/// and for zero, with those that it gives by default: Intel holds newer ones back for up to a year.
	pub async fn fetch(&self, subject: &Subject, number: u32) -> Result<Collateral, PcsError> {
		let ca = match subject.ca {
			PckCaKind::Processor => "processor",
			PckCaKind::Platform => "platform",
		};
		let (tcb, qe) = self.documents_of(subject);
		let (tcb_info, tcb_info_signature, tcb_info_issuer_chain) =
			self.numbered(&tcb, TCB_INFO_CHAIN, number).await?;
		let (qe_identity, qe_identity_signature, qe_identity_issuer_chain) =
			self.numbered(&qe, QE_IDENTITY_CHAIN, number).await?;
		let base = &self.base;
		let crl = format!("{base}/sgx/certification/v4/pckcrl?ca={ca}&encoding=der");
		let (headers, pck_crl) = self.http.get(&crl).await?;
		Ok(Collateral {
			pck_crl_issuer_chain: issuer_chain(&headers, "SGX-PCK-CRL-Issuer-Chain", &crl)?,
			root_ca_crl: self.root_crl().await?,
			pck_crl: der_or_hex(&pck_crl)
				.ok_or(PcsError::Answer { url: crl, what: "revocation list" })?,
			tcb_info_issuer_chain,
			tcb_info,
			tcb_info_signature,
			qe_identity_issuer_chain,
			qe_identity,
			qe_identity_signature,
			pck_certificate_chain: None,
		})
	}

	/// The same with the newest documents that Intel has signed, if their number is another one.
	pub async fn early(
		&self,
		subject: &Subject,
		ours: &Collateral,
	) -> Result<Option<Collateral>, CollateralError> {
		const EARLY: &str = "update=early";
		let (tcb, qe) = self.documents_of(subject);
		let (tcb_info, tcb_info_signature, tcb_info_issuer_chain) =
			self.document(&with(&tcb, EARLY), TCB_INFO_CHAIN).await?;
		let mut early =
			Collateral { tcb_info, tcb_info_signature, tcb_info_issuer_chain, ..ours.clone() };
		if issue(&early, Item::TcbInfo)?.number == issue(ours, Item::TcbInfo)?.number {
			return Ok(None);
		}
		(early.qe_identity, early.qe_identity_signature, early.qe_identity_issuer_chain) =
			self.document(&with(&qe, EARLY), QE_IDENTITY_CHAIN).await?;
		issue(&early, Item::QeIdentity)?;
		Ok(Some(early))
	}

	/// Addresses of TCB info and QE identity.
	fn documents_of(&self, subject: &Subject) -> (String, String) {
		let tee = match subject.tee {
			Tee::Sgx => "sgx",
			Tee::Tdx => "tdx",
		};
		let base = format!("{}/{tee}/certification/v4", self.base);
		let fmspc = hex::encode(subject.fmspc);
		(format!("{base}/tcb?fmspc={fmspc}"), format!("{base}/qe/identity"))
	}

	/// The document with this number, or else the one that the service gives by default.
	async fn numbered(
		&self,
		url: &str,
		chain: &'static str,
		number: u32,
	) -> Result<Document, PcsError> {
		if number > 0 {
			let asked = with(url, &format!("tcbEvaluationDataNumber={number}"));
			match self.document(&asked, chain).await {
				// Never heard of it, not served any more; or a cache that takes no such parameter.
				Err(PcsError::Status { status: 400 | 404 | 410, .. }) => {}
				other => return other,
			}
		}
		self.document(url, chain).await
	}

	async fn document(&self, url: &str, chain: &'static str) -> Result<Document, PcsError> {
		let answer = |what| PcsError::Answer { url: url.into(), what };
		let (headers, body) = self.http.get(url).await?;
		let chain = issuer_chain(&headers, chain, url)?;
		let signed: SignedAnswer<'_> =
			serde_json::from_slice(&body).map_err(|_| answer("signed document"))?;
		let signature = hex::decode(signed.signature)
			.ok()
			.filter(|signature| signature.len() == 64)
			.ok_or(answer("signature"))?;
		Ok((signed.body.get().into(), signature, chain))
	}

	async fn root_crl(&self) -> Result<Vec<u8>, PcsError> {
		let url = if self.base == INTEL {
			INTEL_ROOT_CRL.into()
		} else {
			format!("{}/sgx/certification/v4/rootcacrl", self.base)
		};
		let (_, body) = self.http.get(&url).await?;
		der_or_hex(&body).ok_or(PcsError::Answer { url, what: "revocation list" })
	}
}

fn with(url: &str, parameter: &str) -> String {
	let separator = if url.contains('?') { '&' } else { '?' };
	format!("{url}{separator}{parameter}")
}

/// PEM from a header, where it is percent-encoded.
fn issuer_chain(headers: &HeaderMap, name: &'static str, url: &str) -> Result<String, PcsError> {
	// PCS once had the prefix `SGX-` here too.
	let value = headers.get(name).or_else(|| headers.get(format!("SGX-{name}")));
	value
		.and_then(|value| percent_decode(value.as_bytes()))
		.filter(|pem| pem.contains("-----BEGIN CERTIFICATE-----"))
		.ok_or(PcsError::Answer { url: url.into(), what: name })
}

fn percent_decode(text: &[u8]) -> Option<String> {
	let mut decoded = vec![];
	let mut rest = text;
	while let [first, after @ ..] = rest {
		rest = after;
		if *first == b'%' {
			let (digits, after) = after.split_at_checked(2)?;
			decoded.extend(hex::decode(digits).ok()?);
			rest = after;
		} else {
			decoded.push(*first);
		}
	}
	String::from_utf8(decoded).ok()
}

/// Some caches serve DER as hexadecimal text.
fn der_or_hex(body: &[u8]) -> Option<Vec<u8>> {
	const SEQUENCE: u8 = 0x30;
	let is_der = |bytes: &[u8]| bytes.len() > 2 && bytes[0] == SEQUENCE && bytes[1] >= 0x80;
	if is_der(body) {
		return Some(body.to_vec());
	}
	hex::decode(body.trim_ascii()).ok().filter(|bytes| is_der(bytes))
}

/// Takes every certificate.
#[derive(Debug)]
struct AnyCertificate;

mod any_certificate {
	use super::AnyCertificate;
	use rustls::{
		DigitallySignedStruct, Error, SignatureScheme,
		client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
		crypto::ring::default_provider,
		pki_types::{CertificateDer, ServerName, UnixTime},
	};

	impl ServerCertVerifier for AnyCertificate {
		fn verify_server_cert(
			&self,
			_: &CertificateDer<'_>,
			_: &[CertificateDer<'_>],
			_: &ServerName<'_>,
			_: &[u8],
			_: UnixTime,
		) -> Result<ServerCertVerified, Error> {
			Ok(ServerCertVerified::assertion())
		}

		fn verify_tls12_signature(
			&self,
			_: &[u8],
			_: &CertificateDer<'_>,
			_: &DigitallySignedStruct,
		) -> Result<HandshakeSignatureValid, Error> {
			Ok(HandshakeSignatureValid::assertion())
		}

		fn verify_tls13_signature(
			&self,
			_: &[u8],
			_: &CertificateDer<'_>,
			_: &DigitallySignedStruct,
		) -> Result<HandshakeSignatureValid, Error> {
			Ok(HandshakeSignatureValid::assertion())
		}

		fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
			default_provider().signature_verification_algorithms.supported_schemes()
		}
	}
}
