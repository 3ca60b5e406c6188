//! What each mutation changes.

use super::{Mutation, Mutation::*, edit::*};
use crate::{IsvTcbLevel, Limits, TcbStatus, case::Scenario};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};

const CA: BasicConstraints = BasicConstraints { ca: true, path_len_constraint: None };
const NOT_CA: BasicConstraints = BasicConstraints { ca: false, path_len_constraint: None };

impl Mutation {
	/// Changes the scenario so that its case is wrong in this respect.
	pub(super) fn apply(self, s: &mut Scenario) {
		match self {
			// Format of the quote.
			EmptyQuote => s.edit_case = |_, c| c.quote.clear(),
			TruncatedHeader => s.edit_case = |_, c| c.quote.truncate(40),
			TruncatedBody => s.edit_case = |m, c| c.quote.truncate(m.offsets().signature_len - 1),
			TruncatedSignature => s.edit_case = |_, c| c.quote.truncate(c.quote.len() - 1),
			TrailingBytes => s.edit_case = |_, c| append_byte(c, &[]),
			TrailingSignatureBytes => {
				s.edit_case = |m, c| append_byte(c, &[m.offsets().signature_len]);
			}
			TrailingCertificationBytes => {
				s.edit_case = |m, c| {
					append_byte(c, &[m.offsets().signature_len, m.offsets().wrapper_len]);
				};
			}
			UnsupportedVersion => s.edit_draft = |d| d.version = 6,
			SgxVersion4 => s.edit_draft = |d| d.version = 4,
			SgxVersion5 => {
				s.edit_draft = |d| (d.version, d.descriptor) = (5, Some((1, 384)));
			}
			TdxVersion3 => s.edit_draft = |d| d.version = 3,
			UnknownTeeType => s.edit_draft = |d| d.tee_type = 0x82,
			UnknownKeyType => s.edit_draft = |d| d.attestation_key_type = 3,
			UnknownQeVendor => s.edit_draft = |d| d.qe_vendor_id[0] ^= 1,
			UnknownBodyType => {
				s.edit_draft = |d| d.descriptor = d.descriptor.map(|(_, len)| (9, len));
			}
			BodyLengthMismatch => {
				s.edit_draft = |d| d.descriptor = d.descriptor.map(|(kind, len)| (kind, len + 1));
			}
			CertificationType3 => s.edit_draft = encrypted_ppid,
			CertificationType3WithChain => {
				s.edit_draft = encrypted_ppid;
				s.edit_case = |m, c| {
					c.collateral.pck_certificate_chain = Some(m.enclave.pck_chain.clone());
				};
			}
			CertificationType4 => {
				s.edit_draft = |d| {
					only_leaf(d);
					d.certification_type = 4;
				};
			}
			OuterCertificationType => s.edit_draft = |d| d.outer_type = 5,
			SignatureLengthOverflow => {
				s.edit_case = |m, c| put(c, m.offsets().signature_len, &[0xFF; 4]);
			}
			CertificationLengthOverflow => {
				s.edit_case = |m, c| put(c, m.offsets().certification_len, &[0xFF; 4]);
			}
			WrapperLengthOverflow => {
				s.edit_case = |m, c| put(c, m.offsets().wrapper_len, &[0xFF; 4]);
			}
			AuthDataLengthOverflow => {
				s.edit_case = |m, c| put(c, m.offsets().auth_len, &[0xFF; 2]);
			}
			OversizeQuote => s.edit_draft = pad_quote,
			OversizeTcbInfo => oversize_tcb_info(&mut s.options.tcb_info),
			OversizeQeIdentity => {
				let outdated = IsvTcbLevel::new(0, TcbStatus::OutOfDate);
				let levels = &mut s.options.qe_identity.tcb_levels;
				levels.resize(Limits::default().json / 64, outdated);
			}
			OversizePckCrl => oversize_crl(&mut s.options.pck_crl),
			OversizeRootCaCrl => oversize_crl(&mut s.options.root_ca_crl),
			PckChainNotPem => s.edit_draft = |d| d.certification_data = b"certificates\0".to_vec(),
			PckChainNotDer => {
				s.edit_draft = |d| {
					let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
					d.certification_data = [pem, pem, pem, "\0"].concat().into_bytes();
				};
			}

			// Signatures.
			QuoteSignature => s.edit_case = |m, c| flip(c, m.offsets().signature + 63),
			ZeroQuoteSignature => s.edit_case = |m, c| put(c, m.offsets().signature, &[0; 64]),
			TamperedHeader => s.edit_case = |_, c| flip(c, 28),
			TamperedBody => s.edit_case = |m, c| flip(c, m.offsets().report_data),
			AttestationKeyNotOnCurve => s.edit_draft = key_not_on_curve,
			QeReportSignature => s.edit_case = |m, c| flip(c, m.offsets().qe_signature + 63),
			QeReportData => s.edit_draft = |d| d.qe_report[320] ^= 1,
			QeAuthData => s.edit_draft = |d| d.auth_data[0] ^= 1,
			TcbInfoSignature => s.edit_case = |_, c| c.collateral.tcb_info_signature[63] ^= 1,
			TruncatedTcbInfoSignature => {
				s.edit_case = |_, c| c.collateral.tcb_info_signature.truncate(63);
			}
			QeIdentitySignature => s.edit_case = |_, c| c.collateral.qe_identity_signature[63] ^= 1,
			TruncatedQeIdentitySignature => {
				s.edit_case = |_, c| c.collateral.qe_identity_signature.truncate(63);
			}
			CaSignsTcbInfo => s.edit_case = |m, c| tcb_info_by(c, m.pki(), &m.pki().platform_ca),
			CaSignsQeIdentity => {
				s.edit_case = |m, c| qe_identity_by(c, m.pki(), &m.pki().platform_ca);
			}
			PckSignsTcbInfo => {
				s.edit_case = |m, c| {
					let signature = m.enclave.sign_with_pck(c.collateral.tcb_info.as_bytes());
					c.collateral.tcb_info_signature = signature.to_vec();
					c.collateral.tcb_info_issuer_chain = m.enclave.pck_chain.clone();
				};
			}
			PckSignsQeIdentity => {
				s.edit_case = |m, c| {
					let signature = m.enclave.sign_with_pck(c.collateral.qe_identity.as_bytes());
					c.collateral.qe_identity_signature = signature.to_vec();
					c.collateral.qe_identity_issuer_chain = m.enclave.pck_chain.clone();
				};
			}
			PckChainTooShort => s.edit_draft = only_leaf,
			EmptyPckChain => s.edit_draft = |d| d.certification_data = vec![0],
			EmptyTcbInfoChain => s.edit_case = |_, c| c.collateral.tcb_info_issuer_chain.clear(),
			EmptyQeIdentityChain => {
				s.edit_case = |_, c| c.collateral.qe_identity_issuer_chain.clear();
			}
			ForeignPckChain => s.pck_pki = Some(Scenario::foreign_pki()),
			ForeignTcbInfo => {
				s.edit_case = |_, c| {
					let pki = Scenario::foreign_pki();
					tcb_info_by(c, &pki, &pki.tcb_signing);
				};
			}
			ForeignQeIdentity => {
				s.edit_case = |_, c| {
					let pki = Scenario::foreign_pki();
					qe_identity_by(c, &pki, &pki.tcb_signing);
				};
			}
			ForeignPckCrl => s.edit_case = |m, c| c.collateral.pck_crl = foreign_crls(m).1,
			ForeignRootCaCrl => s.edit_case = |m, c| c.collateral.root_ca_crl = foreign_crls(m).0,
			PckSignature => s.edit_draft = |d| chain_signature(d, 0),
			PckCaSignature => s.edit_draft = |d| chain_signature(d, 1),
			TcbSigningSignature => {
				s.pki.tcb_signing.certificate = with_bad_signature(&s.pki.tcb_signing.certificate);
			}

			// Certificates.
			PckExpired => s.platform.pck_validity = Some(EXPIRED),
			PckNotYetValid => s.platform.pck_validity = Some(NOT_YET_VALID),
			PckIsCa => s.edit_pck = |t| t.basic_constraints = CA,
			PckKeyUsage => s.edit_pck = |t| t.key_usage = KeyUsage(KeyUsages::KeyAgreement.into()),
			PckWithoutSgxExtension => s.edit_pck = |t| t.sgx_extensions.clear(),
			PckWithTwoSgxExtensions => {
				s.edit_pck = |t| t.sgx_extensions.extend_from_within(..);
			}
			TruncatedSgxExtension => s.edit_pck = |t| t.sgx_extensions[0].truncate(200),
			PckCaExpired => s.edit_pck_ca(|t| t.validity = EXPIRED),
			PckCaNotYetValid => s.edit_pck_ca(|t| t.validity = NOT_YET_VALID),
			PckCaIsNotCa => s.edit_pck_ca(|t| t.basic_constraints = NOT_CA),
			PckCaKeyUsage => {
				s.edit_pck_ca(|t| t.key_usage = KeyUsage(KeyUsages::CRLSign.into()));
			}
			PckCaCrlKeyUsage => {
				s.edit_pck_ca(|t| t.key_usage = KeyUsage(KeyUsages::KeyCertSign.into()));
			}
			TcbSigningExpired => s.edit_tcb_signing(|t| t.validity = EXPIRED),
			TcbSigningNotYetValid => s.edit_tcb_signing(|t| t.validity = NOT_YET_VALID),
			TcbSigningKeyUsage => {
				s.edit_tcb_signing(|t| t.key_usage = KeyUsage(KeyUsages::KeyAgreement.into()));
			}
			PckSubject => s.edit_pck = |t| t.common_name = "Development SGX TCB Signing",
			TcbSigningSubject => {
				s.edit_tcb_signing(|t| t.common_name = "Development SGX PCK Certificate");
			}

			// Collateral.
			TcbInfoExpired => s.options.tcb_info_window = PAST,
			TcbInfoFromTheFuture => s.options.tcb_info_window = FUTURE,
			QeIdentityExpired => s.options.qe_identity_window = PAST,
			QeIdentityFromTheFuture => s.options.qe_identity_window = FUTURE,
			TcbInfoNotJson => {
				s.edit_case = |m, c| rewrite_tcb_info(m, c, |text| text.replacen(':', "=", 1));
			}
			QeIdentityNotJson => {
				s.edit_case = |m, c| rewrite_qe_identity(m, c, |text| text.replacen(':', "=", 1));
			}
			TcbInfoFieldMissing => {
				s.edit_case = |m, c| rewrite_tcb_info(m, c, |text| without(text, "fmspc"));
			}
			TcbInfoBadDate => {
				// The next update: the second date.
				s.edit_case = |m, c| {
					rewrite_tcb_info(m, c, |text| text.replace("2027-02-13T", "2027-02-30T"))
				};
			}
			TcbInfoUnknownVersion => s.options.tcb_info.version = 4,
			QeIdentityUnknownVersion => s.options.qe_identity.version = 9,
			FmspcMismatch => s.options.tcb_info.fmspc = "DE506F000001".into(),
			PceIdMismatch => s.options.tcb_info.pce_id = "0001".into(),
			SgxTcbInfoForTdx => s.options.tcb_info.id = "SGX",
			TdxTcbInfoForSgx => s.options.tcb_info.id = "TDX",
			QeIdentityForTdx => s.options.qe_identity.id = "QE",
			TdQeIdentityForSgx => s.options.qe_identity.id = "TD_QE",
			RootCaCrlExpired => s.options.root_ca_crl.window = PAST,
			PckCrlExpired => s.options.pck_crl.window = PAST,
			RootCaCrlFromTheFuture => s.options.root_ca_crl.window = FUTURE,
			PckCrlFromTheFuture => s.options.pck_crl.window = FUTURE,
			PckCrlOfOtherCa => s.edit_case = |m, c| c.collateral.pck_crl = processor_crl(m),
			SwappedCrls => {
				s.edit_case = |_, c| {
					std::mem::swap(&mut c.collateral.root_ca_crl, &mut c.collateral.pck_crl);
				};
			}
			TruncatedRootCaCrl => s.edit_case = |_, c| c.collateral.root_ca_crl.truncate(100),
			TruncatedPckCrl => s.edit_case = |_, c| c.collateral.pck_crl.truncate(100),
			RootCaCrlAuthority => {
				s.options.root_ca_crl.authority_key_identifier = Some([0xA5; 20]);
			}
			PckCrlAuthority => s.options.pck_crl.authority_key_identifier = Some([0xA5; 20]),
			RootCaCrlWithoutNumber => s.options.root_ca_crl.number = None,
			PckCrlWithoutNumber => s.options.pck_crl.number = None,
			PckRevoked => {
				s.options.pck_crl.revoked = vec![s.pki.pck_serial(&s.platform).to_vec()];
			}
			PckCaRevoked => s.options.root_ca_crl.revoked = vec![serial_of(&s.pki.platform_ca)],
			TcbSigningRevoked => {
				s.options.root_ca_crl.revoked = vec![serial_of(&s.pki.tcb_signing)];
			}
			RootCaRevoked => s.options.root_ca_crl.revoked = vec![serial_of(&s.pki.root)],
			LowerEvaluationNumber => {
				s.edit_case = |m, c| {
					store(m, c, |options| {
						options.tcb_info.tcb_evaluation_data_number += 1;
						options.qe_identity.tcb_evaluation_data_number += 1;
					});
				};
			}
			OlderIssueDate => {
				s.edit_case = |m, c| {
					store(m, c, |options| {
						options.tcb_info_window.start += 1;
						options.qe_identity_window.start += 1;
					});
				};
			}
			LowerCrlNumber => {
				s.edit_case = |m, c| store(m, c, |options| options.pck_crl.number = Some(2));
			}

			// TCB.
			UnknownTcbStatus => {
				s.edit_case = |m, c| {
					rewrite_tcb_info(m, c, |text| rename_last(text, "OutOfDate", "Splendid"));
				};
			}
			UnknownModuleStatus => {
				s.edit_case = |m, c| {
					rewrite_tcb_info(m, c, |text| text.replacen("OutOfDate", "Splendid", 1));
				};
			}
			UnknownQeStatus => {
				s.edit_case = |m, c| {
					rewrite_qe_identity(m, c, |text| text.replace("OutOfDate", "Splendid"));
				};
			}
			MisplacedTcbStatus => {
				s.options.tcb_info.tcb_levels[0].tcb_status = TcbStatus::TDRelaunchAdvised;
			}
			MisplacedModuleStatus => {
				s.module_identity(1).tcb_levels[0].tcb_status = TcbStatus::ConfigurationNeeded
			}
			MisplacedQeStatus => {
				s.options.qe_identity.tcb_levels[0].tcb_status = TcbStatus::SWHardeningNeeded;
			}
			PlatformRevoked => s.options.tcb_info.tcb_levels[0].tcb_status = TcbStatus::Revoked,
			ModuleRevoked => s.module_identity(1).tcb_levels[0].tcb_status = TcbStatus::Revoked,
			CurrentModuleRevoked => {
				s.platform.module.tee_tcb_svn2[1] = 3;
				s.module_identity(3).tcb_levels[0].tcb_status = TcbStatus::Revoked;
			}
			QeRevoked => s.options.qe_identity.tcb_levels[0].tcb_status = TcbStatus::Revoked,
			NoTcbLevels => s.options.tcb_info.tcb_levels.clear(),
			LowerSvns => s.platform.cpu_svn = [0; 16],
			MixedSvns => s.platform.cpu_svn[..2].copy_from_slice(&[255, 0]),
			LowerPceSvn => s.platform.pce_svn = 1,
			LowerTdxSvn => s.platform.module.tee_tcb_svn[2] = 0,
			LowerCurrentTdxSvn => s.platform.module.tee_tcb_svn2[2] = 0,
			MissingSgxComponent => {
				s.options.tcb_info.tcb_levels[0].tcb.sgx_components.truncate(15);
			}
			MissingTdxComponent => {
				let tcb = &mut s.options.tcb_info.tcb_levels[0].tcb;
				tcb.tdx_components.iter_mut().for_each(|components| components.truncate(15));
			}
			MissingTdxComponents => {
				let levels = &mut s.options.tcb_info.tcb_levels;
				levels.iter_mut().for_each(|level| level.tcb.tdx_components = None);
			}
			MissingTdxModule => s.options.tcb_info.tdx_module = None,
			MissingTdxModuleIdentities => s.options.tcb_info.tdx_module_identities = None,
			UnknownTdxModule => s.platform.module.tee_tcb_svn[1] = 9,
			UnknownCurrentTdxModule => s.platform.module.tee_tcb_svn2[1] = 9,
			LowerTdxModuleSvn => s.platform.module.tee_tcb_svn[0] = 0,
			SeamSigner => s.platform.module.mr_signer_seam[0] = 1,
			SeamAttributes => s.platform.module.seam_attributes[0] = 1,

			// Quoting enclave.
			QeMrSigner => s.edit_enclave = |e| e.each(|qe| qe.mr_signer[0] ^= 1),
			QeIsvProdId => s.edit_enclave = |e| e.each(|qe| qe.isv_prod_id += 10),
			QeIsvSvn => s.edit_enclave = |e| e.each(|qe| qe.isv_svn = 0),
			QeMiscSelect => s.edit_enclave = |e| e.each(|qe| qe.misc_select = 1),
			// PROVISIONKEY off.
			QeAttributes => s.edit_enclave = |e| e.each(|qe| qe.attributes[0] = 0x05),
			QeDebug => {
				s.options.qe_identity.attributes_mask.replace_range(..2, "F9");
				s.edit_enclave = |e| e.each(|qe| qe.attributes[0] |= 0x02);
			}

			// Report. Bits after the Intel TDX module ABI specification, §3.3 (TD ATTRIBUTES).
			SgxDebug | TdDebug => s.request = s.request.clone().debug(true),
			TdProfiling => s.request.domain.attributes |= 1 << 4,
			TdReservedAttribute => s.request.domain.attributes |= 1 << 40,
			TdSeptVe => s.request.domain.attributes &= !(1 << 28),
			TdMigratable => s.request.domain.attributes |= 1 << 29,
			TdPks => s.request.domain.attributes |= 1 << 30,
			TdKeyLocker => s.request.domain.attributes |= 1 << 31,
			TdProvisioningAgent => s.request.domain.attributes |= 1 << 62,
			TdServiceTdExtension => s.request.domain.attributes |= 1 << 17,
			TdServiceTd => s.request.domain.mr_service_td[0] = 1,
		}
	}
}
