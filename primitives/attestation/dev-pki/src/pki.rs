//! The authorities: one root, two PCK CAs, one TCB signing key.

use crate::{
	CaKind, Error, Platform, QuotingEnclave, Validity,
	certificate::{Authority, Template},
	key,
};
use der::{Encode, EncodePem, pem::LineEnding};

/// Seed of the development PKI. Everybody knows it: a chain that trusts its root trusts anybody.
pub const DEVELOPMENT_SEED: [u8; 32] = *b"//phala/development/attestation/";

/// DER of [`Pki::development`]'s root certificate as a constant. A runtime, which cannot depend on
/// this crate, includes the same file, `development-root.der`. A test compares it with the derived
/// certificate.
pub const fn development_root_der() -> &'static [u8] {
	include_bytes!("../development-root.der")
}

/// A complete attestation PKI, derived from a seed: two programs with the same seed and validity
/// have the same keys, certificates and signatures.
#[derive(Clone)]
pub struct Pki {
	pub(crate) seed: [u8; 32],
	pub(crate) validity: Validity,
	pub(crate) root: Authority,
	pub(crate) platform_ca: Authority,
	pub(crate) processor_ca: Authority,
	pub(crate) tcb_signing: Authority,
}

impl Pki {
	/// The PKI of this seed, all of whose certificates have this validity.
	pub fn from_seed(seed: [u8; 32], validity: Validity) -> Result<Self, Error> {
		let issue = |label, template: Template, issuer: Option<&Authority>| {
			let key = key::derive_key(&seed, label);
			let certificate = template.issue(&key, issuer)?;
			Ok::<_, Error>(Authority { key, certificate })
		};
		let root = issue("root", Template::root(validity), None)?;
		let pck_ca = |label, kind| issue(label, Template::pck_ca(kind, validity), Some(&root));
		Ok(Self {
			platform_ca: pck_ca("platform ca", CaKind::Platform)?,
			processor_ca: pck_ca("processor ca", CaKind::Processor)?,
			tcb_signing: issue("tcb signing", Template::tcb_signing(validity), Some(&root))?,
			seed,
			validity,
			root,
		})
	}

	/// The PKI of local networks: [`DEVELOPMENT_SEED`], [`Validity::DEVELOPMENT`].
	pub fn development() -> Self {
		Self::from_seed(DEVELOPMENT_SEED, Validity::DEVELOPMENT)
			.expect("the validity is before the year 9999 and all names are constants")
	}

	/// DER of the root certificate: the trust anchor of a verifier.
	pub fn root_der(&self) -> Result<Vec<u8>, Error> {
		Ok(self.root.certificate.to_der()?)
	}

	/// PEM of the root certificate.
	pub fn root_pem(&self) -> Result<String, Error> {
		Ok(self.root.certificate.to_pem(LineEnding::LF)?)
	}

	/// The quoting enclaves of a platform, certified by this PKI.
	pub fn quoting_enclave(&self, platform: &Platform) -> Result<QuotingEnclave, Error> {
		self.quoting_enclave_with(platform, |_| ())
	}

	/// The same, with another PCK certificate than a sane CA would issue.
	pub(crate) fn quoting_enclave_with(
		&self,
		platform: &Platform,
		edit: fn(&mut Template),
	) -> Result<QuotingEnclave, Error> {
		let label = format!("{}/{}", platform.ca, hex::encode(platform.ppid));
		let pck = key::derive_key(&self.seed, &format!("pck/{label}"));
		let serial = self.pck_serial(platform);
		let mut template = Template::pck(platform, serial, self.validity)?;
		edit(&mut template);
		let issuer = self.pck_ca(platform.ca);
		let certificate = template.issue(&pck, Some(issuer))?;
		let chain = [&certificate, &issuer.certificate, &self.root.certificate];
		let attestation = key::derive_key(&self.seed, &format!("attestation/{label}"));
		QuotingEnclave::new(platform, pck, attestation, chain)
	}

	/// Serial number of a platform's PCK certificate, for revocation lists.
	pub fn pck_serial(&self, platform: &Platform) -> [u8; 20] {
		let ppid = hex::encode(platform.ppid);
		let mut serial = key::derive_bytes(&self.seed, &format!("serial/{}/{ppid}", platform.ca));
		// Twenty significant bytes and a sign byte: the longest form that Intel's have.
		serial[0] |= 0x80;
		serial
	}

	pub(crate) fn pck_ca(&self, kind: CaKind) -> &Authority {
		match kind {
			CaKind::Platform => &self.platform_ca,
			CaKind::Processor => &self.processor_ca,
		}
	}

	/// Replaces a PCK CA's certificate; its key stays.
	pub(crate) fn reissue_pck_ca(
		&mut self,
		kind: CaKind,
		edit: fn(&mut Template),
	) -> Result<(), Error> {
		let mut template = Template::pck_ca(kind, self.validity);
		edit(&mut template);
		let certificate = template.issue(&self.pck_ca(kind).key, Some(&self.root))?;
		match kind {
			CaKind::Platform => self.platform_ca.certificate = certificate,
			CaKind::Processor => self.processor_ca.certificate = certificate,
		}
		Ok(())
	}

	/// Replaces a PCK CA by its successor: of the same name, with this validity and, if `rekey`, with
	/// another key. What it issues from then on is under that.
	pub fn succeed_pck_ca(
		&mut self,
		kind: CaKind,
		validity: Validity,
		rekey: bool,
	) -> Result<(), Error> {
		let mut key = self.pck_ca(kind).key.clone();
		if rekey {
			let label = format!("{kind} ca after {}", hex::encode(key.to_bytes()));
			key = key::derive_key(&self.seed, &label);
		}
		let certificate = Template::pck_ca(kind, validity).issue(&key, Some(&self.root))?;
		let successor = Authority { key, certificate };
		match kind {
			CaKind::Platform => self.platform_ca = successor,
			CaKind::Processor => self.processor_ca = successor,
		}
		Ok(())
	}

	/// Replaces the TCB signing certificate; its key stays.
	pub(crate) fn reissue_tcb_signing(&mut self, edit: fn(&mut Template)) -> Result<(), Error> {
		let mut template = Template::tcb_signing(self.validity);
		edit(&mut template);
		self.tcb_signing.certificate = template.issue(&self.tcb_signing.key, Some(&self.root))?;
		Ok(())
	}
}
