//! Enforcement has its effect, and a lift takes it back: judged from what the answers report.

use crate::play::{Held, Seen, broken};
use std::collections::{BTreeMap, BTreeSet};

/// What is in force.
#[derive(Default)]
pub(crate) struct Enforced {
    /// Until when agents are throttled [s].
    throttled: BTreeMap<String, i64>,
    agents: BTreeSet<String>,
    devices: BTreeSet<String>,
    zones: BTreeSet<String>,
    frozen: bool,
}

const DEVICE_ZONES: [(&str, &str); 6] = [
    ("DEV_CENTRIFUGE_BANK_01", "Z_CENTRIFUGE_BAY"),
    ("DEV_ALIQUOTER_01", "Z_ALIQUOT_LABEL"),
    ("DEV_CHEM_A_01", "Z_ANALYZER_HALL_A"),
    ("DEV_CHEM_B_01", "Z_ANALYZER_HALL_B"),
    ("DEV_HAEM_01", "Z_ANALYZER_HALL_A"),
    ("DEV_COAG_01", "Z_ANALYZER_HALL_B"),
];

/// Actions at a device.
const AT_DEVICE: [&str; 7] = [
    "CENTRIFUGE_START",
    "CENTRIFUGE_END",
    "ALIQUOT_CREATE",
    "QUEUE_RUN",
    "START_RUN",
    "START_RUN_OVERRIDE",
    "QC_EVENT",
];

impl Enforced {
    pub(crate) fn log_frozen(&self) -> bool {
        self.frozen
    }

    pub(crate) fn door_breached(&mut self, door: &str) {
        let zones: &[&str] = match door {
            "D_MAIN_INNER" => &["Z_INGRESS_DOCK", "Z_SRA_RECEPTION"],
            "D_RESTRICTED_AIRLOCK" => &["Z_SRA_RECEPTION", "Z_RESTRICTED_BIOHAZARD"],
            _ => &["Z_RESTRICTED_BIOHAZARD", "Z_WASTE_DISPOSAL"],
        };
        self.zones.extend(zones.iter().map(|&zone| zone.to_owned()));
    }

    /// What is in force stops what it should, and nothing else is stopped in its name; then what the step itself led to.
    pub(crate) fn judge(&mut self, seen: &Seen<'_>, enforced: bool) -> Held {
        let agent = seen.text("agent_id");
        let control = ["UPDATE_ROSTER", "INJECT_SPECIMEN", "LIFT_ENFORCEMENT"].contains(&seen.action());
        let throttled = self.throttled.get(agent).is_some_and(|&until_s| seen.t_s < until_s);
        match seen.result.blocked_reason_code.as_deref() {
            Some("AUDIT_CHAIN_BROKEN") if !self.frozen => return Err(broken("the log is not frozen")),
            Some("RC_AGENT_THROTTLED") if !throttled => return Err(broken("the agent is not throttled any more")),
            Some("RC_AGENT_KILLED") if !self.agents.contains(agent) => return Err(broken("the agent is not stopped")),
            Some("RC_DEVICE_KILLED") if self.devices.is_empty() => return Err(broken("no device is stopped")),
            Some("RC_ZONE_FROZEN") if self.zones.is_empty() => return Err(broken("no zone is frozen")),
            Some(_) => {
                self.frozen |= seen.emits("FORENSIC_FREEZE_LOG");
                return Ok(());
            }
            None => {}
        }
        if seen.action() == "NOOP" {
            return Ok(());
        }
        if self.frozen && seen.action() != "LIFT_ENFORCEMENT" {
            return Err(broken("something happened while the log was frozen"));
        }
        if (throttled || self.agents.contains(agent)) && !control {
            return Err(broken("an agent acts that enforcement has stopped"));
        }
        self.judge_place(seen, enforced)?;
        self.take_in(seen);
        Ok(())
    }

    fn judge_place(&self, seen: &Seen<'_>, enforced: bool) -> Held {
        let device = seen.arg("device_id");
        let at_device = AT_DEVICE.contains(&seen.action()) && !device.is_empty();
        // In the open workflow a control or an aliquot is what somebody says it is.
        let stands_there = enforced || !["QC_EVENT", "ALIQUOT_CREATE"].contains(&seen.action());
        if at_device && stands_there {
            let zone = DEVICE_ZONES.iter().find(|(known, _)| *known == device).map(|(_, zone)| *zone);
            if self.devices.contains(device) {
                return Err(broken("a device works that enforcement has stopped"));
            }
            if zone.is_some_and(|zone| self.zones.contains(zone)) {
                return Err(broken("a device works in a frozen zone"));
            }
        }
        let (from, to) = (seen.arg("from_zone"), seen.arg("to_zone"));
        if seen.action() == "MOVE" && from != to && !from.is_empty() && self.zones.contains(to) {
            return Err(broken("somebody goes into a frozen zone"));
        }
        Ok(())
    }

    fn take_in(&mut self, seen: &Seen<'_>) {
        if seen.action() == "LIFT_ENFORCEMENT" {
            let target = seen.arg("target");
            match seen.arg("kind") {
                "log" => self.frozen = false,
                "throttle" => drop(self.throttled.remove(target)),
                "agent" => drop(self.agents.remove(target)),
                "device" => drop(self.devices.remove(target)),
                _ => drop(self.zones.remove(target)),
            }
        }
        for item in &seen.result.enforcements {
            let target = item.target.clone().unwrap_or_default();
            match (item.kind.as_str(), item.target_type.as_deref()) {
                ("throttle_agent", _) => {
                    let until_s = seen.t_s + item.duration_s.unwrap_or(0);
                    let known = self.throttled.entry(target).or_insert(until_s);
                    *known = until_s.max(*known);
                }
                ("kill_switch", Some("device_id")) => drop(self.devices.insert(target)),
                ("kill_switch", _) => drop(self.agents.insert(target)),
                ("freeze_zone", _) => drop(self.zones.insert(item.zone_id.clone().unwrap_or_default())),
                _ => {}
            }
        }
        if seen.emits("FORENSIC_FREEZE_LOG") {
            self.frozen = true;
        }
    }
}
