//! What can be varied, and what each value does.

use labtrust_plugin::lab::{Control, Controls};
use labtrust_policy::PolicyStore;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The roles, and who has which.
const RBAC: &str = "rbac/rbac_policy.v0.1.yaml";
/// The role that is no person: nobody else gets what it may.
const DESK: &str = "R_SYSTEM_CONTROL";

/// Something that conditions differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// Whether a token needs the approvals that its type asks for.
    DualApproval,
    /// How much of the log is kept.
    LogGranularity,
    /// How finely roles are told apart.
    Rbac,
    /// Whether every event has to be signed, or none, whatever the task asks for.
    StrictSignatures,
    /// Whether the laboratory checks anything at all.
    TrustSkeleton,
}

/// A value of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// As without this axis.
    Unset,
    /// `on`, `off`.
    Switch(bool),
    /// `fine`: every role has its own rights.
    Fine,
    /// `coarse`: whoever is known may do what any role of people may.
    Coarse,
    /// `full`: a line for every step.
    Full,
    /// `minimal`: lines of refusals and violations only.
    Minimal,
}

impl Axis {
    /// All, in the order of their names.
    pub const ALL: [Self; 5] =
        [Self::DualApproval, Self::LogGranularity, Self::Rbac, Self::StrictSignatures, Self::TrustSkeleton];

    /// The name, as a spec has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DualApproval => "dual_approval",
            Self::LogGranularity => "log_granularity",
            Self::Rbac => "rbac",
            Self::StrictSignatures => "strict_signatures",
            Self::TrustSkeleton => "trust_skeleton",
        }
    }

    /// The values that it may have, as a spec has them.
    #[must_use]
    pub const fn values(self) -> &'static [&'static str] {
        match self {
            Self::DualApproval | Self::StrictSignatures | Self::TrustSkeleton => &["on", "off"],
            Self::LogGranularity => &["full", "minimal"],
            Self::Rbac => &["fine", "coarse", "off"],
        }
    }

    /// The value that was written; none for one that it may not have.
    #[must_use]
    pub fn setting(self, written: &Value) -> Option<Setting> {
        let word = match written {
            Value::Null => return Some(Setting::Unset),
            Value::Bool(true) => "on",
            Value::Bool(false) => "off",
            Value::String(text) if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("yes") => "on",
            Value::String(text) if text.eq_ignore_ascii_case("false") || text.eq_ignore_ascii_case("no") => "off",
            Value::String(text) => text.as_str(),
            _ => return None,
        };
        let known = self.values().iter().find(|known| known.eq_ignore_ascii_case(word))?;
        Some(match *known {
            "on" => Setting::Switch(true),
            "off" => Setting::Switch(false),
            "fine" => Setting::Fine,
            "coarse" => Setting::Coarse,
            "minimal" => Setting::Minimal,
            _ => Setting::Full,
        })
    }
}

impl Setting {
    /// As it is written in files.
    #[must_use]
    pub fn json(self) -> Value {
        match self {
            Self::Unset => Value::Null,
            Self::Switch(on) => on.into(),
            Self::Fine => json!("fine"),
            Self::Coarse => json!("coarse"),
            Self::Full => json!("full"),
            Self::Minimal => json!("minimal"),
        }
    }

    /// As it is part of a label, in the published form.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unset => "none",
            Self::Switch(true) => "True",
            Self::Switch(false) => "False",
            Self::Fine => "fine",
            Self::Coarse => "coarse",
            Self::Full => "full",
            Self::Minimal => "minimal",
        }
    }
}

/// What a combination of values comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Controls of the laboratory that are off.
    pub without: Controls,
    /// Whether every event has to be signed.
    pub strict_signatures: bool,
    /// Whether all roles of people have the rights of all.
    pub coarse_roles: bool,
    /// Whether only refusals and violations are kept in the log.
    pub minimal_log: bool,
    /// Whether agents ask for second approvals, which nobody gives: what the control is about then happens.
    pub asks_for_approvals: bool,
}

impl Effect {
    /// That of values.
    #[must_use]
    pub fn of(values: &[(Axis, Setting)]) -> Self {
        let mut effect = Self::default();
        let mut without: Vec<Control> = Vec::new();
        for (axis, setting) in values {
            effect.asks_for_approvals |= *axis == Axis::DualApproval && *setting != Setting::Unset;
            match (axis, setting) {
                (Axis::TrustSkeleton, Setting::Switch(false)) => without.extend(Control::ALL),
                (Axis::Rbac, Setting::Switch(false)) => without.push(Control::Rbac),
                (Axis::DualApproval, Setting::Switch(false)) => without.push(Control::DualApproval),
                (Axis::Rbac, Setting::Coarse) => effect.coarse_roles = true,
                (Axis::StrictSignatures, Setting::Switch(true)) => effect.strict_signatures = true,
                (Axis::StrictSignatures, Setting::Switch(false)) => without.push(Control::Signatures),
                (Axis::LogGranularity, Setting::Minimal) => effect.minimal_log = true,
                _ => {}
            }
        }
        effect.without = without.into_iter().collect();
        effect
    }
}

/// The policy with roles that are not told apart: everybody who is known may do, where and on what they like, whatever any role of people
/// may do. Overlays are put on again.
///
/// # Errors
/// [`labtrust_policy::PolicyError`] for the file of roles.
pub fn coarse_roles(policy: &PolicyStore) -> Result<PolicyStore, labtrust_policy::PolicyError> {
    let mut document: Value = policy.value(RBAC)?;
    let Some(roles) = document["rbac_policy"]["roles"].as_object_mut() else { return Ok(policy.clone()) };
    let of_people = |name: &str| name != DESK;
    let mut all: [(&str, BTreeSet<String>); 3] =
        ["allowed_actions", "allowed_tool_ids", "allowed_capabilities"].map(|list| (list, BTreeSet::new()));
    for (_, role) in roles.iter().filter(|(name, _)| of_people(name)) {
        for (list, rights) in &mut all {
            rights.extend(role[&**list].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        }
    }
    for (_, role) in roles.iter_mut().filter(|(name, _)| of_people(name)) {
        let Some(role) = role.as_object_mut() else { continue };
        for place in ["allowed_zones", "allowed_devices", "resource_scopes"] {
            role.remove(place);
        }
        for (list, rights) in all.iter().filter(|(_, rights)| !rights.is_empty()) {
            role.insert((*list).to_owned(), json!(rights));
        }
    }
    if let Some(rbac) = document["rbac_policy"].as_object_mut() {
        rbac.remove("action_constraints");
    }
    crate::settings::overlaid(policy, RBAC, &document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_every_spelling_and_others_are_not() {
        let of = |axis: Axis, value: Value| axis.setting(&value);
        for on in [json!(true), json!("on"), json!("On"), json!("yes")] {
            assert_eq!(of(Axis::TrustSkeleton, on), Some(Setting::Switch(true)));
        }
        assert_eq!(of(Axis::Rbac, json!(false)), Some(Setting::Switch(false)));
        assert_eq!(of(Axis::Rbac, json!("coarse")), Some(Setting::Coarse));
        assert_eq!(of(Axis::Rbac, json!("on")), None);
        assert_eq!(of(Axis::LogGranularity, json!(3)), None);
        assert_eq!(of(Axis::LogGranularity, Value::Null), Some(Setting::Unset));
    }

    #[test]
    fn coarse_roles_give_everybody_what_anybody_may_and_nobody_the_desk() {
        let policy = coarse_roles(&PolicyStore::builtin()).unwrap();
        let roles: Value = policy.section(RBAC, Some("rbac_policy")).unwrap();
        let of = |role: &str| roles["roles"][role]["allowed_actions"].as_array().unwrap().clone();
        assert_eq!(of("ROLE_RUNNER"), of("ROLE_RECEPTION"));
        assert!(of("ROLE_RUNNER").contains(&json!("RELEASE_RESULT")));
        assert!(!of("ROLE_RUNNER").contains(&json!("UPDATE_ROSTER")) && of(DESK).contains(&json!("UPDATE_ROSTER")));
    }
}
