//! Intel's signed JSON documents.
//!
//! The signature is over the document's bytes exactly as delivered, and those bytes alone are parsed,
//! after the signature: no value comes from outside of what is signed, and no unsigned byte reaches
//! the parser. A field that is given twice, a string with an escape in a field that we read, and a
//! date of any form but `YYYY-MM-DDThh:mm:ssZ` are refused. Fields that we do not know are skipped:
//! Intel adds some within a version.

use core::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error as _};

use super::Item;
use crate::{error::Error, tcb::TcbStatus, types::UnixTime};

/// Longest document that is read, in bytes. Real ones have 460 to 5600.
pub const MAX_JSON_LEN: usize = 32 * 1024;

pub(super) fn check_len(item: Item, json: &[u8]) -> Result<(), Error> {
	if json.len() > MAX_JSON_LEN { Err(Error::CollateralTooLarge(item)) } else { Ok(()) }
}

pub(super) fn parse<'a, T: Deserialize<'a>>(item: Item, json: &'a [u8]) -> Result<T, Error> {
	serde_json::from_slice(json).map_err(|_| Error::CollateralMalformed(item))
}

/// A date.
#[derive(Clone, Copy)]
pub(super) struct Date(pub UnixTime);

impl<'de> Deserialize<'de> for Date {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = <&str>::deserialize(deserializer)?;
		der::DateTime::from_str(text)
			.map(|date| Self(date.unix_duration().as_secs()))
			.map_err(|_| D::Error::custom("no date"))
	}
}

/// Exactly `N` bytes in hexadecimal, either case.
#[derive(Clone, Copy)]
pub(super) struct Hex<const N: usize>(pub [u8; N]);

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = <&str>::deserialize(deserializer)?;
		let mut bytes = [0; N];
		match base16ct::mixed::decode(text, &mut bytes) {
			Ok(decoded) if decoded.len() == N => Ok(Self(bytes)),
			_ => Err(D::Error::custom("no bytes")),
		}
	}
}

/// A status that this document may carry.
pub(super) fn status(item: Item, name: &str, allowed: &[TcbStatus]) -> Result<TcbStatus, Error> {
	TcbStatus::from_str(name)
		.ok()
		.filter(|status| allowed.contains(status))
		.ok_or(Error::UnknownTcbStatus(item))
}
