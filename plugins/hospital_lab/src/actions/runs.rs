//! Queues and runs of the analysers.

use crate::{
    components::{QueueItem, Run, RunSpecimen, RunState, Specimen, Status, Work},
    due::Due,
    lab::Lab,
    policy::DeviceRole,
    refusal::{Decided, Refusal},
};
use bevy_ecs::entity::Entity;
use labtrust_kernel::{SimDuration, SimTime, Symbol};
use labtrust_plugin::lab::{Action, Control, Ids, Priority};
use labtrust_trust::{codes, tokens::Token};
use smallvec::SmallVec;
use std::cmp::Reverse;

impl Lab {
    pub(super) fn queue_run(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let aliquot = args.aliquots.first().map(|&aliquot| self.resolve_one(aliquot));
        let work = args.work.or(args.specimen).or(args.accessions.first().copied()).or(aliquot);
        let (Some(device_id), Some(work)) = (args.device, work) else {
            return Err(codes::RC_QUEUE_BAD_PAYLOAD.into());
        };
        let Some(&device) = self.policy.equipment.index.get(device_id) else {
            return Err(codes::RC_DEVICE_UNKNOWN.into());
        };
        self.at_device(action, device)?;
        let specimen_id = self.resolve_one(work);
        let specimen = self.ids.specimens.get(specimen_id).copied();
        if self.enforced && self.holds(Control::QueueAdmission) {
            self.may_queue(device, specimen, work)?;
        }
        self.commit(action)?;
        if let Some(entity) = specimen {
            self.take_out_of_queue(entity);
        }
        let priority = args.priority.or_else(|| specimen.map(|entity| self.specimen(entity).priority));
        self.enqueue(device, work, priority.unwrap_or_default(), action.t_s);
        if let Some(entity) = specimen
            && (self.enforced || !matches!(self.specimen(entity).status, Status::Held | Status::Rejected))
        {
            self.set_status(entity, Status::Queued);
            self.specimen_mut(entity).device = Some(device);
        }
        self.outcome.emits.push("QUEUE_RUN");
        Ok(())
    }

    fn may_queue(&self, device: usize, specimen: Option<Entity>, work: Symbol) -> Decided {
        let Some(entity) = specimen else { return Err(codes::RC_SPECIMEN_UNKNOWN.into()) };
        let specimen = self.specimen(entity);
        let spec = &self.policy.equipment.devices[device];
        if spec.role != DeviceRole::Analyzer || !specimen.panel.is_some_and(|panel| spec.panels.contains(&panel)) {
            return Err(codes::ROUTE_DEVICE_INCOMPATIBLE.into());
        }
        match specimen.status {
            // What waits at a device that takes no work is moved to another; it goes on waiting behind the others there.
            Status::Queued if specimen.device.is_some_and(|from| from != device && !self.takes_work(from)) => {}
            Status::Queued | Status::Running | Status::Analysed | Status::Resulted | Status::Released => {
                return Err(codes::RC_QUEUE_DUPLICATE_WORK_ID.into());
            }
            Status::Expected => return Err(codes::RC_SPECIMEN_UNKNOWN.into()),
            Status::InTransit => return Err(codes::RC_SPECIMEN_IN_TRANSIT.into()),
            _ if !self.ready_to_run(entity) => return Err(codes::RC_SPECIMEN_STATE.into()),
            _ => {}
        }
        let component = self.device(device);
        if component.queue.iter().any(|(item, _)| item.work == work) {
            return Err(codes::RC_QUEUE_DUPLICATE_WORK_ID.into());
        }
        if self.control_fails(device) {
            return Err(codes::QC_FAIL_ACTIVE.into());
        }
        Ok(())
    }

    /// Whether a device can start what waits in its queue: nobody switched it off, it works, its control does not fail.
    fn takes_work(&self, device: usize) -> bool {
        let killed = self.enforcer.is_device_killed(self.policy.equipment.devices[device].id);
        !killed && !self.control_fails(device) && self.device_works(device).is_ok()
    }

    /// Takes a specimen that waits at a device out of its queue. In the open workflow a queue is what was asked for.
    pub(super) fn take_out_of_queue(&mut self, specimen: Entity) {
        if !self.enforced {
            return;
        }
        let record = self.specimen(specimen);
        let (id, Some(device)) = (record.id, record.device.filter(|_| record.status == Status::Queued)) else { return };
        let waits = |item: &QueueItem| item.work == id || self.resolve_one(item.work) == id;
        let item = self.device(device).queue.iter().map(|(item, _)| *item).find(waits);
        if let Some(item) = item {
            self.device_mut(device).queue.remove(&item);
        }
        self.specimen_mut(specimen).device = None;
    }

    /// Prepared as its panel needs it: aliquoted, or accepted where nothing is to be separated.
    pub(crate) fn ready_to_run(&self, specimen: Entity) -> bool {
        let specimen = self.specimen(specimen);
        let separated = self.policy.stability.limits(specimen.panel).separation_required;
        specimen.status == Status::Aliquoted || (specimen.status == Status::Accepted && !separated)
    }

    /// Puts work into a device queue.
    pub(crate) fn enqueue(&mut self, device: usize, work: Symbol, priority: Priority, at_s: i64) {
        let mut component = self.device_mut(device);
        let tie_break = component.requests;
        component.requests += 1;
        component.queue.push(QueueItem { work, tie_break }, Reverse((priority, at_s, tie_break)));
    }

    pub(super) fn start_run(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let device = match args.device {
            Some(id) => match self.policy.equipment.index.get(id) {
                Some(&device) => Some(device),
                None => return Err(codes::RC_DEVICE_UNKNOWN.into()),
            },
            None if self.enforced => return Err(codes::RC_DEVICE_UNKNOWN.into()),
            None => None,
        };
        if let Some(device) = device {
            self.at_device(action, device)?;
            self.may_start(device)?;
        }
        self.run_id_is_new(args.run)?;
        let stated = self.resolve(args);
        let expected = args.work.or(stated.first().copied());
        let head = device.and_then(|device| self.device(device).head());
        let (specimens, consumed) = match (expected, device) {
            (None, Some(_)) => match head {
                None => return Err(codes::RC_QUEUE_EMPTY.into()),
                Some(item) => (Ids::from_slice(&[item.work]), Some(item)),
            },
            (None, None) => (stated, None),
            (Some(expected), _) => {
                // A queue holds what was asked for, which may be an aliquot of the specimen.
                let same = |item: QueueItem| item.work == expected || self.resolve_one(item.work) == expected;
                if head.is_some_and(|item| !same(item)) {
                    return Err(codes::RC_QUEUE_HEAD_MISMATCH.into());
                }
                if head.is_none() && self.enforced {
                    return Err(codes::RC_QUEUE_EMPTY.into());
                }
                (if stated.is_empty() { Ids::from_slice(&[expected]) } else { stated }, head)
            }
        };
        let specimens: Ids = specimens.iter().map(|&id| self.resolve_one(id)).collect();
        self.specimens_may_run(device, &specimens)?;
        let reagent = self.reagent_for(&specimens)?;
        self.commit(action)?;
        if let (Some(device), Some(item)) = (device, consumed) {
            self.device_mut(device).queue.remove(&item);
        }
        if let Some((reagent, quantity)) = reagent {
            self.stock[reagent] -= quantity;
        }
        self.begin_run(device, args.run, &specimens);
        self.outcome.emits.push("START_RUN");
        Ok(())
    }

    pub(super) fn start_run_override(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let specimens = self.resolve(args);
        if action.decision.token_refs.is_empty() && self.holds(Control::TokenRequired) {
            return Err(Refusal::breaking(codes::TOKEN_REQUIRED, self.names.inv_tok_003));
        }
        if specimens.is_empty() {
            return Err(codes::RC_EVENT_MALFORMED.into());
        }
        let device = self.known_device(args.device)?;
        if let Some(device) = device {
            self.at_device(action, device)?;
            self.may_start(device)?;
        }
        self.run_id_is_new(args.run)?;
        for &id in &specimens {
            let specimen = self.known_specimen(Some(id))?;
            if specimen.is_some_and(|entity| self.blocks_runs(entity)) {
                return Err(codes::RC_SPECIMEN_STATE.into());
            }
            if self.enforced
                && let Some(entity) = specimen
            {
                self.may_be_overruled(action, device, entity)?;
            }
        }
        let reagent = self.reagent_for(&specimens)?;
        self.commit(action)?;
        self.consume_tokens(action);
        for id in &specimens {
            if let Some(&entity) = self.ids.specimens.get(*id) {
                self.take_out_of_queue(entity);
            }
        }
        if let Some((reagent, quantity)) = reagent {
            self.stock[reagent] -= quantity;
        }
        self.begin_run(device, args.run, &specimens);
        self.outcome.emits.push("START_RUN");
        Ok(())
    }

    /// An override accepts that a specimen is outside a limit. It must be accepted and prepared all the same, the device
    /// must be one for it, and a token must have been made for this very specimen.
    fn may_be_overruled(&self, action: &Action, device: Option<usize>, entity: Entity) -> Decided {
        let specimen = self.specimen(entity);
        if specimen.status != Status::Queued && !self.ready_to_run(entity) {
            return Err(codes::RC_SPECIMEN_STATE.into());
        }
        let panels = device.map(|device| &self.policy.equipment.devices[device].panels);
        if panels.zip(specimen.panel).is_some_and(|(panels, panel)| !panels.is_empty() && !panels.contains(&panel)) {
            return Err(codes::ROUTE_DEVICE_INCOMPATIBLE.into());
        }
        let made_for_it =
            |&id| self.tokens.get(&self.world, id).is_some_and(|token: &Token| token.subject_id == specimen.id);
        let tokens = &action.decision.token_refs;
        // Without a token there is none that could be for something else.
        if !tokens.is_empty() && !tokens.iter().any(made_for_it) && self.holds(Control::TokenScope) {
            return Err(Refusal::breaking(codes::TOKEN_SUBJECT_MISMATCH, self.names.inv_tok_003));
        }
        Ok(())
    }

    /// The device is free, in order, and its quality control does not fail.
    fn may_start(&self, device: usize) -> Decided {
        if self.enforced && self.policy.equipment.devices[device].role != DeviceRole::Analyzer {
            return Err(codes::ROUTE_DEVICE_INCOMPATIBLE.into());
        }
        let component = self.device(device);
        if self.enforced && self.control_fails(device) {
            return Err(codes::QC_FAIL_ACTIVE.into());
        }
        if self.simulated() {
            self.device_works(device)?;
            if component.free_units() == 0 {
                return Err(codes::RC_DEVICE_BUSY.into());
            }
        }
        Ok(())
    }

    /// The device is neither broken nor in maintenance.
    pub(crate) fn device_works(&self, device: usize) -> Decided {
        let component = self.device(device);
        if component.fault {
            return Err(codes::RC_DEVICE_FAULT.into());
        }
        if component.in_maintenance {
            return Err(codes::RC_DEVICE_MAINT.into());
        }
        Ok(())
    }

    fn run_id_is_new(&self, run: Option<Symbol>) -> Decided {
        match run {
            Some(run) if self.ids.runs.contains(run) => Err(codes::RC_RUN_DUPLICATE.into()),
            _ => Ok(()),
        }
    }

    /// No run takes a specimen that is held, rejected, under way or not here.
    fn blocks_runs(&self, specimen: Entity) -> bool {
        matches!(
            self.specimen(specimen).status,
            Status::Held | Status::Rejected | Status::InTransit | Status::Expected | Status::Released
        )
    }

    fn specimens_may_run(&self, device: Option<usize>, specimens: &Ids) -> Decided {
        for &id in specimens {
            let Some(entity) = self.known_specimen(Some(id))? else { continue };
            if self.blocks_runs(entity) {
                return Err(codes::RC_SPECIMEN_STATE.into());
            }
            let specimen = self.specimen(entity);
            if self.enforced && specimen.status != Status::Queued {
                return Err(codes::RC_SPECIMEN_STATE.into());
            }
            if let (Some(device), Some(panel)) = (device, specimen.panel) {
                let spec = &self.policy.equipment.devices[device];
                if spec.role == DeviceRole::Analyzer && !spec.panels.is_empty() && !spec.panels.contains(&panel) {
                    return Err(codes::ROUTE_DEVICE_INCOMPATIBLE.into());
                }
            }
            if let Some((invariant, name)) = self.unstable(entity).filter(|_| self.holds(Control::Stability)) {
                return Err(Refusal::breaking(codes::TIME_EXPIRED, invariant).called(name));
            }
            if self.spoiled(specimen) && self.holds(Control::Temperature) {
                return Err(Refusal::breaking(codes::TEMP_OUT_OF_BAND, self.names.inv_zone_006));
            }
        }
        Ok(())
    }

    /// The invariant a specimen would break if it were measured now, because it waited too long, and the reason code
    /// that the policy has for this breach.
    pub(crate) fn unstable(&self, specimen: Entity) -> Option<(Symbol, Option<Symbol>)> {
        let specimen = self.specimen(specimen);
        let limits = self.policy.stability.limits(specimen.panel);
        let separated = specimen.separated_s.unwrap_or(self.now_s);
        let before = separated.saturating_sub(specimen.collection_s) > limits.pre_s;
        let window = if specimen.cold { limits.cold_s } else { limits.ambient_s };
        let after = specimen.separated_s.is_some_and(|separated| self.now_s.saturating_sub(separated) > window);
        let name = if before { limits.pre_reason } else { limits.post_reason };
        (before || after).then_some((limits.invariant, name))
    }

    /// Whether a specimen was out of its temperature band for longer than the policy forgives, all times together. A
    /// reading holds until the next one, the last one until now.
    pub(crate) fn spoiled(&self, specimen: &Specimen) -> bool {
        let until = specimen.readings.iter().skip(1).map(|&(at_s, _)| at_s).chain([self.now_s]);
        let out_s: i64 = specimen
            .readings
            .iter()
            .zip(until)
            .filter(|((_, out), _)| *out)
            .map(|(&(from_s, _), until_s)| until_s.min(self.now_s).saturating_sub(from_s).max(0))
            .fold(0, i64::saturating_add);
        out_s > self.policy.stability.grace_s
    }

    /// Reagent and quantity that the run takes; the panel of the first specimen counts.
    fn reagent_for(&self, specimens: &Ids) -> Result<Option<(usize, f64)>, Refusal> {
        let first = specimens.first().and_then(|&id| self.ids.specimens.get(id).copied());
        let panel = first.and_then(|entity| self.specimen(entity).panel);
        let Some(&(reagent, quantity)) = panel.and_then(|panel| self.policy.reagents.need.get(panel)) else {
            return Ok(None);
        };
        if self.stock[reagent] < quantity {
            return Err(codes::RC_REAGENT_STOCKOUT.into());
        }
        Ok(Some((reagent, quantity)))
    }

    /// Starts the run and puts its end into the calendar.
    fn begin_run(&mut self, device: Option<usize>, run: Option<Symbol>, specimens: &Ids) {
        let Some(device) = device else { return };
        let known: SmallVec<[(Symbol, Entity); 2]> =
            specimens.iter().filter_map(|&id| Some((id, self.ids.specimens.get(id).copied()?))).collect();
        let mut time = SimDuration::ZERO;
        if self.simulated() {
            let spec = &self.policy.equipment.devices[device];
            let stream = self.service_streams.of(device, self.symbols.text(spec.id));
            for (_, entity) in &known {
                let panel = self.world.get::<Specimen>(*entity).and_then(|s| s.panel);
                let own = panel.and_then(|panel| spec.run_of_panel.get(panel));
                time = time.saturating_add(own.unwrap_or(&spec.run).draw(stream));
            }
            if known.is_empty() {
                time = spec.run.draw(stream);
            }
        }
        let n = self.device(device).runs_finished;
        let id = run.unwrap_or_else(|| {
            let name = format!("RUN_{}_{}", self.symbols.text(self.policy.equipment.devices[device].id), n + 1);
            self.symbols.intern(&name)
        });
        let ends = self.now.saturating_add(time);
        let entity = self
            .world
            .spawn(Run {
                id,
                device,
                state: RunState::Running,
                started: self.now,
                ended: SimTime::MAX,
                specimens: specimens
                    .iter()
                    .map(|&specimen| RunSpecimen { specimen, measured: None, filed: false })
                    .collect(),
            })
            .id();
        self.enter_run(id, entity);
        let zone = self.policy.equipment.devices[device].zone;
        for (_, specimen) in &known {
            self.set_status(*specimen, Status::Running);
            let mut record = self.specimen_mut(*specimen);
            record.device = Some(device);
            record.zone = zone;
        }
        let end = self.schedule(ends, Due::RunEnd { run: entity });
        self.device_mut(device).occupy(Work::Run(entity), end, ends, None);
    }

    /// Somebody declares a run ended: true of a run that has ended, and it changes nothing.
    pub(super) fn end_run(&mut self, action: &Action) -> Decided {
        let run = action.decision.args.run.and_then(|id| self.ids.runs.get(id).copied());
        let state = run.and_then(|entity| self.world.get::<Run>(entity)).map(|run| run.state);
        match state {
            None if self.enforced => return Err(codes::RC_RUN_UNKNOWN.into()),
            Some(RunState::Running) => return Err(codes::RC_RUN_NOT_COMPLETED.into()),
            _ => {}
        }
        self.commit(action)?;
        self.outcome.emits.push("END_RUN");
        Ok(())
    }
}
