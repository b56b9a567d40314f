//! What stands before models and the memory that they share, as a run has it.

use labtrust_controls::memory::{MemoryControl, MemoryControls};
use labtrust_controls::pi_defense::Preset;
use labtrust_controls::shielded::{Control, Controls, Guards};
use labtrust_policy::PolicyStore;
use std::sync::Arc;

/// Takes all controls of the shielded path away.
pub const PATH: &str = "path";
/// Takes all controls of the memory away.
pub const MEMORY: &str = "memory";

/// Sends again what a network has lost.
pub const RETRANSMISSION: &str = "retransmission";

/// The controls of models and of their memory, and of the network beneath.
#[derive(Clone, Debug)]
pub(crate) struct Defences {
    pub(crate) guards: Arc<Guards>,
    pub(crate) memory: MemoryControls,
    pub(crate) policy: PolicyStore,
    /// Whether a network that loses messages sends them again.
    pub(crate) retransmits: bool,
}

impl Defences {
    /// Those of a policy without some.
    pub(crate) fn load(policy: &PolicyStore, without: &[String]) -> Self {
        let is_off = |group: &str, name: &str| without.iter().any(|off| off == group || off == name);
        let mut guards = Guards::load(policy, Preset::Default);
        let path = Control::ALL.into_iter().filter(|control| is_off(PATH, &format!("{PATH}.{}", control.name())));
        guards.controls = path.fold(Controls::default(), Controls::without);
        let memory = MemoryControl::ALL.into_iter().filter(|control| is_off(MEMORY, control.name()));
        let memory = memory.fold(MemoryControls::default(), MemoryControls::without);
        Self {
            guards: Arc::new(guards),
            memory,
            policy: policy.clone(),
            retransmits: !without.iter().any(|off| off == RETRANSMISSION),
        }
    }
}

/// Names of all these controls, as `--ablate` takes them.
#[must_use]
pub fn names() -> Vec<String> {
    let path = Control::ALL.map(|control| format!("{PATH}.{}", control.name()));
    let memory = MemoryControl::ALL.map(|control| control.name().to_owned());
    [PATH.to_owned()]
        .into_iter()
        .chain(path)
        .chain([MEMORY.to_owned()])
        .chain(memory)
        .chain([RETRANSMISSION.to_owned()])
        .collect()
}
