//! Analyst: runs the analysers of one hall.
//!
//! Rules, first match:
//! 1. away: walk to the hall;
//! 2. a specimen that has lost its stability and for which there is a token: start it on an idle device of the hall that
//!    can measure it, with the token. Without a token nobody touches it;
//! 3. an idle device with compatible work at its queue's head: start it;
//! 4. an ended run of the hall: file its result;
//! 5. ready work that belongs to the hall: queue it, STAT first, then by deadline, then in the view's order. Work that
//!    waits at a device which takes none (broken, in maintenance, its control failed) counts as ready;
//! 6. a result of the hall that is held, because a control failed: ask for a rerun. The specimen is then ready again,
//!    and goes to a device whose control passes;
//! 7. where there is no supervisor: release a result.
//!
//! A start that is refused for lack of reagent tells the analyst that the panel cannot be measured. None of it is queued
//! or started until there is reagent again; reception sets aside what waits.
//!
//! Starting comes before filing: a device that stands still delays everything behind it by a step, a result that is
//! filed a step later delays only itself, and with one pair of hands a hall then turns over a specimen every 30 s
//! instead of every 40 s.
//!
//! Which hall a specimen belongs to is computed from the shared view alone ([`assignment`]): each specimen in turn
//! goes to the least loaded device that can measure it. Analysts of two halls see the same view, compute the same
//! assignment and never queue the same specimen. Queues are kept short ([`QUEUE_DEPTH`]), because what is queued no
//! longer profits from a device that becomes free elsewhere.

use super::scripted::{Memory, Rules, my_zone, token_for, too_late, waits_in_vain, walk, zone_named};
use super::supervisor::releases;
use super::team::{Team, pick};
use labtrust_plugin::lab::{
    ActionKind, AgentContext, Args, Decision, DeviceStatus, DeviceView, SpecimenView, Stage, Symbol, WorldView,
};
use labtrust_trust::codes;
use smallvec::SmallVec;

/// Most work that waits in a device's queue before an analyst queues more [count].
const QUEUE_DEPTH: u32 = 2;

/// The rules of an analyst.
#[derive(Debug)]
pub struct Analyst {
    hall: &'static str,
    staffed: &'static [&'static str],
    /// Number of the last run started, a device each, by place in the view.
    runs: Vec<u32>,
    /// Panel of the last run that was tried.
    tried: Option<Symbol>,
    /// Panels that turned out to have no reagent.
    empty: SmallVec<[Symbol; 2]>,
    team: Team,
    releases: bool,
}

impl Analyst {
    /// The analyst of `hall`; `staffed` are all halls that have one, this hall included.
    #[must_use]
    pub fn new(hall: &'static str, staffed: &'static [&'static str]) -> Self {
        let (tried, empty) = (None, SmallVec::new());
        Self { hall, staffed, runs: Vec::new(), tried, empty, team: Team::default(), releases: false }
    }

    /// The same among the analysts of the hall; `releases` where the crew has no supervisor.
    #[must_use]
    pub fn in_team(self, team: Team, releases: bool) -> Self {
        Self { team, releases, ..self }
    }

    /// Learns from a refusal what has run out, and from the view what is there again.
    fn take_stock(&mut self, ctx: &AgentContext<'_>) {
        if ctx.refused == Some(codes::RC_REAGENT_STOCKOUT) {
            self.empty.extend(self.tried.take().filter(|panel| !self.empty.contains(panel)));
        }
        if !self.empty.is_empty() {
            self.empty.retain(|panel| ctx.view.stockouts.iter().any(|stockout| stockout.panel == *panel));
        }
    }

    /// Whether there is a point in queueing or starting a specimen.
    fn wants(&self, view: &WorldView, specimen: &SpecimenView) -> bool {
        let known_empty = specimen.panel.is_some_and(|panel| match self.team.is_shared() {
            // Colleagues have told each other: all must see the same work, or two of them take the same piece.
            true => view.stockouts.iter().any(|stockout| stockout.panel == panel),
            false => self.empty.contains(&panel),
        });
        !known_empty && !waits_in_vain(view, specimen) && !too_late(view, specimen)
    }

    fn start(
        &mut self,
        ctx: &mut AgentContext<'_>,
        memory: &Memory,
        hall: usize,
        left: &mut usize,
    ) -> Option<Decision> {
        let view = ctx.view;
        let starts = in_hall(view, hall).filter_map(|(place, device)| {
            let head = device.queue_head.filter(|_| can_start(device))?;
            // Work that the device cannot measure would be refused; the laboratory has to take it out again.
            let specimen = view.specimens.iter().find(|s| s.id == head).filter(|s| can_measure(s, place))?;
            let args = Args { device: Some(device.id), ..Args::default() };
            let decision = memory.check(view, Decision::new(ActionKind::StartRun, args))?;
            self.wants(view, specimen).then_some((place, specimen.panel, decision))
        });
        let (place, panel, mut decision) = pick(starts, left)?;
        self.tried = panel;
        decision.args.run = Some(self.name_run(ctx, place));
        Some(decision)
    }

    /// Starts a specimen that came too late and has a token. Analysts of all halls agree on its device.
    fn overrule(
        &mut self,
        ctx: &mut AgentContext<'_>,
        memory: &Memory,
        hall: usize,
        staffed: &[usize],
        left: &mut usize,
    ) -> Option<Decision> {
        let view = ctx.view;
        let mut late = view.specimens.iter().filter(|specimen| too_late(view, specimen)).peekable();
        late.peek()?;
        let reason = ctx.symbols.intern(codes::TIME_EXPIRED);
        let mut taken: SmallVec<[usize; 4]> = SmallVec::new();
        let starts = late.filter_map(|specimen| {
            let token = token_for(view, specimen)?;
            let free = specimen.compatible.iter().map(|&place| usize::from(place)).find(|place| {
                let device = view.devices.get(*place);
                device.is_some_and(|d| can_start(d) && staffed.contains(&d.zone)) && !taken.contains(place)
            });
            let place = free?;
            taken.push(place);
            let device = view.devices.get(place).filter(|device| device.zone == hall)?;
            let args =
                Args { device: Some(device.id), specimens: std::iter::once(specimen.id).collect(), ..Args::default() };
            let mut decision = Decision::new(ActionKind::StartRunOverride, args).because(reason);
            decision.token_refs.push(token);
            decision.rationale = Some("the risk was accepted by two people".into());
            Some((place, specimen.panel, memory.check(view, decision)?))
        });
        let (place, panel, mut decision) = pick(starts, left)?;
        self.tried = panel;
        decision.args.run = Some(self.name_run(ctx, place));
        Some(decision)
    }

    /// A name for the next run on the device at `place`.
    fn name_run(&mut self, ctx: &mut AgentContext<'_>, place: usize) -> Symbol {
        let view = ctx.view;
        self.runs.resize(view.devices.len().max(self.runs.len()), 0);
        self.runs[place] += 1;
        let device = ctx.symbols.text(view.devices[place].id);
        // Colleagues do not know each other's counts, but no device is started twice in one moment.
        let name = match self.team.is_shared() {
            true => format!("RUN_{device}_T{}", view.now_s),
            false => format!("RUN_{device}_{}", self.runs[place]),
        };
        ctx.symbols.intern(&name)
    }

    fn queue(
        &self,
        view: &WorldView,
        memory: &Memory,
        hall: usize,
        staffed: &[usize],
        left: &mut usize,
    ) -> Option<Decision> {
        let work = assignment(view, staffed).into_iter().filter_map(|(specimen, place)| {
            let device = &view.devices[place];
            if device.zone != hall || device.queue_len >= QUEUE_DEPTH || !self.wants(view, specimen) {
                return None;
            }
            memory.check(view, queue_on(device, specimen))
        });
        pick(work, left)
    }
}

/// Asks for the rerun of a specimen whose newest result is held.
fn rerun(view: &WorldView, memory: &Memory, hall: usize, left: &mut usize) -> Option<Decision> {
    let mut held = view.results.iter().enumerate().filter(|(_, result)| result.held).peekable();
    held.peek()?;
    let reruns = held.filter_map(|(i, result)| {
        let is_newest = view.results[i + 1..].iter().all(|newer| newer.specimen != result.specimen);
        let specimen = view.at(Stage::Resulted).find(|s| is_newest && Some(s.id) == result.specimen)?;
        let device = view.devices.get(specimen.device?)?;
        let args = Args { specimen: Some(specimen.id), result: Some(result.id), ..Args::default() };
        let decision = Decision::new(ActionKind::RerunRequest, args);
        memory.check(view, decision).filter(|_| device.zone == hall)
    });
    pick(reruns, left)
}

fn file(ctx: &mut AgentContext<'_>, memory: &Memory, hall: usize, left: &mut usize) -> Option<Decision> {
    let view = ctx.view;
    let of_hall = |device: usize| view.devices.get(device).is_some_and(|device| device.zone == hall);
    let files = view.runs.iter().filter(|run| of_hall(run.device)).filter_map(|run| {
        // A rerun's result needs a name of its own beside the held one.
        let earlier = view.results.iter().filter(|result| result.specimen == Some(run.specimen)).count();
        let specimen = ctx.symbols.text(run.specimen);
        let name = if earlier == 0 { format!("R_{specimen}") } else { format!("R_{specimen}_{}", earlier + 1) };
        let args = Args {
            specimen: Some(run.specimen),
            run: Some(run.id),
            result: Some(ctx.symbols.intern(&name)),
            ..Args::default()
        };
        memory.check(view, Decision::new(ActionKind::GenerateResult, args))
    });
    pick(files, left)
}

/// Who gets what: each ready specimen, most urgent first, with the place of the device that should measure it. A specimen
/// that is stuck at a device which takes no work is ready for another.
///
/// A function of the view and of which halls have an analyst, so that all analysts agree. Specimens that no working
/// device of a staffed hall can measure are left out.
fn assignment<'a>(view: &'a WorldView, staffed: &[usize]) -> SmallVec<[(&'a SpecimenView, usize); 8]> {
    let stuck = |specimen: &SpecimenView| {
        let device = specimen.device.filter(|_| specimen.stage == Stage::Queued).and_then(|at| view.devices.get(at));
        device.is_some_and(|device| !takes_work(device))
    };
    let is_ready =
        |specimen: &&SpecimenView| (specimen.stage == Stage::Ready || stuck(specimen)) && !too_late(view, specimen);
    let mut ready: SmallVec<[&SpecimenView; 8]> = view.specimens.iter().filter(is_ready).collect();
    if ready.is_empty() {
        return SmallVec::new();
    }
    // The sort is stable: equal ones stay in the view's order, which ends with the id's text.
    ready.sort_by_key(|specimen| (specimen.priority, specimen.deadline_s));
    let mut loads: SmallVec<[u32; 8]> = view.devices.iter().map(load).collect();
    ready
        .into_iter()
        .filter_map(|specimen| {
            let able =
                specimen.compatible.iter().map(|&place| usize::from(place)).filter(|&place| {
                    view.devices.get(place).is_some_and(|d| takes_work(d) && staffed.contains(&d.zone))
                });
            let place = able.min_by_key(|&place| (loads[place], place))?;
            loads[place] += 1;
            Some((specimen, place))
        })
        .collect()
}

fn queue_on(device: &DeviceView, specimen: &SpecimenView) -> Decision {
    let args =
        Args { device: Some(device.id), work: Some(specimen.id), priority: Some(specimen.priority), ..Args::default() };
    Decision::new(ActionKind::QueueRun, args)
}

fn in_hall(view: &WorldView, hall: usize) -> impl Iterator<Item = (usize, &DeviceView)> {
    view.devices.iter().enumerate().filter(move |(_, device)| device.zone == hall)
}

fn can_measure(specimen: &SpecimenView, place: usize) -> bool {
    specimen.compatible.iter().any(|&able| usize::from(able) == place)
}

fn can_start(device: &DeviceView) -> bool {
    device.status == DeviceStatus::Idle && device.free_units > 0 && device.qc_pass
}

fn takes_work(device: &DeviceView) -> bool {
    device.qc_pass && matches!(device.status, DeviceStatus::Idle | DeviceStatus::Running)
}

fn load(device: &DeviceView) -> u32 {
    device.queue_len + u32::from(device.status == DeviceStatus::Running)
}

impl Rules for Analyst {
    fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
        let hall = zone_named(ctx, self.hall)?;
        if my_zone(ctx) != Some(hall) {
            return walk(ctx, memory, hall);
        }
        let staffed: SmallVec<[usize; 4]> = self.staffed.iter().filter_map(|name| zone_named(ctx, name)).collect();
        self.take_stock(ctx);
        let mut left = self.team.rank(ctx, &[Some(hall)]);
        self.overrule(ctx, memory, hall, &staffed, &mut left)
            .or_else(|| self.start(ctx, memory, hall, &mut left))
            .or_else(|| file(ctx, memory, hall, &mut left))
            .or_else(|| self.queue(ctx.view, memory, hall, &staffed, &mut left))
            .or_else(|| rerun(ctx.view, memory, hall, &mut left))
            .or_else(|| pick(releases(ctx.view, memory), &mut left).filter(|_| self.releases))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scripted, test_view::Lab};
    use super::*;
    use labtrust_plugin::lab::Priority;

    const HALLS: &[&str] = &["Z_HALL_A", "Z_HALL_B"];

    /// Two halls with a chemistry analyser each (places 0 and 1) and a coagulation analyser in hall B (place 2).
    fn lab() -> (Lab, [Scripted<Analyst>; 2]) {
        let mut lab = Lab::new(&["Z_HALL_A", "Z_DESK", "Z_HALL_B"]);
        lab.device("CHEM_A", "CHEM_ANALYZER", "Z_HALL_A");
        lab.device("CHEM_B", "CHEM_ANALYZER", "Z_HALL_B");
        lab.device("COAG", "COAG_ANALYZER", "Z_HALL_B");
        lab.agent("A_OPS_0", "Z_HALL_A");
        lab.agent("A_OPS_1", "Z_HALL_B");
        (lab, [Scripted::new(Analyst::new("Z_HALL_A", HALLS)), Scripted::new(Analyst::new("Z_HALL_B", HALLS))])
    }

    fn queued(lab: &mut Lab, id: &str, place: usize) {
        lab.specimen(id, Stage::Queued, 0, &[0, 1]).device = Some(place);
        let id = lab.id(id);
        lab.view.devices[place].queue_len += 1;
        lab.view.devices[place].queue_head.get_or_insert(id);
    }

    #[test]
    fn an_idle_device_is_started_before_a_result_is_filed_and_that_before_more_is_queued() {
        let (mut lab, [mut a, _]) = lab();
        queued(&mut lab, "S1", 0);
        lab.specimen("S2", Stage::Analysed, 0, &[0, 1]);
        lab.run("RUN_0", 0, "S2");
        lab.specimen("S3", Stage::Ready, 0, &[0, 1]);
        assert_eq!(lab.said(&mut a, 0), "START_RUN CHEM_A RUN_CHEM_A_1");
        lab.view.devices[0].status = DeviceStatus::Running;
        assert_eq!(lab.said(&mut a, 0), "GENERATE_RESULT S2 RUN_0 R_S2");
        lab.view.runs.clear();
        // Hall A is busy and hall B is not: what is ready belongs to B.
        assert_eq!(lab.said(&mut a, 0), "nothing");
    }

    #[test]
    fn what_came_too_late_is_run_with_a_token_by_one_analyst_and_otherwise_left_alone() {
        let (mut lab, [mut a, mut b]) = lab();
        lab.view.now_s = 200;
        for (id, deadline_s) in [("S1", 100), ("S2", 100), ("S3", 100), ("S4", 900)] {
            lab.specimen(id, Stage::Ready, 0, &[0, 1]).deadline_s = deadline_s;
        }
        assert_eq!(lab.said(&mut a, 0), "QUEUE_RUN S4 CHEM_A");
        for id in ["S2", "S3"] {
            lab.token(&format!("T_OVR_{id}"), id);
        }
        let start = lab.decide(&mut a, 0, None).unwrap();
        assert_eq!((start.kind, start.args.specimens[0]), (ActionKind::StartRunOverride, lab.id("S2")));
        assert_eq!((start.token_refs[0], start.reason_code), (lab.id("T_OVR_S2"), Some(lab.id("TIME_EXPIRED"))));
        assert_eq!(lab.said(&mut b, 1), "START_RUN_OVERRIDE S3 CHEM_B RUN_CHEM_B_1");
        lab.view.devices[0].status = DeviceStatus::Running;
        assert_eq!(lab.said(&mut b, 1), "START_RUN_OVERRIDE S2 CHEM_B RUN_CHEM_B_2");
    }

    #[test]
    fn two_analysts_never_queue_the_same_specimen() {
        let (mut lab, [mut a, mut b]) = lab();
        lab.specimen("S1", Stage::Ready, 0, &[0, 1]);
        assert_eq!(lab.said(&mut a, 0), "QUEUE_RUN S1 CHEM_A");
        assert_eq!(lab.said(&mut b, 1), "nothing");
        lab.specimen("S2", Stage::Ready, 0, &[0, 1]);
        assert_eq!(lab.said(&mut a, 0), "QUEUE_RUN S1 CHEM_A");
        assert_eq!(lab.said(&mut b, 1), "QUEUE_RUN S2 CHEM_B");
    }

    #[test]
    fn urgent_work_is_queued_first_then_the_earliest_deadline_with_its_true_priority() {
        let (mut lab, [mut a, _]) = lab();
        lab.view.devices[1].qc_pass = false;
        lab.specimen("S1", Stage::Ready, 0, &[0, 1]);
        lab.specimen("S2", Stage::Ready, 0, &[0, 1]).deadline_s = 100;
        assert_eq!(lab.said(&mut a, 0), "QUEUE_RUN S2 CHEM_A");
        lab.specimen("S3", Stage::Ready, 0, &[0, 1]).priority = Priority::Stat;
        let decision = lab.decide(&mut a, 0, None).unwrap();
        assert_eq!((decision.args.work, decision.args.priority), (Some(lab.id("S3")), Some(Priority::Stat)));
    }

    #[test]
    fn work_avoids_devices_that_do_not_work_and_halls_without_an_analyst() {
        let (mut lab, [mut a, mut b]) = lab();
        lab.specimen("S1", Stage::Ready, 0, &[0, 1]);
        lab.view.devices[0].status = DeviceStatus::Maintenance;
        assert_eq!(lab.said(&mut a, 0), "nothing");
        assert_eq!(lab.said(&mut b, 1), "QUEUE_RUN S1 CHEM_B");
        lab.view.devices[0].status = DeviceStatus::Running;
        let mut alone = Scripted::new(Analyst::new("Z_HALL_A", &["Z_HALL_A"]));
        assert_eq!(lab.said(&mut alone, 0), "QUEUE_RUN S1 CHEM_A");
    }

    #[test]
    fn a_full_queue_gets_no_more() {
        let (mut lab, [mut a, mut b]) = lab();
        lab.view.devices[0].status = DeviceStatus::Running;
        lab.view.devices[1].status = DeviceStatus::Running;
        for (id, place) in [("S1", 0), ("S2", 1), ("S3", 0), ("S4", 1)] {
            queued(&mut lab, id, place);
        }
        lab.specimen("S5", Stage::Ready, 0, &[0, 1]);
        assert_eq!((lab.said(&mut a, 0), lab.said(&mut b, 1)), ("nothing".into(), "nothing".into()));
    }

    #[test]
    fn a_head_that_does_not_fit_is_left_alone() {
        let (mut lab, [_, mut b]) = lab();
        queued(&mut lab, "S1", 2);
        assert_eq!(lab.said(&mut b, 1), "nothing");
    }

    #[test]
    fn work_that_is_stuck_moves_to_a_device_that_takes_work() {
        let (mut lab, [mut a, mut b]) = lab();
        queued(&mut lab, "S1", 0);
        assert_eq!(lab.said(&mut b, 1), "nothing");
        lab.view.devices[0].qc_pass = false;
        assert_eq!(lab.said(&mut a, 0), "nothing");
        assert_eq!(lab.said(&mut b, 1), "QUEUE_RUN S1 CHEM_B");
        lab.view.devices[1].status = DeviceStatus::Fault;
        assert_eq!(lab.said(&mut b, 1), "nothing");
    }

    #[test]
    fn after_one_refusal_for_lack_of_reagent_the_panel_is_left_alone_until_there_is_some() {
        let (mut lab, [mut a, _]) = lab();
        let panel = lab.id("P");
        queued(&mut lab, "S1", 0);
        lab.specimen("S2", Stage::Ready, 0, &[0]).panel = Some(panel);
        lab.view.specimens[0].panel = Some(panel);
        lab.view.stockouts.push(labtrust_plugin::lab::StockoutView { panel, reroute: false });
        assert_eq!(lab.said(&mut a, 0), "START_RUN CHEM_A RUN_CHEM_A_1");
        assert_eq!(lab.decide(&mut a, 0, Some(codes::RC_REAGENT_STOCKOUT)), None);
        lab.view.devices[0].queue_len += 1;
        assert_eq!(lab.said(&mut a, 0), "nothing");
        lab.view.stockouts.clear();
        assert_eq!(lab.said(&mut a, 0), "START_RUN CHEM_A RUN_CHEM_A_2");
    }

    #[test]
    fn two_analysts_of_a_hall_take_two_pieces_of_its_work_and_release_where_nobody_else_does() {
        let mut lab = Lab::new(&["Z_HALL_A", "Z_DESK"]);
        lab.device("CHEM_A", "CHEM_ANALYZER", "Z_HALL_A");
        lab.agent("A1", "Z_HALL_A");
        lab.agent("A2", "Z_HALL_A");
        queued(&mut lab, "S1", 0);
        lab.view.now_s = 70;
        lab.result("R_S9");
        let team = Team::of(std::sync::Arc::from([0, 1]));
        let mut both =
            [0, 1].map(|_| Scripted::new(Analyst::new("Z_HALL_A", &["Z_HALL_A"]).in_team(team.clone(), true)));
        assert_eq!(lab.said(&mut both[0], 0), "START_RUN CHEM_A RUN_CHEM_A_T70");
        assert_eq!(lab.said(&mut both[1], 1), "RELEASE_RESULT R_S9");
    }

    #[test]
    fn a_held_result_is_rerun_once_by_its_own_hall_and_the_new_result_has_a_new_name() {
        let (mut lab, [mut a, mut b]) = lab();
        let specimen = lab.id("S1");
        lab.specimen("S1", Stage::Resulted, 0, &[0, 1]).device = Some(0);
        let result = lab.result("R_S1");
        (result.held, result.specimen) = (true, Some(specimen));
        assert_eq!(lab.said(&mut b, 1), "nothing");
        assert_eq!(lab.said(&mut a, 0), "RERUN_REQUEST S1 R_S1");
        lab.result("R_S1_2").specimen = Some(specimen);
        assert_eq!(lab.said(&mut a, 0), "nothing", "the newest result is not held");
        lab.view.results.pop();
        lab.view.specimens[0].stage = Stage::Analysed;
        lab.run("RUN_2", 1, "S1");
        assert_eq!(lab.said(&mut b, 1), "GENERATE_RESULT S1 RUN_2 R_S1_2");
    }

    #[test]
    fn runs_of_a_device_are_numbered() {
        let (mut lab, [mut a, _]) = lab();
        queued(&mut lab, "S1", 0);
        assert_eq!(lab.said(&mut a, 0), "START_RUN CHEM_A RUN_CHEM_A_1");
        assert_eq!(lab.said(&mut a, 0), "START_RUN CHEM_A RUN_CHEM_A_2");
    }

    #[test]
    fn an_analyst_who_is_away_walks_to_the_hall() {
        let (mut lab, [mut a, _]) = lab();
        lab.view.agents[0].zone = Some(2);
        assert_eq!(lab.said(&mut a, 0), "MOVE Z_DESK");
    }
}
