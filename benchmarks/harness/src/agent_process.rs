//! An agent in a process of its own, in whatever language: one JSON message a line, on its standard input and output.
//!
//! `docs/src/reference/agent_protocol.md` has the messages. Every message has an `id`, every answer repeats it, so that an
//! answer that comes too late is told from the one that is waited for. An agent that does not answer in time does
//! nothing in that step, which is counted; one that breaks the protocol or ends is an error of the run. Episodes are
//! played one after the other by the same process, with a `reset` before each.

mod channel;

pub use channel::{AgentProcessError, Channel};

use labtrust_plugin::lab::contract::{self, ActionSpace};
use labtrust_plugin::lab::{AgentContext, AgentPolicy, Decision};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Version of the messages.
pub const PROTOCOL_VERSION: &str = "1";
/// Version of the agent contract.
pub const CONTRACT_VERSION: &str = "0.1";

/// What an agent's process is started with.
#[derive(Clone, Debug)]
pub struct AgentCommand {
    /// Program and arguments.
    pub command: Vec<String>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What an agent is told before an episode.
#[derive(Clone, Debug)]
pub struct Reset<'a> {
    /// Task id.
    pub task: &'a str,
    /// The episode's seed.
    pub seed: u64,
    /// The agent's name on the environment side.
    pub seat: &'a str,
    /// Its id in the laboratory.
    pub agent_id: &'a str,
    /// `explicit` or `simulated`.
    pub timing_mode: &'a str,
    /// Partner overlay in force.
    pub partner_id: Option<&'a str>,
    /// End of the episode [s].
    pub horizon_s: i64,
    /// Simulated seconds a step [s].
    pub dt_s: u32,
}

/// A process that plays a seat, shared by the episodes of a run.
#[derive(Clone)]
pub struct AgentProcess {
    shared: Arc<Mutex<Shared>>,
    space: ActionSpace,
}

struct Shared {
    channel: Channel,
    /// What ended the run, where something did. Said once, by [`AgentProcess::failure`].
    failure: Option<AgentProcessError>,
    timeouts: u64,
}

impl AgentProcess {
    /// Starts the process and agrees on versions.
    ///
    /// # Errors
    /// [`AgentProcessError`] when it does not start, does not answer, or wants versions that there are not.
    pub fn start(command: &AgentCommand) -> Result<Self, AgentProcessError> {
        let mut channel = Channel::open(&command.command, command.timeout)?;
        let answer = channel.ask(
            "hello",
            json!({
                "protocol": "labtrust-agent",
                "protocol_version": PROTOCOL_VERSION,
                "agent_contract_version": CONTRACT_VERSION,
                "action_spaces": [ActionSpace::V01.version(), ActionSpace::V02.version()],
                "actions": contract::INDEX.map(|kind| kind.name()),
            }),
        )?;
        let version = answer.get("agent_contract_version").and_then(Value::as_str).unwrap_or(CONTRACT_VERSION);
        if version != CONTRACT_VERSION {
            return Err(AgentProcessError::Version { what: "agent contract", wanted: version.to_owned() });
        }
        let space = match answer.get("action_space").and_then(Value::as_str) {
            None | Some("0.2") => ActionSpace::V02,
            Some("0.1") => ActionSpace::V01,
            Some(other) => return Err(AgentProcessError::Version { what: "action space", wanted: other.to_owned() }),
        };
        Ok(Self { shared: Arc::new(Mutex::new(Shared { channel, failure: None, timeouts: 0 })), space })
    }

    /// The agent's policy for an episode. What goes wrong is kept for [`AgentProcess::failure`].
    #[must_use]
    pub fn policy(&self, reset: &Reset<'_>) -> Box<dyn AgentPolicy> {
        let Reset { task, seed, seat, agent_id, timing_mode, partner_id, horizon_s, dt_s } = *reset;
        let message = json!({
            "task": task, "seed": seed, "seat": seat, "agent_id": agent_id, "timing_mode": timing_mode,
            "partner_id": partner_id, "horizon_s": horizon_s, "dt_s": dt_s,
        });
        let mut shared = self.shared();
        if let Err(error) = shared.channel.ask("reset", message) {
            shared.failure.get_or_insert(error);
        }
        Box::new(Seat { process: self.clone() })
    }

    /// Why the run is worth nothing, where it is not.
    #[must_use]
    pub fn failure(&self) -> Option<AgentProcessError> {
        self.shared().failure.take()
    }

    /// Steps in which no answer came in time [count].
    #[must_use]
    pub fn timeouts(&self) -> u64 {
        self.shared().timeouts
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn act(&self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        let observation = contract::observation(ctx, self.space);
        let mut shared = self.shared();
        if shared.failure.is_some() {
            return None;
        }
        match shared.channel.ask("act", json!({ "observation": observation })) {
            Ok(answer) => match self.decision(ctx, &answer) {
                Ok(decision) => decision,
                Err(error) => {
                    shared.failure = Some(error);
                    None
                }
            },
            Err(AgentProcessError::Timeout { .. }) => {
                shared.timeouts += 1;
                None
            }
            Err(error) => {
                shared.failure = Some(error);
                None
            }
        }
    }

    fn decision(
        &self,
        ctx: &mut AgentContext<'_>,
        answer: &Map<String, Value>,
    ) -> Result<Option<Decision>, AgentProcessError> {
        let wrong = |problem: String| AgentProcessError::Answer { problem, answer: Value::Object(answer.clone()) };
        let index = match answer.get("action") {
            None | Some(Value::Null) => 0,
            Some(index) => index.as_i64().ok_or_else(|| wrong("\"action\" should be a whole number".to_owned()))?,
        };
        let empty = Map::new();
        let info = match answer.get("info") {
            None | Some(Value::Null) => &empty,
            Some(info) => info.as_object().ok_or_else(|| wrong("\"info\" should be a map".to_owned()))?,
        };
        contract::decide(ctx, self.space, index, info).map_err(|malformed| wrong(malformed.to_string()))
    }
}

/// The process at its seat, for one episode.
struct Seat {
    process: AgentProcess,
}

impl AgentPolicy for Seat {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        self.process.act(ctx)
    }
}
