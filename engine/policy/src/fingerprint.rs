//! The effective policy and its fingerprint: which rules were in force, in one short text.

use labtrust_trust::canonical;
use serde_json::{Value, json};

use crate::error::PolicyError;
use crate::overlay::{ENFORCEMENT, EQUIPMENT, LADDER, STABILITY, THRESHOLDS, threshold_list};
use crate::parse;
use crate::store::PolicyStore;

impl PolicyStore {
    /// The part of the policy that overlays can change, merged, in the shape of the reference:
    /// `{critical_thresholds, stability_policy, enforcement_map, equipment_registry, escalation_ladder, calibration}`.
    ///
    /// # Errors
    /// As [`PolicyStore::section`].
    pub fn effective_policy(&self) -> Result<Value, PolicyError> {
        let thresholds = self.value(THRESHOLDS)?;
        let thresholds = threshold_list(&thresholds).ok_or_else(|| {
            let text = self.text_for_display(THRESHOLDS);
            parse::missing_top_key(self, THRESHOLDS, &text, "critical_thresholds.defaults_rcpath2017", &[])
        })?;
        let enforcement = self.value(ENFORCEMENT)?;
        let mut map = json!({ "version": enforcement.get("version"), "rules": enforcement.get("rules") });
        if self.merged(ENFORCEMENT).is_some() {
            // The reference's merge writes the id as an empty text, and its fingerprints contain it.
            map["enforcement_map_id"] = json!("");
        }
        let ladder = self.value(LADDER)?;
        Ok(json!({
            "critical_thresholds": thresholds,
            "stability_policy": self.value(STABILITY)?,
            "enforcement_map": map,
            "equipment_registry": self.section::<Value>(EQUIPMENT, Some("equipment_registry"))?,
            "escalation_ladder": {
                "version": ladder.get("version"),
                "tiers": ladder.get("tiers"),
                "minimum_record_fields": ladder.get("minimum_record_fields"),
            },
            "calibration": self.calibration(),
        }))
    }

    /// SHA-256 of the canonical JSON of [`PolicyStore::effective_policy`], in lower-case hexadecimal.
    ///
    /// # Errors
    /// As [`PolicyStore::section`], and [`PolicyError::NoFingerprint`].
    pub fn policy_fingerprint(&self) -> Result<String, PolicyError> {
        Ok(canonical::fingerprint(&self.effective_policy()?)?)
    }

    /// The same of [`PolicyStore::calibration`]; `None` without a calibration.
    ///
    /// # Errors
    /// [`PolicyError::NoFingerprint`].
    pub fn calibration_fingerprint(&self) -> Result<Option<String>, PolicyError> {
        Ok(self.calibration().map(canonical::fingerprint).transpose()?)
    }
}
