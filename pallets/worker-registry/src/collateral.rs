//! Collateral: verified once, kept in its compact form, only ever replaced by newer.

use crate::{
	slots::{Document, Slots, Stored},
	types::{CrlSource, SignedDocument},
	*,
};
use frame_support::pallet_prelude::*;
use phala_attestation::{
	Anchor, Crl, CrlIssuer, Item, PckCa, QeIdentity, TcbInfo, TrustRoot, Update,
};

impl<T: Config> From<phala_attestation::Error> for Error<T> {
	fn from(error: phala_attestation::Error) -> Self {
		Self::Attestation(error.rule().into())
	}
}

impl<T: Config> Pallet<T> {
	/// The root of trust: Intel's, unless genesis named a development root.
	pub(crate) fn root() -> TrustRoot {
		DevelopmentRoot::<T>::get().unwrap_or(TrustRoot::INTEL)
	}

	pub(crate) fn do_submit_tcb_info(
		document: &SignedDocument,
		signer: &[u8],
	) -> DispatchResultWithPostInfo {
		let (root, root_crl) = Self::anchor()?;
		let anchor = Anchor { root: &root, root_crl: &root_crl };
		let SignedDocument { body, signature } = document;
		let info = TcbInfo::verify(body, signature, signer, &anchor, Self::now())
			.map_err(Error::<T>::from)?;
		let (tee, fmspc) = (info.tee(), info.fmspc());
		let (evaluation, expires_at) = (info.evaluation_number(), info.next_update());
		let stored = TcbInfos::<T>::try_mutate((tee, fmspc), |slots| Self::offer(slots, info))?;
		Self::deposit_event(Event::TcbInfoStored {
			tee,
			fmspc,
			evaluation,
			expires_at,
			in_force: stored.in_force,
		});
		Ok(fee(stored.useful).into())
	}

	pub(crate) fn do_submit_qe_identity(
		document: &SignedDocument,
		signer: &[u8],
	) -> DispatchResultWithPostInfo {
		let (root, root_crl) = Self::anchor()?;
		let anchor = Anchor { root: &root, root_crl: &root_crl };
		let SignedDocument { body, signature } = document;
		let identity = QeIdentity::verify(body, signature, signer, &anchor, Self::now())
			.map_err(Error::<T>::from)?;
		let tee = identity.tee();
		let (evaluation, expires_at) = (identity.evaluation_number(), identity.next_update());
		let stored = QeIdentities::<T>::try_mutate(tee, |slots| Self::offer(slots, identity))?;
		Self::deposit_event(Event::QeIdentityStored {
			tee,
			evaluation,
			expires_at,
			in_force: stored.in_force,
		});
		Ok(fee(stored.useful).into())
	}

	pub(crate) fn do_submit_pck_ca(certificate: &[u8]) -> DispatchResultWithPostInfo {
		let (root, root_crl) = Self::anchor()?;
		let anchor = Anchor { root: &root, root_crl: &root_crl };
		let ca = PckCa::verify(certificate, &anchor, Self::now()).map_err(Error::<T>::from)?;
		let (kind, expires_at) = (ca.kind(), ca.not_after());
		let useful = match PckCas::<T>::get(kind) {
			Some(stored) => is_useful(ca.check_update(&stored).map_err(Error::<T>::from)?),
			None => true,
		};
		PckCas::<T>::insert(kind, ca);
		Self::deposit_event(Event::PckCaStored { ca: kind, expires_at });
		Ok(fee(useful).into())
	}

	pub(crate) fn do_submit_crl(source: CrlSource, crl: &[u8]) -> DispatchResultWithPostInfo {
		let (root, ca);
		let (item, issuer) = match source {
			CrlSource::Root => {
				root = Self::root();
				(Item::RootCrl, CrlIssuer::Root(&root))
			}
			CrlSource::PckCa(kind) => {
				ca = PckCas::<T>::get(kind).ok_or(Error::<T>::PckCaMissing)?;
				(Item::PckCrl, CrlIssuer::PckCa(&ca))
			}
		};
		let crl = Crl::verify(crl, issuer, Self::now()).map_err(Error::<T>::from)?;
		// What a CA signed with a key that it has no more says nothing about those of the new key.
		let stored = Crls::<T>::get(source).filter(|stored| stored.is_issued_by(issuer));
		let useful = match stored {
			Some(stored) => is_useful(crl.check_update(item, &stored).map_err(Error::<T>::from)?),
			None => true,
		};
		let (number, expires_at) = (crl.number(), crl.next_update());
		Crls::<T>::insert(source, crl);
		Self::deposit_event(Event::CrlStored { source, number, expires_at });
		Ok(fee(useful).into())
	}

	/// Root and root's revocation list, under which everything else is verified.
	fn anchor() -> Result<(TrustRoot, Crl), Error<T>> {
		let crl = Crls::<T>::get(CrlSource::Root).ok_or(Error::<T>::RootCrlMissing)?;
		Ok((Self::root(), crl))
	}

	/// Puts a document into its slot, and takes note of its evaluation number.
	fn offer<D: Document>(slots: &mut Slots<D>, document: D) -> Result<Stored, Error<T>> {
		let now = Self::now();
		let mut known = KnownEvaluations::<T>::get();
		let number = document.evaluation();
		let due = now.saturating_add(CurrentPolicy::<T>::get().activation_delay);
		if known.notice(number, due, now)? {
			Self::deposit_event(Event::EvaluationNoticed { number, in_force_from: due });
		}
		known.saw_level(number, document.newest_level());
		*slots = core::mem::take(slots).settled(&known, now);
		let stored = slots.offer(document, known.active(now))?;
		KnownEvaluations::<T>::put(known);
		Ok(stored)
	}
}

/// Useful collateral costs its submitter nothing.
fn fee(useful: bool) -> Pays {
	if useful { Pays::No } else { Pays::Yes }
}

fn is_useful(update: Update) -> bool {
	update == Update::Useful
}

macro_rules! document {
	($($name:ty),*) => { $(
		impl Document for $name {
			fn evaluation(&self) -> u32 {
				self.evaluation_number()
			}

			fn expires(&self) -> u64 {
				self.next_update()
			}

			fn newest_level(&self) -> u64 {
				self.newest_level()
			}

			fn check_update(&self, stored: &Self) -> Result<Update, phala_attestation::Error> {
				self.check_update(stored)
			}
		}
	)* };
}
document!(TcbInfo, QeIdentity);
