//! The plugin contract: the messages between the program and a method, whichever way the method is carried.
//!
//! A method is told once where it works ([`Create`], with a [`Site`]), then sees one [`Observation`] a step and answers
//! with a [`Decision`]. Compiled in, it is handed these values as they are; as a file of its own it gets them as bytes
//! ([`encode`], [`decode`]), written down byte by byte in `contract/v1/contract.md`. Nothing here is a float: what
//! crosses is whole numbers, so that the same bytes come out on every machine.
//!
//! There is no world in here and no rule of the laboratory; [`crate::lab::method`] makes observations and carries
//! decisions out.

mod act;
mod codec;
mod columns;
mod decision;
pub mod mine;
mod observation;
mod rows;
mod settings;
mod site;

pub use act::Act;
pub use codec::{WireError, decode, encode, encode_into, peek};
pub use decision::{Choice, Decision, Intent};
pub use observation::{
    Agents, Consignments, DeviceStatus, Devices, Doors, Observation, Priority, Results, Runs, Specimens, Stage,
    Stockouts, Tokens, Transports,
};
pub use rows::Specimen;
pub use settings::{Setting, Settings};
pub use site::{AgentSite, DeviceSite, DoorSite, Site, WaySite};

use serde::{Deserialize, Serialize};

/// Major number of the contract. What a message of this major says, and its bytes, do not change.
pub const CONTRACT_MAJOR: u16 = 1;
/// Minor number of the contract: what was added since the major began.
pub const CONTRACT_MINOR: u16 = 0;
/// Features that this program offers beyond the contract's base: none yet.
pub const FEATURES: &[&str] = &[];

/// Which contract a plugin speaks. The first bytes that are read of any plugin; these fields never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// Major number: equal on both sides, or they do not understand each other.
    pub contract_major: u16,
    /// Minor number: the program's is at least the plugin's.
    pub contract_minor: u16,
    /// Features that the plugin cannot do without.
    pub features: Vec<String>,
}

impl Handshake {
    /// What a plugin says that is built with this crate.
    #[must_use]
    pub const fn ours() -> Self {
        Self { contract_major: CONTRACT_MAJOR, contract_minor: CONTRACT_MINOR, features: Vec::new() }
    }

    /// Whether this program can talk to the plugin.
    ///
    /// # Errors
    /// [`HandshakeError`], with both numbers and what to do.
    pub fn check(&self) -> Result<(), HandshakeError> {
        let numbers = (self.contract_major, self.contract_minor);
        let (major, minor) = numbers;
        if major != CONTRACT_MAJOR {
            return Err(HandshakeError::OtherContract { major, minor });
        }
        if minor > CONTRACT_MINOR {
            return Err(HandshakeError::Newer { major, minor });
        }
        match self.features.iter().find(|feature| !FEATURES.contains(&feature.as_str())) {
            Some(feature) => Err(HandshakeError::Feature { feature: feature.clone() }),
            None => Ok(()),
        }
    }
}

/// Why a plugin and this program do not understand each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The majors differ; 0 is a draft of 1, and no program speaks it any more.
    #[error(
        "the plugin speaks contract {major}.{minor}, this program {CONTRACT_MAJOR}.{CONTRACT_MINOR}; build the plugin with the kit of this program's release"
    )]
    OtherContract {
        /// The plugin's major.
        major: u16,
        /// The plugin's minor.
        minor: u16,
    },
    /// The plugin was built for a newer program.
    #[error(
        "the plugin needs contract {major}.{minor}, this program has {CONTRACT_MAJOR}.{CONTRACT_MINOR}; use a newer program or an older build of the plugin"
    )]
    Newer {
        /// The plugin's major.
        major: u16,
        /// The plugin's minor.
        minor: u16,
    },
    /// The plugin needs something that this program does not offer.
    #[error("the plugin needs the feature {feature}, which this program does not offer")]
    Feature {
        /// The feature.
        feature: String,
    },
}

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Which contract it speaks.
    pub handshake: Handshake,
    /// Its kind: `coordination-method`.
    pub kind: String,
    /// Its id, `org.example.nearest`.
    pub id: String,
    /// Its version.
    pub version: String,
    /// What it does, in one sentence.
    pub summary: String,
    /// JSON Schema of its parameters, as text.
    pub params_schema: String,
}

impl Manifest {
    /// What a plugin says that is built with this crate.
    #[must_use]
    pub fn ours(kind: &str, id: &str, version: &str, summary: &str, params_schema: String) -> Self {
        let [kind, id, version, summary] = [kind, id, version, summary].map(str::to_owned);
        Self { handshake: Handshake::ours(), kind, id, version, summary, params_schema }
    }
}

/// Begins an episode: the method is made new, and knows of no earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// Its parameters, checked against its schema.
    pub settings: Settings,
    /// Where it works.
    pub site: Site,
}

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProblemKind {
    /// A parameter is unknown, of the wrong type or out of its range.
    Settings,
    /// The method cannot work at this site.
    Site,
    /// The message could not be read.
    Message,
    /// The decision names something that does not exist, or somebody the method does not direct.
    Decision,
    /// Something else went wrong.
    Other,
}

/// What went wrong in a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What kind of problem.
    pub kind: ProblemKind,
    /// What happened, to which thing, for a person.
    pub message: String,
}

impl Problem {
    /// A problem of no special kind.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: ProblemKind::Other, message: message.into() }
    }

    /// The same of another kind.
    #[must_use]
    pub fn of_kind(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Answer to [`Create`].
pub type CreateReply = Result<(), Problem>;
/// Answer to an [`Observation`].
pub type DecideReply = Result<Decision, Problem>;

#[cfg(test)]
mod tests {
    use super::*;

    fn says(contract_major: u16, contract_minor: u16, features: &[&str]) -> Result<(), HandshakeError> {
        let features = features.iter().map(|&feature| feature.to_owned()).collect();
        Handshake { contract_major, contract_minor, features }.check()
    }

    #[test]
    fn a_plugin_of_this_contract_is_understood() {
        assert_eq!(Handshake::ours().check(), Ok(()));
    }

    #[test]
    fn another_contract_is_refused_with_both_numbers() {
        for (major, minor) in [(CONTRACT_MAJOR + 1, 0), (CONTRACT_MAJOR, CONTRACT_MINOR + 1)] {
            let refused = says(major, minor, &[]).unwrap_err().to_string();
            assert!(refused.contains(&format!("{major}.{minor}")), "{refused}");
            assert!(refused.contains(&format!("{CONTRACT_MAJOR}.{CONTRACT_MINOR}")), "{refused}");
        }
    }

    #[test]
    fn a_draft_is_another_contract() {
        for minor in 0..=3 {
            assert_eq!(says(0, minor, &[]), Err(HandshakeError::OtherContract { major: 0, minor }));
        }
    }

    #[test]
    fn every_minor_up_to_ours_is_understood() {
        for minor in 0..=CONTRACT_MINOR {
            assert_eq!(says(CONTRACT_MAJOR, minor, &[]), Ok(()));
        }
        let newer = CONTRACT_MINOR + 1;
        let refused = HandshakeError::Newer { major: CONTRACT_MAJOR, minor: newer };
        assert_eq!(says(CONTRACT_MAJOR, newer, &[]), Err(refused));
    }

    #[test]
    fn an_unknown_feature_is_refused_by_name() {
        let refused = says(CONTRACT_MAJOR, CONTRACT_MINOR, &["telepathy"]);
        assert_eq!(refused, Err(HandshakeError::Feature { feature: "telepathy".to_owned() }));
    }
}
