//! X.509 certificates and revocation lists with the fields and the order of Intel's.
//!
//! Source: "Intel SGX PCK Certificate and Certificate Revocation List Profile Specification" and
//! the certificates that Intel serves; a test compares the structure with real ones.

use crate::{CaKind, Error, Platform, Validity, extension, key, time};
use core::str::FromStr;
use der::{
	Decode, Encode,
	asn1::{BitString, Ia5String, OctetString, Uint},
	pem::LineEnding,
	referenced::OwnedToRef,
};
use p256::ecdsa::{DerSignature, SigningKey, signature::Signer};
use x509_cert::{
	TbsCertificate,
	builder::{self, Builder, CertificateBuilder, profile::BuilderProfile},
	crl::{CertificateList, RevokedCert, TbsCertList},
	ext::{
		Extension, ToExtension,
		pkix::{
			AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, CrlNumber, CrlReason,
			KeyUsage, KeyUsages, SubjectKeyIdentifier,
			crl::dp::DistributionPoint,
			name::{DistributionPointName, GeneralName},
		},
	},
	name::Name,
	serial_number::SerialNumber,
	spki::{DynSignatureAlgorithmIdentifier, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef},
	time::Time,
};

pub(crate) use x509_cert::Certificate;

/// Longest serial number that RFC 5280 allows, and Intel's usual one.
const SERIAL_LEN: usize = 20;

/// What a certificate shall say; key and issuer come from elsewhere.
#[derive(Clone)]
pub(crate) struct Template {
	pub common_name: &'static str,
	pub validity: Validity,
	/// Big-endian. Intel's CAs have their key identifier here, PCK certificates a random number.
	pub serial: Option<[u8; SERIAL_LEN]>,
	pub basic_constraints: BasicConstraints,
	pub key_usage: KeyUsage,
	pub crl_url: &'static str,
	/// Values of the SGX extension: one in PCK certificates, else none.
	pub sgx_extensions: Vec<Vec<u8>>,
}

const ROOT_CRL_URL: &str = "https://localhost/DevelopmentSGXRootCA.der";

impl Template {
	fn authority(common_name: &'static str, path_len: u8, validity: Validity) -> Self {
		Self {
			common_name,
			validity,
			serial: None,
			basic_constraints: BasicConstraints { ca: true, path_len_constraint: Some(path_len) },
			key_usage: KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign),
			crl_url: ROOT_CRL_URL,
			sgx_extensions: vec![],
		}
	}

	pub fn root(validity: Validity) -> Self {
		Self::authority("Development SGX Root CA", 1, validity)
	}

	pub fn pck_ca(kind: CaKind, validity: Validity) -> Self {
		let common_name = match kind {
			CaKind::Platform => "Development SGX PCK Platform CA",
			CaKind::Processor => "Development SGX PCK Processor CA",
		};
		Self::authority(common_name, 0, validity)
	}

	fn leaf(common_name: &'static str, validity: Validity) -> Self {
		Self {
			common_name,
			validity,
			serial: None,
			basic_constraints: BasicConstraints { ca: false, path_len_constraint: None },
			key_usage: KeyUsage(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation),
			crl_url: ROOT_CRL_URL,
			sgx_extensions: vec![],
		}
	}

	pub fn tcb_signing(validity: Validity) -> Self {
		Self::leaf("Development SGX TCB Signing", validity)
	}

	pub fn pck(
		platform: &Platform,
		serial: [u8; SERIAL_LEN],
		validity: Validity,
	) -> Result<Self, Error> {
		Ok(Self {
			serial: Some(serial),
			crl_url: match platform.ca {
				CaKind::Platform => "https://localhost/pckcrl?ca=platform&encoding=der",
				CaKind::Processor => "https://localhost/pckcrl?ca=processor&encoding=der",
			},
			sgx_extensions: vec![extension::sgx_extension(platform)?],
			..Self::leaf(
				"Development SGX PCK Certificate",
				platform.pck_validity.unwrap_or(validity),
			)
		})
	}

	fn subject(&self) -> der::Result<Name> {
		// RFC 4514 writes the last RDN first; Intel's names begin with the common name.
		Name::from_str(&format!(
			"C=ZZ,ST=NA,L=Localhost,O=Phala Development,CN={}",
			self.common_name
		))
	}

	/// The certificate of `subject`'s key, signed by `issuer`, or by itself.
	pub fn issue(
		&self,
		subject: &SigningKey,
		issuer: Option<&Authority>,
	) -> Result<Certificate, Error> {
		let public = SubjectPublicKeyInfo::from_key(subject.verifying_key())
			.map_err(builder::Error::from)?;
		let serial = match self.serial {
			Some(serial) => serial.to_vec(),
			None => key_identifier(public.owned_to_ref())?.as_bytes().to_vec(),
		};
		// `SerialNumber::new` refuses twenty bytes that need a sign byte, as half of Intel's do.
		let serial = SerialNumber::from_der(&Uint::new(&serial)?.to_der()?)?;
		let validity = x509_cert::time::Validity::new(
			Time::from(time::date(self.validity.not_before)?),
			Time::from(time::date(self.validity.not_after)?),
		);
		let profile = Profile {
			template: self,
			subject: self.subject()?,
			issuer: issuer.map(|issuer| issuer.certificate.tbs_certificate().subject().clone()),
		};
		let builder = CertificateBuilder::new(profile, serial, validity, public)?;
		let signer = issuer.map_or(subject, |issuer| &issuer.key);
		Ok(builder.build::<_, DerSignature>(signer)?)
	}
}

struct Profile<'a> {
	template: &'a Template,
	subject: Name,
	issuer: Option<Name>,
}

impl BuilderProfile for Profile<'_> {
	fn get_issuer(&self, subject: &Name) -> Name {
		self.issuer.as_ref().unwrap_or(subject).clone()
	}

	fn get_subject(&self) -> Name {
		self.subject.clone()
	}

	fn build_extensions(
		&self,
		spk: SubjectPublicKeyInfoRef<'_>,
		issuer_spk: SubjectPublicKeyInfoRef<'_>,
		tbs: &TbsCertificate,
	) -> builder::Result<Vec<Extension>> {
		let template = self.template;
		let distribution_point = DistributionPoint {
			distribution_point: Some(DistributionPointName::FullName(vec![
				GeneralName::UniformResourceIdentifier(Ia5String::new(template.crl_url)?),
			])),
			reasons: None,
			crl_issuer: None,
		};
		let subject = tbs.subject();
		let mut extensions = vec![
			authority_key_identifier(key_identifier(issuer_spk)?).to_extension(subject, &[])?,
			CrlDistributionPoints(vec![distribution_point]).to_extension(subject, &[])?,
			SubjectKeyIdentifier(key_identifier(spk)?).to_extension(subject, &[])?,
			template.key_usage.to_extension(subject, &[])?,
			template.basic_constraints.to_extension(subject, &[])?,
		];
		for value in &template.sgx_extensions {
			extensions.push(Extension {
				extn_id: extension::SGX_EXTENSION,
				critical: false,
				extn_value: OctetString::new(value.as_slice())?,
			});
		}
		Ok(extensions)
	}
}

fn key_identifier(key: SubjectPublicKeyInfoRef<'_>) -> der::Result<OctetString> {
	SubjectKeyIdentifier::try_from(key).map(|identifier| identifier.0)
}

fn authority_key_identifier(key: OctetString) -> AuthorityKeyIdentifier {
	AuthorityKeyIdentifier { key_identifier: Some(key), ..Default::default() }
}

/// A key with the certificate that speaks for it.
#[derive(Clone)]
pub(crate) struct Authority {
	pub key: SigningKey,
	pub certificate: Certificate,
}

impl Authority {
	/// SHA-1 of the public key, which issued certificates and CRLs name.
	pub fn key_identifier(&self) -> der::Result<OctetString> {
		key_identifier(self.certificate.tbs_certificate().subject_public_key_info().owned_to_ref())
	}

	/// `r ‖ s` over the message.
	pub fn sign(&self, message: &[u8]) -> [u8; 64] {
		key::sign(&self.key, message)
	}
}

/// What a revocation list shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlOptions {
	/// CRL number (RFC 5280 §5.2.3); `None` leaves the extension out, which Intel never does.
	pub number: Option<u64>,
	/// From thisUpdate to nextUpdate.
	pub window: time::Window,
	/// Big-endian serial numbers of revoked certificates, at most 20 bytes each.
	pub revoked: Vec<Vec<u8>>,
	/// Key identifier of the authority key identifier extension, if not the issuer's own.
	pub authority_key_identifier: Option<[u8; 20]>,
}

impl Default for CrlOptions {
	fn default() -> Self {
		Self {
			number: Some(1),
			window: time::Window::default(),
			revoked: vec![],
			authority_key_identifier: None,
		}
	}
}

impl CrlOptions {
	/// DER of the list. `x509-cert`'s own builder names the issuer's *issuer* as the authority, so
	/// the list is put together here.
	pub(crate) fn issue(&self, now: u64, issuer: &Authority) -> Result<Vec<u8>, Error> {
		let subject = issuer.certificate.tbs_certificate().subject();
		let Validity { not_before, not_after } = self.window.around(now);
		let this_update = Time::from(time::date(not_before)?);

		let mut extensions = vec![];
		if let Some(number) = self.number {
			extensions.push(CrlNumber::try_from(number)?.to_extension(subject, &[])?);
		}
		let authority = match self.authority_key_identifier {
			Some(identifier) => OctetString::new(identifier)?,
			None => issuer.key_identifier()?,
		};
		extensions.push(authority_key_identifier(authority).to_extension(subject, &[])?);

		let revoked = self
			.revoked
			.iter()
			.map(|serial| {
				Ok(RevokedCert {
					serial_number: SerialNumber::from_der(&Uint::new(serial)?.to_der()?)?,
					revocation_date: this_update,
					crl_entry_extensions: Some(vec![
						CrlReason::KeyCompromise.to_extension(subject, &[])?,
					]),
				})
			})
			.collect::<der::Result<Vec<_>>>()?;

		let algorithm =
			issuer.key.signature_algorithm_identifier().map_err(builder::Error::from)?;
		let list: TbsCertList = TbsCertList {
			version: x509_cert::Version::V2,
			signature: algorithm.clone(),
			issuer: subject.clone(),
			this_update,
			next_update: Some(Time::from(time::date(not_after)?)),
			revoked_certificates: (!revoked.is_empty()).then_some(revoked),
			crl_extensions: Some(extensions),
		};
		let signature: DerSignature = issuer.key.sign(&list.to_der()?);
		let list = CertificateList {
			tbs_cert_list: list,
			signature_algorithm: algorithm,
			signature: BitString::from_bytes(signature.as_bytes())?,
		};
		Ok(list.to_der()?)
	}
}

/// PEM of a chain, leaf first, as PCK certificate chains and issuer chains are.
pub(crate) fn pem_chain<'a>(
	chain: impl IntoIterator<Item = &'a Certificate>,
) -> Result<String, Error> {
	let mut pem = String::new();
	for certificate in chain {
		pem.push_str(&der::EncodePem::to_pem(certificate, LineEnding::LF)?);
	}
	Ok(pem)
}
