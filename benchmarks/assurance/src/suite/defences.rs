//! Which controls stand in a course of an attack.

use std::collections::BTreeSet;

/// Detector, decoder and shield between a note and an action.
pub const SHIELD: &str = "CTRL-LLM-SHIELD";
/// Roles, tokens and everything else that the engine asks for.
pub const ROLES: &str = "CTRL-RBAC";
/// Gate and boundary of tools.
pub const TOOLS: &str = "CTRL-TOOL-SANDBOX";
/// Signatures, replay protection, epochs, bids.
pub const IDENTITY: &str = "CTRL-COORD-IDENTITY";
/// The guarded memory.
pub const MEMORY: &str = "CTRL-MEMORY";
/// Records, receipts and watchers.
pub const OBSERVABILITY: &str = "CTRL-OBSERVABILITY";
/// The detector of misled workers.
pub const DETECTOR: &str = "CTRL-DETECTOR-ADVISOR";

/// Every control that a course can have or do without.
pub const ALL: [&str; 7] = [SHIELD, ROLES, TOOLS, IDENTITY, MEMORY, OBSERVABILITY, DETECTOR];

/// What defends in a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Course {
    /// Everything.
    All,
    /// The control that the attack is about, and nothing else.
    Alone,
    /// Everything but the control that the attack is about.
    But,
    /// Nothing.
    Nothing,
}

impl Course {
    /// All courses.
    pub const ALL: [Self; 4] = [Self::All, Self::Alone, Self::But, Self::Nothing];
}

/// The controls of a course of an attack on one of them.
#[derive(Clone, Copy, Debug)]
pub struct Defences<'a> {
    /// The control that the attack is about.
    pub control: &'a str,
    /// The course.
    pub course: Course,
    /// Controls that the whole run does without.
    pub taken: &'a BTreeSet<String>,
}

impl Defences<'_> {
    /// Whether a control stands.
    #[must_use]
    pub fn has(&self, control: &str) -> bool {
        let stands = match self.course {
            Course::All => true,
            Course::Alone => control == self.control,
            Course::But => control != self.control,
            Course::Nothing => false,
        };
        stands && !self.taken.contains(control)
    }
}
