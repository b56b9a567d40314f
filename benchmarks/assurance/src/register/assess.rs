//! Why evidence counts, or does not.

use serde_json::{Map, Value};
use std::fmt;

/// Why something that was found proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Flaw {
    /// It cannot be read, or not as what it claims to be.
    Unreadable,
    /// Its bytes are not those that were vouched for, or it contradicts what lies beside it.
    Unverified,
    /// There is nothing in it.
    Empty,
    /// It was made up, or is only the shell of what a real run leaves.
    Synthetic,
    /// The attack came through, or cost more than is allowed. It speaks against the method, and not only for nothing.
    Failed,
    /// It was not run to its end.
    Crashed,
    /// It was not tried.
    Skipped,
    /// It was not run at all.
    NotRun,
    /// Nothing of the attack arrived.
    NotApplied,
    /// The attack does not come through without its control either, so the control is not shown to do anything.
    Inert,
    /// There was no work done that an attack could have hurt.
    NoBaselineUtility,
    /// No work was done under attack.
    NoUtility,
    /// Honest events are refused too often.
    Noisy,
    /// There are too few episodes to say it.
    TooFew,
    /// It is about another method than it says.
    WrongMethod,
    /// It is about another attack or risk than it says.
    WrongAttack,
    /// Its figures have another meaning than those that are judged here.
    Semantics,
    /// A control was taken away.
    Unshielded,
    /// Nobody has judged it.
    NoVerdict,
}

impl Flaw {
    /// Its name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Unverified => "unverified",
            Self::Empty => "empty",
            Self::Synthetic => "synthetic",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::Skipped => "skipped",
            Self::NotRun => "not_run",
            Self::NotApplied => "not_applied",
            Self::Inert => "inert",
            Self::NoBaselineUtility => "no_baseline_utility",
            Self::NoUtility => "no_utility",
            Self::Noisy => "noisy",
            Self::TooFew => "too_few",
            Self::WrongMethod => "wrong_method",
            Self::WrongAttack => "wrong_attack",
            Self::Semantics => "semantics",
            Self::Unshielded => "unshielded",
            Self::NoVerdict => "no_verdict",
        }
    }

    /// A reason of this kind.
    #[must_use]
    pub fn because(self, detail: impl Into<String>) -> Reason {
        Reason { flaw: self, detail: detail.into() }
    }
}

/// A flaw, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Its kind.
    pub flaw: Flaw,
    /// What was found, in a few words.
    pub detail: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.flaw.name(), self.detail)
    }
}

/// What a piece of evidence says of one risk, and of one method where it is about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The risk.
    pub risk: String,
    /// The method; none of attacks that are not about methods.
    pub method: Option<String>,
    /// The injection that was tried.
    pub injection: Option<String>,
    /// The attack of the suite that was tried.
    pub attack: Option<String>,
    /// The size at which it was tried.
    pub scale: Option<String>,
    /// Nothing where it counts, else why it does not.
    pub flaw: Option<Reason>,
}

impl Assessment {
    /// Whether it counts.
    #[must_use]
    pub const fn is_admissible(&self) -> bool {
        self.flaw.is_none()
    }

    /// It as the bundle has it.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut row = Map::new();
        let mut put = |key: &str, value: &Option<String>| {
            if let Some(value) = value {
                row.insert(key.to_owned(), Value::from(value.clone()));
            }
        };
        put("method_id", &self.method);
        put("injection_id", &self.injection);
        put("attack_id", &self.attack);
        put("scale_id", &self.scale);
        put("kind", &self.flaw.as_ref().map(|reason| reason.flaw.name().to_owned()));
        put("reason", &self.flaw.as_ref().map(Reason::to_string));
        row.insert("risk_id".to_owned(), self.risk.clone().into());
        row.insert("admissible".to_owned(), self.is_admissible().into());
        Value::Object(row)
    }
}
