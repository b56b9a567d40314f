//! Consignments between sites.

use crate::{
    components::{Consignment, Status},
    due::Due,
    lab::Lab,
    refusal::{Decided, Refusal},
};
use bevy_ecs::entity::Entity;
use labtrust_kernel::SimDuration;
use labtrust_plugin::lab::{Action, Control};
use labtrust_trust::codes;

impl Lab {
    pub(super) fn dispatch_transport(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let rare = args.rare();
        let route = rare.origin_site.zip(rare.dest_site).and_then(|(from, to)| self.policy.sites.route(from, to));
        let Some(route) = route else { return Err(codes::TRANSPORT_ROUTE_FORBIDDEN.into()) };
        if self.enforced && args.specimens.is_empty() {
            return Err(codes::RC_EVENT_MALFORMED.into());
        }
        for &id in &args.specimens {
            let Some(entity) = self.known_specimen(Some(id))? else { continue };
            let specimen = self.specimen(entity);
            if !self.enforced {
                continue;
            }
            if specimen.status == Status::InTransit {
                return Err(codes::RC_SPECIMEN_IN_TRANSIT.into());
            }
            if specimen.status != Status::Arrived {
                return Err(codes::RC_SPECIMEN_STATE.into());
            }
            if specimen.site.or(self.policy.sites.hub) != Some(route.from) {
                return Err(codes::TRANSPORT_WRONG_SITE.into());
            }
        }
        self.commit(action)?;
        let mut travel_s = route.mean_s;
        let mut drift = 0.0;
        if self.simulated() {
            let spread = route.spread_s.min(route.mean_s / 2);
            travel_s = route.mean_s.saturating_add(self.transport_stream.between(-spread, spread)).max(1);
            // A quarter of the band as the spread: excursions happen, about once in fifteen thousand ways.
            let limit = route.drift_max_c;
            drift = self.transport_stream.normal(0.0, limit / 4.0).clamp(-limit, limit);
        }
        let travel = SimDuration::from_secs(u64::try_from(travel_s).unwrap_or(0));
        let expected = self.now.saturating_add(travel);
        let name = format!("CONS_{}", self.consignments.len() + 1);
        let id = self.symbols.intern(&name);
        let entity = self
            .world
            .spawn(Consignment {
                id,
                specimens: args.specimens.iter().copied().collect(),
                origin: route.from,
                dest: route.to,
                dispatched: self.now,
                expected,
                final_drift_c: drift,
                drift_max_c: route.drift_max_c,
                arrived: false,
                received: false,
                signed: false,
            })
            .id();
        self.ids.consignments.insert(id, entity);
        self.consignments.push(entity);
        for &specimen in &args.specimens {
            // What was rejected may be sent back, and is rejected there as well.
            if let Some(&specimen) = self.ids.specimens.get(specimen)
                && self.specimen(specimen).status != Status::Rejected
            {
                self.set_status(specimen, Status::InTransit);
            }
        }
        self.schedule(expected, Due::ConsignmentArrival { consignment: entity });
        self.outcome.consignment = Some(id);
        self.outcome.emits.push("DISPATCH_TRANSPORT");
        Ok(())
    }

    /// Drift of a consignment now [°C]: it grows evenly on the way.
    pub(crate) fn drift_now(&self, consignment: &Consignment) -> f64 {
        let whole = consignment.expected.saturating_since(consignment.dispatched).as_secs_f64();
        let gone = self.now.saturating_since(consignment.dispatched).as_secs_f64();
        if whole > 0.0 { consignment.final_drift_c * (gone / whole).min(1.0) } else { consignment.final_drift_c }
    }

    pub(super) fn transport_tick(&mut self, action: &Action) -> Decided {
        self.commit(action)?;
        let mut warm = false;
        for &entity in &self.consignments {
            if let Some(consignment) = self.world.get::<Consignment>(entity)
                && !consignment.received
                && consignment.drift_max_c > 0.0
            {
                warm |= self.drift_now(consignment).abs() >= 0.99 * consignment.drift_max_c;
            }
        }
        if warm {
            self.finding(self.names.inv_transport_001, Some(codes::TRANSPORT_TEMP_EXCURSION));
        }
        self.outcome.emits.push("TRANSPORT_TICK");
        Ok(())
    }

    fn known_consignment(&self, action: &Action) -> Result<(Entity, &Consignment), Refusal> {
        let entity = action.decision.args.consignment.and_then(|id| self.ids.consignments.get(id).copied());
        let found = entity.and_then(|entity| Some((entity, self.world.get::<Consignment>(entity)?)));
        found.ok_or_else(|| Refusal::breaking(codes::TRANSPORT_CHAIN_OF_CUSTODY_BROKEN, self.names.inv_coc_001))
    }

    pub(super) fn receive_transport(&mut self, action: &Action) -> Decided {
        let (entity, consignment) = self.known_consignment(action)?;
        if consignment.received {
            return Err(Refusal::breaking(codes::TRANSPORT_CHAIN_OF_CUSTODY_BROKEN, self.names.inv_coc_001));
        }
        let drift = if self.force_excursion { consignment.drift_max_c } else { self.drift_now(consignment).abs() };
        let over = self.force_excursion || (consignment.drift_max_c > 0.0 && drift >= consignment.drift_max_c);
        // Somebody may answer for an excursion: the token gate has seen that the token is for this.
        if over && action.decision.token_refs.is_empty() && self.holds(Control::TransportTemperature) {
            return Err(Refusal::breaking(codes::TRANSPORT_TEMP_EXCURSION, self.names.inv_transport_001));
        }
        if self.simulated() && !consignment.arrived {
            return Err(codes::TRANSPORT_NOT_YET_ARRIVED.into());
        }
        if self.enforced && !consignment.signed && self.holds(Control::Custody) {
            return Err(Refusal::breaking(codes::TRANSPORT_NOT_SIGNED, self.names.inv_coc_001));
        }
        let (dest, specimens) = (consignment.dest, consignment.specimens.clone());
        self.commit(action)?;
        if over {
            self.consume_tokens(action);
            self.finding(self.names.inv_transport_001, Some(codes::TRANSPORT_TEMP_EXCURSION));
        }
        if let Some(mut consignment) = self.world.get_mut::<Consignment>(entity) {
            consignment.received = true;
        }
        for id in specimens {
            self.concerns(id);
            if let Some(&specimen) = self.ids.specimens.get(id) {
                if self.specimen(specimen).status != Status::Rejected {
                    self.set_status(specimen, Status::Arrived);
                }
                let now_s = self.now_s;
                let mut record = self.specimen_mut(specimen);
                record.site = Some(dest);
                record.arrival_s = now_s;
                self.shown.stale = true;
            }
        }
        self.outcome.emits.push("RECEIVE_TRANSPORT");
        Ok(())
    }

    pub(super) fn sign_custody(&mut self, action: &Action) -> Decided {
        let (entity, _) = self.known_consignment(action)?;
        self.commit(action)?;
        if let Some(mut consignment) = self.world.get_mut::<Consignment>(entity) {
            consignment.signed = true;
        }
        self.outcome.emits.push("CHAIN_OF_CUSTODY_SIGN");
        Ok(())
    }
}
