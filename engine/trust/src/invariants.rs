//! The invariant registry: which checks run after which action.
//!
//! Entries are policy data; the code of a check is a [`HandlerEntry`] that the domain (or a plugin of it) brings,
//! found by the entry's `(type, check)`. Compiling turns both into one dense table from actions to checks, so that a
//! step runs only the checks of its action. Entries without a handler are listed, never silently dropped.
//!
//! A domain says once what its checks look at, and collects handlers in its own crate:
//!
//! ```
//! use labtrust_trust::invariants::{Finding, HandlerEntry, InvariantDomain, InvariantSpec};
//!
//! struct Lab;
//! struct Seen<'w> { door_open: &'w bool }
//! impl InvariantDomain for Lab {
//!     type Context<'w> = Seen<'w>;
//! }
//!
//! fn door(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
//!     Some(if *seen.door_open { Finding::violation("RC_DOOR_OPEN_TOO_LONG") } else { Finding::pass() })
//! }
//! const DOOR: HandlerEntry<Lab> = HandlerEntry { kind: "temporal", check: "door", actions: &["TICK"], run: door };
//! # let _ = DOOR;
//! ```

mod outcome;
mod policy;

pub use outcome::{Outcome, Outcomes};
pub use policy::{InvariantEntry, InvariantPolicy, InvariantSpec, LogicTemplate};

use crate::TrustError;
use crate::action::{ActionId, ActionSet, ActionTable};
use crate::error::nearest_hint;
use labtrust_kernel::{Symbol, Symbols};
use smallvec::SmallVec;
use std::fmt;

/// What the checks of a domain look at. A marker type implements it; the context may borrow the world.
pub trait InvariantDomain: 'static {
    /// What a check sees.
    type Context<'w>;
}

/// A detail of a finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detail {
    /// An id.
    Symbol(Symbol),
    /// A whole number, such as seconds.
    Int(i64),
    /// A measured number.
    Float(f64),
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Broken or held.
    pub violated: bool,
    /// Reason code of a violation; `None` takes that of the registry entry.
    pub reason: Option<&'static str>,
    /// What was found, by name.
    pub details: SmallVec<[(&'static str, Detail); 2]>,
}

impl Finding {
    /// It held.
    #[must_use]
    pub fn pass() -> Self {
        Self { violated: false, reason: None, details: SmallVec::new() }
    }

    /// It was broken.
    #[must_use]
    pub fn violation(reason: &'static str) -> Self {
        Self { violated: true, reason: Some(reason), details: SmallVec::new() }
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, detail: Detail) -> Self {
        self.details.push((name, detail));
        self
    }
}

/// The code of a check: `None` when it has nothing to say about this step.
pub type Check<D> = for<'a, 'w> fn(&'a InvariantSpec, &'a <D as InvariantDomain>::Context<'w>) -> Option<Finding>;

/// A check and when it can run.
pub struct HandlerEntry<D: InvariantDomain> {
    /// `type` of the logic template.
    pub kind: &'static str,
    /// `check` of its parameters.
    pub check: &'static str,
    /// Actions it can run for; none means all. An entry's `action_types` parameter narrows them.
    pub actions: &'static [&'static str],
    /// The check.
    pub run: Check<D>,
}

impl<D: InvariantDomain> Clone for HandlerEntry<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: InvariantDomain> Copy for HandlerEntry<D> {}

impl<D: InvariantDomain> fmt::Debug for HandlerEntry<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandlerEntry({} / {})", self.kind, self.check)
    }
}

/// The compiled registry.
pub struct InvariantRegistry<D: InvariantDomain> {
    specs: Vec<InvariantSpec>,
    /// Checks of each action, as positions in `specs`, in registry order.
    by_action: Vec<Vec<(u32, Check<D>)>>,
    unhandled: Vec<u32>,
}

impl<D: InvariantDomain> fmt::Debug for InvariantRegistry<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvariantRegistry")
            .field("specs", &self.specs)
            .field("unhandled", &self.unhandled)
            .finish_non_exhaustive()
    }
}

impl<D: InvariantDomain> InvariantRegistry<D> {
    /// Compiles `policy` with the handlers of a domain.
    ///
    /// # Errors
    /// Two handlers of one `(type, check)`; a handler for an action that the domain does not have; an invariant id
    /// used twice.
    pub fn compile(
        policy: &InvariantPolicy,
        handlers: impl IntoIterator<Item = HandlerEntry<D>>,
        actions: &ActionTable,
        symbols: &mut Symbols,
    ) -> Result<Self, TrustError> {
        let mut known: Vec<(HandlerEntry<D>, ActionSet)> = Vec::new();
        for handler in handlers {
            if known.iter().any(|(other, _)| (other.kind, other.check) == (handler.kind, handler.check)) {
                return Err(TrustError::Duplicate {
                    what: "invariant handler",
                    name: format!("{} / {}", handler.kind, handler.check),
                    place: "the handlers of the domain".to_owned(),
                    hint: "rename the check of one of them".to_owned(),
                });
            }
            known.push((handler, runs_for(&handler, actions)?));
        }
        let mut registry =
            Self { specs: Vec::new(), by_action: vec![Vec::new(); actions.len()], unhandled: Vec::new() };
        for entry in &policy.invariants {
            let Some(spec) = InvariantSpec::of(entry, symbols) else { continue };
            if registry.spec(spec.id).is_some() {
                return Err(TrustError::Duplicate {
                    what: "invariant",
                    name: symbols.text(spec.id).to_owned(),
                    place: "the invariant registry".to_owned(),
                    hint: "keep one of the two entries".to_owned(),
                });
            }
            let place = u32::try_from(registry.specs.len()).expect("fewer than 2^32 invariants");
            match known.iter().find(|(handler, _)| handler.kind == spec.kind && handler.check == spec.check) {
                Some((handler, set)) => {
                    let set = spec.narrowed(*set, actions);
                    for action in actions.ids().filter(|action| set.contains(*action)) {
                        registry.by_action[action.index()].push((place, handler.run));
                    }
                }
                None => registry.unhandled.push(place),
            }
            registry.specs.push(spec);
        }
        Ok(registry)
    }

    /// Runs the checks of `action` in registry order and hands each finding to `found`.
    pub fn evaluate(&self, action: ActionId, context: &D::Context<'_>, mut found: impl FnMut(&InvariantSpec, Finding)) {
        for (place, check) in self.by_action.get(action.index()).map_or(&[][..], Vec::as_slice) {
            let spec = &self.specs[*place as usize];
            if let Some(finding) = check(spec, context) {
                found(spec, finding);
            }
        }
    }

    /// Whether any check can run for `action`: if not, the context need not be built.
    #[must_use]
    pub fn has_checks(&self, action: ActionId) -> bool {
        self.by_action.get(action.index()).is_some_and(|checks| !checks.is_empty())
    }

    /// The entry of an invariant: its severity and scope go onto the domain's own violations, too.
    #[must_use]
    pub fn spec(&self, id: Symbol) -> Option<&InvariantSpec> {
        self.specs.iter().find(|spec| spec.id == id)
    }

    /// All entries in registry order.
    #[must_use]
    pub fn specs(&self) -> &[InvariantSpec] {
        &self.specs
    }

    /// Entries that no handler checks.
    pub fn unhandled(&self) -> impl Iterator<Item = &InvariantSpec> {
        self.unhandled.iter().map(|place| &self.specs[*place as usize])
    }
}

fn runs_for<D: InvariantDomain>(handler: &HandlerEntry<D>, actions: &ActionTable) -> Result<ActionSet, TrustError> {
    if handler.actions.is_empty() {
        return Ok(actions.ids().collect());
    }
    handler
        .actions
        .iter()
        .map(|name| {
            actions.id(name).ok_or_else(|| TrustError::Undefined {
                what: "action",
                name: (*name).to_owned(),
                place: format!("the invariant handler {} / {}", handler.kind, handler.check),
                hint: nearest_hint(name, actions.names()),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
