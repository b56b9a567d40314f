//! Which program and which policy a plan is meant for.

use crate::StudyError;
use labtrust_evidence::digest::sha256;
use labtrust_policy::PolicyStore;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Which program and which policy a plan is meant for. Equal ones give equal cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Version of the program.
    pub program: String,
    /// Commit that the program was built from, where known.
    pub commit: Option<String>,
    /// SHA-256 over all files of the policy.
    pub policy_sha256: String,
    /// Its partner overlay.
    pub partner_id: Option<String>,
    /// Its domain overlay.
    pub domain_id: Option<String>,
    /// The domain that the laboratory is of, where a profile names another than the task.
    pub lab_domain: Option<String>,
}

impl Identity {
    /// That of this program under a policy.
    ///
    /// # Errors
    /// [`StudyError::Policy`] for a file that cannot be used.
    pub fn of(policy: &PolicyStore, commit: Option<&str>, lab_domain: Option<&str>) -> Result<Self, StudyError> {
        Ok(Self {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            commit: commit.map(str::to_owned),
            policy_sha256: digest(policy)?,
            partner_id: policy.partner().map(str::to_owned),
            domain_id: policy.domain().map(str::to_owned),
            lab_domain: lab_domain.map(str::to_owned),
        })
    }

    /// Refuses a program or a policy that the plan was not made with.
    ///
    /// # Errors
    /// [`StudyError::OtherGround`] naming the first difference.
    pub fn require(&self, here: &Self) -> Result<(), StudyError> {
        let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let differences = [
            ("version", self.program.clone(), here.program.clone()),
            ("commit", said(&self.commit), said(&here.commit)),
            ("policy", self.policy_sha256.clone(), here.policy_sha256.clone()),
            ("partner", said(&self.partner_id), said(&here.partner_id)),
            ("domain", said(&self.domain_id), said(&here.domain_id)),
            ("laboratory of domain", said(&self.lab_domain), said(&here.lab_domain)),
        ];
        match differences.into_iter().find(|(_, planned, here)| planned != here) {
            Some((what, planned, here)) => Err(StudyError::OtherGround { what, planned, here }),
            None => Ok(()),
        }
    }
}

/// SHA-256 over names and digests of all files. A file that the policy does not have is the program's own.
fn digest(policy: &PolicyStore) -> Result<String, StudyError> {
    let mut list = String::new();
    for path in policy.paths() {
        let _ = writeln!(list, "{}  {path}", sha256(policy.text(path)?.as_bytes()));
    }
    Ok(sha256(list.as_bytes()))
}
