//! Collateral: what Intel publishes about platforms, from wherever it is to be had, and what of it
//! the chain needs.
//!
//! Nothing here is trusted: all of it is signed by Intel, and the chain checks that.

mod file;
mod pcs;
mod simulated;

pub use pcs::{Http, INTEL as INTEL_PCS, Pcs, PcsError};

use crate::{
	journal::Item,
	registry::{self, Call},
};
use der::{DateTime, Decode};
use phala_attestation::{PckCaKind, Quote, Tee, pem};
use phala_dev_pki::Collateral;
use serde::Deserialize;
use std::{path::PathBuf, str::FromStr};

/// Prolongation for which the chain returns the fee, in seconds: a week.
const WORTHWHILE: u64 = 7 * 86_400;

/// Why there is no collateral.
#[derive(Debug, thiserror::Error)]
pub enum CollateralError {
	/// It cannot be fetched.
	#[error(transparent)]
	Pcs(#[from] PcsError),
	/// The file with it cannot be read.
	#[error(transparent)]
	File(#[from] phala_node_common::files::FileError),
	/// There is no such file.
	#[error("there is no collateral file {}: fetch one, or set a PCCS address", .0.display())]
	NoFile(PathBuf),
	/// The file has another content.
	#[error(
		"{} is no collateral in the JSON form of dcap-qvl's QuoteCollateralV3: {reason}",
		path.display()
	)]
	Format {
		/// The file.
		path: PathBuf,
		/// Why.
		reason: String,
	},
	/// The development PKI failed.
	#[error("simulated collateral: {0}")]
	Simulated(#[from] phala_dev_pki::Error),
	/// A certificate in it cannot be read.
	#[error("the issuer chain of the {0:?} is no PEM: fetch it anew")]
	NoCertificate(Item),
	/// A date or number in it cannot be read.
	#[error(
		"the {0:?} has no readable date of its next update, or no evaluation number: fetch it anew"
	)]
	NoDate(Item),
}

/// The platform that collateral is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
	/// Its TEE.
	pub tee: Tee,
	/// Its family.
	pub fmspc: [u8; 6],
	/// Who issued its PCK certificate.
	pub ca: PckCaKind,
}

/// Where collateral comes from.
#[derive(Clone, Debug)]
pub enum Source {
	/// Intel's PCS or a PCCS.
	Pcs(Box<Pcs>),
	/// A JSON file.
	File(PathBuf),
	/// The development PKI.
	Simulated,
}

/// What a source has for a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
	/// With documents of the number in force, if the source has them.
	pub ours: Collateral,
	/// With documents of another number, which Intel has signed for a later day.
	pub early: Option<Collateral>,
}

impl Fetched {
	/// One set of collateral after the other.
	pub fn sets(&self) -> impl Iterator<Item = &Collateral> {
		std::iter::once(&self.ours).chain(&self.early)
	}
}

impl Source {
	/// All collateral for a platform, where evaluation number `in_force` counts; zero for none. `now` is
	/// the chain's time, in Unix seconds: simulated collateral is issued at that time.
	pub async fn fetch(
		&self,
		subject: &Subject,
		in_force: u32,
		now: u64,
	) -> Result<Fetched, CollateralError> {
		let (ours, early) = match self {
			Self::Pcs(pcs) => {
				let ours = pcs.fetch(subject, in_force).await?;
				let early = pcs.early(subject, &ours).await.unwrap_or_else(|error| {
					tracing::info!(%error, "early collateral is not to be had");
					None
				});
				(ours, early)
			}
			Self::File(path) => (file::read(path)?, None),
			Self::Simulated => (simulated::issue(subject, in_force, now)?, None),
		};
		Ok(Fetched { ours, early })
	}
}

impl std::fmt::Display for Source {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Self::Pcs(pcs) => write!(f, "{}", pcs.url()),
			Self::File(path) => write!(f, "{}", path.display()),
			Self::Simulated => f.write_str("the development PKI"),
		}
	}
}

/// The call that brings an item to the chain, for a platform whose PCK certificate is of this CA.
pub fn call(collateral: &Collateral, item: Item, ca: PckCaKind) -> Result<Call, CollateralError> {
	// The chain has the root; it wants the certificate below.
	let first = |chain: &str| {
		let certificates = pem::certificates(chain.as_bytes()).ok();
		let first = certificates.and_then(|chain| chain.into_iter().next());
		first.ok_or(CollateralError::NoCertificate(item))
	};
	Ok(match item {
		Item::RootCrl => Call::Crl(None, collateral.root_ca_crl.clone()),
		Item::PckCa => Call::PckCa(first(&collateral.pck_crl_issuer_chain)?),
		Item::PckCrl => Call::Crl(Some(ca), collateral.pck_crl.clone()),
		Item::TcbInfo => Call::TcbInfo(
			collateral.tcb_info.clone().into_bytes(),
			collateral.tcb_info_signature.clone(),
			first(&collateral.tcb_info_issuer_chain)?,
		),
		Item::QeIdentity => Call::QeIdentity(
			collateral.qe_identity.clone().into_bytes(),
			collateral.qe_identity_signature.clone(),
			first(&collateral.qe_identity_issuer_chain)?,
		),
	})
}

/// The PCK CA's certificate, if it is the one in the chain of this quote.
pub fn ca_of_quote(collateral: &Collateral, quote: &[u8]) -> Option<Vec<u8>> {
	let quote = Quote::parse(quote).ok()?;
	let chain = pem::certificates(collateral.pck_crl_issuer_chain.as_bytes()).ok()?;
	let certificate = chain.into_iter().next()?;
	let is_the_same = sp_crypto_hashing::sha2_256(&certificate) == quote.pck.ca_fingerprint;
	is_the_same.then_some(certificate)
}

/// What orders the issues of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Issue {
	/// Evaluation number; zero for what has none.
	pub number: u32,
	/// Unix second at which the next issue is due; of a CA, at which its certificate expires.
	pub until: u64,
}

/// Which issue of an item this is.
pub fn issue(collateral: &Collateral, item: Item) -> Result<Issue, CollateralError> {
	#[derive(Deserialize)]
	#[serde(rename_all = "camelCase")]
	struct Document {
		next_update: String,
		tcb_evaluation_data_number: u32,
	}
	let of_json = |json: &str| {
		let document: Document = serde_json::from_str(json).ok()?;
		let until = DateTime::from_str(&document.next_update).ok()?.unix_duration().as_secs();
		Some(Issue { number: document.tcb_evaluation_data_number, until })
	};
	let of_crl = |crl: &[u8]| {
		let list: x509_cert::crl::CertificateList = Decode::from_der(crl).ok()?;
		let until = list.tbs_cert_list.next_update?.to_unix_duration().as_secs();
		Some(Issue { number: 0, until })
	};
	let of_chain = |pem: &str| {
		let chain = x509_cert::Certificate::load_pem_chain(pem.as_bytes()).ok()?;
		let validity = chain.first()?.tbs_certificate().validity();
		Some(Issue { number: 0, until: validity.not_after.to_unix_duration().as_secs() })
	};
	match item {
		Item::PckCa => of_chain(&collateral.pck_crl_issuer_chain),
		Item::RootCrl => of_crl(&collateral.root_ca_crl),
		Item::PckCrl => of_crl(&collateral.pck_crl),
		Item::TcbInfo => of_json(&collateral.tcb_info),
		Item::QeIdentity => of_json(&collateral.qe_identity),
	}
	.ok_or(CollateralError::NoDate(item))
}

/// What the chain has of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
	/// What is in force.
	pub current: Option<Issue>,
	/// What waits until its evaluation number takes effect.
	pub waiting: Option<Issue>,
}

impl Held {
	/// Unix second at which what is in force expires.
	pub fn expires(&self) -> Option<u64> {
		self.current.map(|current| current.until)
	}

	/// Whether an issue would take the place of what is in force, rather than be refused or wait, where number
	/// `in_force` is.
	pub fn takes(&self, issue: Issue, in_force: u32) -> bool {
		issue.number <= in_force
			&& self.current.is_none_or(|current| issue.number >= current.number)
			&& self.waiting.is_none_or(|waiting| issue.number < waiting.number)
	}
}

/// What the chain has of an item, for platforms whose PCK certificate is of this CA.
pub fn held(collateral: &registry::Collateral, item: Item, ca: PckCaKind) -> Held {
	let of = match ca {
		PckCaKind::Processor => 0,
		PckCaKind::Platform => 1,
	};
	let document = |(number, until): (u32, u64)| Issue { number, until };
	let alone = |until: Option<u64>| Held {
		current: until.map(|until| Issue { number: 0, until }),
		waiting: None,
	};
	match item {
		Item::RootCrl => alone(collateral.root_crl.map(|(_, until)| until)),
		Item::PckCa => alone(collateral.pck_cas[of]),
		Item::PckCrl => alone(collateral.pck_crls[of].map(|(_, until)| until)),
		Item::TcbInfo => Held {
			current: collateral.tcb_info.map(document),
			waiting: collateral.next_tcb_info.map(document),
		},
		Item::QeIdentity => Held {
			current: collateral.qe_identity.map(document),
			waiting: collateral.next_qe_identity.map(document),
		},
	}
}

/// Evaluation numbers that the chain knows; zero if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
	/// The one in force.
	pub in_force: u32,
	/// The highest, which may wait for its time.
	pub newest: u32,
}

impl Numbers {
	/// At second `now` of the chain.
	pub fn at(now: u64, known: &[registry::Evaluation]) -> Self {
		let in_force = known.iter().filter(|known| known.in_force_from <= now);
		Self {
			in_force: in_force.map(|known| known.number).max().unwrap_or(0),
			newest: known.iter().map(|known| known.number).max().unwrap_or(0),
		}
	}
}

/// How long collateral must last, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Need {
	/// Until then it must count to be used at all.
	pub margin: u64,
	/// Until then it should count, so that it does not shorten the attestation.
	pub lifetime: u64,
}

/// Whether to submit our issue of an item. What the chain would refuse as no newer is never submitted;
/// what is merely nice to have only where the fee comes back.
pub fn is_needed(held: Held, ours: Issue, numbers: Numbers, now: u64, need: Need) -> bool {
	let until = |seconds: u64| now.saturating_add(seconds);
	let current = held.current.unwrap_or_default();
	let lacks = current.until <= until(need.margin);
	if ours.until <= now {
		return false;
	}
	if ours.number > numbers.in_force {
		// It will wait. That is of use once: to let the chain's delay begin, or where nothing else counts.
		let waiting = held.waiting.map_or(0, |waiting| waiting.number);
		return ours.number > waiting && (ours.number > numbers.newest || lacks);
	}
	// The number in force is what platforms are to be judged by, and free.
	let lasts = ours.until >= current.until.min(until(need.lifetime));
	let rises = ours.number > current.number && lasts;
	if !rises && (ours.number < current.number || ours.until <= current.until) {
		return false;
	}
	let is_free = ours.until >= current.until.saturating_add(WORTHWHILE);
	lacks || rises || (current.until < until(need.lifetime) && is_free)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	const DAY: u64 = 86_400;
	const NOW: u64 = 1_800_000_000;
	const NEED: Need = Need { margin: 3_600, lifetime: 7 * DAY };
	/// Number 18 is in force, and none waits.
	const NUMBERS: Numbers = Numbers { in_force: 18, newest: 18 };

	fn issued(number: u32, until: u64) -> Issue {
		Issue { number, until }
	}

	fn has(current: Issue) -> Held {
		Held { current: Some(current), waiting: None }
	}

	/// Whether a document of ours is needed, with days from now until each expires.
	fn needs(held: (u32, u64), ours: (u32, u64), numbers: Numbers) -> bool {
		let of = |(number, days): (u32, u64)| issued(number, NOW + days * DAY);
		is_needed(has(of(held)), of(ours), numbers, NOW, NEED)
	}

	#[test]
	fn what_is_missing_or_runs_out_is_needed() {
		let ours = issued(18, NOW + 30 * DAY);
		let needed = |held| is_needed(held, ours, NUMBERS, NOW, NEED);
		assert!(needed(Held::default()));
		assert!(needed(has(issued(18, NOW + 60))));
		assert!(needed(has(issued(18, NOW + 6 * DAY))), "it would shorten the attestation");
		assert!(!needed(has(issued(18, NOW + 8 * DAY))), "others will care in time");
	}

	#[test]
	fn what_brings_nothing_is_not_submitted() {
		let needed = |held, until| is_needed(held, issued(18, until), NUMBERS, NOW, NEED);
		assert!(!needed(Held::default(), NOW), "ours has expired");
		assert!(!needed(has(issued(18, NOW + 60)), NOW + 60), "it is the same");
		assert!(!needed(has(issued(18, NOW + 6 * DAY)), NOW + 7 * DAY), "the fee would be lost");
	}

	#[test]
	fn no_number_falls() {
		assert!(!needs((18, 0), (17, 30), NUMBERS), "the chain would refuse it, and keep the fee");
		assert!(!needs((18, 6), (17, 30), NUMBERS));
		assert!(needs((17, 0), (17, 30), NUMBERS), "nobody has brought the one in force");
		assert!(needs((17, 0), (18, 30), NUMBERS));
		assert!(needs((17, 6), (18, 7), NUMBERS), "a higher number is free");
		assert!(needs((17, 20), (18, 20), NUMBERS), "it may be demanded");
		assert!(!needs((17, 20), (18, 6), NUMBERS), "one that lasts will come");
	}

	#[test]
	fn an_early_document_is_submitted_once() {
		assert!(needs((18, 29), (19, 30), NUMBERS), "its delay begins");
		let known = Numbers { newest: 19, ..NUMBERS };
		assert!(!needs((18, 29), (19, 30), known), "it has begun");
		assert!(needs((18, 0), (19, 30), known), "nothing else counts");
		assert!(needs((18, 29), (20, 30), known));
		let needed = |number, until| {
			let waiting = Some(issued(19, NOW + 20 * DAY));
			let held = Held { current: Some(issued(18, NOW)), waiting };
			is_needed(held, issued(number, until), known, NOW, NEED)
		};
		assert!(!needed(19, NOW + 30 * DAY), "it would wait, and be paid for");
		assert!(needed(18, NOW + 30 * DAY));
	}

	#[test]
	fn the_number_in_force_is_the_highest_whose_time_has_come() {
		let known = [(17, 0), (18, NOW), (19, NOW + 1)]
			.map(|(number, in_force_from)| registry::Evaluation { number, in_force_from });
		assert_eq!(Numbers::at(NOW, &known), Numbers { in_force: 18, newest: 19 });
		assert_eq!(Numbers::at(NOW, &[]), Numbers::default());
	}

	proptest! {
		/// After a submission the same item is not needed again.
		#[test]
		fn submitting_settles_it(
			expires in prop::option::of(0..NOW * 2), until in 0..NOW * 2, later in 0..60 * DAY,
			numbers in (16u32..20, 16u32..20),
		) {
			let current = expires.map(|expires| issued(numbers.0, expires));
			let (held, ours) = (Held { current, waiting: None }, issued(numbers.1, until));
			if is_needed(held, ours, NUMBERS, NOW, NEED) {
				let waits = ours.number > NUMBERS.in_force;
				let current = current.filter(|_| !waits).unwrap_or_default();
				let rank = |issue: Issue| (issue.number, issue.until);
				prop_assert!(rank(ours) > rank(current));
				let (held, numbers) = if waits {
					let newest = ours.number;
					(Held { waiting: Some(ours), ..held }, Numbers { newest, ..NUMBERS })
				} else {
					(has(ours), NUMBERS)
				};
				prop_assert!(!is_needed(held, ours, numbers, NOW + later, NEED));
			}
		}
	}

	#[test]
	fn every_item_is_read() {
		let subject = Subject {
			tee: Tee::Tdx,
			fmspc: phala_dev_pki::Platform::FMSPC,
			ca: PckCaKind::Platform,
		};
		let collateral = simulated::issue(&subject, 21, NOW).unwrap();
		for item in Item::ALL {
			let Issue { number, until } = issue(&collateral, item).unwrap();
			assert!(until > NOW + 20 * DAY, "{item:?} {until}");
			let is_document = matches!(item, Item::TcbInfo | Item::QeIdentity);
			assert_eq!(number, if is_document { 21 } else { 0 }, "{item:?}");
		}
		for item in Item::ALL {
			call(&collateral, item, PckCaKind::Platform).unwrap();
		}
		let broken = Collateral { tcb_info: "{}".into(), pck_crl: vec![0x30], ..collateral };
		for item in [Item::TcbInfo, Item::PckCrl] {
			assert!(matches!(issue(&broken, item), Err(CollateralError::NoDate(_))));
		}
	}
}
