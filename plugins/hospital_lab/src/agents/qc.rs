//! Quality control officer: runs the controls that are due, and checks a failed device again.
//!
//! Rules, first match:
//! 1. a scheduled control is due: walk to its device, run it, report its outcome;
//! 2. a device whose control failed at least [`RECHECK_S`] ago: walk to it, run the control again, report a pass;
//! 3. away with nothing to do: walk back to the desk.
//!
//! Between the failure and the second control the device is recalibrated; that this takes [`RECHECK_S`] is this
//! role's assumption. Holding results and moving work is the analysts' business: QC may only report.

use super::scripted::{Memory, Rules, my_zone, walk, zone_named};
use labtrust_plugin::lab::{ActionKind, AgentContext, Args, Decision};

const DESK: &str = "Z_QC_SUPERVISOR";
/// How long a device is recalibrated before its control is run again [s].
const RECHECK_S: i64 = 120;

/// A control to run.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// When it is due [s].
    pub at_s: i64,
    /// The device.
    pub device: &'static str,
    /// What it finds, `pass` or `fail`.
    pub outcome: &'static str,
}

/// The rules of quality control.
#[derive(Debug)]
pub struct QcOfficer {
    schedule: &'static [Check],
    done: usize,
    /// Since when which devices fail, by place in the view [s].
    failing: Vec<(usize, i64)>,
}

impl QcOfficer {
    /// An officer with this schedule, in order of time.
    #[must_use]
    pub fn new(schedule: &'static [Check]) -> Self {
        Self { schedule, done: 0, failing: Vec::new() }
    }

    /// The control to run now: the device's place and the outcome.
    fn due(&self, ctx: &AgentContext<'_>) -> Option<(usize, &'static str, bool)> {
        let view = ctx.view;
        if let Some(check) = self.schedule.get(self.done).filter(|check| check.at_s <= view.now_s) {
            let device = ctx.symbols.get(check.device)?;
            let place = view.devices.iter().position(|d| d.id == device)?;
            return Some((place, check.outcome, true));
        }
        let recheck = self.failing.iter().find(|(_, since_s)| since_s + RECHECK_S <= view.now_s);
        recheck.map(|&(place, _)| (place, "pass", false))
    }
}

impl Rules for QcOfficer {
    fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        let view = ctx.view;
        self.failing.retain(|&(place, _)| view.devices.get(place).is_some_and(|device| !device.qc_pass));
        for (place, _) in view.devices.iter().enumerate().filter(|(_, device)| !device.qc_pass) {
            if self.failing.iter().all(|&(known, _)| known != place) {
                self.failing.push((place, view.now_s));
            }
        }
        let Some((place, outcome, scheduled)) = self.due(ctx) else {
            let desk = zone_named(ctx, DESK)?;
            return walk(ctx, memory, desk);
        };
        let device = &view.devices[place];
        if my_zone(ctx) != Some(device.zone) {
            return walk(ctx, memory, device.zone);
        }
        let args = Args { device: Some(device.id), qc_outcome: Some(ctx.symbols.intern(outcome)), ..Args::default() };
        let decision = memory.check(view, Decision::new(ActionKind::QcEvent, args));
        // A control that was refused is not run again either: the schedule goes on.
        self.done += usize::from(scheduled);
        decision
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scripted, test_view::Lab};
    use super::*;

    const SCHEDULE: &[Check] = &[Check { at_s: 50, device: "CHEM_A", outcome: "fail" }];

    fn lab(schedule: &'static [Check]) -> (Lab, Scripted<QcOfficer>) {
        let mut lab = Lab::new(&["Z_HALL_A", DESK]);
        lab.device("CHEM_A", "CHEM_ANALYZER", "Z_HALL_A");
        lab.agent("A_QC_0", DESK);
        (lab, Scripted::new(QcOfficer::new(schedule)))
    }

    #[test]
    fn without_a_failure_and_a_schedule_there_is_nothing_to_do() {
        let (mut lab, mut agent) = lab(&[]);
        assert_eq!(lab.said(&mut agent, 0), "nothing");
    }

    #[test]
    fn a_scheduled_control_is_run_once_at_its_device_and_the_officer_returns() {
        let (mut lab, mut agent) = lab(SCHEDULE);
        lab.view.now_s = 49;
        assert_eq!(lab.said(&mut agent, 0), "nothing");
        lab.view.now_s = 50;
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_HALL_A");
        lab.view.agents[0].zone = Some(0);
        let control = lab.decide(&mut agent, 0, None).unwrap();
        assert_eq!((control.kind, control.args.qc_outcome), (ActionKind::QcEvent, Some(lab.id("fail"))));
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_QC_SUPERVISOR");
    }

    #[test]
    fn a_failed_device_is_checked_again_after_its_recalibration() {
        let (mut lab, mut agent) = lab(&[]);
        lab.view.agents[0].zone = Some(0);
        lab.view.devices[0].qc_pass = false;
        assert_eq!(lab.said(&mut agent, 0), "MOVE Z_QC_SUPERVISOR");
        lab.view.now_s = RECHECK_S;
        let control = lab.decide(&mut agent, 0, None).unwrap();
        assert_eq!((control.kind, control.args.qc_outcome), (ActionKind::QcEvent, Some(lab.id("pass"))));
    }
}
