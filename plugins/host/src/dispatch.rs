//! A mine's dispatch policy that is a file of its own, whichever way it is carried.

use crate::conversation::Conversation;
use crate::guard::{OnTrap, OnTrapError, count, count_failure};
use crate::schema::{Schema, SchemaError};
use crate::{Carrier, Failure};
use labtrust_plugin::Origin;
use labtrust_plugin::method::Tally;
use labtrust_plugin::mine::{DispatchPolicy, DispatchRequest, Dispatcher, LoaderId, MineSite};
use labtrust_plugin::wire::mine::CreateDispatch;
use labtrust_plugin::wire::{Problem, Settings, encode, encode_into};
use std::sync::Arc;

/// A loaded dispatch policy, with what is done when it fails.
#[derive(Clone)]
pub struct LoadedDispatch {
    carrier: Arc<dyn Carrier>,
    schema: Arc<Schema>,
    /// Who decides when it has failed.
    fallback: Option<&'static dyn DispatchPolicy>,
}

impl LoadedDispatch {
    /// The policy of a plugin of the kind `mine-dispatch`. A failure makes no study.
    ///
    /// # Errors
    /// [`SchemaError`] when what it says of its parameters is no JSON Schema.
    pub fn new(carrier: Arc<dyn Carrier>) -> Result<Self, SchemaError> {
        let schema = Arc::new(Schema::new(&carrier.manifest().params_schema)?);
        Ok(Self { carrier, schema, fallback: None })
    }

    /// The same with another way to deal with failures. With [`OnTrap::Fallback`], `fallback` is the policy that it names:
    /// it decides for the rest of the replication.
    ///
    /// # Errors
    /// [`OnTrapError::OtherFallback`] when it is another. [`OnTrapError::TruckMustGo`] for [`OnTrap::Noop`]: there is no
    /// way not to send a truck.
    pub fn on_trap(
        mut self,
        on_trap: &OnTrap,
        fallback: Option<&'static dyn DispatchPolicy>,
    ) -> Result<Self, OnTrapError> {
        self.fallback = match on_trap {
            OnTrap::EndEpisode => None,
            OnTrap::Noop => return Err(OnTrapError::TruckMustGo { id: self.id().to_owned() }),
            OnTrap::Fallback(_) => {
                on_trap.check_fallback(fallback.map(DispatchPolicy::id))?;
                fallback
            }
        };
        Ok(self)
    }
}

impl DispatchPolicy for LoadedDispatch {
    fn id(&self) -> &str {
        &self.carrier.manifest().id
    }

    fn summary(&self) -> &str {
        &self.carrier.manifest().summary
    }

    fn params_schema(&self) -> String {
        self.carrier.manifest().params_schema.clone()
    }

    fn origin(&self) -> Option<&Origin> {
        Some(self.carrier.origin())
    }

    fn dispatcher(&self, settings: &Settings, site: &MineSite) -> Result<Box<dyn Dispatcher + '_>, Problem> {
        self.schema.check(settings)?;
        let create = encode(&CreateDispatch { settings: settings.clone(), site: site.clone() });
        // The fallback works with its defaults: the parameters belong to the policy that failed.
        let fallback = self.fallback.map(|policy| policy.dispatcher(&Settings::default(), site)).transpose()?;
        Ok(Box::new(AtWork {
            conversation: Conversation::begin(self.carrier.clone(), create)?,
            request: Vec::new(),
            fallback,
            failed: false,
            tally: Tally::default(),
        }))
    }
}

/// A loaded policy in one replication.
struct AtWork<'a> {
    conversation: Conversation,
    /// Bytes of the newest request, in reused memory.
    request: Vec<u8>,
    fallback: Option<Box<dyn Dispatcher + 'a>>,
    /// It has failed. It is not asked again: half a decision can leave anything behind.
    failed: bool,
    tally: Tally,
}

impl AtWork<'_> {
    fn chosen(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        self.request.clear();
        encode_into(seen, &mut self.request);
        let chosen: Result<LoaderId, Failure> = self.conversation.ask(&self.request);
        count(&mut self.tally, self.conversation.fuel());
        let chosen = chosen.map_err(|failure| Problem::new(failure.to_string()))?;
        seen.on_offer(chosen)?;
        Ok(chosen)
    }
}

impl Dispatcher for AtWork<'_> {
    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        self.tally.decisions += 1;
        let problem = match self.failed {
            true => Problem::new("it has failed before"),
            false => match self.chosen(seen) {
                Ok(chosen) => return Ok(chosen),
                Err(problem) => problem,
            },
        };
        if !self.failed {
            self.failed = true;
            count_failure(&mut self.tally, &problem.message);
        }
        match &mut self.fallback {
            Some(fallback) => fallback.choose(seen),
            None => Err(problem),
        }
    }

    fn tally(&self) -> Tally {
        self.tally.clone()
    }
}
