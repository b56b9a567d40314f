//! The short hashes of the coordination formats.

use labtrust_trust::canonical::{CanonicalError, fingerprint};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The first 16 hex digits of the SHA-256 of the canonical JSON of `value`.
///
/// # Errors
/// [`CanonicalError`] for numbers without canonical text.
pub fn h16(value: &Value) -> Result<String, CanonicalError> {
    canonical_prefix(value, 16)
}

/// The first `digits` hex digits of the same hash.
pub(crate) fn canonical_prefix(value: &Value, digits: usize) -> Result<String, CanonicalError> {
    let mut hex = fingerprint(value)?;
    hex.truncate(digits);
    Ok(hex)
}

/// SHA-256 of some bytes, lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").expect("a string takes what is written to it");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::h16;
    use serde_json::json;

    #[test]
    fn short_hashes_are_the_published_ones() {
        assert_eq!(h16(&json!([])).unwrap(), "4f53cda18c2baa0c");
        assert_eq!(h16(&json!([["worker_0", "S_1", "DEV_1", 0]])).unwrap(), "d8ac5bf4ac58af6f");
        let route = json!([["worker_0", "MOVE", [["from_zone", "Z_A"], ["to_zone", "Z_B"]]]]);
        assert_eq!(h16(&route).unwrap(), "531e8ccbf1d9fd81");
    }
}
