//! What nobody of the seats has sent: events that an injection hands in.

use super::seat::{Seat, sign};
use super::watch::Watched;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::SigningKey;
use labtrust_plugin::lab::{Action, EventId, LabEngine, Outcome};
use labtrust_plugin::{Credential, Forged};
use labtrust_trust::codes;

/// Hands in what nobody of the seats has sent.
pub(super) fn hand_in_forged(
    engine: &mut dyn LabEngine,
    watched: &mut Watched<'_>,
    seats: &[Seat],
    (step, t_s): (u32, i64),
    payload: &mut Vec<u8>,
    ahead: bool,
) {
    let Some(disturbance) = &mut watched.watch.disturbance else { return };
    let forged = if ahead { disturbance.ahead() } else { disturbance.beside(step, engine.symbols_mut()) };
    for (number, Forged { agent, event_id, decision, credential, taint }) in forged.into_iter().enumerate() {
        let event_id =
            event_id.unwrap_or_else(|| EventId::Text(format!("ev_{}_{}_{number}", step + 1, u8::from(ahead)).into()));
        let mut action = Action { event_id, t_s, agent, decision };
        let of_seat = |seat: usize| seats.get(seat).map(|seat| seat.keys.as_slice()).unwrap_or_default();
        match &credential {
            Credential::AsItIs => {}
            Credential::OfSeat(seat) => sign(engine, &mut action, of_seat(*seat), payload),
            Credential::Flipped(seat) => {
                sign(engine, &mut action, of_seat(*seat), payload);
                action.decision.signature = action.decision.signature.take().map(|signature| flipped(&signature));
            }
            Credential::Key((secret, id)) => {
                let key = (SigningKey::from_bytes(secret), engine.symbols_mut().intern(id));
                sign(engine, &mut action, &[key], payload);
            }
        }
        if watched.watch.disturbance.as_mut().is_some_and(|disturbance| !disturbance.takes_in(agent)) {
            let turned_away = Outcome { reason: Some(codes::RATE_LIMITED), ..Outcome::default() };
            if let Some(disturbance) = &mut watched.watch.disturbance {
                disturbance.on_forged(step, taint, &action, &turned_away);
            }
            continue;
        }
        engine.step(&action, watched);
        if let Some(disturbance) = &mut watched.watch.disturbance {
            disturbance.on_forged(step, taint, &action, engine.outcome());
        }
    }
}

/// A signature with its first bit turned over.
fn flipped(signature: &str) -> Box<str> {
    let mut bytes = BASE64.decode(signature).unwrap_or_default();
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    BASE64.encode(bytes).into()
}
