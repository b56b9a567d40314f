//! The seats of an episode: who sits in them, and how their events are signed.

use super::EpisodeSetup;
use crate::BenchError;
use crate::direction::DirectedSeat;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer, SigningKey};
use labtrust_plugin::lab::{Action, AgentContext, AgentPolicy, Decision, LabEngine, Symbol, WorldView};
use labtrust_plugin::{AgentSeat, Opening, Vacancy};

/// A seat at the table, ready to decide.
pub(super) struct Seat {
    pub(super) name: Symbol,
    pub(super) agent: Symbol,
    /// Index in [`WorldView::agents`].
    pub(super) me: usize,
    pub(super) policy: Box<dyn AgentPolicy>,
    /// Whether the run's method says what it does, and not its own policy.
    pub(super) directed: bool,
    /// The agent's keys, its own first; none where signatures are not required.
    pub(super) keys: Vec<(SigningKey, Symbol)>,
    /// The id of its own key, where it has one.
    pub(super) own_key: Option<Symbol>,
    /// Why the last action was refused; kept until the next action.
    pub(super) refused: Option<&'static str>,
}

impl Seat {
    pub(super) const fn for_director(&self) -> DirectedSeat {
        DirectedSeat { place: self.me, directed: self.directed, refused: self.refused }
    }
}

/// The agents of the task, with the seats of the honest ones filled by the run's set.
pub(super) fn seated(setup: &EpisodeSetup<'_>, opening: &Opening<'_>) -> Vec<AgentSeat> {
    let mut seats = setup.task.agents(opening);
    if let Some(set) = setup.cast.agents {
        for seat in seats.iter_mut().filter(|seat| !seat.attacker) {
            let vacancy = Vacancy { seed: setup.seed, name: &seat.name, agent_id: &seat.agent_id };
            if let Some(policy) = set.policy(&vacancy) {
                seat.policy = policy;
            }
        }
    }
    seats
}

pub(super) fn take_seat(
    engine: &mut dyn LabEngine,
    view: &WorldView,
    setup: &EpisodeSetup<'_>,
    strict: bool,
    seat: AgentSeat,
) -> Result<Seat, BenchError> {
    let agent = engine.symbols_mut().intern(&seat.agent_id);
    let Some(me) = view.agents.iter().position(|known| known.id == agent) else {
        let (task, agent) = (setup.task.id().to_owned(), seat.agent_id.into_owned());
        return Err(BenchError::SeatWithoutAgent { task, seed: setup.seed, agent });
    };
    let asks = setup.cast.approvals.is_some();
    let mut keys = if strict || asks { setup.task.signing_keys(setup.seed, &seat.agent_id) } else { Vec::new() };
    let own_key = keys.first().filter(|_| asks).map(|(_, id)| engine.symbols_mut().intern(id));
    if !strict {
        keys.clear();
    }
    let mut key =
        |(seed, id): labtrust_plugin::SigningKey| (SigningKey::from_bytes(&seed), engine.symbols_mut().intern(&id));
    let keys = keys.into_iter().map(&mut key).collect();
    let name = engine.symbols_mut().intern(&seat.name);
    let directed = setup.cast.method.is_some_and(|method| method.directs(&seat.name)) && !seat.attacker;
    Ok(Seat { name, agent, me, policy: seat.policy, directed, keys, own_key, refused: None })
}

/// Lets those who got no order, or heard nothing of what was said to them, do what their own rules say.
pub(super) fn fall_back(
    engine: &mut dyn LabEngine,
    view: &WorldView,
    seats: &mut [Seat],
    decisions: &mut [Option<Decision>],
    cut_off: &[bool],
) {
    for (number, seat) in seats.iter_mut().enumerate().filter(|(_, seat)| seat.directed) {
        if cut_off[number] && decisions[number].is_none() {
            let mut context = AgentContext { view, symbols: engine.symbols_mut(), me: seat.me, refused: seat.refused };
            decisions[number] = seat.policy.decide(&mut context);
        }
    }
}

/// Signs an event that changes something with the agent's own key, or with the one of its keys that the event names. What
/// the agent has signed itself stays as it is.
pub(super) fn sign(
    engine: &mut dyn LabEngine,
    action: &mut Action,
    keys: &[(SigningKey, Symbol)],
    payload: &mut Vec<u8>,
) {
    let decision = &mut action.decision;
    if !decision.kind.is_mutating() || decision.signature.is_some() {
        return;
    }
    let named = |(_, id): &&(SigningKey, Symbol)| decision.key_id.is_none_or(|key_id| key_id == *id);
    let Some((key, key_id)) = keys.iter().find(named) else { return };
    // The key's id is part of what is signed.
    decision.key_id = Some(*key_id);
    payload.clear();
    engine.write_signing_payload(action, payload);
    let signature = key.sign(payload).to_bytes();
    engine.note_signature(key.verifying_key().as_bytes(), &signature, payload);
    action.decision.signature = Some(BASE64.encode(signature).into());
}
