//! What the method decides at a small site, and that nothing it could be shown stops it.

use labtrust_example_earliest_due::{EarliestDue, Params};
use labtrust_plugin::params::Params as _;
use labtrust_plugin::prelude::*;
use labtrust_plugin::testing::{Size, observation, site};
use labtrust_plugin::wire::{AgentSite, DeviceSite, Settings};

const RECEPTION: u16 = 0;
const HALL: u16 = 2;

/// Reception, a corridor and a hall with one analyser. Two receptionists, of whom the second stands in the hall, and an
/// analyst.
fn small_site() -> Site {
    let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let analyser = DeviceSite {
        id: "DEV_1".into(),
        device_type: "CHEM_ANALYZER".into(),
        zone: Some(HALL),
        batch_capacity: 1,
        batch_wait_s: 0,
    };
    let agent = |id: &str| AgentSite { id: id.into(), directed: true };
    Site {
        simulated: true,
        zones: text(&["Z_SRA_RECEPTION", "Z_CORRIDOR", "Z_HALL"]),
        next_hop: vec![0, 1, 1, 0, 1, 2, 1, 1, 2],
        devices: vec![analyser],
        agents: vec![agent("A_DESK"), agent("A_AWAY"), agent("A_ANALYST")],
        ..Site::default()
    }
}

fn allowed(acts: &[Act]) -> u32 {
    acts.iter().fold(1, |bits, act| bits | 1 << act.index())
}

/// The small site at work: nothing there yet.
fn quiet() -> Observation {
    let mut seen = Observation { zone_frozen: vec![false; 3], ..Observation::default() };
    seen.agents.zone = vec![Some(RECEPTION), Some(HALL), Some(HALL)];
    (seen.agents.walking_to, seen.agents.role) = (vec![None; 3], vec![None; 3]);
    seen.agents.arrives_s = vec![None; 3];
    let desk = allowed(&[Act::Move, Act::CreateAccession, Act::CheckAcceptanceRules, Act::AcceptSpecimen]);
    let analyst =
        allowed(&[Act::Move, Act::QueueRun, Act::StartRun, Act::GenerateResult, Act::HoldSpecimen, Act::QcEvent]);
    seen.agents.may = vec![desk, desk, analyst];
    seen.devices.status = vec![DeviceStatus::Idle];
    (seen.devices.free_units, seen.devices.queue_len) = (vec![1], vec![0]);
    (seen.devices.queue_head, seen.devices.busy_until_s) = (vec![None], vec![None]);
    (seen.devices.qc_pass, seen.devices.control_due) = (vec![true], vec![false]);
    seen
}

fn specimen(seen: &mut Observation, stage: Stage, priority: Priority, deadline_s: i64) {
    let column = &mut seen.specimens;
    column.key.push(column.key.len() as u32);
    column.stage.push(stage);
    column.priority.push(priority);
    column.panel.push(Some(0));
    column.arrival_s.push(0);
    column.since_s.push(0);
    column.deadline_s.push(deadline_s);
    column.device.push(None);
    column.compatible.push(0);
    column.compatible_end.push(column.compatible.len() as u32);
}

fn method() -> EarliestDue {
    EarliestDue::new(Params::read(&Settings::default()).unwrap(), &small_site()).unwrap()
}

/// What each of the three does: the act, and the place of the specimen or the goal.
fn decided(method: &mut EarliestDue, seen: &Observation) -> [Option<(Act, Option<u32>)>; 3] {
    let mut out = Decision::default();
    method.decide(seen, &mut out).unwrap();
    out.check(&small_site(), seen).unwrap();
    [0, 1, 2].map(|agent| {
        let choice = out.choices.iter().find(|choice| choice.agent == agent)?;
        Some((choice.act, choice.specimens.first().copied().or(choice.object)))
    })
}

#[test]
fn with_nothing_to_do_everybody_goes_to_their_post() {
    let mut method = method();
    let home = Some((Act::Move, Some(u32::from(RECEPTION))));
    assert_eq!(decided(&mut method, &quiet()), [None, home, None]);
    let mut walking = quiet();
    walking.agents.walking_to[1] = Some(1);
    assert_eq!(decided(&mut method, &walking), [None; 3]);
    let mut frozen = quiet();
    frozen.zone_frozen[1] = true;
    assert_eq!(decided(&mut method, &frozen), [None; 3], "the way is frozen");
}

#[test]
fn the_most_urgent_comes_first_then_what_is_due_earlier_and_nobody_gets_the_same() {
    let (mut method, mut seen) = (method(), quiet());
    for (priority, deadline_s) in [(Priority::Routine, 500), (Priority::Routine, 400), (Priority::Stat, 900)] {
        specimen(&mut seen, Stage::Arrived, priority, deadline_s);
    }
    seen.agents.zone[1] = Some(RECEPTION);
    let take = |place| Some((Act::CreateAccession, Some(place)));
    assert_eq!(decided(&mut method, &seen), [take(2), take(1), None]);
}

#[test]
fn what_is_nearer_to_a_release_comes_first() {
    let (mut method, mut seen) = (method(), quiet());
    specimen(&mut seen, Stage::Arrived, Priority::Stat, 100);
    specimen(&mut seen, Stage::Checked, Priority::Routine, 900);
    specimen(&mut seen, Stage::Ready, Priority::Routine, 900);
    let [desk, _, analyst] = decided(&mut method, &seen);
    assert_eq!(desk, Some((Act::AcceptSpecimen, Some(1))));
    assert_eq!(analyst, Some((Act::QueueRun, Some(2))));
}

#[test]
fn what_was_refused_is_left_alone_for_a_minute() {
    let (mut method, mut seen) = (method(), quiet());
    specimen(&mut seen, Stage::Ready, Priority::Routine, 9000);
    let queue = Some((Act::QueueRun, Some(0)));
    assert_eq!(decided(&mut method, &seen)[2], queue);
    seen.agents.refused = vec![(2, "RC_DEVICE_BUSY".into())];
    for now_s in [10, 69] {
        seen.now_s = now_s;
        assert_eq!(decided(&mut method, &seen)[2], None, "at {now_s} s");
    }
    seen.now_s = 70;
    assert_eq!(decided(&mut method, &seen)[2], queue);
}

#[test]
fn a_specimen_without_reagent_is_set_aside_and_not_queued() {
    let (mut method, mut seen) = (method(), quiet());
    specimen(&mut seen, Stage::Ready, Priority::Routine, 9000);
    (seen.stockouts.panel, seen.stockouts.reroute) = (vec![0], vec![false]);
    assert_eq!(decided(&mut method, &seen)[2], None, "for a moment it may be a mistake");
    seen.now_s = 30;
    assert_eq!(decided(&mut method, &seen)[2], Some((Act::HoldSpecimen, Some(0))));
}

#[test]
fn a_control_that_failed_is_read_again_after_two_minutes() {
    let (mut method, mut seen) = (method(), quiet());
    seen.devices.qc_pass[0] = false;
    for (now_s, wanted) in [(10, None), (129, None), (130, Some((Act::QcEvent, None))), (140, None)] {
        seen.now_s = now_s;
        assert_eq!(decided(&mut method, &seen)[2], wanted, "at {now_s} s");
    }
}

#[test]
fn whatever_it_is_shown_it_decides_something_that_can_be() {
    let mut choices = 0;
    for seed in 0..300 {
        let size = Size { zones: seed as usize % 7, devices: seed as usize % 11, agents: 1 + seed as usize % 13 };
        let site = site(seed, size);
        let mut method = EarliestDue::new(Params::read(&Settings::default()).unwrap(), &site).unwrap();
        for step in 0..10 {
            let mut seen = observation(seed * 10 + step, &site, (seed * step) as usize % 150).unwrap();
            if step % 3 == 0 {
                let extreme = [i64::MIN, i64::MAX][step as usize % 2];
                (seen.now_s, seen.devices.queue_len) = (extreme, vec![u32::MAX; size.devices]);
                seen.devices.free_units.fill(u32::MAX);
                seen.specimens.since_s.fill(extreme);
            }
            let mut out = Decision::default();
            method.decide(&seen, &mut out).unwrap();
            out.check(&site, &seen).unwrap();
            choices += out.choices.len();
        }
    }
    assert!(choices > 1000, "{choices}");
}

#[test]
fn a_site_without_anybody_to_direct_is_refused() {
    let site = Site { agents: Vec::new(), ..small_site() };
    let refused = EarliestDue::new(Params::read(&Settings::default()).unwrap(), &site).err().unwrap();
    assert_eq!((refused.kind, refused.message.as_str()), (ProblemKind::Site, "there is nobody to direct"));
}
