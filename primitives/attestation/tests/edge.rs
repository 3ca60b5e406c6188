//! Rules that no case of the negative suite meets: what Intel's documents never do, and what
//! arises when items of several authorities meet.

mod common;

use common::{bundle, sample};
use der::{Decode, Encode, asn1::ObjectIdentifier};
use phala_attestation::{
	Anchor, Crl, CrlIssuer, Error, Item, PckCa, Quote, Rule, TrustRoot, collateral::Update, pem,
	types::CertificateKind as Kind, verify_quote,
};
use phala_dev_pki::{
	CaKind, CollateralOptions, Pki, Platform, QuoteKind, QuoteRequest, Tee, Validity, valid_case,
};
use x509_cert::{crl::CertificateList, ext::Extension};

const NOW: u64 = 1_751_000_000;
const INTEL: TrustRoot = TrustRoot::INTEL;

fn pck_ca_der() -> Vec<u8> {
	let chain = sample("tdx_quote").collateral.pck_crl_issuer_chain;
	pem::certificates(chain.as_bytes()).expect("PEM").swap_remove(0)
}

fn verify_pck_ca(der: &[u8]) -> Result<PckCa, Error> {
	let root_crl = sample("tdx_quote").collateral.root_ca_crl;
	let root_crl = Crl::verify(&root_crl, CrlIssuer::Root(&INTEL), NOW)?;
	PckCa::verify(der, &Anchor { root: &INTEL, root_crl: &root_crl }, NOW)
}

/// Replaces every occurrence.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
	assert_eq!(from.len(), to.len());
	let mut bytes = bytes.to_vec();
	let mut found = 0;
	for at in 0..bytes.len() - from.len() {
		if bytes[at..].starts_with(from) {
			bytes[at..at + to.len()].copy_from_slice(to);
			found += 1;
		}
	}
	assert!(found > 0, "not found");
	bytes
}

#[test]
fn certificates_of_another_profile() {
	assert!(verify_pck_ca(&pck_ca_der()).is_ok());
	assert_eq!(verify_pck_ca(&[0x30; 2049]), Err(Error::CertificateTooLarge(Kind::PckCa)));
	assert_eq!(verify_pck_ca(&[0x30; 2048]), Err(Error::CertificateMalformed(Kind::PckCa)));
	// ecdsa-with-SHA256 to ecdsa-with-SHA384.
	let sha256 = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
	let sha384 = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03];
	let other = replace(&pck_ca_der(), &sha256, &sha384);
	assert_eq!(verify_pck_ca(&other), Err(Error::CertificateAlgorithm(Kind::PckCa)));
	// secp256r1 to secp192r1.
	let p256 = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
	let p192 = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x01];
	let other = replace(&pck_ca_der(), &p256, &p192);
	assert_eq!(verify_pck_ca(&other), Err(Error::CertificateAlgorithm(Kind::PckCa)));
	// Key usage, critical, to an unknown extension.
	let other = replace(&pck_ca_der(), &[0x55, 0x1D, 0x0F], &[0x55, 0x1D, 0x63]);
	assert_eq!(verify_pck_ca(&other), Err(Error::CertificateCriticalExtension(Kind::PckCa)));
	// The subject key identifier, not critical: missing now.
	let other = replace(&pck_ca_der(), &[0x55, 0x1D, 0x0E], &[0x55, 0x1D, 0x63]);
	assert_eq!(verify_pck_ca(&other), Err(Error::CertificateMalformed(Kind::PckCa)));
	// A second one of the same kind.
	let other = replace(&pck_ca_der(), &[0x55, 0x1D, 0x1F], &[0x55, 0x1D, 0x0E]);
	assert_eq!(verify_pck_ca(&other), Err(Error::CertificateMalformed(Kind::PckCa)));
	// The root is a CA under itself, but no PCK CA.
	let root = std::fs::read(common::oracle_package().join("src/TrustedRootCA.der"));
	assert_eq!(verify_pck_ca(&root.expect("it is there")), Err(Error::UnknownPckCa));
	// A PCK CA is no root: it may have no CA below it.
	assert_eq!(TrustRoot::from_der(&pck_ca_der()), Err(Error::CertificateIsNotCa(Kind::Root)));
}

#[test]
fn lists_of_another_profile() {
	let real = sample("tdx_quote").collateral.pck_crl;
	let ca = verify_pck_ca(&pck_ca_der()).expect("Intel's");
	let verify = |der: &[u8]| Crl::verify(der, CrlIssuer::PckCa(&ca), NOW);
	let edited = |edit: &dyn Fn(&mut CertificateList)| {
		let mut list = CertificateList::from_der(&real).expect("a list");
		edit(&mut list);
		verify(&list.to_der().expect("a list"))
	};
	assert_eq!(verify(&real).map(|list| list.len()), Ok(44));
	assert_eq!(edited(&|_| ()).map(|list| list.len()), Ok(44));

	let critical = |id: &str| Extension {
		extn_id: ObjectIdentifier::new(id).expect("an OID"),
		critical: true,
		extn_value: der::asn1::OctetString::new([0x30, 0]).expect("short"),
	};
	let unsupported = Err(Error::CrlUnsupported(Item::PckCrl));
	// Issuing distribution point, delta CRL indicator; certificate issuer of an entry.
	for id in ["2.5.29.28", "2.5.29.27"] {
		let extensions = |list: &mut CertificateList| {
			list.tbs_cert_list.crl_extensions.as_mut().expect("some").push(critical(id));
		};
		assert_eq!(edited(&extensions), unsupported);
	}
	let indirect = |list: &mut CertificateList| {
		let entries = list.tbs_cert_list.revoked_certificates.as_mut().expect("some");
		entries[7].crl_entry_extensions.as_mut().expect("a reason").push(critical("2.5.29.29"));
	};
	assert_eq!(edited(&indirect), unsupported);

	let many = |list: &mut CertificateList| {
		let entries = list.tbs_cert_list.revoked_certificates.as_mut().expect("some");
		let entry = entries[0].clone();
		*entries = (1..=417u16)
			.map(|number| {
				let mut entry = entry.clone();
				entry.serial_number = x509_cert::serial_number::SerialNumber::from(number);
				entry.crl_entry_extensions = None;
				entry
			})
			.collect();
	};
	assert_eq!(edited(&many), Err(Error::CollateralTooManyEntries(Item::PckCrl)));

	// Anything else is signed.
	let hide = |list: &mut CertificateList| {
		list.tbs_cert_list.revoked_certificates.as_mut().expect("some").pop();
	};
	assert_eq!(edited(&hide), Err(Error::CollateralSignature(Item::PckCrl)));
}

#[test]
fn revoked_numbers_of_real_lists_are_found() {
	let sample = sample("tdx_quote");
	let ca = verify_pck_ca(&pck_ca_der()).expect("Intel's");
	let list = Crl::verify(&sample.collateral.pck_crl, CrlIssuer::PckCa(&ca), NOW).expect("real");
	let serial = |hex: &str| {
		phala_attestation::types::Serial(hex::decode(hex).expect("hex").try_into().expect("20"))
	};
	assert!(list.revokes(&serial("6FC34E5023E728923435D61AA4B83C618166AD35")));
	assert!(list.revokes(&serial("EFAE6E9715FCA13B87E333E8261ED6D990A926AD")));
	assert!(!list.revokes(&serial("6FC34E5023E728923435D61AA4B83C618166AD36")));
}

#[test]
fn chains() {
	let chain = sample("tdx_quote").collateral.pck_crl_issuer_chain;
	let chain = chain.as_bytes();
	assert_eq!(pem::certificates(chain).expect("two").len(), 2);
	assert_eq!(pem::certificates(&chain.repeat(2)), Err(Error::CertificateChainTooLong));
	assert_eq!(pem::certificates(b""), Err(Error::CertificateChainTooShort));
	assert_eq!(pem::certificates(b"\0"), Err(Error::CertificateChainTooShort));
	for broken in
		[&b" "[..], b"\0\0", &chain[1..], &chain[..chain.len() - 9], &[b"x\n", chain].concat()]
	{
		assert_eq!(pem::certificates(broken), Err(Error::InvalidPem));
	}
	let key = String::from_utf8_lossy(chain).replace("CERTIFICATE", "PRIVATE KEY");
	assert_eq!(pem::certificates(key.as_bytes()), Err(Error::InvalidPem));
}

/// Collateral of one authority does not serve under another, even if all of it is valid.
#[test]
fn items_of_several_authorities() {
	let case = valid_case(QuoteKind::TdxV4, 1);
	let root = TrustRoot::from_der(&case.root_der).expect("a root");
	let ours = bundle(&case.collateral).verify(&root, case.now).expect("valid");

	let foreign = Pki::from_seed([9; 32], Validity::DEVELOPMENT).expect("a PKI");
	let foreign_root = TrustRoot::from_der(&foreign.root_der().expect("a root")).expect("a root");
	let platform = Platform::development(1);
	let options = CollateralOptions::for_platform(&platform, Tee::Tdx);
	let collateral = foreign.issue_collateral(case.now, &options).expect("options");
	let theirs = bundle(&collateral).verify(&foreign_root, case.now).expect("valid");

	let processor = CollateralOptions { ca: CaKind::Processor, ..options };
	let processor = Pki::development().issue_collateral(case.now, &processor).expect("options");
	let processor = bundle(&processor).verify(&root, case.now).expect("valid");

	let quote = Quote::parse(&case.quote).expect("valid");
	assert!(verify_quote(&quote, &ours.collateral(&root), case.now, 0).is_ok());
	let mismatch = |item| Some(Error::AuthorityMismatch(item));

	let mut mixed = ours.clone();
	mixed.tcb_info = theirs.tcb_info.clone();
	assert_eq!(
		verify_quote(&quote, &mixed.collateral(&root), case.now, 0).err(),
		mismatch(Item::TcbInfo)
	);
	let mut mixed = ours.clone();
	mixed.qe_identity = theirs.qe_identity.clone();
	assert_eq!(
		verify_quote(&quote, &mixed.collateral(&root), case.now, 0).err(),
		mismatch(Item::QeIdentity)
	);
	let mut mixed = ours.clone();
	mixed.root_crl = theirs.root_crl.clone();
	assert_eq!(
		verify_quote(&quote, &mixed.collateral(&root), case.now, 0).err(),
		mismatch(Item::RootCrl)
	);
	for crl in [&theirs.pck_crl, &processor.pck_crl] {
		let mut mixed = ours.clone();
		mixed.pck_crl = crl.clone();
		assert_eq!(
			verify_quote(&quote, &mixed.collateral(&root), case.now, 0).err(),
			mismatch(Item::PckCrl)
		);
	}
	for ca in [theirs.pck_ca, processor.pck_ca] {
		let mut mixed = ours.clone();
		mixed.pck_ca = ca;
		assert_eq!(
			verify_quote(&quote, &mixed.collateral(&root), case.now, 0).err(),
			mismatch(Item::PckCa)
		);
	}
	// All of it foreign: consistent, but the quote is not under it.
	assert_eq!(
		verify_quote(&quote, &theirs.collateral(&foreign_root), case.now, 0).err(),
		Some(Error::OtherPckCa)
	);
	// The root changed, the items did not. Name and key identifier alone make no root.
	let twin = TrustRoot { key: INTEL.key, ..root };
	for other in [INTEL, twin] {
		assert_eq!(
			verify_quote(&quote, &ours.collateral(&other), case.now, 0).err(),
			mismatch(Item::RootCrl)
		);
	}
	// Nor does one root's collateral replace another's.
	let another = |item| Err(Error::UpdateOfAnother(item));
	assert_eq!(theirs.tcb_info.check_update(&ours.tcb_info), another(Item::TcbInfo));
	assert_eq!(theirs.qe_identity.check_update(&ours.qe_identity), another(Item::QeIdentity));
	assert_eq!(theirs.pck_ca.check_update(&ours.pck_ca), another(Item::PckCa));
	let refused = theirs.root_crl.check_update(Item::RootCrl, &ours.root_crl);
	assert_eq!(refused, another(Item::RootCrl));
	let refused = theirs.pck_crl.check_update(Item::PckCrl, &ours.pck_crl);
	assert_eq!(refused, another(Item::PckCrl));
}

#[test]
fn updates() {
	let verify = |name: &str| {
		let sample = sample(name);
		sample.collateral.verify(&INTEL, sample.now).expect("real")
	};
	let (tdx, later, sgx) = (verify("tdx_quote"), verify("tdx_quote_td15ex"), verify("sgx_quote"));
	// The same FMSPC, sixteen months later.
	assert_eq!(later.tcb_info.check_update(&tdx.tcb_info), Ok(Update::Useful));
	assert_eq!(later.qe_identity.check_update(&tdx.qe_identity), Ok(Update::Useful));
	assert_eq!(later.pck_crl.check_update(Item::PckCrl, &tdx.pck_crl), Ok(Update::Useful));
	let refused = tdx.tcb_info.check_update(&later.tcb_info).map_err(|error| error.rule());
	assert_eq!(refused, Err(Rule::EvaluationNumberFell));
	let refused = tdx.pck_crl.check_update(Item::PckCrl, &later.pck_crl);
	assert_eq!(refused.map_err(|error| error.rule()), Err(Rule::IssueDateNotNewer));
	assert_eq!(
		sgx.tcb_info.check_update(&tdx.tcb_info),
		Err(Error::UpdateOfAnother(Item::TcbInfo))
	);
	assert_eq!(
		sgx.qe_identity.check_update(&tdx.qe_identity),
		Err(Error::UpdateOfAnother(Item::QeIdentity))
	);
	assert_eq!(
		sgx.pck_crl.check_update(Item::PckCrl, &tdx.pck_crl),
		Err(Error::UpdateOfAnother(Item::PckCrl))
	);
	assert_eq!(sgx.pck_ca.check_update(&tdx.pck_ca), Err(Error::UpdateOfAnother(Item::PckCa)));
	assert!(tdx.pck_ca.check_update(&tdx.pck_ca).is_err());
}

/// MRENCLAVE says nothing of ATTRIBUTES, and anybody can sign the same code anew.
#[test]
fn attributes_of_enclaves() {
	let verify = |flags: [u8; 2]| {
		let pki = Pki::development();
		let platform = Platform::development(1);
		let kind = QuoteKind::SgxV3;
		let mut request = QuoteRequest::new(kind, [1; 64]);
		request.enclave.attributes[..2].copy_from_slice(&flags);
		let options = CollateralOptions::for_platform(&platform, kind.tee());
		let root = TrustRoot::from_der(&pki.root_der().expect("a root")).expect("a root");
		let collateral = bundle(&pki.issue_collateral(NOW, &options).expect("options"));
		let items = collateral.verify(&root, NOW).expect("valid");
		let quote = pki.quoting_enclave(&platform).expect("a platform").quote(&request);
		let quote = Quote::parse(&quote).expect("valid");
		verify_quote(&quote, &items.collateral(&root), NOW, 0).map(|_| ())
	};
	// CET, KSS, AEXNOTIFY.
	for allowed in [[0x05, 0], [0x45, 0], [0x85, 0], [0x05, 4], [0xC5, 4]] {
		assert_eq!(verify(allowed), Ok(()), "{allowed:x?}");
	}
	// Not initialised, 32 bits, reserved bits, PROVISIONKEY, EINITTOKENKEY.
	for refused in [[0x04, 0], [0x01, 0], [0x0D, 0], [0x15, 0], [0x25, 0], [0x05, 1], [0x05, 8]] {
		assert_eq!(verify(refused), Err(Error::SgxAttributes), "{refused:x?}");
	}
	assert_eq!(verify([0x07, 0]), Err(Error::SgxDebug));
}
