//! Time, movement and tokens: the actions that the general check of tokens does not see.

use super::super::episode::Episode;
use super::super::event::{Accepted, Blocked, Event, Reply, broken};
use super::super::value::items;
use super::super::zones::BIOHAZARD;

impl Episode {
    /// Doors that are open too long raise the alarm, close, and freeze their zones.
    pub(in super::super) fn tick(&mut self, event: &Event<'_>) -> Reply {
        let breached = self.zones.close_breached_doors(event.t_s);
        let emits = ["ALARM", "KILL_SWITCH_ZONE"].repeat(breached).into_iter().map(str::to_owned).collect();
        let violations = vec![broken("INV-ZONE-005"); breached];
        Ok(Accepted { emits, ..Accepted::default() }.finding(violations))
    }

    pub(in super::super) fn move_entity(&mut self, event: &Event<'_>) -> Reply {
        let (from, to) = (event.text_arg("from_zone"), event.text_arg("to_zone"));
        let illegal = |more: &[&str]| {
            let broken = ["INV-ZONE-001"].iter().chain(more).map(|id| broken(id)).collect();
            Err(Blocked::recorded("RC_ILLEGAL_MOVE").breaking(broken))
        };
        if event.text_arg("entity_type") == "Specimen" {
            // Where a specimen is, nobody remembers.
            if !self.zones.adjacent(&from, &to) {
                return illegal(&[]);
            }
        } else {
            let mover = if event.agent.is_empty() { event.text_arg("entity_id") } else { event.agent.clone() };
            if self.zones.agent_zone(&mover).is_some_and(|zone| zone != from) {
                return illegal(&[]);
            }
            if !self.zones.adjacent(&from, &to) {
                return illegal(if to == BIOHAZARD { &["INV-ZONE-004"] } else { &[] });
            }
            // The agent is there before anybody asks whether it may be.
            self.zones.place(&mover, &to);
        }
        let accepted = Accepted::emitting(["MOVE"]);
        if to != BIOHAZARD {
            return Ok(accepted);
        }
        let denied = |violations| Err(Blocked::recorded("RBAC_RESTRICTED_ENTRY_DENY").breaking(violations));
        if event.token_refs.is_empty() {
            return denied(vec![broken("INV-ZONE-004"), broken("INV-TOK-003")]);
        }
        if let Some(problem) = self.tokens.problems(&event.token_refs, event.t_s).into_iter().next() {
            return denied(vec![problem]);
        }
        self.tokens.consume(&event.token_refs);
        Ok(accepted.consuming(&event.token_refs))
    }

    pub(in super::super) fn mint_token(&mut self, event: &Event<'_>) -> Reply {
        let (kind, subject) = (event.text_arg("token_type"), event.text_arg("subject_id"));
        let minted =
            self.tokens.approved(&kind, items(event.arg("approvals"))) && self.tokens.mint(&kind, &subject, event.t_s);
        if minted {
            Ok(Accepted::emitting(["MINT_TOKEN"]))
        } else {
            Err(Blocked::recorded("INV-TOK-001").breaking(vec![broken("INV-TOK-001")]))
        }
    }

    pub(in super::super) fn revoke_token(&mut self, event: &Event<'_>) -> Reply {
        if let Some(token) = event.id_arg("token_id") {
            self.tokens.revoke(&token);
        }
        Ok(Accepted::emitting(["REVOKE_TOKEN"]))
    }
}
