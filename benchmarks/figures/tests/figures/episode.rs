//! Figures of one episode, from its log.

use crate::support::{pack, put};
use labtrust_figures::chart::Theme;
use labtrust_figures::draw::to_svg;
use labtrust_figures::plots;
use labtrust_figures::run::Run;
use labtrust_figures::run::log::{Episode, Work};

/// Two specimens: one is released, one is held; a run of 100 s, one that has not ended; a violation and two refusals.
const LOG: &str = r#"{"episode":0,"t_s":0,"action_type":"RECEIVE_BATCH","status":"ACCEPTED","args":{"specimen_ids":["S1","S2"]},"emits":["RECEIVE_BATCH"],"violations":[]}
{"episode":0,"t_s":10,"action_type":"ACCEPT_SPECIMEN","status":"ACCEPTED","args":{"specimen_id":"S1"},"emits":["ACCEPT_SPECIMEN"],"violations":[{"invariant_id":"INV-A","status":"PASS"}]}
{"episode":0,"t_s":20,"action_type":"ACCEPT_SPECIMEN","status":"ACCEPTED","args":{"specimen_id":"S2"},"emits":["HOLD_SPECIMEN"],"violations":[{"invariant_id":"INV-A","status":"VIOLATION"}]}
{"episode":0,"t_s":30,"action_type":"ALIQUOT_CREATE","status":"ACCEPTED","args":{"specimen_id":"S1","aliquot_id":"S1_A","device_id":"DEV_2"},"emits":["ALIQUOT_CREATE"]}
{"episode":0,"t_s":40,"action_type":"QUEUE_RUN","status":"ACCEPTED","args":{"work_id":"S1_A","device_id":"DEV_1"},"emits":["QUEUE_RUN"]}
{"episode":0,"t_s":50,"action_type":"START_RUN","status":"BLOCKED","blocked_reason_code":"RC_X","args":{"device_id":"DEV_1"},"emits":[]}
{"episode":0,"t_s":60,"action_type":"START_RUN","status":"BLOCKED","blocked_reason_code":"RC_X","args":{"device_id":"DEV_1"},"emits":[]}
{"episode":0,"t_s":100,"action_type":"START_RUN","status":"ACCEPTED","args":{"device_id":"DEV_1"},"emits":["START_RUN"]}
{"episode":0,"t_s":200,"action_type":"END_RUN","status":"ACCEPTED","args":{"device_id":"DEV_1","run_id":"R1","specimen_ids":["S1"]},"emits":["END_RUN"]}
{"episode":0,"t_s":210,"action_type":"GENERATE_RESULT","status":"ACCEPTED","args":{"result_id":"RES","specimen_id":"S1"},"emits":["GENERATE_RESULT"]}
{"episode":0,"t_s":220,"action_type":"RELEASE_RESULT","status":"ACCEPTED","args":{"result_id":"RES"},"emits":["RELEASE_RESULT"]}
{"episode":0,"t_s":300,"action_type":"START_RUN","status":"ACCEPTED","args":{"device_id":"DEV_1"},"emits":["START_RUN"]}
{"episode":0,"t_s":400,"action_type":"MOVE","status":"ACCEPTED","args":{},"emits":["MOVE"]}
{"episode":1,"t_s":999,"action_type":"RECEIVE_BATCH","status":"ACCEPTED","args":{"specimen_ids":["S9"]},"emits":["RECEIVE_BATCH"]}
"#;

#[test]
fn an_episode_is_followed_from_its_log() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "log.jsonl", LOG);
    let episode = Episode::read(&dir.path().join("log.jsonl")).unwrap();
    assert_eq!((episode.steps, episode.until), (13, 400.0));
    let runs: Vec<(f64, Option<f64>, Work)> =
        episode.devices["DEV_1"].iter().map(|one| (one.from, one.to, one.work)).collect();
    assert_eq!(runs, [(100.0, Some(200.0), Work::Run), (300.0, None, Work::Run)]);
    assert_eq!(episode.specimens.len(), 2, "aliquots and results are of their specimens");
    let (first, second) = (episode.specimens["S1"], episode.specimens["S2"]);
    assert!(first.accepted && first.analysed && first.released && !first.held);
    assert!(second.held && !second.accepted);
    assert_eq!((&episode.violations["INV-A"], &episode.blocks["RC_X"]), (&vec![20.0], &vec![50.0, 60.0]));
}

#[test]
fn its_figures_show_what_was_followed() {
    let dir = pack();
    put(dir.path(), "logs/cond_0/episodes.jsonl", LOG);
    let run = Run::open(dir.path(), None).unwrap();
    let svg = |name: &str| {
        let figures = plots::figures(&run, Theme::Light);
        to_svg(&figures.iter().find(|figure| figure.name == name).unwrap().scene)
    };
    let gantt = svg("figures/gantt_devices");
    assert!(
        gantt.contains("busy 50 %") && gantt.contains("once") && gantt.contains("DEV_1, analysis: 100 s to 200 s (S1)"),
        "{gantt}"
    );
    assert!(gantt.contains("300 s to not ended"));
    let flow = svg("figures/specimen_flow");
    assert!(flow.contains("received to held, specimens: 1") && flow.contains("analysed to released, specimens: 1"));
    let timeline = svg("figures/violations_timeline");
    assert!(timeline.contains("1 broken") && timeline.contains("2 blocked"));
}

#[test]
fn a_log_that_is_asked_for_must_have_steps_and_lines_must_be_json() {
    let dir = pack();
    put(dir.path(), "sums.jsonl", "{\"episode\":0,\"metrics\":{}}\n");
    put(dir.path(), "broken.jsonl", &format!("{}\n{{\n", LOG.lines().next().unwrap()));
    for (name, part) in [("sums.jsonl", "no step"), ("broken.jsonl", "line 2"), ("absent.jsonl", "cannot read")] {
        let told = Run::open(dir.path(), Some(&dir.path().join(name))).unwrap_err().to_string();
        assert!(told.contains(name) && told.contains(part), "{told}");
    }
    // Logs in the run that only sum up are passed over.
    put(dir.path(), "logs/episodes.jsonl", "{\"episode\":0,\"metrics\":{}}\n");
    assert!(Run::open(dir.path(), None).unwrap().episode.is_none());
}
