//! `--ablate`: every control that a run can do without, whoever it belongs to.

use labtrust_bench::run_controls::RunControl;
use labtrust_plugin::lab::{Control, Controls};
use std::str::FromStr;
use std::sync::LazyLock;

/// Controls of the bus that methods talk over, and what each asks for.
pub(super) const BUS: [(&str, &str); 7] = [
    ("bus.signature", "A message is signed by whom it says it is from, and says what was signed."),
    ("bus.replay", "A message is heard once."),
    ("bus.epoch", "A message is heard in its own step, or the next."),
    ("bus.recipient", "A message is heard by whom it is for."),
    ("bus.order", "What somebody said before something that is believed already is not believed any more."),
    ("bus.bids", "A bid is what everybody can compute."),
    ("bus.quota", "Nobody says more in a step than their part needs."),
];

/// A control that a run does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ablated {
    /// One of the laboratory.
    Lab(Control),
    /// One of the run, of models or of their memory, by its name.
    Run(&'static str),
    /// One of the bus, a place in [`BUS`].
    Bus(usize),
}

impl FromStr for Ablated {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        let run = RunControl::ALL.map(RunControl::id).into_iter().chain(models().iter().map(String::as_str));
        let run = run.into_iter().find(|control| *control == id).map(Self::Run);
        let bus = || BUS.iter().position(|(name, _)| *name == id).map(Self::Bus);
        let lab = || Control::ALL.into_iter().find(|control| control.id() == id).map(Self::Lab);
        run.or_else(bus).or_else(lab).ok_or_else(|| {
            let others = others().map(|(id, _)| id).chain(models().iter().map(String::as_str));
            let known: Vec<&str> = Control::ALL.map(Control::id).into_iter().chain(others).collect();
            format!("unknown control: {id}. Known: [{}]", known.join(", "))
        })
    }
}

/// Controls that are not the laboratory's: id and what they ask for.
pub(super) fn others() -> impl Iterator<Item = (&'static str, &'static str)> {
    RunControl::ALL.into_iter().map(|control| (control.id(), control.summary())).chain(BUS)
}

/// Names of the controls of models and of their memory.
pub(super) fn models() -> &'static [String] {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(labtrust_redteam::defences::names);
    &NAMES
}

/// Those of the laboratory.
pub(super) fn of_lab(ablated: &[Ablated]) -> Controls {
    let lab = |one: &Ablated| if let Ablated::Lab(control) = one { Some(*control) } else { None };
    ablated.iter().filter_map(lab).collect()
}

/// Names of those that are neither the laboratory's nor the bus's.
pub(super) fn of_run(ablated: &[Ablated]) -> Vec<String> {
    let run = |one: &Ablated| if let Ablated::Run(name) = one { Some((*name).to_owned()) } else { None };
    ablated.iter().filter_map(run).collect()
}

/// What a method's parameter `signed` is to be, so that its bus does without these.
pub(super) fn of_bus(ablated: &[Ablated]) -> String {
    let mut signed = "on".to_owned();
    for one in ablated {
        if let Ablated::Bus(place) = one {
            signed.push_str(if signed == "on" { " without " } else { " " });
            signed.push_str(BUS[*place].0.trim_start_matches("bus."));
        }
    }
    signed
}
