//! Controls that a run does without, by whose they are.

use labtrust_plugin::lab::{Control, Controls};

/// Names of controls, parted.
#[derive(Clone, Debug)]
pub(crate) struct Without {
    /// Those of the laboratory.
    pub(crate) lab: Controls,
    /// How a method's bus is to be set.
    pub(crate) bus: String,
    /// Those of the run, of models and of their memory.
    pub(crate) run: Vec<String>,
}

impl Without {
    /// What these names take away.
    pub(crate) fn of(names: &[&str]) -> Self {
        let bus: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("bus.")).collect();
        let lab = |name: &&str| name.parse::<Control>().ok();
        let other = |name: &&&str| lab(name).is_none() && !name.starts_with("bus.");
        Self {
            lab: names.iter().filter_map(lab).collect(),
            bus: if bus.is_empty() { "on".to_owned() } else { format!("on without {}", bus.join(" ")) },
            run: names.iter().filter(other).map(|name| (*name).to_owned()).collect(),
        }
    }
}
