//! Overlays: what a partner or a domain changes in the policy.
//!
//! An overlay is a directory below `partners/` or `domains/` with files under the same relative paths as the policy.
//! It is merged on value trees, file by file, with one rule per file ([`RULES`]). A few files are what is run, not what holds
//! while it runs ([`WHOLE`]): of these an overlay has its own, and nothing is merged. All others cannot be overlaid and are
//! refused.

use std::collections::BTreeMap;

use labtrust_trust::canonical::to_canonical_vec;
use serde_json::{Map, Value, json};

use crate::error::PolicyError;
use crate::nearest::nearest;
use crate::parse::quoted;
use crate::store::PolicyStore;

pub(crate) const THRESHOLDS: &str = "critical/critical_thresholds.v0.1.yaml";
pub(crate) const LADDER: &str = "critical/escalation_ladder.v0.2.yaml";
pub(crate) const STABILITY: &str = "stability/stability_policy.v0.1.yaml";
pub(crate) const ENFORCEMENT: &str = "enforcement/enforcement_map.v0.1.yaml";
pub(crate) const EQUIPMENT: &str = "equipment/equipment_registry.v0.1.yaml";
const RISKS: &str = "risks/risk_registry.v0.1.yaml";
const COVERAGE: &str = "risks/risk_coverage_registry.v0.1.yaml";
const COVERED: &str = "security/security_coverage_map.v0.1.yaml";
const ATTACKS: &str = "golden/security_attack_suite.v0.1.yaml";
pub(crate) const CALIBRATION: &str = "calibration.v0.1.yaml";
const INDEX: &str = "partners/partners_index.v0.1.yaml";

/// How one file of an overlay is merged over the same file of the policy.
type Merge = fn(base: Value, overlay: Value) -> Value;

/// The files that an overlay may hold, and how each is merged.
const RULES: &[(&str, Merge)] = &[
    (THRESHOLDS, merge_thresholds),
    (LADDER, merge_ladder),
    (STABILITY, merge_stability),
    (ENFORCEMENT, merge_enforcement),
    (EQUIPMENT, merge_equipment),
    (RISKS, merge_risks),
    (COVERAGE, merge_coverage),
    (COVERED, merge_covered),
    (ATTACKS, merge_attacks),
];

/// The official pack, as a file of a policy.
pub const OFFICIAL_PACK: &str = "official/benchmark_pack.v0.1.yaml";
/// The coordination study, as a file of a policy.
pub const COORDINATION_STUDY: &str = "coordination/coordination_study_spec.v0.1.yaml";
/// The study of conditions, as a file of a policy.
pub const CONDITIONS_STUDY: &str = "studies/study_spec.v0.1.yaml";

/// The files of which an overlay may have its own, whole.
const WHOLE: [&str; 3] = [OFFICIAL_PACK, COORDINATION_STUDY, CONDITIONS_STUDY];

/// The merged documents of a store, and who took part in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlaid {
    documents: BTreeMap<&'static str, Merged>,
    /// Files of [`WHOLE`] that overlays have of their own: the last one that was put on has the last word.
    own: BTreeMap<&'static str, String>,
    calibration: Option<Value>,
    partner: Option<String>,
    domain: Option<String>,
}

#[derive(Clone, Debug)]
struct Merged {
    content: Value,
    overlays: Vec<String>,
}

impl Overlaid {
    pub(crate) fn document(&self, path: &str) -> Option<&Value> {
        self.documents.get(path).map(|merged| &merged.content)
    }

    pub(crate) fn overlays_of(&self, path: &str) -> Vec<String> {
        self.documents.get(path).map(|merged| merged.overlays.clone()).unwrap_or_default()
    }
}

impl PolicyStore {
    /// The store with the overlay `partners/<id>/` merged over it.
    ///
    /// An entry of the partner index may name another partner in `extends`; that one is merged first. Put a domain on
    /// before a partner: the organisation has the last word.
    ///
    /// # Errors
    /// [`PolicyError::UnknownOverlay`] with the known ids, [`PolicyError::Overlay`] when partners extend each other in a
    /// circle, the store already has a partner, or the overlay holds a file that cannot be overlaid; and as [`PolicyStore::section`].
    pub fn with_partner(&self, id: &str) -> Result<Self, PolicyError> {
        if let Some(other) = &self.overlaid.partner {
            return Err(taken("partner", id, other));
        }
        let mut store = self.clone();
        for part in self.partner_chain(id)? {
            store = store.with_overlay("partner", "partners", &part)?;
        }
        let overlaid = Overlaid { partner: Some(id.to_owned()), ..(*store.overlaid).clone() };
        Ok(store.with_overlaid(overlaid))
    }

    /// The store with the overlay `domains/<id>/` merged over it. Same rules as for partners, without `extends`.
    ///
    /// # Errors
    /// As [`PolicyStore::with_partner`].
    pub fn with_domain(&self, id: &str) -> Result<Self, PolicyError> {
        if let Some(other) = &self.overlaid.domain {
            return Err(taken("domain", id, other));
        }
        let store = self.with_overlay("domain", "domains", id)?;
        let overlaid = Overlaid { domain: Some(id.to_owned()), ..(*store.overlaid).clone() };
        Ok(store.with_overlaid(overlaid))
    }

    /// The partner whose overlay is on this store.
    #[must_use]
    pub fn partner(&self) -> Option<&str> {
        self.overlaid.partner.as_deref()
    }

    /// The domain whose overlay is on this store.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.overlaid.domain.as_deref()
    }

    /// What stands for a file in digests: its text, or with overlays on it the canonical JSON of what they come to together.
    ///
    /// # Errors
    /// As [`PolicyStore::text`], and [`PolicyError::NoFingerprint`].
    pub fn effective_bytes(&self, path: &str) -> Result<Vec<u8>, PolicyError> {
        let text = self.text(path)?;
        match self.merged(path) {
            Some(merged) => Ok(to_canonical_vec(merged)?),
            None => Ok(text.as_bytes().to_vec()),
        }
    }

    /// The partner's calibration document (workload priors and the like), if it has one.
    #[must_use]
    pub fn calibration(&self) -> Option<&Value> {
        self.overlaid.calibration.as_ref()
    }

    /// Where a file is read that overlays have of their own: the overlay's, else that of this policy, else the built-in one, which
    /// may not be there either.
    #[must_use]
    pub fn in_force(&self, path: &str) -> (Self, String) {
        let own = self.overlaid.own.get(path).map_or(path, String::as_str);
        let store = if self.contains(own) { self.clone() } else { Self::builtin() };
        (store, own.to_owned())
    }

    /// The ids of all partner overlays, in order.
    #[must_use]
    pub fn partners(&self) -> Vec<String> {
        self.overlay_ids("partners")
    }

    /// The ids of all domain overlays, in order.
    #[must_use]
    pub fn domains(&self) -> Vec<String> {
        self.overlay_ids("domains")
    }

    fn overlay_ids(&self, directory: &str) -> Vec<String> {
        let inside = |path: &str| {
            let (id, _) = path.strip_prefix(directory)?.strip_prefix('/')?.split_once('/')?;
            Some(id.to_owned())
        };
        let mut ids: Vec<String> = self.paths().filter_map(inside).collect();
        ids.dedup();
        ids
    }

    /// `id` and the partners it builds on, the innermost first.
    fn partner_chain(&self, id: &str) -> Result<Vec<String>, PolicyError> {
        let mut chain = vec![id.to_owned()];
        if !self.contains(INDEX) {
            return Ok(chain);
        }
        let index: Value = self.value(INDEX)?;
        let entries = index.get("partners").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let text_of = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        let base_of = |id: &str| {
            let entry = entries.iter().find(|entry| text_of(entry, "partner_id").as_deref() == Some(id))?;
            text_of(entry, "extends")
        };
        while let Some(base) = base_of(&chain[0]) {
            if chain.contains(&base) {
                chain.insert(0, base);
                let circle = chain.iter().rev().cloned().collect::<Vec<_>>().join(" -> ");
                return Err(PolicyError::Overlay {
                    kind: "partner",
                    id: id.to_owned(),
                    problem: format!("builds on itself: {circle}"),
                    hint: format!("take one `extends` out of {INDEX}"),
                });
            }
            chain.insert(0, base);
        }
        Ok(chain)
    }

    fn with_overlay(&self, kind: &'static str, directory: &str, id: &str) -> Result<Self, PolicyError> {
        let known = self.overlay_ids(directory);
        // The comparison with the known ids also keeps `..` and `/` out of the path.
        if !known.iter().any(|one| one == id) {
            let hint = match (nearest(known.iter().map(String::as_str), id), known.is_empty()) {
                (Some(near), _) => format!("did you mean `{near}`? Known: {}", quoted(&known)),
                (None, false) => format!("known: {}", quoted(&known)),
                (None, true) => format!("this policy has no directory below {directory}/"),
            };
            return Err(PolicyError::UnknownOverlay {
                kind,
                id: id.to_owned(),
                origin: self.source().to_string(),
                known,
                hint,
            });
        }
        let root = format!("{directory}/{id}/");
        self.refuse_unmergeable(kind, id, &root)?;
        let mut overlaid = (*self.overlaid).clone();
        for &(path, merge) in RULES {
            let overlay_path = format!("{root}{path}");
            if !self.contains(&overlay_path) {
                continue;
            }
            let (base, overlay) = (self.value(path)?, self.value(&overlay_path)?);
            let mut overlays = self.overlaid.overlays_of(path);
            overlays.push(overlay_path);
            overlaid.documents.insert(path, Merged { content: merge(base, overlay), overlays });
        }
        for path in WHOLE {
            let own = format!("{root}{path}");
            if self.contains(&own) {
                overlaid.own.insert(path, own);
            }
        }
        let calibration = format!("{root}{CALIBRATION}");
        if self.contains(&calibration) {
            overlaid.calibration = Some(self.value(&calibration)?);
        }
        Ok(self.with_overlaid(overlaid))
    }

    /// A file without a merge rule would look as if it were in force.
    fn refuse_unmergeable(&self, kind: &'static str, id: &str, root: &str) -> Result<(), PolicyError> {
        let mergeable =
            |path: &str| path == CALIBRATION || WHOLE.contains(&path) || RULES.iter().any(|(known, _)| *known == path);
        let Some(stray) = self.paths().filter_map(|path| path.strip_prefix(root)).find(|path| !mergeable(path)) else {
            return Ok(());
        };
        let known: Vec<&str> = RULES.iter().map(|(path, _)| *path).chain([CALIBRATION]).chain(WHOLE).collect();
        Err(PolicyError::Overlay {
            kind,
            id: id.to_owned(),
            problem: format!("holds {stray}, which no overlay can change"),
            hint: format!("an overlay may hold {}", quoted(&known)),
        })
    }
}

fn taken(kind: &'static str, id: &str, other: &str) -> PolicyError {
    PolicyError::Overlay {
        kind,
        id: id.to_owned(),
        problem: format!("cannot be put on a policy that already has the {kind} `{other}`"),
        hint: format!("a run has one {kind}"),
    }
}

/// The list of thresholds inside a document: `defaults_rcpath2017`, else `thresholds`.
pub(crate) fn threshold_list(document: &Value) -> Option<&Value> {
    let section = document.get("critical_thresholds")?;
    ["defaults_rcpath2017", "thresholds"].iter().find_map(|key| section.get(key)).filter(|list| list.is_array())
}

fn merge_thresholds(mut base: Value, overlay: Value) -> Value {
    let Some(changes) = threshold_list(&overlay).cloned() else { return base };
    let unchanged = threshold_list(&base).cloned().unwrap_or_else(|| json!([]));
    let key = |entry: &Value| (entry.get("analyte_code").cloned(), entry.get("units").cloned());
    let merged = merge_list(unchanged, changes, key);
    if let Some(section) = base.get_mut("critical_thresholds").and_then(Value::as_object_mut) {
        let name = if section.contains_key("defaults_rcpath2017") { "defaults_rcpath2017" } else { "thresholds" };
        section.insert(name.to_owned(), merged);
    }
    base
}

fn merge_ladder(mut base: Value, overlay: Value) -> Value {
    // A ladder without steps is no ladder: it changes nothing.
    let has_tiers = overlay.get("tiers").and_then(Value::as_array).is_some_and(|tiers| !tiers.is_empty());
    if has_tiers {
        replace_keys(&mut base, &overlay, &["version", "tiers", "minimum_record_fields"]);
    }
    base
}

fn merge_stability(mut base: Value, overlay: Value) -> Value {
    let (Some(into), Value::Object(changes)) = (base.as_object_mut(), overlay) else { return base };
    for (key, change) in changes {
        match (key.as_str(), into.get_mut(&key).and_then(Value::as_object_mut), change) {
            ("panel_rules", Some(panels), Value::Object(changed)) => panels.extend(changed),
            (_, _, change) => {
                into.insert(key, change);
            }
        }
    }
    base
}

fn merge_enforcement(mut base: Value, overlay: Value) -> Value {
    let list = |document: &Value| document.get("rules").cloned().unwrap_or_else(|| json!([]));
    let rules = merge_list(list(&base), list(&overlay), |rule| rule.get("rule_id").cloned());
    replace_keys(&mut base, &overlay, &["version", "enforcement_map_id"]);
    if let Some(map) = base.as_object_mut() {
        map.insert("rules".to_owned(), rules);
    }
    base
}

fn merge_equipment(mut base: Value, overlay: Value) -> Value {
    const TOP: &str = "equipment_registry";
    let Some(changes) = overlay.get(TOP) else { return base };
    let Some(into) = base.get_mut(TOP) else { return overlay };
    if let (Some(types), Some(changed)) = (changes.get("device_types").and_then(Value::as_object), into.as_object_mut())
    {
        let into_types = changed.entry("device_types").or_insert_with(|| Value::Object(Map::new()));
        if let Some(into_types) = into_types.as_object_mut() {
            into_types.extend(types.iter().map(|(name, kind)| (name.clone(), kind.clone())));
        }
    }
    if let Some(instances) = changes.get("device_instances") {
        let unchanged = into.get("device_instances").cloned().unwrap_or_else(|| json!([]));
        let merged = merge_list(unchanged, instances.clone(), |device| device.get("device_id").cloned());
        if let Some(map) = into.as_object_mut() {
            map.insert("device_instances".to_owned(), merged);
        }
    }
    replace_keys(into, changes, &["version", "units", "scope", "global_scheduling"]);
    base
}

fn merge_risks(mut base: Value, overlay: Value) -> Value {
    const TOP: &str = "risk_registry";
    let (Some(into), Some(changes)) = (base.get_mut(TOP), overlay.get(TOP)) else { return base };
    merge_member(into, changes, "framework_sources", "id");
    merge_member(into, changes, "risks", "risk_id");
    base
}

fn merge_coverage(mut base: Value, overlay: Value) -> Value {
    const TOP: &str = "risk_coverage_registry";
    if let (Some(into), Some(changes)) = (base.get_mut(TOP), overlay.get(TOP)) {
        merge_member(into, changes, "coverage", "risk_id");
    }
    base
}

fn merge_covered(mut base: Value, overlay: Value) -> Value {
    merge_member(&mut base, &overlay, "entries", "risk_id");
    base
}

fn merge_attacks(mut base: Value, overlay: Value) -> Value {
    merge_member(&mut base, &overlay, "controls", "control_id");
    merge_member(&mut base, &overlay, "attacks", "attack_id");
    base
}

/// Merges the list `name` of two documents by the member `id` of its entries. What only the base has stays.
fn merge_member(into: &mut Value, from: &Value, name: &str, id: &str) {
    let (Some(changes), Some(map)) = (from.get(name), into.as_object_mut()) else { return };
    let merged = match (map.remove(name), changes.is_array()) {
        (Some(unchanged), true) => merge_list(unchanged, changes.clone(), |entry| entry.get(id).cloned()),
        // What is no list is refused by whoever reads the document.
        _ => changes.clone(),
    };
    map.insert(name.to_owned(), merged);
}

/// Replaces entries with an equal key in the base's position and appends the others in the overlay's order.
fn merge_list<K: PartialEq>(base: Value, overlay: Value, key: impl Fn(&Value) -> K) -> Value {
    let (Value::Array(mut merged), Value::Array(changes)) = (base, overlay) else { return json!([]) };
    for change in changes {
        match merged.iter().position(|entry| key(entry) == key(&change)) {
            Some(at) => merged[at] = change,
            None => merged.push(change),
        }
    }
    Value::Array(merged)
}

fn replace_keys(into: &mut Value, from: &Value, keys: &[&str]) {
    let Some(map) = into.as_object_mut() else { return };
    for key in keys {
        if let Some(value) = from.get(key) {
            map.insert((*key).to_owned(), value.clone());
        }
    }
}
