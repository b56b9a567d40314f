//! Handlers of refusals: what follows from a denial beyond the denial itself.
//!
//! A handler is told of each refusal with one of its codes and may add emits to the blocked step. It cannot change the
//! verdict and sees no state, so that handlers do not depend on each other; they run in order of their ids.
//!
//! ```
//! use labtrust_trust::reason::{ReasonCodeHandler, RefusalFacts, RefusalSink};
//! use labtrust_trust::register_reason_code_handler;
//!
//! #[derive(Default)]
//! struct ChainAlarm;
//!
//! impl ReasonCodeHandler for ChainAlarm {
//!     fn id(&self) -> &'static str {
//!         "org.example.chain_alarm"
//!     }
//!     fn codes(&self) -> &[&str] {
//!         &["AUDIT_CHAIN_BROKEN"]
//!     }
//!     fn on_refusal(&self, _refusal: &RefusalFacts<'_>, sink: &mut dyn RefusalSink) {
//!         sink.emit("ALARM");
//!     }
//! }
//! register_reason_code_handler!(ChainAlarm);
//! # fn main() {}
//! ```

use super::{ReasonCodeEntry, ReasonCodeRegistry};
use crate::TrustError;
use labtrust_kernel::SimTime;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What a handler is told.
#[derive(Clone, Copy, Debug)]
pub struct RefusalFacts<'a> {
    /// Why the step was refused.
    pub code: &'a str,
    /// The code's registry entry, where it has one.
    pub entry: Option<&'a ReasonCodeEntry>,
    /// What follows from the code by policy.
    pub default_actions: &'a [String],
    /// Who acted.
    pub agent_id: &'a str,
    /// What was tried, as written in the event.
    pub action_type: &'a str,
    /// When.
    pub now: SimTime,
}

/// Where a handler puts what it has to say.
pub trait RefusalSink {
    /// Adds an emit to the blocked step; one that is there already is not added again.
    fn emit(&mut self, emit: &'static str);
}

impl RefusalSink for Vec<&'static str> {
    fn emit(&mut self, emit: &'static str) {
        if !self.contains(&emit) {
            self.push(emit);
        }
    }
}

impl<const N: usize> RefusalSink for smallvec::SmallVec<[&'static str; N]> {
    fn emit(&mut self, emit: &'static str) {
        if !self.contains(&emit) {
            self.push(emit);
        }
    }
}

/// What follows from refusals with certain codes.
pub trait ReasonCodeHandler: Send + Sync {
    /// Names the handler among all handlers.
    fn id(&self) -> &'static str;

    /// The codes it wants to hear of; none means all.
    fn codes(&self) -> &[&str];

    /// A step was refused.
    fn on_refusal(&self, refusal: &RefusalFacts<'_>, sink: &mut dyn RefusalSink);
}

/// A handler that is linked into the program; made by [`register_reason_code_handler!`](crate::register_reason_code_handler).
pub struct ReasonCodeHandlerRegistration {
    /// The crate that brings it.
    pub owner: &'static str,
    /// Makes the handler.
    pub make: fn() -> Arc<dyn ReasonCodeHandler>,
}

inventory::collect!(ReasonCodeHandlerRegistration);

/// Registers a handler type that has a `Default`.
#[macro_export]
macro_rules! register_reason_code_handler {
    ($handler:ty) => {
        $crate::__private::inventory::submit! {
            $crate::reason::ReasonCodeHandlerRegistration {
                owner: env!("CARGO_PKG_NAME"),
                make: || std::sync::Arc::new(<$handler as Default>::default()),
            }
        }
    };
}

/// All handlers, by code.
#[derive(Clone, Default)]
pub struct ReasonCodeHandlers {
    handlers: Vec<Arc<dyn ReasonCodeHandler>>,
    for_all: Vec<u32>,
    by_code: FxHashMap<String, Vec<u32>>,
}

impl std::fmt::Debug for ReasonCodeHandlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.handlers.iter().map(|handler| handler.id())).finish()
    }
}

impl ReasonCodeHandlers {
    /// The handlers linked into the program.
    ///
    /// # Errors
    /// Two handlers with one id; the error names both owners.
    pub fn linked() -> Result<Self, TrustError> {
        Self::of(
            inventory::iter::<ReasonCodeHandlerRegistration>.into_iter().map(|entry| (entry.owner, (entry.make)())),
        )
    }

    /// Exactly these handlers, with their owners.
    ///
    /// # Errors
    /// Two handlers with one id; the error names both owners.
    pub fn of(
        handlers: impl IntoIterator<Item = (&'static str, Arc<dyn ReasonCodeHandler>)>,
    ) -> Result<Self, TrustError> {
        let mut owned: Vec<_> = handlers.into_iter().collect();
        // Link order is the linker's business; the order of handlers shows in emits.
        owned.sort_by_key(|(owner, handler)| (handler.id(), *owner));
        if let Some(pair) = owned.windows(2).find(|pair| pair[0].1.id() == pair[1].1.id()) {
            return Err(TrustError::Duplicate {
                what: "reason-code handler",
                name: pair[0].1.id().to_owned(),
                place: format!("{} and {}", pair[0].0, pair[1].0),
                hint: "rename one of them".to_owned(),
            });
        }
        let mut this = Self::default();
        for (place, (_, handler)) in (0u32..).zip(owned) {
            if handler.codes().is_empty() {
                this.for_all.push(place);
            }
            for code in handler.codes() {
                this.by_code.entry((*code).to_owned()).or_default().push(place);
            }
            this.handlers.push(handler);
        }
        Ok(this)
    }

    /// Tells every handler concerned that a step was refused, first those of all codes, then those of this code.
    pub fn on_refusal(
        &self,
        registry: &ReasonCodeRegistry,
        code: &str,
        agent_id: &str,
        action_type: &str,
        now: SimTime,
        sink: &mut dyn RefusalSink,
    ) {
        let facts = RefusalFacts {
            code,
            entry: registry.get(code),
            default_actions: registry.default_actions(code),
            agent_id,
            action_type,
            now,
        };
        let of_code = self.by_code.get(code).map_or(&[][..], Vec::as_slice);
        for place in self.for_all.iter().chain(of_code) {
            self.handlers[*place as usize].on_refusal(&facts, sink);
        }
    }

    /// Ids of the handlers in order.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.handlers.iter().map(|handler| handler.id())
    }
}

/// Incident logs: a refusal whose code asks for a log entry by policy emits that entry.
///
/// **Reads** the code's `default_actions`, or those of its severity. **Emits** `SECURITY_INCIDENT_LOG` (also for the
/// older spelling `INCIDENT_LOG`), `OPEN_INVESTIGATION_LOG`, `OPEN_QC_INVESTIGATION_LOG`.
#[derive(Clone, Copy, Debug, Default)]
pub struct IncidentLog;

impl ReasonCodeHandler for IncidentLog {
    fn id(&self) -> &'static str {
        "incident_log"
    }

    fn codes(&self) -> &[&str] {
        &[]
    }

    fn on_refusal(&self, refusal: &RefusalFacts<'_>, sink: &mut dyn RefusalSink) {
        for action in refusal.default_actions {
            match action.as_str() {
                "INCIDENT_LOG" | "SECURITY_INCIDENT_LOG" => sink.emit("SECURITY_INCIDENT_LOG"),
                "OPEN_INVESTIGATION_LOG" => sink.emit("OPEN_INVESTIGATION_LOG"),
                "OPEN_QC_INVESTIGATION_LOG" => sink.emit("OPEN_QC_INVESTIGATION_LOG"),
                _ => {}
            }
        }
    }
}
register_reason_code_handler!(IncidentLog);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::{ReasonCodePolicy, codes};

    struct Named(&'static str, Vec<&'static str>);

    impl ReasonCodeHandler for Named {
        fn id(&self) -> &'static str {
            self.0
        }
        fn codes(&self) -> &[&str] {
            &self.1
        }
        fn on_refusal(&self, _refusal: &RefusalFacts<'_>, sink: &mut dyn RefusalSink) {
            sink.emit(self.0);
        }
    }

    fn emitted(handlers: &ReasonCodeHandlers, registry: &ReasonCodeRegistry, code: &str) -> Vec<&'static str> {
        let mut sink = Vec::new();
        handlers.on_refusal(registry, code, "A_QC", "MOVE", SimTime::ZERO, &mut sink);
        sink
    }

    #[test]
    fn a_handler_hears_of_its_codes_only_and_in_order_of_ids() {
        let handlers = ReasonCodeHandlers::of([
            ("x", Arc::new(Named("b", vec!["RC_X"])) as Arc<dyn ReasonCodeHandler>),
            ("x", Arc::new(Named("a", vec!["RC_X", "RC_Y"]))),
        ])
        .unwrap();
        let registry = ReasonCodeRegistry::default();
        assert_eq!(emitted(&handlers, &registry, "RC_X"), ["a", "b"]);
        assert_eq!(emitted(&handlers, &registry, "RC_Y"), ["a"]);
        assert!(emitted(&handlers, &registry, "RC_Z").is_empty());
    }

    #[test]
    fn two_handlers_with_one_id_are_an_error_that_names_both_owners() {
        let error = ReasonCodeHandlers::of([
            ("one", Arc::new(Named("a", vec![])) as Arc<dyn ReasonCodeHandler>),
            ("two", Arc::new(Named("a", vec![]))),
        ])
        .unwrap_err();
        assert!(error.to_string().contains("one and two"), "{error}");
    }

    #[test]
    fn the_linked_incident_log_emits_what_the_code_asks_for() {
        let mut policy = ReasonCodePolicy::builtin();
        policy.codes[0].default_actions = vec!["BLOCK_ACTION".into(), "INCIDENT_LOG".into()];
        let registry = ReasonCodeRegistry::compile(&policy).unwrap();
        let handlers = ReasonCodeHandlers::linked().unwrap();
        assert!(handlers.ids().any(|id| id == "incident_log"));
        assert_eq!(emitted(&handlers, &registry, codes::INV_TOK_001), ["SECURITY_INCIDENT_LOG"]);
        assert!(emitted(&handlers, &registry, codes::INV_TOK_002).is_empty());
    }
}
