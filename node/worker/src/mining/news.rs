//! What finalised blocks say about the worker: for logs and counters. Nothing is decided by it.

use super::{
	pallet::{PALLET, Settlement},
	position::{pha, pha_float},
};
use crate::metrics::Metrics;
use phala_node_common::chain::{ChainError, Finalised};
use phala_primitives::WorkerKey;
use subxt::{
	Metadata,
	error::EventsError,
	ext::{
		scale_decode::{DecodeAsFields, DecodeAsType, Error as DecodeError, Field},
		scale_value::{Value, ValueDef},
	},
};

/// An event about the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
	/// A session started.
	Started,
	/// It answered in time, and was paid so many planck, to its pool.
	Settled {
		/// To the pool.
		pool: u128,
		/// What its share had earned.
		gross: u128,
	},
	/// It missed a challenge.
	Missed {
		/// `NoAnswer` or `TooSlow`.
		reason: String,
		/// What it had earned and forfeits.
		forfeited: u128,
		/// What a day of silence costs.
		at_risk: u128,
	},
	/// It answered, and computes again.
	Recovered,
	/// It answered, and stays unresponsive.
	NotRecovered {
		/// Why.
		error: String,
	},
	/// It will end with the next answer or miss.
	Stopping,
	/// It ended.
	Ended {
		/// Why.
		reason: String,
		/// What it lost of its stake.
		lost: u128,
	},
}

macro_rules! fields {
	($($name:ident { $($field:ident: $ty:ty),* })*) => { $(
		#[derive(DecodeAsType)]
		#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
		struct $name { $($field: $ty),* }
	)* };
}

fields! {
	About { worker: [u8; 32] }
	SettledFields { settlement: Settlement }
	MissedFields { reason: Value, forfeited: u128, at_risk: u128 }
	NotRecoveredFields { error: Value }
	EndedFields { reason: Value, lost: u128 }
}

fn variant<T>(value: &Value<T>) -> String {
	match &value.value {
		ValueDef::Variant(variant) => variant.name.clone(),
		_ => "unknown".into(),
	}
}

/// The fields of an event, by name.
fn decode<E: DecodeAsFields>(
	metadata: &Metadata,
	event: &str,
	mut bytes: &[u8],
) -> Result<E, DecodeError> {
	let variants = metadata.pallet_by_name(PALLET).and_then(|pallet| pallet.event_variants());
	let variant = variants.into_iter().flatten().find(|variant| variant.name == event);
	let variant = variant
		.ok_or_else(|| DecodeError::custom_string(format!("there is no event {PALLET}.{event}")))?;
	let mut fields =
		variant.fields.iter().map(|field| Field::new(field.ty.id, field.name.as_deref()));
	E::decode_as_fields(&mut bytes, &mut fields, metadata.types())
}

impl News {
	/// All of a block about a worker, in order.
	pub async fn of(state: &Finalised, worker: &WorkerKey) -> Result<Vec<Self>, ChainError> {
		let events = state.at.events().fetch().await.map_err(|error| state.failed(error))?;
		let mut news = vec![];
		for event in events.iter() {
			let event = event.map_err(|error| state.failed(error))?;
			if event.pallet_name() != PALLET {
				continue;
			}
			let (name, fields) = (event.event_name(), event.field_bytes());
			let read = Self::read(state.at.metadata_ref(), name, fields, worker);
			news.extend(read.map_err(|reason| {
				state.failed(EventsError::CannotDecodeEventFields {
					pallet_name: PALLET.into(),
					event_name: name.into(),
					reason,
				})
			})?);
		}
		Ok(news)
	}

	/// An event of the pallet; `None` if it is not about the worker.
	pub fn read(
		metadata: &Metadata,
		event: &str,
		fields: &[u8],
		worker: &WorkerKey,
	) -> Result<Option<Self>, DecodeError> {
		let known = matches!(
			event,
			"Started" | "Settled" | "Missed" | "Recovered" | "NotRecovered" | "Stopping" | "Ended"
		);
		if !known || decode::<About>(metadata, event, fields)?.worker != worker.0 {
			return Ok(None);
		}
		Ok(Some(match event {
			"Started" => Self::Started,
			"Settled" => {
				let SettledFields { settlement } = decode(metadata, event, fields)?;
				Self::Settled { pool: settlement.pool, gross: settlement.gross }
			}
			"Missed" => {
				let MissedFields { reason, forfeited, at_risk } = decode(metadata, event, fields)?;
				Self::Missed { reason: variant(&reason), forfeited, at_risk }
			}
			"Recovered" => Self::Recovered,
			"NotRecovered" => {
				let NotRecoveredFields { error } = decode(metadata, event, fields)?;
				Self::NotRecovered { error: variant(&error) }
			}
			"Stopping" => Self::Stopping,
			_ => {
				let EndedFields { reason, lost } = decode(metadata, event, fields)?;
				Self::Ended { reason: variant(&reason), lost }
			}
		}))
	}

	/// Tells the log and the counters.
	pub fn tell(&self, block: u32, metrics: &Metrics) {
		let count = |outcome| metrics.challenges.with_label_values(&[outcome]).inc();
		match self {
			Self::Started => tracing::info!(block, "mining: a pool started a session"),
			Self::Settled { pool, gross } => {
				count("answered");
				metrics.paid.inc_by(pha_float(*pool));
				let (paid, earned) = (pha(*pool), pha(*gross));
				tracing::info!(block, %paid, %earned, "mining: answered in time, the pool is paid");
			}
			Self::Missed { reason, forfeited, at_risk } => {
				count(if reason == "TooSlow" { "too_slow" } else { "missed" });
				let (forfeited, at_risk) = (pha(*forfeited), pha(*at_risk));
				tracing::error!(
					block,
					%reason,
					%forfeited,
					%at_risk,
					"mining: missed a challenge; V and stake fall until it answers one. NoAnswer: was \
					 the node or the network away? TooSlow: is the machine shared with other work?"
				);
			}
			Self::Recovered => {
				count("answered");
				tracing::info!(block, "mining: answered, and computes again");
			}
			Self::NotRecovered { error } => {
				count("not_recovered");
				tracing::error!(block, %error, "mining: answered, but stays unresponsive");
			}
			Self::Stopping => {
				tracing::info!(block, "mining: told to stop; one more answer settles its pay");
			}
			Self::Ended { reason, lost } => {
				let lost = pha(*lost);
				tracing::warn!(block, %reason, %lost, "mining: the session ended");
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::mining::position::PHA;
	use phala_node_common::metrics::Registry;

	#[test]
	fn news_are_counted_by_what_became_of_the_challenge() {
		let metrics = Metrics::new(&Registry::new()).unwrap();
		let missed =
			|reason: &str| News::Missed { reason: reason.into(), forfeited: 1, at_risk: 2 };
		for news in [
			News::Started,
			News::Settled { pool: PHA, gross: 2 * PHA },
			News::Settled { pool: PHA / 2, gross: PHA },
			missed("NoAnswer"),
			missed("TooSlow"),
			News::Recovered,
			News::NotRecovered { error: "OnProbation".into() },
			News::Stopping,
			News::Ended { reason: "Silent".into(), lost: 3 },
		] {
			news.tell(7, &metrics);
		}
		let count = |outcome| metrics.challenges.with_label_values(&[outcome]).get();
		assert_eq!(["answered", "missed", "too_slow", "not_recovered"].map(count), [3, 1, 1, 1]);
		assert_eq!(metrics.paid.get(), 1.5);
	}
}
