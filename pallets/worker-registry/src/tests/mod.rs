//! Tests with real balances, the real verifier, and material of the development PKI.

mod binding;
mod collateral;
mod fixtures;
mod governance;
mod lifecycle;
mod negative;
mod operators;
mod random;
mod registration;
mod reports;

pub(crate) use crate::{mock::*, types::*, *};
pub(crate) use frame_support::{
	assert_noop, assert_ok, dispatch::Pays, traits::fungible::InspectHold,
};
pub(crate) use phala_attestation::{Quote, Role, Rule, TcbStatus, Tier};
pub(crate) use phala_dev_pki::{
	Collateral, CollateralOptions, DAY, Pki, Platform, QuoteKind, QuoteRequest, QuotingEnclave,
	Window,
};
pub(crate) use phala_primitives::{
	AttestationChange, AttestedWorkers, BlockRef, Measurement, PlatformId, WorkerKey,
};
pub(crate) use sp_core::{H256, Pair, sr25519};
pub(crate) use sp_runtime::{DispatchError, DispatchResult, traits::Dispatchable};
use std::sync::OnceLock;

pub(crate) fn pki() -> &'static Pki {
	static PKI: OnceLock<Pki> = OnceLock::new();
	PKI.get_or_init(Pki::development)
}

/// Measurements of a program, in SGX and in TDX.
pub(crate) fn measurements(program: &str) -> Vec<Measurement> {
	[QuoteKind::SgxV3, QuoteKind::TdxV4]
		.map(|kind| Subject { kind, program: program.into(), ..Subject::default() })
		.map(|subject| subject.measurement())
		.to_vec()
}

/// Somebody who wants to register a worker, and with what.
#[derive(Clone)]
pub(crate) struct Subject {
	pub operator: &'static str,
	/// Name of the worker: its key.
	pub worker: &'static str,
	pub role: Role,
	pub kind: QuoteKind,
	pub platform: Platform,
	pub program: String,
	pub block: Option<BlockRef>,
	/// SVN of the quoting enclave.
	pub qe_isv_svn: Option<u16>,
}

impl Default for Subject {
	fn default() -> Self {
		Self {
			operator: "alice",
			worker: "worker",
			role: Role::Worker,
			kind: QuoteKind::TdxV4,
			platform: Platform::development(1),
			program: "development".into(),
			block: None,
			qe_isv_svn: None,
		}
	}
}

impl Subject {
	/// The same worker's name, operator and machine by number.
	pub fn new(operator: &'static str, worker: &'static str, platform: u64) -> Self {
		Self { operator, worker, platform: Platform::development(platform), ..Self::default() }
	}

	pub fn pair(&self) -> sr25519::Pair {
		sr25519::Pair::from_string(&format!("//{}", self.worker), None).expect("a sound path")
	}

	pub fn key(&self) -> WorkerKey {
		self.pair().public()
	}

	pub fn origin(&self) -> RuntimeOrigin {
		RuntimeOrigin::signed(account(self.operator))
	}

	/// The claim, on the newest block that has a hash unless told otherwise.
	pub fn claim(&self) -> Claim {
		let block = self.block.unwrap_or_else(|| {
			let number = System::block_number() - 1;
			BlockRef { number, hash: block_hash(number) }
		});
		let encryption_key = sp_io::hashing::blake2_256(self.worker.as_bytes());
		Claim { role: self.role, worker: self.key(), encryption_key, block }
	}

	pub fn report_data(&self) -> [u8; 64] {
		WorkerRegistry::report_data(account(self.operator), self.claim())
	}

	pub fn quote(&self) -> QuoteBytes {
		self.quote_over(self.report_data())
	}

	pub fn quote_over(&self, report_data: [u8; 64]) -> QuoteBytes {
		let mut enclave: QuotingEnclave =
			pki().quoting_enclave(&self.platform).expect("the platform is encodable");
		if let Some(svn) = self.qe_isv_svn {
			enclave.qe.isv_svn = svn;
			enclave.td_qe.isv_svn = svn;
		}
		let request = QuoteRequest::new(self.kind, report_data).program(&self.program);
		enclave.quote(&request).try_into().expect("a quote is at most 8 KiB")
	}

	pub fn measurement(&self) -> Measurement {
		let quote = self.quote_over([0; 64]);
		H256(Quote::parse(&quote).expect("it is well-formed").measurement())
	}

	pub fn platform_id(&self) -> PlatformId {
		let genesis = System::block_hash(0);
		let ppid = phala_attestation::types::Ppid(self.platform.ppid);
		H256(phala_attestation::platform_id(&ppid, &genesis.0))
	}

	pub fn register(&self) -> DispatchResult {
		self.register_with(self.quote())
	}

	pub fn register_with(&self, quote: QuoteBytes) -> DispatchResult {
		let claim = self.claim();
		RuntimeCall::from(Call::register { quote, claim })
			.dispatch(self.origin())
			.map(|_| ())
			.map_err(|error| error.error)
	}

	pub fn renew(&self) -> DispatchResult {
		RuntimeCall::from(Call::renew { quote: self.quote(), claim: self.claim() })
			.dispatch(self.origin())
			.map(|_| ())
			.map_err(|error| error.error)
	}

	pub fn why_refused(&self) -> Result<Accepted, Refused<Error<Test>>> {
		let quote = self.quote().into_inner();
		WorkerRegistry::why_refused(account(self.operator), quote, self.claim())
	}

	pub fn attested(&self) -> Option<phala_primitives::AttestedWorker<AccountId>> {
		WorkerRegistry::attested(self.key())
	}

	pub fn record(&self) -> WorkerOf<Test> {
		Workers::<Test>::get(self.key()).expect("it is registered")
	}

	/// Options of collateral for its TEE and platform.
	pub fn options(&self) -> CollateralOptions {
		// What is collateral for one machine of the model is for all.
		CollateralOptions::for_platform(&Platform::development(0), self.kind.tee())
	}
}

/// Collateral as of the mock's clock.
pub(crate) fn issue(options: &CollateralOptions) -> Collateral {
	pki().issue_collateral(Clock::get(), options).expect("the options are encodable")
}

fn dispatch(call: Call<Test>) -> Result<Pays, DispatchError> {
	let anybody = RuntimeOrigin::signed(account("anybody"));
	RuntimeCall::from(call).dispatch(anybody).map(|info| info.pays_fee).map_err(|error| error.error)
}

fn signed(body: &str, signature: &[u8]) -> SignedDocument {
	SignedDocument {
		body: body.as_bytes().to_vec().try_into().expect("at most 32 KiB"),
		// A signature of another length cannot even be encoded.
		signature: signature.try_into().expect("64 bytes"),
	}
}

fn first(chain: &str) -> CertificateBytes {
	let mut chain = phala_attestation::pem::certificates(chain.as_bytes()).expect("it is PEM");
	chain.remove(0).try_into().expect("at most 2 KiB")
}

pub(crate) fn submit_tcb_info(collateral: &Collateral) -> Result<Pays, DispatchError> {
	dispatch(Call::submit_tcb_info {
		document: signed(&collateral.tcb_info, &collateral.tcb_info_signature),
		signer: first(&collateral.tcb_info_issuer_chain),
	})
}

pub(crate) fn submit_qe_identity(collateral: &Collateral) -> Result<Pays, DispatchError> {
	dispatch(Call::submit_qe_identity {
		document: signed(&collateral.qe_identity, &collateral.qe_identity_signature),
		signer: first(&collateral.qe_identity_issuer_chain),
	})
}

pub(crate) fn submit_pck_ca(collateral: &Collateral) -> Result<Pays, DispatchError> {
	dispatch(Call::submit_pck_ca { certificate: first(&collateral.pck_crl_issuer_chain) })
}

pub(crate) fn submit_root_crl(collateral: &Collateral) -> Result<Pays, DispatchError> {
	let crl = collateral.root_ca_crl.clone().try_into().expect("at most 16 KiB");
	dispatch(Call::submit_crl { source: CrlSource::Root, crl })
}

pub(crate) fn submit_pck_crl(
	collateral: &Collateral,
	ca: phala_attestation::PckCaKind,
) -> Result<Pays, DispatchError> {
	let crl = collateral.pck_crl.clone().try_into().expect("at most 16 KiB");
	dispatch(Call::submit_crl { source: CrlSource::PckCa(ca), crl })
}

/// All of it, in the order in which it can be verified. An error does not stop at "not newer": a case may
/// leave parts as they are.
pub(crate) fn submit(collateral: &Collateral) -> DispatchResult {
	use phala_attestation::PckCaKind::Platform;
	for result in [
		submit_root_crl(collateral),
		submit_pck_ca(collateral),
		submit_pck_crl(collateral, Platform),
		submit_tcb_info(collateral),
		submit_qe_identity(collateral),
	] {
		match result {
			Err(error) if error != attestation(Rule::IssueDateNotNewer) => return Err(error),
			_ => {}
		}
	}
	Ok(())
}

pub(crate) fn attestation(rule: Rule) -> DispatchError {
	Error::<Test>::Attestation(rule.into()).into()
}

/// A chain with collateral for both TEEs, dated now.
pub(crate) fn with_collateral(test: impl FnOnce()) {
	ExtBuilder::default().build_and_execute(|| {
		for kind in [QuoteKind::SgxV3, QuoteKind::TdxV4] {
			let subject = Subject { kind, ..Subject::default() };
			assert_ok!(submit(&issue(&subject.options())));
		}
		events();
		test();
	});
}

/// How many cases a property runs; `PROPTEST_CASES` says otherwise.
pub(crate) fn cases(usual: u32) -> proptest::test_runner::Config {
	let mut config = proptest::test_runner::Config::default();
	if std::env::var_os("PROPTEST_CASES").is_none() {
		config.cases = usual;
	}
	config.failure_persistence = None;
	config
}

/// What is on hold for workers of an account.
pub(crate) fn on_hold(who: &str) -> u64 {
	Balances::balance_on_hold(&RecordHold::get(), &account(who))
}
