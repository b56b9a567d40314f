//! Random scripts: initial states and the events that agents, honest and other, send into them.
//!
//! A script grows out of *intents* ("the next step of the second specimen's lane", "mint a token", "come back in
//! time"), which a small model of the laboratory turns into events. The model knows the way of a specimen, the tokens
//! it asked for and who stands where, and believes that what it asks for is granted; it never asks an engine. So one
//! script can be given to several engines, and honest intents follow each other often enough that results are released,
//! tokens used and consignments received. Intents are a proptest strategy: a failing script shrinks by losing intents.
//!
//! ```
//! use labtrust_tests::scripts::{Profile, sample};
//!
//! let script = sample(&Profile::reference(), 7);
//! assert_eq!(script.initial_state["workflow"], "open");
//! assert_eq!(script.steps.len(), sample(&Profile::reference(), 7).steps.len());
//! ```

mod floor;
mod intent;
mod lane;
mod misdeeds;
mod model;
mod others;
mod setup;
mod signing;

pub use intent::{Intent, What};
pub use setup::Setup;
pub use signing::{Tamper, key_of, signer_of};

use labtrust_plugin::lab::Engine;
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Map, Value};

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Nobody, not even the control desk.
    Nobody,
    /// The control desk only: it always must.
    Control,
    /// Everybody, well or badly, though nobody asks them to.
    Voluntary,
    /// Everybody must (`strict_signatures`).
    Strict,
}

/// What scripts to make. `None` leaves the choice to chance.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Whether the order of work is enforced (`workflow`).
    pub enforced: Option<bool>,
    /// Whether work takes time (`timing_mode`).
    pub simulated: Option<bool>,
    /// Who signs.
    pub signing: Option<Signing>,
    /// Whether states bring policy of their own: rosters, keys, thresholds, limits, tools, fragile devices.
    pub own_policy: bool,
    /// Whether everybody does what is right, so that every step should be accepted.
    pub honest: bool,
    /// Intents in a script [count]: at least, at most. One intent makes none to six events.
    pub intents: (usize, usize),
}

impl Profile {
    /// Anything goes.
    #[must_use]
    pub const fn any() -> Self {
        Self { enforced: None, simulated: None, signing: None, own_policy: true, honest: false, intents: (12, 32) }
    }

    /// What the frozen reference understands: `workflow: open`, nobody signs, the policy as it is on disk.
    #[must_use]
    pub const fn reference() -> Self {
        Self { enforced: Some(false), signing: Some(Signing::Nobody), own_policy: false, ..Self::any() }
    }

    /// Several honest people who sign everything.
    #[must_use]
    pub const fn honest() -> Self {
        Self { enforced: Some(true), signing: Some(Signing::Strict), honest: true, ..Self::any() }
    }
}

/// One event of a script, and how it is signed.
#[derive(Clone, Debug)]
pub struct Step {
    /// The event, not yet signed.
    pub event: Map<String, Value>,
    /// Key that signs it; `None` leaves it as it is.
    pub key_id: Option<String>,
    /// What goes wrong with the signature.
    pub tamper: Tamper,
    /// Whether a new batch begins with it.
    pub begins_batch: bool,
    /// Whether the model means it well: right agent, right time, right order.
    pub honest: bool,
}

/// A state and what happens in it.
#[derive(Clone, Debug)]
pub struct Script {
    /// The initial state.
    pub initial_state: Map<String, Value>,
    /// Seed of the episode.
    pub seed: u64,
    /// The events, in order.
    pub steps: Vec<Step>,
}

impl Script {
    /// The raw events, unsigned.
    pub fn events(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.steps.iter().map(|step| &step.event)
    }
}

impl Step {
    /// The event as it is played: signed over the batch of this moment, where it is signed at all. Begins the batch
    /// where one begins.
    pub fn prepare(&self, engine: &mut dyn Engine) -> Map<String, Value> {
        if self.begins_batch {
            engine.begin_batch();
        }
        match &self.key_id {
            None => self.event.clone(),
            Some(key_id) => self.tamper.signed(&self.event, key_id, engine),
        }
    }
}

/// The scripts of a profile.
pub fn scripts(profile: &Profile) -> impl Strategy<Value = Script> + use<> {
    let (profile, (least, most)) = (profile.clone(), profile.intents);
    let intents = vec(intent::intent(profile.honest), least..=most);
    (setup::setup(&profile), intents).prop_map(|(setup, intents)| model::script(&setup, &intents))
}

/// One script of a profile, by its number.
///
/// # Panics
/// When the strategy gives nothing: it always does.
#[must_use]
pub fn sample(profile: &Profile, number: u64) -> Script {
    let mut runner = runner(number, 1);
    scripts(profile).new_tree(&mut runner).expect("every choice leads to a script").current()
}

/// A runner whose cases follow from `number` alone.
#[must_use]
pub fn runner(number: u64, cases: u32) -> TestRunner {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4096, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}
