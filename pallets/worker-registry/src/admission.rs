//! The way of a quote: from the cheap checks to the signatures. The dry run takes the same way.

use crate::{
	slots::Slots,
	types::{
		Accepted, BindingError, Claim, Judgement, LapseReason, MeasurementError, PlatformError,
		Refused,
	},
	*,
};
use alloc::vec::Vec;
use frame_support::{ensure, pallet_prelude::*};
use phala_attestation::{
	AdvisoryId, Anchor, Appraised, Binding, Collateral, Crl, Evidence, Item, PckCa, PckCaKind,
	QeIdentity, Quote, Role, TcbInfo, Tee, TrustRoot, platform_id, verify_quote,
};
use phala_primitives::{AttestationChange, Measurement, PlatformId, WorkerKey};
use sp_core::H256;
use types::CrlSource;

/// An error, with the data that a dispatch error has no room for.
pub(crate) struct Refusal<T: Config> {
	pub error: Error<T>,
	pub detail: Option<phala_attestation::Error>,
}

impl<T: Config> From<phala_attestation::Error> for Refusal<T> {
	fn from(error: phala_attestation::Error) -> Self {
		Self { error: error.into(), detail: Some(error) }
	}
}

macro_rules! refusal_from {
	($($inner:ident => $variant:ident),*) => { $(
		impl<T: Config> From<$inner> for Refusal<T> {
			fn from(error: $inner) -> Self {
				Self { error: Error::$variant(error), detail: None }
			}
		}
	)* };
}
refusal_from!(BindingError => Binding, MeasurementError => Measurement, PlatformError => Platform);

impl<T: Config> From<Error<T>> for Refusal<T> {
	fn from(error: Error<T>) -> Self {
		Self { error, detail: None }
	}
}

/// A quote, and what it says by itself.
struct Presented<'a> {
	quote: Quote<'a>,
	measurement: Measurement,
	platform: PlatformId,
	/// Hash of the report data.
	report: H256,
}

/// A quote that passed the cheap checks.
pub(crate) struct Screened<'a> {
	presented: Presented<'a>,
	role: Role,
	collateral: Stored,
}

/// A quote that passed all.
pub(crate) struct Admitted {
	pub measurement: Measurement,
	pub platform: PlatformId,
	pub evidence: Evidence,
	pub judgement: Judgement,
	pub advisories: Vec<AdvisoryId>,
	/// Hash of the report data.
	pub report: H256,
}

/// Collateral out of storage.
struct Stored {
	root: TrustRoot,
	root_crl: Crl,
	pck_ca: PckCa,
	pck_crl: Crl,
	tcb_info: TcbInfo,
	qe_identity: QeIdentity,
}

impl Stored {
	fn as_collateral(&self) -> Collateral<'_> {
		Collateral {
			anchor: Anchor { root: &self.root, root_crl: &self.root_crl },
			pck_ca: &self.pck_ca,
			pck_crl: &self.pck_crl,
			tcb_info: &self.tcb_info,
			qe_identity: &self.qe_identity,
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Report data that a quote of this operator must carry.
	pub(crate) fn expected_report_data(operator: &T::AccountId, claim: &Claim) -> [u8; 64] {
		Self::binding(operator, claim).hash()
	}

	fn binding(operator: &T::AccountId, claim: &Claim) -> Binding {
		let chain = Self::chain_id();
		Binding {
			genesis_hash: chain.genesis.0,
			para_id: chain.para_id,
			role: claim.role,
			operator: operator.clone().into(),
			identity_key: claim.worker.0,
			encryption_key: claim.encryption_key,
			block_number: claim.block.number,
			block_hash: claim.block.hash.0,
		}
	}

	/// Everything before cryptography: form, binding, image, machine, presence of collateral. `own` is
	/// the record of a worker that renews.
	pub(crate) fn screen<'a>(
		operator: &T::AccountId,
		quote: &'a [u8],
		claim: &Claim,
		own: Option<&WorkerOf<T>>,
	) -> Result<Screened<'a>, Refusal<T>> {
		Self::age_of(&claim.block).map_err(|error| match error {
			impls::Unrecognised::TooOld => BindingError::BlockTooOld,
			impls::Unrecognised::Unknown => BindingError::BlockUnknown,
			impls::Unrecognised::OtherFork => BindingError::BlockOnOtherFork,
		})?;
		let presented = Self::present(quote)?;
		let Presented { quote, measurement, platform, report } = &presented;
		Self::binding(operator, claim).check(quote.report_data())?;
		let block = BlockNumberFor::<T>::from(claim.block.number);
		ensure!(!UsedReports::<T>::contains_key(block, report), BindingError::ReportDataUsed);

		Self::check_measurement(measurement, claim.role)?;

		ensure!(!BannedPlatforms::<T>::contains_key(platform), PlatformError::Banned);
		if !own.is_some_and(|own| own.holds_place() && own.platform == *platform) {
			Self::check_place(*platform)?;
		}

		let collateral = Self::collateral_for(quote.tee(), quote.pck.fmspc, quote.pck.ca)?;
		Ok(Screened { presented, role: claim.role, collateral })
	}

	fn present(quote: &[u8]) -> Result<Presented<'_>, phala_attestation::Error> {
		let quote = Quote::parse(quote)?;
		Ok(Presented {
			measurement: H256(quote.measurement()),
			platform: H256(platform_id(&quote.pck.ppid, &Self::chain_id().genesis.0)),
			report: H256(sp_io::hashing::blake2_256(quote.report_data())),
			quote,
		})
	}

	/// Everything from cryptography on.
	pub(crate) fn prove(screened: Screened<'_>) -> Result<Admitted, Refusal<T>> {
		let Screened { presented, role, collateral } = screened;
		let Presented { quote, measurement, platform, report } = presented;
		let policy = CurrentPolicy::<T>::get();
		let now = Self::now();
		let collateral = collateral.as_collateral();
		let verified = verify_quote(&quote, &collateral, now, policy.collateral_margin)?;
		let judgement = Self::judge(&policy.tcb, role, &verified.appraised, now, now)?;
		Ok(Admitted {
			measurement,
			platform,
			evidence: verified.evidence,
			judgement,
			advisories: verified.appraised.advisory_ids.into_inner(),
			report,
		})
	}

	/// What an appraisal is worth, and until when. Second `attested_at` is that of the quote.
	fn judge(
		policy: &phala_attestation::Policy,
		role: Role,
		appraised: &Appraised,
		attested_at: u64,
		now: u64,
	) -> Result<Judgement, phala_attestation::Error> {
		let activations = KnownEvaluations::<T>::get().activations();
		let (tier, expires_at) =
			policy.appraise(role, appraised, &activations, attested_at, now)?;
		Ok(Judgement { status: appraised.status, tier, expires_at })
	}

	/// Collateral in force for such a quote.
	fn collateral_for(
		tee: Tee,
		fmspc: phala_attestation::Fmspc,
		ca: PckCaKind,
	) -> Result<Stored, phala_attestation::Error> {
		let missing = |item| phala_attestation::Error::CollateralMissing { item, tee, fmspc, ca };
		let now = Self::now();
		let known = KnownEvaluations::<T>::get();
		let tcb: Slots<TcbInfo> = TcbInfos::<T>::get((tee, fmspc)).settled(&known, now);
		let qe: Slots<QeIdentity> = QeIdentities::<T>::get(tee).settled(&known, now);
		Ok(Stored {
			root: Self::root(),
			root_crl: Crls::<T>::get(CrlSource::Root).ok_or(missing(Item::RootCrl))?,
			pck_ca: PckCas::<T>::get(ca).ok_or(missing(Item::PckCa))?,
			pck_crl: Crls::<T>::get(CrlSource::PckCa(ca)).ok_or(missing(Item::PckCrl))?,
			tcb_info: tcb.current.ok_or(missing(Item::TcbInfo))?,
			qe_identity: qe.current.ok_or(missing(Item::QeIdentity))?,
		})
	}

	pub(crate) fn do_reappraise(key: &WorkerKey) -> DispatchResult {
		let worker = Workers::<T>::get(key).ok_or(Error::<T>::WorkerNotFound)?;
		ensure!(Self::counts(&worker, 0), Error::<T>::NotAttested);
		Self::appraise_anew(*key, worker);
		Ok(())
	}

	/// Judges an attested worker by today's collateral and policy. Without current collateral
	/// nothing changes: the worker runs out by itself.
	pub(crate) fn appraise_anew(key: WorkerKey, mut worker: WorkerOf<T>) {
		let now = Self::now();
		worker.appraised_at = now;
		match Self::judge_anew(&worker, now) {
			Ok(judgement) => {
				let before = core::mem::replace(&mut worker.judgement, judgement);
				Workers::<T>::insert(key, worker);
				if before == judgement {
					return;
				}
				Self::deposit_event(Event::WorkerReappraised {
					worker: key,
					status: judgement.status,
					tier: judgement.tier,
					expires_at: judgement.expires_at,
				});
				let (from, to) = (before.tier, judgement.tier);
				Self::announce(&key, AttestationChange::Reappraised { from, to });
			}
			Err(error) => match verdict_of(&error) {
				Some(reason) => Self::lapse(key, worker, reason),
				None => Workers::<T>::insert(key, worker),
			},
		}
	}

	fn judge_anew(worker: &WorkerOf<T>, now: u64) -> Result<Judgement, phala_attestation::Error> {
		let Evidence { tee, fmspc, ca, .. } = worker.evidence;
		let stored = Self::collateral_for(tee, fmspc, ca)?;
		let appraised = worker.evidence.appraise(&stored.as_collateral(), now, 0)?;
		let policy = CurrentPolicy::<T>::get().tcb;
		Self::judge(&policy, worker.role, &appraised, worker.attested_at, now)
	}

	pub(crate) fn view_why_refused(
		operator: &T::AccountId,
		quote: &[u8],
		claim: &Claim,
	) -> Result<Accepted, Refused<Error<T>>> {
		answer(Self::dry_run(operator, quote, claim))
	}

	pub(crate) fn view_appraise(quote: &[u8], role: Role) -> Result<Accepted, Refused<Error<T>>> {
		let screened = || {
			let presented = Self::present(quote)?;
			let Quote { pck, .. } = &presented.quote;
			let collateral = Self::collateral_for(presented.quote.tee(), pck.fmspc, pck.ca)?;
			Ok(Screened { presented, role, collateral })
		};
		answer(screened().and_then(Self::prove))
	}

	fn dry_run(
		operator: &T::AccountId,
		quote: &[u8],
		claim: &Claim,
	) -> Result<Admitted, Refusal<T>> {
		let own = Workers::<T>::get(claim.worker);
		if let Some(own) = &own {
			ensure!(own.operator == *operator, Error::<T>::WorkerExists);
			Self::ensure_same_identity(own, claim)?;
		}
		Self::prove(Self::screen(operator, quote, claim, own.as_ref())?)
	}
}

fn answer<T: Config>(outcome: Result<Admitted, Refusal<T>>) -> Result<Accepted, Refused<Error<T>>> {
	match outcome {
		Ok(Admitted { measurement, platform, judgement, advisories, .. }) => {
			Ok(Accepted { measurement, platform, judgement, advisories })
		}
		Err(Refusal { error, detail }) => Err(Refused { error, detail }),
	}
}

/// Which verdict on the platform an appraisal's error is, if it is one. Collateral that is absent, too
/// old or withdrawn says nothing about the platform.
fn verdict_of(error: &phala_attestation::Error) -> Option<LapseReason> {
	use phala_attestation::{
		Error as Rule,
		types::CertificateKind::{Pck, PckCa},
	};
	match error {
		Rule::CertificateRevoked(Pck | PckCa)
		| Rule::PlatformRevoked
		| Rule::QeRevoked
		| Rule::TdxModuleRevoked => Some(LapseReason::Revoked),
		Rule::GraceEnded { .. }
		| Rule::StatusRefused(_)
		| Rule::TierTooLow { .. }
		| Rule::NoMatchingTcbLevel
		| Rule::NoMatchingCurrentTcbLevel
		| Rule::UnknownTdxModule(_)
		| Rule::TdxModuleIsvSvnTooLow(_)
		| Rule::TdxModuleSigner
		| Rule::TdxModuleAttributes
		| Rule::QeIsvSvnTooLow(_)
		| Rule::QeMrSigner
		| Rule::QeIsvProdId
		| Rule::QeMiscSelect
		| Rule::QeAttributes => Some(LapseReason::TcbRefused),
		_ => None,
	}
}
