//! The bound of an episode, from its state and policy.

use super::{Centrifuge, Group, Job, Model, most_released};
use crate::{
    components::{Specimen, Status},
    lab::Lab,
    policy::{DeviceRole, DeviceSpec, Distribution},
};
use labtrust_kernel::Symbol;

impl Lab {
    /// Most of the specimens that are here or will arrive that any crew could release by `horizon_s` [s], acting every
    /// `dt_s` [s].
    pub(crate) fn most_releasable(&self, horizon_s: i64, dt_s: u32) -> u32 {
        let mut panels: Vec<Symbol> = Vec::new();
        let jobs: Vec<Job> = self
            .specimens
            .iter()
            .filter_map(|&entity| {
                let specimen = self.specimen(entity);
                let panel = specimen.panel?;
                let group = panels.iter().position(|&other| other == panel).unwrap_or_else(|| {
                    panels.push(panel);
                    panels.len() - 1
                });
                self.job(specimen, group)
            })
            .collect();
        let groups = panels.iter().map(|&panel| self.group(panel)).collect();
        let model = Model {
            horizon_s,
            dt_s: i64::from(dt_s.max(1)),
            centrifuge: self.kindest_centrifuge(),
            aliquot_s: self.least(DeviceRole::Aliquoter, |spec| least_s(&spec.run)),
            aliquoters: self.units(DeviceRole::Aliquoter),
            groups,
        };
        most_released(&model, &jobs)
    }

    /// What is to be done with a specimen; nothing that could be released where it is rejected or released already.
    fn job(&self, specimen: &Specimen, group: usize) -> Option<Job> {
        if matches!(specimen.status, Status::Rejected | Status::Released) {
            return None;
        }
        let elsewhere = specimen.site.filter(|_| specimen.site != self.policy.sites.hub);
        let way_s = match elsewhere {
            Some(from) if self.simulated() => {
                let to_hub =
                    self.policy.sites.routes.iter().filter(|r| r.from == from && Some(r.to) == self.policy.sites.hub);
                // Without a way nothing arrives.
                to_hub.map(|route| route.mean_s - route.spread_s.min(route.mean_s / 2)).min()?
            }
            _ => 0,
        };
        let separate =
            specimen.separated_s.is_none() && self.policy.stability.limits(specimen.panel).separation_required;
        Some(Job { release_s: specimen.arrival_s.saturating_add(way_s), separate, group })
    }

    fn group(&self, panel: Symbol) -> Group {
        let able = self.policy.equipment.of_panel.get(panel);
        let devices = || {
            able.into_iter()
                .flat_map(|able| able.iter())
                .map(|&device| &self.policy.equipment.devices[usize::from(device)])
        };
        let service = |spec: &DeviceSpec| least_s(spec.run_of_panel.get(panel).unwrap_or(&spec.run));
        let stock = self.policy.reagents.need.get(panel).filter(|(_, quantity)| *quantity > 0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of runs, cut off at u32")]
        let stock = stock.map_or(u32::MAX, |&(reagent, quantity)| libm::floor(self.stock[reagent] / quantity) as u32);
        Group {
            service_s: if self.simulated() { devices().map(service).min().unwrap_or(0) } else { 0 },
            machines: if self.simulated() {
                devices().map(|spec| spec.units as usize).sum()
            } else {
                devices().count()
            },
            stock,
        }
    }

    fn kindest_centrifuge(&self) -> Centrifuge {
        let cycle = |spec: &DeviceSpec| least_s(&spec.run) + least_s(&spec.teardown) + least_s(&spec.setup);
        let batch = self.of_role(DeviceRole::Centrifuge).map(|spec| spec.batch_capacity as usize).max().unwrap_or(0);
        Centrifuge {
            spin_s: self.least(DeviceRole::Centrifuge, |spec| least_s(&spec.run)),
            cycle_s: self.least(DeviceRole::Centrifuge, cycle),
            units: self.units(DeviceRole::Centrifuge),
            batch,
        }
    }

    fn of_role(&self, role: DeviceRole) -> impl Iterator<Item = &DeviceSpec> {
        self.policy.equipment.devices.iter().filter(move |spec| spec.role == role && spec.zone.is_some())
    }

    fn units(&self, role: DeviceRole) -> usize {
        self.of_role(role).map(|spec| spec.units as usize).sum()
    }

    /// The least time of any device of a role [s]; none in explicit timing.
    fn least(&self, role: DeviceRole, time: impl Fn(&DeviceSpec) -> i64) -> i64 {
        if self.simulated() { self.of_role(role).map(time).min().unwrap_or(0) } else { 0 }
    }
}

/// The shortest time that can be drawn [s], in whole seconds.
#[expect(clippy::cast_possible_truncation, reason = "times of a policy are far below 2^53 s")]
fn least_s(time: &Distribution) -> i64 {
    match *time {
        Distribution::Deterministic { value } => libm::floor(value) as i64,
        Distribution::Uniform { low, .. } => libm::floor(low) as i64,
        Distribution::Lognormal { .. } | Distribution::Exponential { .. } | Distribution::Normal { .. } => 0,
    }
}
