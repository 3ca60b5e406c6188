//! Where dcap-qvl 0.7.1, the oracle of the tests, is less strict than the runtime must be.

use super::{Mutation, Mutation::*};

impl Mutation {
	/// Why dcap-qvl 0.7.1 accepts this case, if it does. A test holds this table against it.
	pub fn accepted_by_oracle(self) -> Option<&'static str> {
		Some(match self {
			TrailingBytes | TrailingSignatureBytes | TrailingCertificationBytes => {
				"its decoder ignores what follows the last field"
			}
			CertificationType3WithChain => "it prefers the collateral's chain to the quote's",
			OuterCertificationType => "its decoder does not look at the type",
			OversizeQuote | OversizeTcbInfo | OversizeQeIdentity | OversizePckCrl
			| OversizeRootCaCrl => "it has no limits on sizes",
			PckKeyUsage | PckCaKeyUsage | TcbSigningKeyUsage => {
				"webpki leaves the key usage of certificates to the caller, but for CRLs"
			}
			TcbInfoUnknownVersion => "it asks for version 3 or later",
			PceIdMismatch => "it does not compare the PCE id",
			RootCaCrlFromTheFuture | PckCrlFromTheFuture => "webpki looks at nextUpdate only",
			RootCaCrlAuthority | PckCrlAuthority => "webpki finds the issuer by name and signature",
			RootCaCrlWithoutNumber | PckCrlWithoutNumber => "it reads a missing number as zero",
			LowerEvaluationNumber | OlderIssueDate | LowerCrlNumber => {
				"it is stateless: only a registry can see this"
			}
			PckSubject | TcbSigningSubject => "it finds certificates by their place in a chain",
			TdPks | TdKeyLocker | TdProvisioningAgent => "it allows these attributes",
			_ => return None,
		})
	}
}
