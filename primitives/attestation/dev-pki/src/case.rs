//! Ready-made material: a quote, collateral, the root and a time that belong together.

use crate::{
	Collateral, CollateralOptions, DEVELOPMENT_SEED, Error, Pki, Platform, QuoteKind, QuoteRequest,
	QuotingEnclave, TdxModuleIdentity, Validity,
	certificate::Template,
	enclave::{Draft, Offsets},
};

/// What a verifier is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
	/// The quote.
	pub quote: Vec<u8>,
	/// The collateral.
	pub collateral: Collateral,
	/// DER of the trusted root.
	pub root_der: Vec<u8>,
	/// Unix seconds.
	pub now: u64,
	/// Collateral that a registry already holds when `collateral` arrives. `None` except for
	/// mutations that only a registry can see.
	pub stored: Option<Collateral>,
}

/// Time of every case: 2027-01-15T08:00:00Z.
pub const NOW: u64 = 1_800_000_000;

/// Everything a case is made from. Variants and mutations change one thing in it.
#[derive(Clone)]
pub(crate) struct Scenario {
	/// Issues the collateral; its root is trusted.
	pub pki: Pki,
	/// Issues the PCK certificate, if not `pki`.
	pub pck_pki: Option<Pki>,
	pub platform: Platform,
	pub request: QuoteRequest,
	pub options: CollateralOptions,
	pub edit_pck: fn(&mut Template),
	pub auth_data: Option<Vec<u8>>,
	pub edit_enclave: fn(&mut QuotingEnclave),
	/// Before the quote is signed.
	pub edit_draft: fn(&mut Draft),
	/// After everything is signed.
	pub edit_case: fn(&Material, &mut Case),
}

/// What [`Scenario::edit_case`] may use.
pub(crate) struct Material<'a> {
	pub scenario: &'a Scenario,
	pub enclave: &'a QuotingEnclave,
}

impl Material<'_> {
	pub fn pki(&self) -> &Pki {
		&self.scenario.pki
	}

	pub fn offsets(&self) -> Offsets {
		Offsets::of(self.scenario.request.kind)
	}
}

impl Scenario {
	/// A valid one: up to date, no advisories.
	pub fn new(kind: QuoteKind, seed: u64) -> Self {
		let platform = Platform::development(seed);
		let report_data = crate::key::derive_bytes(&DEVELOPMENT_SEED, &format!("report/{seed}"));
		Self {
			pki: Pki::development(),
			pck_pki: None,
			request: QuoteRequest::new(kind, report_data).program("development"),
			options: CollateralOptions::for_platform(&platform, kind.tee()),
			platform,
			edit_pck: |_| (),
			auth_data: None,
			edit_enclave: |_| (),
			edit_draft: |_| (),
			edit_case: |_, _| (),
		}
	}

	/// A PKI whose names are the same and whose keys are not.
	pub fn foreign_pki() -> Pki {
		Pki::from_seed([0xF0; 32], Validity::DEVELOPMENT).expect("as for the development PKI")
	}

	/// Another certificate for the platform's PCK CA.
	pub fn edit_pck_ca(&mut self, edit: fn(&mut Template)) {
		self.pki.reissue_pck_ca(self.platform.ca, edit).expect("edits keep templates encodable");
	}

	/// Another TCB signing certificate.
	pub fn edit_tcb_signing(&mut self, edit: fn(&mut Template)) {
		self.pki.reissue_tcb_signing(edit).expect("edits keep templates encodable");
	}

	/// What the TCB info says of TDX modules of this version: 1 or 3.
	pub fn module_identity(&mut self, version: u8) -> &mut TdxModuleIdentity {
		let id = format!("TDX_{version:02X}");
		let identities = self.options.tcb_info.tdx_module_identities.iter_mut().flatten();
		identities.into_iter().find(|identity| identity.id == id).expect("TDX, version 1 or 3")
	}

	pub fn issue(&self) -> Result<Case, Error> {
		let pck_pki = self.pck_pki.as_ref().unwrap_or(&self.pki);
		let mut enclave = pck_pki.quoting_enclave_with(&self.platform, self.edit_pck)?;
		if let Some(auth_data) = &self.auth_data {
			enclave.auth_data.clone_from(auth_data);
		}
		(self.edit_enclave)(&mut enclave);
		let mut draft = enclave.draft(&self.request);
		(self.edit_draft)(&mut draft);
		let mut case = Case {
			quote: enclave.seal(&draft),
			collateral: self.pki.issue_collateral(NOW, &self.options)?,
			root_der: self.pki.root_der()?,
			now: NOW,
			stored: None,
		};
		(self.edit_case)(&Material { scenario: self, enclave: &enclave }, &mut case);
		Ok(case)
	}
}

/// An up-to-date case of this kind.
pub fn valid_case(kind: QuoteKind, seed: u64) -> Case {
	Scenario::new(kind, seed).issue().expect("the development platform is encodable")
}
