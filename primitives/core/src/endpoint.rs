//! Where a worker is reached.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

use crate::{Statement, WorkerKey};

/// Bytes of the longest [`Endpoint`].
pub const MAX_ENDPOINT_LEN: u32 = 128;

/// URL of a worker, in ASCII.
pub type Endpoint = BoundedVec<u8, ConstU32<MAX_ENDPOINT_LEN>>;

/// Where the worker wants to be reached from now on. The worker's key signs it, so that an operator's
/// account, which may pay the fee, cannot send clients elsewhere.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct EndpointStatement {
	/// Who is reached there.
	pub worker: WorkerKey,
	/// Higher than in every statement before, and than the milliseconds of the Unix epoch when the worker was
	/// registered: an old one cannot be played back. Milliseconds of the Unix epoch serve well.
	pub sequence: u64,
	/// `None`: the worker is no longer reachable.
	pub endpoint: Option<Endpoint>,
}

impl Statement for EndpointStatement {
	const DOMAIN: &'static str = "phala/worker/endpoint/1";
}

impl EndpointStatement {
	/// Whether the endpoint, if there is one, can be a URL: a scheme, `://`, something behind it, and
	/// nothing but printable ASCII without blanks.
	pub fn is_plausible(&self) -> bool {
		self.endpoint.as_ref().is_none_or(|endpoint| {
			let scheme = endpoint.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
			let rest = endpoint.get(scheme..).and_then(|rest| rest.strip_prefix(b"://"));
			scheme > 0
				&& rest.is_some_and(|rest| !rest.is_empty())
				&& endpoint.iter().all(u8::is_ascii_graphic)
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn plausible(endpoint: &str) -> bool {
		let endpoint = Endpoint::truncate_from(endpoint.as_bytes().to_vec());
		let worker = WorkerKey::default();
		EndpointStatement { worker, sequence: 1, endpoint: Some(endpoint) }.is_plausible()
	}

	#[test]
	fn urls_are_plausible_and_other_text_is_not() {
		for good in
			["https://worker.example:8443/v1", "wss://[2001:db8::1]:443", "tcp://10.0.0.1:1"]
		{
			assert!(plausible(good), "{good}");
		}
		for bad in [
			"",
			"worker.example",
			"://x",
			"https://",
			"https://a b",
			"HTTPS://x",
			"https://\n",
			"https://ä",
		] {
			assert!(!plausible(bad), "{bad}");
		}
		assert!(
			EndpointStatement { worker: WorkerKey::default(), sequence: 1, endpoint: None }
				.is_plausible()
		);
	}
}
