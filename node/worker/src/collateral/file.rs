//! Collateral in a file: for machines without a way to Intel.

use super::CollateralError;
use phala_dev_pki::Collateral;
use phala_node_common::files;
use std::path::Path;

/// Reads the JSON form of dcap-qvl's `QuoteCollateralV3`.
pub fn read(path: &Path) -> Result<Collateral, CollateralError> {
	let content = files::read(path)?.ok_or_else(|| CollateralError::NoFile(path.to_owned()))?;
	serde_json::from_slice(&content).map_err(|error| CollateralError::Format {
		path: path.to_owned(),
		reason: error.to_string(),
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn errors_name_file_and_form() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("collateral.json");
		assert!(matches!(read(&path), Err(CollateralError::NoFile(_))));
		std::fs::write(&path, r#"{"tcb_info": 1}"#).unwrap();
		let error = read(&path).unwrap_err().to_string();
		assert!(
			error.contains("collateral.json") && error.contains("QuoteCollateralV3"),
			"{error}"
		);
	}
}
