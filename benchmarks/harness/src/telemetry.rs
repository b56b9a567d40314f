//! How the decisions of a coordination method came about: `coord_decisions.jsonl`, `METHOD_TRACE.jsonl` and
//! `coord_events.jsonl` beside the episode log.
//!
//! Each has one line a step and says which episode it belongs to; the events have more where a method has evidence. Who
//! does nothing is not named, so a step costs what is done in it. Without telemetry nothing here is called, and a method
//! is not asked what it means ([`Site::telemetry`]).

mod hashes;
mod works;

use crate::log::EpisodeLines;
use hashes::{Hashes, State, h16};
use labtrust_plugin::lab::contract::INDEX;
use labtrust_plugin::lab::{ActionKind, Decision, Symbols, WorldView};
use labtrust_plugin::method::{Evidence, EvidenceKind};
use labtrust_plugin::wire::{Decision as Chosen, Observation, Site};
use labtrust_trust::canonical;

/// One step, as it is told.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) step: u32,
    pub(crate) site: &'a Site,
    pub(crate) seen: &'a Observation,
    pub(crate) view: &'a WorldView,
    pub(crate) symbols: &'a Symbols,
    pub(crate) chosen: &'a Chosen,
    /// What the method directs to be done, by place; who does nothing is not there.
    pub(crate) actions: &'a [(u16, &'a Decision)],
    pub(crate) evidence: &'a [Evidence],
}

/// The lines of one episode.
#[derive(Debug)]
pub struct EpisodeTelemetry {
    episode: u64,
    /// The method's id, as JSON.
    method: Vec<u8>,
    seed: u64,
    /// Places of the agents, by the text of their ids.
    by_id: Vec<u16>,
    state: State,
    /// Of the newest step: whether a shield looked and stepped in, and the oldest view that was decided on [ms].
    shield: (u64, bool),
    view_age_ms: Option<i64>,
    decisions: Vec<u8>,
    trace: Vec<u8>,
    events: Vec<u8>,
    scratch: Vec<u8>,
}

impl EpisodeTelemetry {
    /// Nothing yet of episode `episode` of the run.
    #[must_use]
    pub(crate) fn new(episode: u64) -> Self {
        Self {
            episode,
            method: Vec::new(),
            seed: 0,
            by_id: Vec::new(),
            state: State::default(),
            shield: (0, false),
            view_age_ms: None,
            decisions: Vec::new(),
            trace: Vec::new(),
            events: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The method begins to direct at `site`.
    pub(crate) fn begin(&mut self, method: &str, site: &Site) {
        self.method.clear();
        canonical::write_str(&mut self.method, method);
        self.seed = site.seed;
        self.by_id = site.directed().collect();
        self.by_id.sort_by_key(|&place| site.agents[usize::from(place)].id.as_str());
        self.state = State::new(site);
    }

    /// What was decided, before anything disturbs it.
    pub(crate) fn decided(&mut self, told: &Told<'_>) {
        self.trace_line(told);
        self.decision_event(told);
        self.evidence(told);
    }

    /// What is done of it, after shields and injections.
    pub(crate) fn acted(&mut self, step: u32, site: &Site, symbols: &Symbols, actions: &[(u16, &Decision)]) {
        let out = &mut self.decisions;
        out.extend_from_slice(b"{\"actions\":[");
        for (number, &(place, decision)) in actions.iter().enumerate() {
            out.extend_from_slice(if number > 0 { b",{" } else { b"{" });
            index_and_type(out, decision.kind);
            out.extend_from_slice(b",\"agent_id\":");
            canonical::write_str(out, &site.agents[usize::from(place)].id);
            out.extend_from_slice(b",\"args\":");
            write_args(out, decision, symbols);
            out.push(b'}');
        }
        out.extend_from_slice(b"],\"episode\":");
        canonical::write_u64(out, self.episode);
        let (looked, intervened) = std::mem::take(&mut self.shield);
        if looked > 0 {
            out.extend_from_slice(
                b",\"invariants_considered\":[\"INV-ROUTE-001\",\"INV-ROUTE-002\",\"INV-ROUTE-SWAP\"]",
            );
        }
        out.extend_from_slice(b",\"method_id\":");
        out.extend_from_slice(&self.method);
        if looked > 0 {
            out.extend_from_slice(b",\"safety_shield_applied\":true,\"safety_shield_details\":{\"count\":");
            canonical::write_u64(out, looked);
            out.extend_from_slice(b"},\"safety_shield_intervened\":");
            canonical::write_bool(out, intervened);
        }
        out.extend_from_slice(b",\"t_step\":");
        canonical::write_u64(out, u64::from(step));
        if let Some(age_ms) = self.view_age_ms.take() {
            out.extend_from_slice(b",\"view_age_ms\":");
            canonical::write_i64(out, age_ms);
        }
        out.extend_from_slice(b"}\n");
    }

    /// Adds the lines to those of the episode's log.
    pub(crate) fn hand_over(self, lines: &mut EpisodeLines) {
        lines.coordination = [self.decisions, self.trace, self.events];
    }

    /// `METHOD_TRACE.jsonl`: a digest of all actions of a step, for whoever looks where two runs part.
    fn trace_line(&mut self, told: &Told<'_>) {
        let hashed = &mut self.scratch;
        hashed.clear();
        hashed.extend_from_slice(b"{\"actions\":{");
        let mut first = true;
        for &place in &self.by_id {
            let Ok(at) = told.actions.binary_search_by_key(&place, |&(place, _)| place) else { continue };
            let decision = told.actions[at].1;
            if !std::mem::replace(&mut first, false) {
                hashed.push(b',');
            }
            canonical::write_str(hashed, &told.site.agents[usize::from(place)].id);
            hashed.extend_from_slice(b":{");
            index_and_type(hashed, decision.kind);
            hashed.extend_from_slice(b",\"args\":");
            write_args(hashed, decision, told.symbols);
            hashed.push(b'}');
        }
        hashed.extend_from_slice(b"},\"method_id\":");
        hashed.extend_from_slice(&self.method);
        hashed.extend_from_slice(b",\"t_step\":");
        canonical::write_u64(hashed, u64::from(told.step));
        hashed.push(b'}');
        let hash = h16(hashed);

        let out = &mut self.trace;
        out.extend_from_slice(b"{\"episode\":");
        canonical::write_u64(out, self.episode);
        out.extend_from_slice(b",\"hash_or_summary\":\"");
        out.extend_from_slice(&hash);
        out.extend_from_slice(b"\",\"method_id\":");
        out.extend_from_slice(&self.method);
        out.extend_from_slice(b",\"stage\":\"propose\",\"t_step\":");
        canonical::write_u64(out, u64::from(told.step));
        out.extend_from_slice(b"}\n");
    }

    /// The audit payload `COORD_DECISION`.
    fn decision_event(&mut self, told: &Told<'_>) {
        let hashes = Hashes::of(told, &mut self.state, &mut self.scratch);
        let out = &mut self.events;
        out.extend_from_slice(b"{\"coord_decision_payload\":{\"allocation_hash\":\"");
        out.extend_from_slice(&hashes.allocation);
        // Methods say nothing in words; the fields belong to the published payload.
        out.extend_from_slice(b"\",\"explain_allocation\":\"\",\"explain_route\":\"\",\"explain_schedule\":\"");
        out.extend_from_slice(b"\",\"method_id\":");
        out.extend_from_slice(&self.method);
        out.extend_from_slice(b",\"route_hash\":\"");
        out.extend_from_slice(&hashes.route);
        out.extend_from_slice(b"\",\"schedule_hash\":\"");
        out.extend_from_slice(&hashes.schedule);
        out.extend_from_slice(b"\",\"seed\":");
        canonical::write_u64(out, self.seed);
        out.extend_from_slice(b",\"state_hash\":\"");
        out.extend_from_slice(&hashes.state);
        out.extend_from_slice(b"\",\"step_idx\":");
        canonical::write_u64(out, u64::from(told.step));
        out.extend_from_slice(b"},\"emits\":[\"COORD_DECISION\"],\"episode\":");
        canonical::write_u64(out, self.episode);
        out.extend_from_slice(b",\"kind\":\"decision\",\"step\":");
        canonical::write_u64(out, u64::from(told.step));
        out.extend_from_slice(b"}\n");
    }

    /// What the method itself wants on record.
    fn evidence(&mut self, told: &Told<'_>) {
        self.shield = (0, false);
        self.view_age_ms = None;
        for evidence in told.evidence {
            let figure = |wanted: &str| evidence.figures.iter().find(|(name, _)| *name == wanted).map(|&(_, at)| at);
            match evidence.kind {
                EvidenceKind::Shield => {
                    self.shield = (self.shield.0 + 1, self.shield.1 || !evidence.code.is_empty());
                }
                EvidenceKind::Stale => self.view_age_ms = self.view_age_ms.max(figure("view_age_ms")),
                EvidenceKind::Detector | EvidenceKind::Bus => {}
            }
            let out = &mut self.events;
            out.push(b'{');
            if let Some(agent) = evidence.agent.and_then(|place| told.site.agents.get(usize::from(place))) {
                out.extend_from_slice(b"\"agent_id\":");
                canonical::write_str(out, &agent.id);
                out.push(b',');
            }
            out.extend_from_slice(b"\"code\":");
            canonical::write_str(out, evidence.code);
            out.extend_from_slice(b",\"emits\":[");
            canonical::write_str(out, emit(evidence));
            out.extend_from_slice(b"],\"episode\":");
            canonical::write_u64(out, self.episode);
            out.extend_from_slice(b",\"figures\":{");
            let mut figures: Vec<_> = evidence.figures.iter().collect();
            figures.sort_unstable();
            for (number, (name, value)) in figures.into_iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                canonical::write_str(out, name);
                out.push(b':');
                canonical::write_i64(out, *value);
            }
            out.extend_from_slice(b"},\"kind\":");
            canonical::write_str(out, evidence.kind.as_str());
            out.extend_from_slice(b",\"step\":");
            canonical::write_u64(out, u64::from(told.step));
            out.extend_from_slice(b"}\n");
        }
    }
}

/// The registered emit of a piece of evidence. What the bus turns away is named by its reason.
const fn emit(evidence: &Evidence) -> &'static str {
    match evidence.kind {
        EvidenceKind::Shield => "COORD_SHIELD_DECISION",
        EvidenceKind::Detector => "LLM_DETECTOR_DECISION",
        EvidenceKind::Bus => evidence.code,
        EvidenceKind::Stale => "COORD_STALE_DECISION",
    }
}

fn index_and_type(out: &mut Vec<u8>, kind: ActionKind) {
    if let Some(index) = INDEX.iter().position(|&known| known == kind) {
        out.extend_from_slice(b"\"action_index\":");
        canonical::write_u64(out, index as u64);
        out.push(b',');
    }
    out.extend_from_slice(b"\"action_type\":");
    canonical::write_str(out, kind.name());
}

/// The arguments of an action. A walk is from where to where; that it is the agent who walks is said already.
fn write_args(out: &mut Vec<u8>, decision: &Decision, symbols: &Symbols) {
    let args = &decision.args;
    match (decision.kind, args.from_zone, args.to_zone) {
        (ActionKind::Move, Some(from), Some(to)) => {
            out.extend_from_slice(b"{\"from_zone\":");
            canonical::write_symbol(out, symbols, from);
            out.extend_from_slice(b",\"to_zone\":");
            canonical::write_symbol(out, symbols, to);
            out.push(b'}');
        }
        _ => args.write_canonical(out, symbols),
    }
}
