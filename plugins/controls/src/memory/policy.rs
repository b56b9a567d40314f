//! The policy of a memory as written.

use regex::{RegexSet, RegexSetBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The body of `memory_policy` in `policy/memory_policy.v0.1.yaml`. What is not written down is as strict as can be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryPolicy {
    /// Version of the policy.
    pub version: String,
    /// Whether every write has to be signed.
    #[serde(default = "yes")]
    pub require_authenticated_writes: bool,
    /// How long an entry may be kept.
    pub ttl_bounds: TtlBounds,
    /// How long it is kept when nobody says; for those who write [s].
    #[serde(default)]
    pub default_ttl_s: Option<u64>,
    /// Fields that an entry may have. An empty list is none.
    #[serde(default)]
    pub allowed_fields: Vec<String>,
    /// Fields that an entry must have.
    #[serde(default)]
    pub required_fields: Vec<String>,
    /// Most characters of `content` [count].
    pub max_content_length: usize,
    /// Most characters of `summary` [count].
    pub max_summary_length: usize,
    /// Most characters of any other field, of its JSON when it is no text [count].
    #[serde(default = "other")]
    pub max_other_length: usize,
    /// Most entries that are kept at once [count].
    #[serde(default = "other")]
    pub max_entries: usize,
    /// Most entries of one answer [count].
    #[serde(default = "few")]
    pub max_retrieved: usize,
    /// What no text may say: regular expressions over folded text, case aside.
    #[serde(default)]
    pub forbidden_patterns: Vec<String>,
    /// The same, for orders to a model.
    #[serde(default)]
    pub instruction_override_patterns: Vec<String>,
    /// From which severity of the detector on an entry is poison, 1 to 3.
    #[serde(default = "least")]
    pub poison_severity_threshold: u8,
    /// Whether entries are looked at again when they are read.
    #[serde(default = "yes")]
    pub filter_on_retrieval: bool,
    /// Who may write.
    #[serde(default)]
    pub writers: MemoryWriters,
    /// Roles that may read. An empty list is nobody.
    #[serde(default)]
    pub reader_roles: Vec<String>,
}

const fn yes() -> bool {
    true
}

const fn other() -> usize {
    200
}

const fn few() -> usize {
    10
}

const fn least() -> u8 {
    1
}

/// Shortest and longest time that an entry may be kept [s].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TtlBounds {
    /// At least 1.
    pub min_s: u64,
    /// At least `min_s`.
    pub max_s: u64,
}

/// Who may write: an agent or a role of its key. Empty lists are nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryWriters {
    /// Agents.
    #[serde(default)]
    pub agents: Vec<String>,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

impl MemoryWriters {
    pub(super) fn admit(&self, agent: &str, role: Option<&str>) -> bool {
        self.agents.iter().any(|one| one == agent) || role.is_some_and(|role| self.roles.iter().any(|one| one == role))
    }
}

impl MemoryPolicy {
    /// Why this policy cannot be used.
    pub(super) fn problem(&self) -> Option<String> {
        if self.ttl_bounds.min_s == 0 || self.ttl_bounds.min_s > self.ttl_bounds.max_s {
            return Some("the shortest life time is at least 1 s and at most the longest".to_owned());
        }
        if !(1..=3).contains(&self.poison_severity_threshold) {
            return Some("poison_severity_threshold is 1, 2 or 3".to_owned());
        }
        if let Err(error) = self.patterns() {
            return Some(error);
        }
        let unknown = self.required_fields.iter().find(|field| !self.allowed_fields.contains(field));
        unknown.map(|field| format!("the field {field} is required and not allowed"))
    }

    /// The patterns, compiled.
    ///
    /// # Errors
    /// What is wrong with the first that is none.
    pub(super) fn patterns(&self) -> Result<RegexSet, String> {
        let all = self.forbidden_patterns.iter().chain(&self.instruction_override_patterns);
        RegexSetBuilder::new(all).case_insensitive(true).build().map_err(|error| error.to_string())
    }

    /// # Errors
    /// What the policy does not allow about an entry.
    pub(super) fn fits(&self, entry: &Map<String, Value>, ttl_s: u64) -> Result<(), String> {
        if !(self.ttl_bounds.min_s..=self.ttl_bounds.max_s).contains(&ttl_s) {
            return Err(format!("a life time is {} to {} s", self.ttl_bounds.min_s, self.ttl_bounds.max_s));
        }
        for (field, value) in entry {
            if !self.allowed_fields.contains(field) {
                return Err("it has a field that is not allowed".to_owned());
            }
            let most = match field.as_str() {
                "content" => self.max_content_length,
                "summary" => self.max_summary_length,
                _ => self.max_other_length,
            };
            let length = match value {
                Value::String(text) => text.chars().count(),
                other => other.to_string().chars().count(),
            };
            if length > most {
                return Err(format!("the field {field} is longer than {most}"));
            }
        }
        match self.required_fields.iter().find(|field| !entry.contains_key(*field)) {
            Some(field) => Err(format!("the field {field} is missing")),
            None => Ok(()),
        }
    }
}
