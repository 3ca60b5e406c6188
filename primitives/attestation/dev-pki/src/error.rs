use core::fmt;

/// Why material could not be issued.
#[derive(Debug)]
pub enum Error {
	/// A date after the year 9999, which neither certificates nor JSON can express: choose an
	/// earlier `now` or a shorter validity.
	Date(u64),
	/// The DER encoder refused a field: a value in the request is longer than its format allows.
	Encoding(x509_cert::builder::Error),
}

impl fmt::Display for Error {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Date(seconds) => write!(
				f,
				"{seconds} s after 1970 is beyond the year 9999: choose an earlier time or a \
				 shorter validity"
			),
			Self::Encoding(error) => {
				write!(f, "{error}: a value is longer than its format allows; shorten it")
			}
		}
	}
}

impl std::error::Error for Error {}

impl From<x509_cert::builder::Error> for Error {
	fn from(error: x509_cert::builder::Error) -> Self {
		Self::Encoding(error)
	}
}

impl From<der::Error> for Error {
	fn from(error: der::Error) -> Self {
		Self::Encoding(error.into())
	}
}
