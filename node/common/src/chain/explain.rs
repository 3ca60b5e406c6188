//! Errors of the runtime in words. Runtimes document every error in their metadata: the words are
//! always those of the runtime that refused.

use std::fmt;
use subxt::{
	Metadata,
	ext::scale_value::{Value, ValueDef},
};

/// An error of a pallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
	/// Names from the outside in: `["CollateralMissing", "TcbInfo"]`.
	pub path: Vec<String>,
	/// What the runtime's documentation says of each.
	pub docs: String,
}

impl Explained {
	/// Name of the pallet's own error.
	pub fn outer(&self) -> &str {
		self.path.first().map_or("", String::as_str)
	}

	/// Name of the error inside of it, if there is one.
	pub fn inner(&self) -> &str {
		self.path.get(1).map_or("", String::as_str)
	}
}

impl fmt::Display for Explained {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}", self.path.join("/"))?;
		if !self.docs.is_empty() {
			write!(f, ": {}", self.docs)?;
		}
		Ok(())
	}
}

/// Explains an error of `pallet`, decoded dynamically.
pub fn explain<T>(metadata: &Metadata, pallet: &str, error: &Value<T>) -> Explained {
	let mut explained = Explained { path: vec![], docs: String::new() };
	let ty = metadata.pallet_by_name(pallet).and_then(|pallet| pallet.error_ty_id());
	walk(metadata, ty, error, &mut explained);
	explained
}

fn walk<T>(metadata: &Metadata, ty: Option<u32>, value: &Value<T>, explained: &mut Explained) {
	let variant = match &value.value {
		ValueDef::Variant(variant) => variant,
		// A newtype around an error adds nothing.
		ValueDef::Composite(fields) if fields.len() == 1 => {
			let inner =
				ty.and_then(|ty| metadata.types().resolve(ty)).and_then(|ty| match &ty.type_def {
					scale_info::TypeDef::Composite(fields) => fields.fields.first(),
					_ => None,
				});
			let Some(value) = fields.values().next() else { return };
			return walk(metadata, inner.map(|field| field.ty.id), value, explained);
		}
		_ => return,
	};
	explained.path.push(variant.name.clone());
	let described =
		ty.and_then(|ty| metadata.types().resolve(ty)).and_then(|ty| match &ty.type_def {
			scale_info::TypeDef::Variant(variants) => {
				variants.variants.iter().find(|one| one.name == variant.name)
			}
			_ => None,
		});
	if let Some(described) = described {
		let sentence = described.docs.join(" ");
		if !sentence.is_empty() {
			explained.docs.push_str(if explained.docs.is_empty() { "" } else { " " });
			explained.docs.push_str(sentence.trim());
		}
	}
	if let Some(inner) = variant.values.values().next() {
		let ty = described.and_then(|one| one.fields.first()).map(|field| field.ty.id);
		walk(metadata, ty, inner, explained);
	}
}
