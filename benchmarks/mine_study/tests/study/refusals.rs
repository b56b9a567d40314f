//! What makes no study, and leaves nothing.

use super::support::{make, spec};
use labtrust_mine_study::{Animation, StudyError, StudySpec};

#[track_caller]
fn refused(change: impl FnOnce(&mut StudySpec)) -> StudyError {
    let dir = tempfile::tempdir().unwrap();
    let mut spec = spec(&["baseline"], 1);
    change(&mut spec);
    let error = make(&spec, &dir.path().join("study")).unwrap_err();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
    error
}

#[test]
fn an_unknown_scenario_is_told_with_those_that_there_are() {
    let error = refused(|spec| spec.scenarios.push("trucks_5".to_owned())).to_string();
    assert!(error.contains("trucks_5") && error.contains("trucks_12"), "{error}");
}

#[test]
fn nothing_to_do_and_the_same_twice_are_refused() {
    assert!(matches!(refused(|spec| spec.scenarios.clear()), StudyError::NoScenario));
    assert!(matches!(refused(|spec| spec.replications = Some(0)), StudyError::NoReplications { .. }));
    let twice = refused(|spec| spec.scenarios.push("baseline".to_owned()));
    assert!(matches!(twice, StudyError::Twice { .. }), "{twice}");
}

#[test]
fn a_policy_a_setting_or_a_time_that_is_none_is_refused_by_name() {
    let error = refused(|spec| spec.dispatch = Some("nearest".to_owned())).to_string();
    assert!(error.contains("nearest_available_loader"), "{error}");
    let error = refused(|spec| spec.sweep = Some("fleet.trucks=4..5".parse().unwrap())).to_string();
    assert!(error.contains("fleet.trucks"), "{error}");
    let error = refused(|spec| spec.sweep = Some("fleet.truck_count=0..1".parse().unwrap())).to_string();
    assert!(error.contains("truck_count"), "{error}");
    for minutes in [-1.0, f64::NAN] {
        assert!(matches!(refused(|spec| spec.warmup_minutes = Some(minutes)), StudyError::WarmUp { .. }));
    }
}

#[test]
fn a_replication_that_is_not_run_cannot_be_shown() {
    let shown = |scenario: Option<&str>, replication| Animation { scenario: scenario.map(str::to_owned), replication };
    for animation in [shown(Some("trucks_4"), 0), shown(None, 1)] {
        let error = refused(|spec| spec.animation = animation);
        assert!(matches!(error, StudyError::Animation { .. }), "{error}");
    }
}

#[test]
fn a_mine_that_delivers_nothing_still_makes_a_study() {
    let dir = tempfile::tempdir().unwrap();
    let mut spec = spec(&["trucks_4"], 2);
    // Nobody is through with a cycle by then.
    spec.sweep = Some("simulation.shift_length_hours=0.05..0.05:0.05".parse().unwrap());
    make(&spec, &dir.path().join("study")).unwrap();
}
