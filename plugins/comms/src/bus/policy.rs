//! Which messages a bus accepts: `policy/coordination_identity_policy.v0.1.yaml`.

use labtrust_policy::{PolicyError, PolicyStore};
use serde::Deserialize;
use std::collections::BTreeSet;

const FILE: &str = "coordination_identity_policy.v0.1.yaml";
const TOP: &str = "coordination_identity_policy";
const DEFAULT_NONCE_WINDOW: u64 = 1024;
const MOST_NONCE_WINDOW: u64 = 65_536;
const MOST_EPOCH_SLACK: u64 = 1024;

/// The rules of a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPolicy {
    types: BTreeSet<String>,
    countersigned: BTreeSet<String>,
    senders: Option<BTreeSet<String>>,
    countersigners: Option<BTreeSet<String>>,
    nonce_window: u64,
    epoch_slack: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "every policy file has a version")]
    version: String,
    allowed_message_types: Vec<String>,
    #[serde(default)]
    high_impact_require_countersign: Vec<String>,
    #[serde(default)]
    allowed_senders: Option<Vec<String>>,
    #[serde(default)]
    allowed_countersigners: Option<Vec<String>>,
    #[serde(default = "default_nonce_window")]
    nonce_window: u64,
    #[serde(default)]
    epoch_slack: u64,
}

const fn default_nonce_window() -> u64 {
    DEFAULT_NONCE_WINDOW
}

impl IdentityPolicy {
    /// The rules of a method with its own kinds of messages: everybody with a key may send them, in their step only.
    #[must_use]
    pub fn for_types<'a>(types: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            types: types.into_iter().map(str::to_owned).collect(),
            countersigned: BTreeSet::new(),
            senders: None,
            countersigners: None,
            nonce_window: DEFAULT_NONCE_WINDOW,
            epoch_slack: 0,
        }
    }

    /// The same rules with messages accepted up to `steps` steps late [count], at most 1024: for networks whose delays
    /// are longer than a step.
    #[must_use]
    pub fn with_epoch_slack(self, steps: u64) -> Self {
        Self { epoch_slack: steps.min(MOST_EPOCH_SLACK), ..self }
    }

    /// The same rules with `types` allowed only when somebody countersigns.
    #[must_use]
    pub fn with_countersigned<'a>(mut self, types: impl IntoIterator<Item = &'a str>) -> Self {
        for kind in types {
            self.types.insert(kind.to_owned());
            self.countersigned.insert(kind.to_owned());
        }
        self
    }

    /// The same rules for these senders only.
    #[must_use]
    pub fn with_senders<'a>(self, senders: impl IntoIterator<Item = &'a str>) -> Self {
        Self { senders: Some(senders.into_iter().map(str::to_owned).collect()), ..self }
    }

    /// The rules of a policy.
    ///
    /// # Errors
    /// [`PolicyError`] with file and place for a file that is malformed or makes no sense.
    pub fn load(policy: &PolicyStore) -> Result<Self, PolicyError> {
        let file: File = policy.section_or_builtin(FILE, Some(TOP))?;
        let wrong =
            |token: &str, message: String, hint: &str| Err(PolicyError::rule(policy, FILE, token, message, hint));
        if file.allowed_message_types.is_empty() {
            let message = "no kind of message is allowed, so nothing can be said".to_owned();
            return wrong("allowed_message_types", message, "list the kinds that agents may send");
        }
        for kind in &file.high_impact_require_countersign {
            if !file.allowed_message_types.contains(kind) {
                let message = format!("`{kind}` needs a second signature but is not allowed at all");
                return wrong(kind, message, "add it to `allowed_message_types`, or take it out here");
            }
        }
        for (key, list) in
            [("allowed_senders", &file.allowed_senders), ("allowed_countersigners", &file.allowed_countersigners)]
        {
            if list.as_ref().is_some_and(Vec::is_empty) {
                let message = format!("`{key}` is an empty list, so nobody may");
                return wrong(key, message, "write null for everybody, or name somebody");
            }
        }
        if !(1..=MOST_NONCE_WINDOW).contains(&file.nonce_window) {
            let message = format!("a nonce window of {}; there are 1 to {MOST_NONCE_WINDOW}", file.nonce_window);
            return wrong("nonce_window", message, "1024 suits most methods");
        }
        if file.epoch_slack > MOST_EPOCH_SLACK {
            let message = format!("messages may be {} steps late; at most {MOST_EPOCH_SLACK}", file.epoch_slack);
            return wrong("epoch_slack", message, "0 accepts a message in its own step only");
        }
        Ok(Self {
            types: file.allowed_message_types.into_iter().collect(),
            countersigned: file.high_impact_require_countersign.into_iter().collect(),
            senders: file.allowed_senders.map(|list| list.into_iter().collect()),
            countersigners: file.allowed_countersigners.map(|list| list.into_iter().collect()),
            nonce_window: file.nonce_window,
            epoch_slack: file.epoch_slack,
        })
    }

    pub(super) fn allows_type(&self, kind: &str) -> bool {
        self.types.contains(kind)
    }

    pub(super) fn allows_sender(&self, id: &str) -> bool {
        self.senders.as_ref().is_none_or(|senders| senders.contains(id))
    }

    pub(super) fn allows_countersigner(&self, id: &str) -> bool {
        self.countersigners.as_ref().is_none_or(|signers| signers.contains(id))
    }

    pub(super) fn needs_countersign(&self, kind: &str) -> bool {
        self.countersigned.contains(kind)
    }

    pub(super) const fn nonce_window(&self) -> u64 {
        self.nonce_window
    }

    pub(super) const fn epoch_slack(&self) -> u64 {
        self.epoch_slack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_are_those_of_the_format() {
        let rules = IdentityPolicy::load(&PolicyStore::builtin()).unwrap();
        assert_eq!(rules.types.len(), 8);
        assert!(rules.needs_countersign("KILL_SWITCH_RESET") && rules.needs_countersign("RELEASE_OVERRIDE"));
        assert!(
            !rules.needs_countersign("BID") && !rules.allows_type("ripple_intent") && rules.allows_sender("anybody")
        );
    }

    #[test]
    fn a_file_that_makes_no_sense_is_an_error_with_its_place() {
        let bodies = [
            ("allowed_message_types: []", 3),
            ("allowed_message_types: [A]\n  high_impact_require_countersign:\n    - B", 5),
            ("allowed_message_types: [A]\n  nonce_window: 0", 4),
            ("allowed_message_types: [A]\n  epoch_slack: 5000", 4),
            ("allowed_message_types: [A]\n  allowed_senders: []", 4),
            ("allowed_message_types: [A]\n  senders: [x]", 4),
            ("allowed_message_types: [A]\n  nonce_window: many", 4),
        ];
        for (body, line) in bodies {
            let text = format!("coordination_identity_policy:\n  version: \"0.1\"\n  {body}\n");
            let error = IdentityPolicy::load(&PolicyStore::builtin().with_text(FILE, &text)).unwrap_err();
            assert_eq!((error.file(), error.line()), (Some(FILE), Some(line)), "{body}: {error}");
        }
    }
}
