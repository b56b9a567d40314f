//! The shared view: written once a step, for all agents.

use crate::{
    components::{Body, Communication, Consignment, ResultRecord, ResultStatus, Run, RunState, Specimen, Status},
    lab::Lab,
};
use bevy_ecs::entity::Entity;
use labtrust_plugin::lab::{
    AgentView, ConsignmentView, DeviceStatus, DeviceView, DoorView, ResultView, RunView, SpecimenView, Stage,
    StockoutView, TokenView, WorldView, ZoneView,
};

impl Lab {
    /// Writes the view, reusing the memory of the earlier one.
    pub(crate) fn observe(&mut self, view: &mut WorldView) {
        view.now_s = self.now_s;
        view.simulated = self.simulated();
        view.log_frozen = self.log_frozen;
        view.zones.clear();
        view.zones.extend(
            (0..self.zones.len())
                .map(|zone| ZoneView { id: self.policy.layout.zones[zone].id, frozen: self.is_frozen(zone) }),
        );
        view.next_hop = std::sync::Arc::clone(&self.policy.layout.next_hop);
        view.plan = std::sync::Arc::clone(&self.policy.layout.plan);
        view.doors.clear();
        view.doors.extend((0..self.doors.len()).map(|door| DoorView {
            id: self.policy.layout.doors[door].id,
            open_since_s: self.door_state(door).0.and_then(|since| i64::try_from(since.as_secs_ceil()).ok()),
            max_open_s: self.policy.layout.doors[door].max_open_s,
        }));
        view.devices.clear();
        view.devices.extend((0..self.devices.len()).map(|device| self.device_view(device)));
        view.specimens.clear();
        let shown = self.in_order(view.without_done);
        view.specimens.extend(shown.iter().filter_map(|&entity| self.specimen_view(entity)));
        self.shown.entities = shown;
        view.runs.clear();
        let mut runs = std::mem::take(&mut self.shown.runs);
        runs.retain(|&entity| self.run_views(entity, &mut view.runs));
        self.shown.runs = runs;
        view.results.clear();
        let mut results = std::mem::take(&mut self.shown.results);
        results.retain(|&entity| {
            let seen = self.result_view(entity);
            let is_open = seen.is_some();
            view.results.extend(seen);
            is_open
        });
        self.shown.results = results;
        view.stockouts.clear();
        view.stockouts.extend(self.policy.reagents.panels.iter().filter_map(|&(panel, reroute)| {
            let &(reagent, quantity) = self.policy.reagents.need.get(panel)?;
            (self.stock[reagent] < quantity).then_some(StockoutView { panel, reroute })
        }));
        view.consignments.clear();
        view.consignments.extend(self.consignments.iter().filter_map(|&entity| {
            let consignment = self.world.get::<Consignment>(entity)?;
            Some(ConsignmentView {
                id: consignment.id,
                expected_arrival_s: seconds(consignment.expected),
                signed: consignment.signed,
                received: consignment.received,
            })
        }));
        view.transport_required.clone_from(&self.transport_required);
        view.agents.clear();
        // Agents who stand together in the list mostly have one role.
        let mut last = None;
        let mut may = |role, agent| {
            let known = last.filter(|(other, _)| *other == role);
            last.insert(known.unwrap_or_else(|| (role, self.rbac.actions_of(agent)))).1
        };
        view.agents.extend(self.bodies.iter().filter_map(|&entity| {
            let body = self.world.get::<Body>(entity)?;
            let role = self.rbac.role_of(body.id);
            Some(AgentView {
                id: body.id,
                zone: body.zone,
                walking_to: body.walking_to,
                arrives_s: body.arrives.map(seconds),
                role,
                may: may(role, body.id),
            })
        }));
        view.tokens.clear();
        let usable = self.tokens.iter(&self.world).filter(|token| token.is_active(self.now_s));
        view.tokens.extend(usable.map(|token| TokenView {
            id: token.id,
            token_type: token.token_type,
            subject: token.subject_id,
            reason: token.reason,
            expires_s: token.expires_at_s,
        }));
    }

    /// The specimens of the view in their order, to be given back.
    fn in_order(&mut self, without_done: bool) -> Vec<Entity> {
        let mut shown = std::mem::take(&mut self.shown.entities);
        if without_done {
            shown.retain(|&entity| !is_done(self.specimen(entity).status));
        }
        if std::mem::take(&mut self.shown.stale) {
            // Text order among specimens of one priority and arrival: the same in every run.
            shown.sort_by(|&a, &b| {
                let (a, b, text) = (self.specimen(a), self.specimen(b), |id| self.symbols.text(id));
                (a.priority, a.arrival_s).cmp(&(b.priority, b.arrival_s)).then_with(|| text(a.id).cmp(text(b.id)))
            });
        }
        shown
    }

    fn device_view(&self, device: usize) -> DeviceView {
        let spec = &self.policy.equipment.devices[device];
        let component = self.device(device);
        let free_units = component.free_units();
        let status = if component.fault || self.enforcer.is_device_killed(spec.id) {
            DeviceStatus::Fault
        } else if component.in_maintenance {
            DeviceStatus::Maintenance
        } else if free_units == 0 {
            DeviceStatus::Running
        } else {
            DeviceStatus::Idle
        };
        DeviceView {
            id: spec.id,
            device_type: spec.type_id,
            zone: spec.zone.unwrap_or(usize::MAX),
            status,
            free_units,
            batch_capacity: spec.batch_capacity,
            batch_wait_s: spec.batch_wait_s,
            queue_len: u32::try_from(component.queue.len()).unwrap_or(u32::MAX),
            queue_head: component.head().map(|item| item.work),
            qc_pass: !component.qc_fail,
            control_due: component.control_due().is_some(),
            last_control_s: component.last_control.map(seconds),
            busy_until_s: component.units.iter().filter_map(|unit| unit.free_at).min().map(seconds),
        }
    }

    fn specimen_view(&self, entity: Entity) -> Option<SpecimenView> {
        let specimen = self.specimen(entity);
        let limits = self.policy.stability.limits(specimen.panel);
        let elsewhere = specimen.site.is_some() && specimen.site != self.policy.sites.hub;
        let stage = self.stage(specimen, limits.separation_required, elsewhere)?;
        let window = if specimen.cold { limits.cold_s } else { limits.ambient_s };
        let compatible = specimen.panel.and_then(|panel| self.policy.equipment.of_panel.get(panel));
        Some(SpecimenView {
            id: specimen.id,
            stage,
            panel: specimen.panel,
            priority: specimen.priority,
            arrival_s: specimen.arrival_s,
            since_s: seconds(specimen.since),
            deadline_s: match specimen.separated_s {
                None => specimen.collection_s.saturating_add(limits.pre_s),
                Some(at) => at.saturating_add(window),
            },
            site: specimen.site,
            device: specimen.device,
            aliquot: specimen.aliquot,
            compatible: compatible.cloned().unwrap_or_default(),
        })
    }

    fn stage(&self, specimen: &Specimen, separation: bool, elsewhere: bool) -> Option<Stage> {
        Some(match specimen.status {
            Status::Expected => return None,
            Status::InTransit => Stage::InTransit,
            Status::Arrived if elsewhere => Stage::InTransit,
            Status::Arrived => Stage::Arrived,
            Status::Accessioning if specimen.checked => Stage::Checked,
            Status::Accessioning => Stage::Accessioned,
            Status::Accepted if separation => Stage::Accepted,
            Status::Accepted | Status::Aliquoted => Stage::Ready,
            Status::Spinning => Stage::Spinning,
            Status::Spun => Stage::Spun,
            Status::Separated => Stage::Separated,
            Status::Aliquoting => Stage::Aliquoting,
            Status::Queued => Stage::Queued,
            Status::Running => Stage::Running,
            Status::Analysed => Stage::Analysed,
            Status::Resulted => Stage::Resulted,
            Status::Released => Stage::Released,
            Status::Held => Stage::Held,
            Status::Rejected => Stage::Rejected,
        })
    }

    /// Adds what is to be filed of a run. Whether it goes on, or there was something to file.
    fn run_views(&self, entity: Entity, out: &mut Vec<RunView>) -> bool {
        let Some(run) = self.world.get::<Run>(entity) else { return false };
        if run.state != RunState::Completed {
            return run.state == RunState::Running;
        }
        let before = out.len();
        for entry in run.specimens.iter().filter(|entry| !entry.filed) {
            out.push(RunView { id: run.id, device: run.device, specimen: entry.specimen, ended_s: seconds(run.ended) });
        }
        out.len() > before
    }

    fn result_view(&self, entity: Entity) -> Option<ResultView> {
        let result = self.world.get::<ResultRecord>(entity)?;
        if result.status == ResultStatus::Released {
            return None;
        }
        let communication = self.ids.communications.get(result.id);
        let communication = communication.and_then(|&entity| self.world.get::<Communication>(entity));
        let open = communication.filter(|communication| !communication.acknowledged());
        Some(ResultView {
            id: result.id,
            specimen: result.specimen,
            filed_s: seconds(result.filed),
            held: result.status == ResultStatus::Held,
            critical: result.criticality.is_critical(),
            attempt: open.and_then(|communication| communication.attempts.last()).map(|attempt| attempt.id),
            releasable: self.release_block(result).is_ok(),
        })
    }
}

/// Whether there is nothing left to do about a specimen.
pub(crate) const fn is_done(status: Status) -> bool {
    matches!(status, Status::Released | Status::Rejected)
}

fn seconds(at: labtrust_kernel::SimTime) -> i64 {
    i64::try_from(at.as_secs_ceil()).unwrap_or(i64::MAX)
}
