//! Whether types of a runtime are encoded like those of this program.
//!
//! Programs that decode state themselves ask this once for each runtime, instead of misreading it.
//! Names of types and newtypes around a type do not matter; fields, variants and their numbers do.

use scale_info::{MetaType, PortableRegistry, Registry, TypeDef, form::PortableForm};
use std::collections::BTreeSet;
use subxt::Metadata;

/// What a program encodes and decodes of a pallet.
#[derive(Clone, Debug)]
pub struct Encodings {
	/// Name of the pallet in the runtime.
	pub pallet: &'static str,
	/// Storage items and their values.
	pub storage: Vec<(&'static str, MetaType)>,
	/// Calls and their arguments, in order.
	pub calls: Vec<(&'static str, Vec<MetaType>)>,
}

/// What of it a runtime has otherwise, or not at all: empty if it fits.
pub fn misfits(metadata: &Metadata, expected: &Encodings) -> Vec<String> {
	let name = expected.pallet;
	let Some(pallet) = metadata.pallet_by_name(name) else { return vec![format!("pallet {name}")] };
	let mut misfits = vec![];
	for (item, ty) in &expected.storage {
		let found = pallet.storage().and_then(|storage| storage.entry_by_name(item));
		let fits = found.is_some_and(|found| fits(metadata, found.value_ty(), ty));
		if !fits {
			misfits.push(format!("storage {name}.{item}"));
		}
	}
	for (call, arguments) in &expected.calls {
		let fits = pallet.call_variant_by_name(call).is_some_and(|found| {
			found.fields.len() == arguments.len()
				&& found.fields.iter().zip(arguments).all(|(a, b)| fits(metadata, a.ty.id, b))
		});
		if !fits {
			misfits.push(format!("call {name}.{call}"));
		}
	}
	misfits
}

fn fits(metadata: &Metadata, ty: u32, expected: &MetaType) -> bool {
	let mut registry = Registry::new();
	let expected = registry.register_type(expected).id;
	let types: PortableRegistry = registry.into();
	Comparison { ours: &types, theirs: metadata.types(), assumed: BTreeSet::new() }
		.same(expected, ty)
}

struct Comparison<'a> {
	ours: &'a PortableRegistry,
	theirs: &'a PortableRegistry,
	/// Pairs that are being compared further up.
	assumed: BTreeSet<(u32, u32)>,
}

/// The type inside of newtypes.
fn inner(types: &PortableRegistry, mut ty: u32) -> Option<(u32, &TypeDef<PortableForm>)> {
	loop {
		let def = &types.resolve(ty)?.type_def;
		ty = match def {
			TypeDef::Composite(composite) if composite.fields.len() == 1 => {
				composite.fields.first()?.ty.id
			}
			TypeDef::Tuple(tuple) if tuple.fields.len() == 1 => tuple.fields.first()?.id,
			_ => return Some((ty, def)),
		};
	}
}

impl Comparison<'_> {
	fn same(&mut self, ours: u32, theirs: u32) -> bool {
		let (Some((ours, a)), Some((theirs, b))) =
			(inner(self.ours, ours), inner(self.theirs, theirs))
		else {
			return false;
		};
		if !self.assumed.insert((ours, theirs)) {
			return true;
		}
		match (a, b) {
			(TypeDef::Primitive(a), TypeDef::Primitive(b)) => a == b,
			(TypeDef::Compact(a), TypeDef::Compact(b)) => {
				self.same(a.type_param.id, b.type_param.id)
			}
			(TypeDef::Sequence(a), TypeDef::Sequence(b)) => {
				self.same(a.type_param.id, b.type_param.id)
			}
			(TypeDef::Array(a), TypeDef::Array(b)) => {
				a.len == b.len && self.same(a.type_param.id, b.type_param.id)
			}
			(TypeDef::Variant(a), TypeDef::Variant(b)) => {
				a.variants.len() == b.variants.len()
					&& a.variants.iter().zip(&b.variants).all(|(a, b)| {
						let types = |fields: &[scale_info::Field<PortableForm>]| {
							fields.iter().map(|field| field.ty.id).collect()
						};
						(&a.name, a.index) == (&b.name, b.index)
							&& self.all(types(&a.fields), types(&b.fields))
					})
			}
			(a, b) => match (fields(a), fields(b)) {
				(Some(a), Some(b)) => self.all(a, b),
				_ => false,
			},
		}
	}

	fn all(&mut self, ours: Vec<u32>, theirs: Vec<u32>) -> bool {
		ours.len() == theirs.len() && ours.into_iter().zip(theirs).all(|(a, b)| self.same(a, b))
	}
}

/// Structs and tuples are encoded alike.
fn fields(def: &TypeDef<PortableForm>) -> Option<Vec<u32>> {
	match def {
		TypeDef::Composite(composite) => {
			Some(composite.fields.iter().map(|field| field.ty.id).collect())
		}
		TypeDef::Tuple(tuple) => Some(tuple.fields.iter().map(|field| field.id).collect()),
		_ => None,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use scale_info::{TypeInfo, meta_type};

	fn same<A: TypeInfo + 'static, B: TypeInfo + 'static>() -> bool {
		let types = |ty: &MetaType| {
			let mut registry = Registry::new();
			let id = registry.register_type(ty).id;
			(id, PortableRegistry::from(registry))
		};
		let ((a, ours), (b, theirs)) = (types(&meta_type::<A>()), types(&meta_type::<B>()));
		Comparison { ours: &ours, theirs: &theirs, assumed: BTreeSet::new() }.same(a, b)
	}

	#[derive(TypeInfo)]
	#[allow(dead_code, reason = "only its type is looked at")]
	struct Account([u8; 32]);

	#[derive(TypeInfo)]
	#[allow(dead_code, reason = "only its type is looked at")]
	enum One {
		A(u8),
		#[codec(index = 4)]
		B {
			x: Option<Vec<Account>>,
		},
	}

	mod other {
		use scale_info::TypeInfo;

		#[derive(TypeInfo)]
		#[allow(dead_code, reason = "only its type is looked at")]
		pub enum Same {
			A(u8),
			#[codec(index = 4)]
			B {
				y: Option<Vec<[u8; 32]>>,
			},
		}

		#[derive(TypeInfo)]
		#[allow(dead_code, reason = "only its type is looked at")]
		pub enum Moved {
			A(u8),
			B { x: Option<Vec<[u8; 32]>> },
		}
	}

	#[test]
	fn encodings_are_compared_and_names_are_not() {
		assert!(same::<One, other::Same>());
		assert!(same::<(u8, Account), (u8, [u8; 32])>());
		assert!(!same::<One, other::Moved>());
		assert!(!same::<(u8, u32), (u8, u64)>());
		assert!(!same::<[u8; 32], [u8; 31]>());
		assert!(!same::<(u8, u8), (u8,)>());
		assert!(!same::<Vec<u8>, [u8; 3]>());
	}
}
