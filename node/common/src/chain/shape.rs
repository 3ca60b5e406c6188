//! Whether a runtime has what a program needs, asked once instead of failing in the middle.

use subxt::Metadata;

/// What a program uses of a pallet. Arguments are given by name, in order.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
	/// Name of the pallet in the runtime.
	pub pallet: &'static str,
	/// Calls and their arguments.
	pub calls: &'static [(&'static str, &'static [&'static str])],
	/// View functions and their arguments.
	pub views: &'static [(&'static str, &'static [&'static str])],
	/// Storage items.
	pub storage: &'static [&'static str],
}

/// What of `shapes` a runtime does not have: empty if it fits.
pub fn missing(metadata: &Metadata, shapes: &[Shape]) -> Vec<String> {
	let mut missing = vec![];
	for shape in shapes {
		let name = shape.pallet;
		let Some(pallet) = metadata.pallet_by_name(name) else {
			missing.push(format!("pallet {name}"));
			continue;
		};
		for (call, arguments) in shape.calls {
			let found = pallet.call_variant_by_name(call).map(|call| {
				call.fields.iter().map(|field| field.name.as_deref().unwrap_or("")).collect()
			});
			compare(&mut missing, &format!("call {name}.{call}"), arguments, found);
		}
		for (view, arguments) in shape.views {
			let found = pallet.view_function_by_name(view);
			let inputs = found.as_ref().map(|view| view.inputs().collect::<Vec<_>>());
			let found =
				inputs.as_ref().map(|inputs| inputs.iter().map(|input| &*input.name).collect());
			compare(&mut missing, &format!("view function {name}.{view}"), arguments, found);
		}
		for item in shape.storage {
			if pallet.storage().and_then(|storage| storage.entry_by_name(item)).is_none() {
				missing.push(format!("storage {name}.{item}"));
			}
		}
	}
	missing
}

fn compare(missing: &mut Vec<String>, what: &str, expected: &[&str], found: Option<Vec<&str>>) {
	match found {
		None => missing.push(what.into()),
		Some(found) if found != expected => missing.push(format!(
			"{what}({}), which has ({})",
			expected.join(", "),
			found.join(", ")
		)),
		Some(_) => {}
	}
}
