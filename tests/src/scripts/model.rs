//! The model that turns intents into events: who stands where, how far each specimen is, which tokens there are.
//!
//! It believes that everything it asks for is granted. Where it errs, the events that follow are refused; that is
//! welcome, as long as it does not err most of the time.

use super::{
    Intent, Script, Setup, Signing, Step, Tamper, What,
    floor::{AGENTS, Panel},
    setup::{Begin, specimen_id},
    signing::key_of,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How far a specimen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Acute,
    Dispatched,
    Signed,
    Arrived,
    Accessioning,
    Checked,
    Accepted,
    Spinning,
    Separated,
    Aliquoted,
    Queued,
    Running,
    Resulted,
    Told,
    Acknowledged,
    Released,
    Gone,
}

#[derive(Clone, Debug)]
pub(super) struct Specimen {
    pub id: String,
    pub panel: Panel,
    pub begin: Begin,
    pub stage: Stage,
    /// When the next step can be [s].
    pub ready_s: i64,
    pub run: String,
    pub result: String,
    pub consignment: String,
    pub attempts: u32,
    pub tier: usize,
    pub told_s: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub id: String,
    pub subject: String,
    pub reason: &'static str,
    pub used: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    /// Specimens that wait, in their order.
    pub queue: Vec<usize>,
    pub free_s: i64,
}

/// An event before it is written down.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub agent: String,
    pub action: String,
    pub args: Value,
    pub reason: Option<String>,
    pub rationale: Option<&'static str>,
    pub tokens: Vec<String>,
    pub tool: Option<&'static str>,
    /// Not before this time [s].
    pub from_s: i64,
    pub honest: bool,
    pub key_id: Option<String>,
    pub tamper: Tamper,
}

impl Draft {
    pub(super) fn new(agent: &str, action: &str, args: Value) -> Self {
        Self {
            agent: agent.to_owned(),
            action: action.to_owned(),
            args,
            reason: None,
            rationale: None,
            tokens: Vec::new(),
            tool: None,
            from_s: 0,
            honest: false,
            key_id: None,
            tamper: Tamper::Nothing,
        }
    }

    pub(super) fn honest(mut self) -> Self {
        self.honest = true;
        self
    }

    pub(super) fn from(mut self, from_s: i64) -> Self {
        self.from_s = from_s;
        self
    }

    pub(super) fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// With reason and rationale, as actions of high risk need them.
    pub(super) fn justified(mut self, reason: &str) -> Self {
        self.rationale = Some("a repeat is not possible");
        self.because(reason)
    }

    pub(super) fn with_token(mut self, token: impl Into<String>) -> Self {
        self.tokens.push(token.into());
        self
    }
}

pub(super) struct Model<'s> {
    pub setup: &'s Setup,
    pub now_s: i64,
    pub specimens: Vec<Specimen>,
    pub tokens: Vec<Token>,
    pub devices: BTreeMap<&'static str, Device>,
    /// Where agents are, and until when they walk [s].
    pub people: BTreeMap<&'static str, (&'static str, i64)>,
    /// When units of the centrifuge are free again [s].
    pub spins: Vec<i64>,
    pub dispatched: u32,
    /// Runs and results so far [count], as the model numbers them.
    pub runs: u32,
    pub results: u32,
    pub events: u32,
    pub steps: Vec<Step>,
    /// Events still in the present batch [count].
    batch: u32,
}

/// The script of a setup and intents.
pub(super) fn script(setup: &Setup, intents: &[Intent]) -> Script {
    let mut model = Model::new(setup);
    for intent in intents {
        model.pursue(intent);
    }
    Script { initial_state: setup.state(), seed: setup.seed, steps: model.steps }
}

impl<'s> Model<'s> {
    fn new(setup: &'s Setup) -> Self {
        let specimen = |(n, &(panel, begin)): (usize, &(Panel, Begin))| Specimen {
            id: specimen_id(n),
            panel,
            begin,
            stage: match begin {
                Begin::Acute => Stage::Acute,
                Begin::Accepted => Stage::Accepted,
                Begin::Stale | Begin::Warm => Stage::Aliquoted,
                _ => Stage::Arrived,
            },
            ready_s: if begin == Begin::Late { 200 } else { 0 },
            run: String::new(),
            result: String::new(),
            consignment: String::new(),
            attempts: 0,
            tier: 0,
            told_s: 0,
        };
        Self {
            setup,
            now_s: 0,
            specimens: setup.specimens.iter().enumerate().map(specimen).collect(),
            tokens: Vec::new(),
            devices: super::floor::DEVICES.iter().map(|&(device, _)| (device, Device::default())).collect(),
            people: AGENTS.iter().map(|&(agent, zone)| (agent, (zone, 0))).collect(),
            spins: Vec::new(),
            dispatched: 0,
            runs: 0,
            results: 0,
            events: 0,
            steps: Vec::new(),
            batch: 0,
        }
    }

    fn pursue(&mut self, intent: &Intent) {
        self.now_s += i64::from(intent.wait_s);
        let (pick, twist) = (usize::from(intent.pick), intent.twist);
        match intent.what {
            What::Lane => self.lane(pick),
            What::Lanes => (0..=twist % 6).for_each(|_| self.lane(pick)),
            What::Wait => self.wait(twist),
            What::Tick => {
                let agent = ["A_RECEPTION", "A_RUNNER", "A_SUPERVISOR", "A_QC"][pick % 4];
                self.send(Draft::new(agent, "TICK", json!({})).honest());
            }
            What::Walk => self.walk(pick, twist),
            What::Door => self.door(pick, twist),
            What::Mint => self.mint_something(pick, twist),
            What::Enter => self.enter(twist),
            What::Override => self.overrule(pick, twist),
            What::Revoke => self.revoke(pick),
            What::Control => self.quality(pick, twist),
            What::Doubt => self.doubt(pick, twist),
            What::SetAside => self.set_aside(pick, twist),
            What::EndRun => self.end_run(pick),
            What::Transport => self.transport(pick, twist),
            What::Critical => self.communicate(pick, twist),
            What::Desk => self.desk(pick, twist),
            What::Tool => self.tool(pick, twist),
            What::Misdeed => self.misdeed(pick, twist),
            What::Malformed => self.malformed(pick, twist),
            What::Again => self.again(pick, twist),
        }
    }

    fn wait(&mut self, twist: u16) {
        self.now_s += match twist % 16 {
            _ if self.setup.honest => 30,
            0 => 100_000,
            1..=3 => 4_000,
            4..=7 => 700,
            _ => 130,
        };
    }

    /// Writes a draft down, at its time, under the next number.
    pub(super) fn send(&mut self, draft: Draft) {
        self.now_s = self.now_s.max(draft.from_s);
        let event = self.event(&draft, self.now_s);
        let (honest, key, tamper) = (draft.honest, draft.key_id.clone(), draft.tamper.clone());
        let key_id = match self.setup.signing {
            Signing::Nobody => None,
            // The desk always signs; everybody else where everybody does.
            Signing::Control if draft.agent != "SYSTEM" && tamper == Tamper::Nothing => None,
            _ => Some(key.unwrap_or_else(|| key_of(&draft.agent))),
        };
        self.record(event, key_id, tamper, honest);
    }

    /// A draft as an event at `t_s` [s].
    pub(super) fn event(&mut self, draft: &Draft, t_s: i64) -> Map<String, Value> {
        self.events += 1;
        let event = json!({
            "event_id": format!("e{}", self.events), "t_s": t_s, "agent_id": draft.agent, "action_type": draft.action,
            "args": draft.args, "reason_code": draft.reason, "token_refs": draft.tokens,
        });
        let Value::Object(mut event) = event else { return Map::new() };
        if let Some(rationale) = draft.rationale {
            event.insert("rationale".into(), json!(rationale));
        }
        if let Some(tool) = draft.tool {
            event.insert("tool_id".into(), json!(tool));
        }
        event
    }

    pub(super) fn record(&mut self, event: Map<String, Value>, key_id: Option<String>, tamper: Tamper, honest: bool) {
        let begins_batch = self.batch == 0;
        self.batch = if begins_batch { self.events * 7 % 4 } else { self.batch - 1 };
        self.steps.push(Step { event, key_id, tamper, begins_batch, honest });
    }

    /// One of the specimens.
    pub(super) fn choose(&self, pick: usize) -> usize {
        pick % self.specimens.len()
    }
}
