//! Moving, doors, and the tick that looks at them.

use crate::{
    components::{Body, Door},
    due::Due,
    lab::Lab,
    policy::Way,
    refusal::{Decided, Refusal},
};
use bevy_ecs::entity::Entity;
use labtrust_kernel::{SimDuration, SimTime, Symbol};
use labtrust_plugin::lab::{Action, Control, Detail};
use labtrust_trust::codes;

impl Lab {
    /// Looks at the doors. What a door does in time it does by itself; a tick only reports it.
    pub(super) fn tick(&mut self, action: &Action) -> Decided {
        self.commit(action)?;
        for i in 0..self.doors.len() {
            let entity = self.doors[i];
            let Some(mut door) = self.world.get_mut::<Door>(entity) else { continue };
            if door.breached && !door.reported {
                door.reported = true;
                let id = door.id;
                let open_s = door.open_since.map_or(0, |since| self.now.saturating_since(since).as_secs_ceil());
                self.finding(self.names.inv_zone_005, Some(codes::RC_DOOR_OPEN_TOO_LONG));
                self.detail("door_id", Detail::Id(id));
                self.detail("duration_s", Detail::Int(i64::try_from(open_s).unwrap_or(i64::MAX)));
                self.outcome.emits.extend(["ALARM", "KILL_SWITCH_ZONE"]);
            }
        }
        Ok(())
    }

    pub(super) fn move_entity(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let layout = &self.policy.layout;
        let illegal = || Refusal::breaking(codes::RC_ILLEGAL_MOVE, self.names.inv_zone_001);
        let to = args.to_zone.and_then(|id| layout.zone(id));
        let from = args.from_zone.and_then(|id| layout.zone(id));
        let is_specimen = args.entity_type == Some(self.names.specimen_entity);
        // An agent moves itself; what it carries is a specimen and says so.
        let body = (!is_specimen).then(|| self.ids.bodies.get(action.agent).copied()).flatten();
        if !is_specimen && args.entity.is_some_and(|entity| entity != action.agent) {
            return Err(illegal());
        }
        let at = body.and_then(|body| self.world.get::<Body>(body)).and_then(|body| body.zone);
        let start = at.or(from);
        let restricted = to.is_some_and(|to| layout.zones[to].needs_token);
        let lawful = match (start, to) {
            (Some(start), Some(to)) => (at.is_none() || from.is_none() || from == at) && layout.adjacent(start, to),
            _ => false,
        };
        if !lawful && self.holds(Control::Adjacency) {
            let refusal = illegal();
            return Err(if restricted { refusal.and(self.names.inv_zone_004, None) } else { refusal });
        }
        let (Some(start), Some(to)) = (start, to) else { return Err(illegal()) };
        let unannounced = restricted && start != to && action.decision.token_refs.is_empty();
        if unannounced && self.holds(Control::RestrictedDoor) {
            return Err(Refusal::breaking(codes::RBAC_RESTRICTED_ENTRY_DENY, self.names.inv_zone_004)
                .and(self.names.inv_tok_003, Some(codes::RBAC_RESTRICTED_ENTRY_DENY)));
        }
        if self.is_frozen(to) && start != to {
            return Err(codes::RC_ZONE_FROZEN.into());
        }
        let way = layout.way(start, to);
        // A door that needs a token must stand open, unless the token for what lies behind it is presented now; any
        // other door is opened and closed in passing.
        let opens_it = restricted && !action.decision.token_refs.is_empty();
        if let Some(door) = way.and_then(|way| way.door)
            && layout.doors[door].needs_token
            && !opens_it
            && !self.door_is_open(door)
        {
            return Err(codes::RC_DOOR_CLOSED.into());
        }
        if !is_specimen && start != to {
            self.has_room(to, way)?;
        }
        self.commit(action)?;
        if restricted && start != to {
            self.consume_tokens(action);
        }
        if is_specimen {
            if let Some(&specimen) = args.entity.and_then(|id| self.ids.specimens.get(id)) {
                self.concerns_all(args.entity);
                self.specimen_mut(specimen).zone = Some(to);
            }
        } else {
            let body = body.unwrap_or_else(|| self.add_body(action.agent, Some(start)));
            self.walk(body, to, way);
        }
        self.outcome.emits.push("MOVE");
        Ok(())
    }

    fn walk(&mut self, body: Entity, to: usize, way: Option<Way>) {
        let travel = way.filter(|_| self.simulated()).map_or(SimDuration::ZERO, |way| way.travel);
        let arrives = self.now.saturating_add(travel);
        let at_once = travel == SimDuration::ZERO;
        let mut from = None;
        if let Some(mut component) = self.world.get_mut::<Body>(body) {
            from = component.zone;
            if at_once {
                component.zone = Some(to);
            } else {
                component.walking_to = Some(to);
                component.arrives = Some(arrives);
            }
        }
        self.count_walk(from, to, way, arrives);
        if !at_once {
            self.schedule(arrives, Due::WalkEnd { body });
        }
    }

    fn door_is_open(&self, door: usize) -> bool {
        self.world.get::<Door>(self.doors[door]).is_some_and(|door| door.open_since.is_some())
    }

    /// The door an argument names; an unknown one is refused where the workflow is enforced.
    fn named_door(&self, id: Option<Symbol>) -> Result<Option<usize>, Refusal> {
        match id.and_then(|id| self.policy.layout.door(id)) {
            None if self.enforced => Err(codes::RC_DOOR_UNKNOWN.into()),
            door => Ok(door),
        }
    }

    pub(super) fn open_door(&mut self, action: &Action) -> Decided {
        let door = self.named_door(action.decision.args.door)?;
        let spec = door.map(|door| &self.policy.layout.doors[door]);
        if let Some(spec) = spec.filter(|spec| spec.needs_token) {
            let guarded = self.holds(Control::RestrictedDoor);
            let denied = || {
                Refusal::breaking(codes::RBAC_RESTRICTED_ENTRY_DENY, self.names.inv_zone_004)
                    .and(self.names.inv_tok_003, Some(codes::RBAC_RESTRICTED_ENTRY_DENY))
            };
            if guarded && action.decision.token_refs.is_empty() {
                return Err(denied());
            }
            let role = self.rbac.role_of(action.agent);
            if guarded && !spec.roles.is_empty() && !role.is_some_and(|role| spec.roles.contains(&role)) {
                return Err(denied());
            }
            if spec.zones.iter().any(|&zone| self.is_frozen(zone)) {
                return Err(codes::RC_ZONE_FROZEN.into());
            }
        }
        let needs_token = spec.is_some_and(|spec| spec.needs_token);
        self.commit(action)?;
        if needs_token {
            self.consume_tokens(action);
        }
        if let Some(door) = door {
            self.set_door_open(door);
        }
        self.outcome.emits.push("OPEN_DOOR");
        Ok(())
    }

    fn set_door_open(&mut self, door: usize) {
        self.cancel_door_timer(door);
        let spec = &self.policy.layout.doors[door];
        let limit = SimDuration::from_secs(u64::try_from(spec.max_open_s).unwrap_or(0));
        // Open for exactly the limit is still in order: the breach is the nanosecond after.
        let breach = self.now.saturating_add(limit).saturating_add(SimDuration::from_nanos(1));
        let timer = spec.alarm_on_breach.then(|| self.schedule(breach, Due::DoorBreach { door: Self::index16(door) }));
        let now = self.now;
        if let Some(mut component) = self.world.get_mut::<Door>(self.doors[door]) {
            component.open_since = Some(now);
            component.timer = timer;
            component.breached = false;
            component.reported = false;
        }
    }

    fn cancel_door_timer(&mut self, door: usize) {
        let timer = self.world.get_mut::<Door>(self.doors[door]).and_then(|mut door| door.timer.take());
        if let Some(timer) = timer {
            self.calendar.cancel(timer);
        }
    }

    pub(super) fn close_door(&mut self, action: &Action) -> Decided {
        let door = self.named_door(action.decision.args.door)?;
        self.commit(action)?;
        if let Some(door) = door {
            self.cancel_door_timer(door);
            if let Some(mut component) = self.world.get_mut::<Door>(self.doors[door]) {
                component.open_since = None;
                component.breached = false;
                component.reported = false;
            }
        }
        self.outcome.emits.push("CLOSE_DOOR");
        Ok(())
    }

    /// How long a door has been open, and whether that is too long.
    pub(crate) fn door_state(&self, door: usize) -> (Option<SimTime>, bool) {
        self.world.get::<Door>(self.doors[door]).map_or((None, false), |door| (door.open_since, door.breached))
    }
}
