//! How large a laboratory is: the entries of `coordination/scale_configs.v0.1.yaml`, and the tasks' own size.

use super::scenario::{Workload, World};
use labtrust_plugin::{Referrals, TaskError};
use labtrust_policy::PolicyStore;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FILE: &str = "coordination/scale_configs.v0.1.yaml";
/// Steps of an episode at the tasks' own scale [count].
pub(super) const OWN_HORIZON_STEPS: u32 = 200;
/// How far the shares of the roles may be from 1 together.
const SHARE_TOLERANCE: f64 = 1e-6;
/// Most workers and devices of a type in a laboratory [count]: their ids have four digits.
const MOST: u32 = 9999;
/// Most laboratories [count].
const MOST_SITES: u32 = 100_000;

#[derive(Debug, Deserialize)]
struct ScaleFile {
    configs: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    #[serde(default = "two")]
    num_agents_total: u32,
    role_mix: BTreeMap<String, f64>,
    num_devices_per_type: BTreeMap<String, u32>,
    #[serde(default = "one")]
    num_sites: u32,
    #[serde(default = "one_a_minute")]
    specimens_per_min: f64,
    #[serde(default = "own_horizon")]
    horizon_steps: u32,
    #[serde(default = "explicit")]
    timing_mode: String,
    #[serde(default)]
    world: World,
    #[serde(default)]
    workload: Workload,
    /// Every site is a laboratory of its own.
    referrals: Option<ReferralsEntry>,
}

/// What goes from one laboratory to the next.
#[derive(Debug, Clone, Copy, Deserialize)]
struct ReferralsEntry {
    share: f64,
    transport_s: u32,
}

impl ReferralsEntry {
    /// The same as whole numbers, or what is wrong.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    fn checked(self, dt_s: u32) -> Result<Referrals, String> {
        let Self { share, transport_s } = self;
        if !(0.0..=1.0).contains(&share) {
            return Err(format!("a share of {share} is referred; it should be 0 to 1"));
        }
        if transport_s < dt_s {
            return Err(format!("a courier takes {transport_s} s; it should be a step at least, {dt_s} s"));
        }
        Ok(Referrals { per_mille: libm::round(share * 1000.0) as u32, transport_s })
    }
}

const fn two() -> u32 {
    2
}

const fn one() -> u32 {
    1
}

const fn one_a_minute() -> f64 {
    1.0
}

const fn own_horizon() -> u32 {
    OWN_HORIZON_STEPS
}

fn explicit() -> String {
    "explicit".to_owned()
}

/// A size, checked.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    /// Its id; none at the tasks' own.
    pub id: Option<String>,
    /// Workers of a laboratory [count].
    pub agents: u32,
    /// Share of each role.
    pub role_mix: BTreeMap<String, f64>,
    /// Devices of each type [count].
    pub devices: BTreeMap<String, u32>,
    /// Sites [count]; all work arrives at the first, unless each is a laboratory of its own.
    pub sites: u32,
    /// What goes from one laboratory to the next, where every site is one.
    pub referrals: Option<Referrals>,
    /// Arrivals [1/min].
    pub specimens_per_min: f64,
    /// Steps of an episode [count].
    pub horizon_steps: u32,
    /// Who moves time.
    pub timing_mode: &'static str,
    /// Rooms and ways with little room, devices that break.
    pub world: World,
    /// What arrives how.
    pub workload: Workload,
}

impl Scale {
    /// The tasks' own.
    pub(super) fn own() -> Self {
        let share = |(role, share): (&str, f64)| (role.to_owned(), share);
        let mix = [
            ("ROLE_RUNNER", 0.4),
            ("ROLE_ANALYTICS", 0.3),
            ("ROLE_RECEPTION", 0.2),
            ("ROLE_QC", 0.05),
            ("ROLE_SUPERVISOR", 0.05),
        ];
        Self {
            id: None,
            agents: 10,
            role_mix: mix.into_iter().map(share).collect(),
            devices: [("CHEM_ANALYZER", 2), ("CENTRIFUGE_BANK", 1)].map(|(kind, n)| (kind.to_owned(), n)).into(),
            sites: 1,
            referrals: None,
            specimens_per_min: 2.0,
            horizon_steps: OWN_HORIZON_STEPS,
            timing_mode: "explicit",
            world: World::default(),
            workload: Workload::default(),
        }
    }

    /// The entry `id` of the policy.
    ///
    /// # Errors
    /// [`TaskError`] when there is none, or when it makes no sense.
    pub(super) fn load(policy: &PolicyStore, id: &str, dt_s: u32) -> Result<Self, TaskError> {
        let file: ScaleFile = policy.section_or_builtin(FILE, Some("scale_configs"))?;
        let mut known: Vec<String> = file.configs.iter().map(|entry| entry.id.clone()).collect();
        let Some(entry) = file.configs.into_iter().find(|entry| entry.id == id) else {
            known.sort_unstable();
            return Err(TaskError::UnknownScale { scale: id.to_owned(), known });
        };
        let bad = |message: String| TaskError::BadScale { scale: id.to_owned(), message };
        let shares: f64 = entry.role_mix.values().sum();
        let possible = entry.role_mix.values().all(|share| (0.0..=1.0).contains(share));
        if !possible || (shares - 1.0).abs() > SHARE_TOLERANCE {
            return Err(bad(format!("the shares of the roles add up to {shares}, not to 1")));
        }
        if let Some(role) = entry.role_mix.keys().find(|role| !super::seats::ROLES.contains(&role.as_str())) {
            let known = super::seats::ROLES.join(", ");
            return Err(bad(format!("nobody knows how to work as {role}; there are {known}")));
        }
        let laboratories = if entry.referrals.is_some() { entry.num_sites } else { 1 };
        if !(1..=MOST_SITES).contains(&laboratories) {
            return Err(bad(format!("{laboratories} laboratories; there are 1 to {MOST_SITES}")));
        }
        let agents = entry.num_agents_total / laboratories;
        if agents * laboratories != entry.num_agents_total {
            let total = entry.num_agents_total;
            return Err(bad(format!("{total} workers are not shared evenly by {laboratories} laboratories")));
        }
        if !(1..=MOST).contains(&agents) {
            return Err(bad(format!("{agents} workers; there are 1 to {MOST}")));
        }
        let referrals = entry.referrals.map(|entry| entry.checked(dt_s)).transpose().map_err(bad)?;
        if let Some((kind, n)) = entry.num_devices_per_type.iter().find(|&(_, &n)| n > MOST) {
            return Err(bad(format!("{n} devices of the type {kind}; there are at most {MOST}")));
        }
        let rate = entry.specimens_per_min;
        if !(0.0..=1000.0).contains(&rate) {
            return Err(bad(format!("{rate} arrivals a minute; there are 0 to 1000")));
        }
        if entry.horizon_steps == 0 {
            return Err(bad("an episode of no steps".to_owned()));
        }
        let timing_mode = match entry.timing_mode.as_str() {
            "explicit" => "explicit",
            "simulated" => "simulated",
            other => return Err(bad(format!("the unknown timing {other:?}"))),
        };
        entry.world.check().map_err(bad)?;
        entry.workload.check().map_err(bad)?;
        Ok(Self {
            id: Some(entry.id),
            agents,
            role_mix: entry.role_mix,
            devices: entry.num_devices_per_type,
            sites: entry.num_sites,
            referrals,
            specimens_per_min: rate,
            horizon_steps: entry.horizon_steps,
            timing_mode,
            world: entry.world,
            workload: entry.workload,
        })
    }

    /// The size in the published form.
    pub(super) fn to_json(&self) -> Value {
        let mut json = json!({
            "num_agents_total": self.agents * self.laboratories(),
            "role_mix": self.role_mix,
            "num_devices_per_type": self.devices,
            "num_sites": self.sites,
            "specimens_per_min": self.specimens_per_min,
            "horizon_steps": self.horizon_steps,
            "timing_mode": self.timing_mode,
        });
        if let Some(Referrals { per_mille, transport_s }) = self.referrals {
            json["referrals"] = json!({ "share": f64::from(per_mille) / 1000.0, "transport_s": transport_s });
        }
        json
    }

    /// Laboratories of an episode [count].
    pub(super) fn laboratories(&self) -> u32 {
        if self.referrals.is_some() { self.sites } else { 1 }
    }
}
