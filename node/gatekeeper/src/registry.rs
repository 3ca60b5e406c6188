//! Who is attested, from the registry's own records.
//!
//! The registry's view functions would say the same, but a node computes them. Records are proven to be
//! in the state, and judged here by the registry's rules.

use codec::Decode;
use pallet_worker_registry::types::{MeasurementRecord, Worker};
use phala_attestation::Role;
use phala_node_common::{
	board::Clocks,
	chain::{Encodings, Item, ReadError, Reader},
};
use phala_primitives::WorkerKey;
use scale_info::meta_type;
use sp_core::H256;

const PALLET: &str = "WorkerRegistry";

/// How this program decodes the registry's records.
pub fn encodings() -> Encodings {
	Encodings {
		pallet: PALLET,
		storage: vec![
			("Workers", meta_type::<Record>()),
			("Measurements", meta_type::<MeasurementRecord<u32>>()),
		],
		calls: vec![],
	}
}

/// A worker's record. Its last field is the deposit.
type Record = Worker<[u8; 32], u128>;

/// An attestation that nothing speaks against but time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
	/// What the worker's program does.
	pub role: Role,
	/// Unix second from which on it does not count.
	pub ends: u64,
	/// Whether a period of grace may follow.
	pub grace: bool,
}

impl Standing {
	/// Does it count at `now` for this role, or did it until `grace` seconds before?
	pub fn counts(&self, role: Role, now: u64, grace: u64) -> bool {
		let grace = if self.grace { grace } else { 0 };
		self.role == role && now < self.ends.saturating_add(grace)
	}
}

/// The standing of each worker, in order; `None` for those that are not registered, run an image that
/// is not allowed, or are on a banned machine.
pub async fn standings<R: Reader>(
	reader: &mut R,
	workers: &[WorkerKey],
	clocks: &Clocks,
) -> Result<Vec<Option<Standing>>, ReadError<R::Error>> {
	let item = |worker: &WorkerKey| Item::<Record>::new(PALLET, "Workers").blake2(worker);
	let records = reader.get_each(&workers.iter().map(item).collect::<Vec<_>>()).await?;
	let found: Vec<_> = records.iter().flatten().collect();
	let key = |item, hash: &H256| Item::<()>::new(PALLET, item).identity(hash).key().to_vec();
	let images = found.iter().map(|record| key("Measurements", &record.measurement));
	let machines = found.iter().map(|record| key("BannedPlatforms", &record.platform));
	let images = read(reader, images.collect()).await?;
	let banned = read(reader, machines.collect()).await?;
	let mut judged = found.iter().zip(images).zip(banned).map(|((record, image), banned)| {
		let image = image.and_then(|bytes| MeasurementRecord::<u32>::decode(&mut &bytes[..]).ok());
		let allowed = image.is_some_and(|image| {
			image.role == record.role
				&& image.has_begun(&clocks.relay)
				&& !image.is_past_sunset(&clocks.relay)
		});
		let (ends, grace) = record.ends();
		(allowed && banned.is_none()).then_some(Standing { role: record.role, ends, grace })
	});
	Ok(records.iter().map(|record| record.as_ref().and_then(|_| judged.next().flatten())).collect())
}

async fn read<R: Reader>(
	reader: &mut R,
	keys: Vec<Vec<u8>>,
) -> Result<Vec<Option<Vec<u8>>>, ReadError<R::Error>> {
	match keys.is_empty() {
		true => Ok(vec![]),
		false => reader.read(&keys).await.map_err(ReadError::Read),
	}
}
