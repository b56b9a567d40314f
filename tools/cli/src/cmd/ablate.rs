//! `--ablate`: every control that a run can do without, whoever it belongs to.

use labtrust_bench::Without;
use labtrust_bench::run_controls::RunControl;
use labtrust_plugin::lab::Control;
use std::str::FromStr;
use std::sync::LazyLock;

/// Controls of the bus that methods talk over, and what each asks for.
const BUS: [(&str, &str); 7] = [
    ("bus.signature", "A message is signed by whom it says it is from, and says what was signed."),
    ("bus.replay", "A message is heard once."),
    ("bus.epoch", "A message is heard in its own step, or the next."),
    ("bus.recipient", "A message is heard by whom it is for."),
    ("bus.order", "What somebody said before something that is believed already is not believed any more."),
    ("bus.bids", "A bid is what everybody can compute."),
    ("bus.quota", "Nobody says more in a step than their part needs."),
];

/// The id of a control that a run does without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ablated(String);

impl FromStr for Ablated {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        let others = others().map(|(id, _)| id).chain(models().iter().map(String::as_str));
        let known: Vec<&str> = Control::ALL.map(Control::id).into_iter().chain(others).collect();
        if known.contains(&id) {
            Ok(Self(id.to_owned()))
        } else {
            Err(format!("unknown control: {id}. Known: [{}]", known.join(", ")))
        }
    }
}

/// What these take away, parted by whose they are.
pub(super) fn without(ablated: &[Ablated]) -> Without {
    Without::of(&ablated.iter().map(|one| one.0.as_str()).collect::<Vec<_>>())
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
