//! Storage items: their addresses, and values in SCALE.
//!
//! For programs that must not believe what a node makes of the state: they ask for the bytes at an
//! address, with a proof, and decode them themselves.

use codec::{Decode, DecodeAll, Encode};
use sp_crypto_hashing::{blake2_128, twox_64, twox_128};
use std::marker::PhantomData;

/// The address of a storage item whose value is a `T`.
#[derive(Clone, Debug)]
pub struct Item<T> {
	key: Vec<u8>,
	value: PhantomData<fn() -> T>,
}

/// What is stored is no value of the type that it should have.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
	"the state at 0x{} is not what this program expects ({cause}): use a version of this program \
	 that fits the chain's runtime",
	hex::encode(key)
)]
pub struct Malformed {
	/// The address.
	pub key: Vec<u8>,
	/// Where decoding ended.
	pub cause: codec::Error,
}

/// Why a value could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
	/// The state could not be read.
	#[error(transparent)]
	Read(E),
	/// It has another form.
	#[error(transparent)]
	Malformed(#[from] Malformed),
}

impl<T> Item<T> {
	/// An item without keys, or the beginning of a map.
	pub fn new(pallet: &str, item: &str) -> Self {
		let key = [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat();
		Self { key, value: PhantomData }
	}

	/// The entry under a key that is hashed with `Twox64Concat`.
	pub fn twox64(mut self, key: &impl Encode) -> Self {
		let key = key.encode();
		self.key.extend(twox_64(&key));
		self.key.extend(key);
		self
	}

	/// The entry under a key that is hashed with `Blake2_128Concat`.
	pub fn blake2(mut self, key: &impl Encode) -> Self {
		let key = key.encode();
		self.key.extend(blake2_128(&key));
		self.key.extend(key);
		self
	}

	/// The entry under a key that is not hashed.
	pub fn identity(mut self, key: &impl Encode) -> Self {
		key.encode_to(&mut self.key);
		self
	}

	/// The address.
	pub fn key(&self) -> &[u8] {
		&self.key
	}
}

impl<T: Decode> Item<T> {
	/// The value in what is stored at the address, if anything is.
	pub fn decode(&self, stored: Option<Vec<u8>>) -> Result<Option<T>, Malformed> {
		stored
			.map(|bytes| T::decode_all(&mut &bytes[..]))
			.transpose()
			.map_err(|cause| Malformed { key: self.key.clone(), cause })
	}
}

/// The state after one finalised block.
#[allow(async_fn_in_trait, reason = "used within this workspace, on one thread at a time")]
pub trait Reader {
	/// Failed requests.
	type Error;

	/// What is stored at each address, in order.
	async fn read(&mut self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Self::Error>;

	/// The value of an item, if it has one.
	async fn get<T: Decode>(
		&mut self,
		item: &Item<T>,
	) -> Result<Option<T>, ReadError<Self::Error>> {
		let stored = self.read(std::slice::from_ref(&item.key)).await.map_err(ReadError::Read)?;
		Ok(item.decode(stored.into_iter().next().flatten())?)
	}

	/// The values of several items of one kind, in order.
	async fn get_each<T: Decode>(
		&mut self,
		items: &[Item<T>],
	) -> Result<Vec<Option<T>>, ReadError<Self::Error>> {
		if items.is_empty() {
			return Ok(vec![]);
		}
		let keys: Vec<_> = items.iter().map(|item| item.key.clone()).collect();
		let mut stored = self.read(&keys).await.map_err(ReadError::Read)?;
		stored.resize(items.len(), None);
		let values = items.iter().zip(stored).map(|(item, stored)| item.decode(stored));
		Ok(values.collect::<Result<_, _>>()?)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn addresses_are_those_of_the_runtime() {
		// Known from every chain with these pallets.
		let number = Item::<u32>::new("System", "Number");
		assert_eq!(
			hex::encode(number.key()),
			"26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac"
		);
		let account = Item::<()>::new("System", "Account").blake2(&[1u8; 32]);
		assert_eq!(account.key().len(), 32 + 16 + 32);
		assert_eq!(account.key()[48..], [1; 32]);
		let hash = Item::<()>::new("System", "BlockHash").twox64(&7u32);
		assert_eq!(hash.key()[32 + 8..], 7u32.encode());
		assert_eq!(Item::<()>::new("A", "B").identity(&[9u8; 4]).key()[32..], [9; 4]);
	}

	#[test]
	fn other_forms_are_errors() {
		let item = Item::<u32>::new("System", "Number");
		assert_eq!(item.decode(None).unwrap(), None);
		assert_eq!(item.decode(Some(vec![1, 0, 0, 0])).unwrap(), Some(1));
		for stored in [vec![], vec![1], vec![1, 0, 0, 0, 0]] {
			let error = item.decode(Some(stored)).unwrap_err().to_string();
			assert!(error.contains("26aa394eea5630e0"), "{error}");
		}
	}
}
