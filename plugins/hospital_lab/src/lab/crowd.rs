//! How many people are where: rooms with limited room, ways on which only so many fit, or only in one direction at a time.
//!
//! Whoever walks has left the room behind them and has a place in the one ahead, so nobody arrives at a full room. In
//! explicit timing a walk takes no time; the way counts as taken until time moves on.

use super::Lab;
use crate::policy::{Way, WayLimit};
use bevy_ecs::entity::Entity;
use labtrust_kernel::SimTime;
use labtrust_trust::codes;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Who is in the way of whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crowd {
    /// People in each zone or walking to it [count].
    pub present: Vec<u32>,
    /// Of each limited way and direction (`2 * limit + direction`): when those who are on it arrive.
    pub on_the_way: Vec<SmallVec<[SimTime; 2]>>,
}

impl Crowd {
    pub(super) fn new(zones: usize, limits: usize) -> Self {
        Self { present: vec![0; zones], on_the_way: vec![SmallVec::new(); 2 * limits] }
    }

    /// People on a limited way in one direction at a moment [count].
    fn passing(&self, limit: usize, direction: usize, now: SimTime, in_no_time: bool) -> usize {
        let arrivals = &self.on_the_way[2 * limit + direction];
        arrivals.iter().filter(|&&at| at > now || (in_no_time && at == now)).count()
    }
}

impl Lab {
    /// Whether there is room for one more: in the zone, and on the way there.
    pub(crate) fn has_room(&self, to: usize, way: Option<Way>) -> Result<(), &'static str> {
        let layout = &self.policy.layout;
        if layout.zones[to].capacity.is_some_and(|most| self.crowd.present[to] >= most) {
            return Err(codes::RC_ZONE_FULL);
        }
        let Some((limit, direction)) = way.and_then(|way| way.limit) else { return Ok(()) };
        let WayLimit { capacity, exclusive } = layout.limits[limit];
        let passing = |direction| self.crowd.passing(limit, direction, self.now, !self.simulated());
        let ahead = passing(direction);
        if capacity.is_some_and(|most| ahead >= most as usize) || (exclusive && passing(1 - direction) > 0) {
            return Err(codes::RC_WAY_TAKEN);
        }
        Ok(())
    }

    /// Somebody goes from one zone to another and arrives at a moment.
    pub(crate) fn count_walk(&mut self, from: Option<usize>, to: usize, way: Option<Way>, arrives: SimTime) {
        if let Some(from) = from {
            self.crowd.present[from] = self.crowd.present[from].saturating_sub(1);
        }
        self.crowd.present[to] += 1;
        if let Some((limit, direction)) = way.and_then(|way| way.limit) {
            let now = self.now;
            let arrivals = &mut self.crowd.on_the_way[2 * limit + direction];
            arrivals.retain(|at| *at >= now);
            arrivals.push(arrives);
        }
    }

    /// Somebody is there from the beginning.
    pub(super) fn count_body(&mut self, zone: Option<usize>) {
        if let Some(zone) = zone {
            self.crowd.present[zone] += 1;
        }
    }

    /// A body is taken out of the world.
    pub(super) fn uncount_body(&mut self, body: Entity) {
        let body = self.world.get::<crate::components::Body>(body);
        if let Some(zone) = body.and_then(|body| body.walking_to.or(body.zone)) {
            self.crowd.present[zone] = self.crowd.present[zone].saturating_sub(1);
        }
    }

    /// The first zone that holds more people than it has room for, with both numbers.
    pub(super) fn overcrowded(&self) -> Option<(usize, u32, u32)> {
        let zones = self.policy.layout.zones.iter().enumerate();
        zones
            .filter_map(|(zone, spec)| Some((zone, self.crowd.present[zone], spec.capacity?)))
            .find(|(_, present, most)| present > most)
    }
}
