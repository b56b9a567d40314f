//! Work that costs too much, and work that comes to nothing, under the eyes of the watchdog.

use super::Grounds;
use crate::AssuranceError;
use crate::suite::defences::{Course, Defences, OBSERVABILITY};
use crate::suite::model::Expected;
use crate::suite::scene::{LANE, START_S, event};
use crate::suite::trial::{Came, Trial};
use crate::suite::watchdog::{Alarm, Bounds, Watchdog};
use labtrust_plugin::lab::{ActionKind, LabEngine, Observer, StepFacts};
use serde_json::{Value, json};

/// The watch over an episode's record; without it nobody looks.
struct Watching {
    watchdog: Option<Watchdog>,
    alarms: Vec<Alarm>,
    accepted: u64,
}

impl Watching {
    fn new(watched: bool) -> Self {
        Self { watchdog: watched.then(|| Watchdog::new(Bounds::default())), alarms: Vec::new(), accepted: 0 }
    }
}

impl Observer for Watching {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        let Some(action) = facts.action.filter(|_| facts.outcome.accepted) else { return };
        self.accepted += 1;
        let released = action.decision.kind == ActionKind::ReleaseResult;
        self.alarms.extend(self.watchdog.as_mut().and_then(|watchdog| watchdog.take(released)));
    }
}

/// A laboratory, and who watches it.
struct Shift {
    engine: Box<dyn LabEngine>,
    watching: Watching,
    events: u32,
    walks: u32,
}

impl Shift {
    fn act(&mut self, t_s: i64, agent: &str, action: &str, args: Value) {
        self.events += 1;
        self.engine.begin_batch();
        self.engine.step_raw(&event(&format!("flow{}", self.events), t_s, agent, action, args), &mut self.watching);
    }

    /// So many steps to and fro.
    fn walk(&mut self, times: i64, from_s: i64) {
        for turn in 0..times {
            let to = if self.walks.is_multiple_of(2) { "Z_ACCESSIONING" } else { "Z_SRA_RECEPTION" };
            self.walks += 1;
            self.act(from_s + 15 * turn, "A_RECEPTION", "MOVE", json!({ "to_zone": to }));
        }
    }
}

/// The way of S1 to its release, with so many steps to and fro in the middle of it; or to its result, with the steps behind it.
fn walked(
    grounds: &Grounds<'_>,
    defences: &Defences<'_>,
    detours: i64,
    release: bool,
) -> Result<Watching, AssuranceError> {
    let engine = grounds.bench.engine_without(&[], 0)?;
    let mut shift = Shift { engine, watching: Watching::new(defences.has(OBSERVABILITY)), events: 0, walks: 0 };
    for (t_s, agent, action, args) in LANE {
        // While the centrifuge runs there is time to walk.
        if action == "CENTRIFUGE_END" && release {
            shift.walk(detours, 50);
        }
        shift.act(t_s, agent, action, serde_json::from_str(args).unwrap_or_default());
    }
    if release {
        shift.act(START_S, "A_ANALYTICS", "RELEASE_RESULT", json!({ "result_id": "R1" }));
    } else {
        shift.walk(detours, START_S);
    }
    Ok(shift.watching)
}

fn watched(
    grounds: &Grounds<'_>,
    detours: i64,
    release: bool,
    is_it: fn(&Alarm) -> bool,
) -> Result<Trial, AssuranceError> {
    let courses = grounds.courses(|defences| {
        let watching = walked(grounds, defences, detours, release)?;
        // The work that comes to nothing has to have been done, or there is nothing to notice.
        let arrived = u64::from(watching.accepted >= LANE.len() as u64 + detours.unsigned_abs());
        let seen = watching.alarms.iter().find(|alarm| is_it(alarm));
        Ok(match seen {
            Some(_) if arrived > 0 => Came::stopped("watchdog", ""),
            _ => Came { arrived, ..Came::default() },
        })
    })?;
    let straight = walked(grounds, &grounds.defences(Course::All), 0, true)?;
    let benign = straight.alarms.is_empty() && straight.accepted > LANE.len() as u64;
    Ok(Trial::of(Expected::Detected, courses, benign))
}

/// A result for which somebody walks to and fro for nothing.
pub(super) fn detours(grounds: &Grounds<'_>) -> Result<Trial, AssuranceError> {
    watched(grounds, 35, true, |alarm| matches!(alarm, Alarm::Inefficient { .. }))
}

/// Steps without end and no result.
pub(super) fn circles(grounds: &Grounds<'_>) -> Result<Trial, AssuranceError> {
    watched(grounds, 60, false, |alarm| matches!(alarm, Alarm::NoProgress { .. }))
}
