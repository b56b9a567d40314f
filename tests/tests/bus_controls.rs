//! What the controls of the message bus do to honest agents in whole episodes: nothing.

#![expect(clippy::print_stdout, reason = "`--nocapture` shows what comes behind later messages")]

use labtrust_bench::direction::{Directing, Direction};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
use labtrust_contract::Metrics;
use labtrust_plugin::Registry;
use labtrust_plugin::wire::{Setting, Settings};
use labtrust_policy::PolicyStore;
use serde_json::Map;
use std::sync::LazyLock;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| labtrust_builtin::registry().expect("unique ids"));
static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);

/// What an episode is measured by, its decisions as the chain of its log has them.
fn episode(id: &str, scale: &str, max_steps: Option<u32>, settings: &[(&str, &str)]) -> Metrics {
    let text = |(name, text): &(&str, &str)| ((*name).to_owned(), Setting::Text((*text).to_owned()));
    let (settings, facts) = (Settings(settings.iter().map(text).collect()), Map::new());
    let (metrics, method) = (REGISTRY.metrics(), REGISTRY.coordination_method(id).expect("it is compiled in"));
    let direction = Direction { directing: Directing::Everybody, method, settings: &settings, facts: &facts };
    let lab = REGISTRY.lab_domain("hospital_lab").expect("it is compiled in").load(&POLICY).expect("it loads");
    let run = BenchmarkRun {
        task: REGISTRY.task("coord_scale").expect("it is compiled in"),
        lab,
        policy: &POLICY,
        episodes: 1,
        base_seed: 7,
        timing: None,
        max_steps,
        strict_signatures: false,
        threads: Some(1),
        metrics: &metrics,
        scale: Some(scale),
        cast: Cast { method: Some(direction), ..Cast::default() },
        git_sha: None,
    };
    let mut results = run.run(RunLogs::None, &|| {}).expect("the run succeeds").results;
    results.episodes.swap_remove(0).metrics
}

/// Messages that were heard and messages that were refused [count].
fn heard_and_refused(metrics: &Metrics) -> (u64, u64) {
    let count = |name: &str| metrics["coordination"]["comm"][name].as_u64().expect("it is counted");
    (count("msg_count"), count("rejected_count"))
}

#[test]
fn no_honest_bid_is_refused_in_a_whole_episode() {
    for (scale, max_steps) in [("small_smoke", None), ("medium_stress_signed_bus", Some(60))] {
        for id in ["market_auction", "kernel_auction_edf"] {
            let signed = episode(id, scale, max_steps, &[("signed", "on")]);
            let (heard, refused) = heard_and_refused(&signed);
            assert!(heard > 100 && refused == 0, "{id} at {scale}: {heard} {refused}");
            // Nobody does anything else for it.
            let open = episode(id, scale, max_steps, &[]);
            assert_eq!(signed["throughput"], open["throughput"], "{id} at {scale}");
            assert_eq!(signed["actions_by_agent"], open["actions_by_agent"], "{id} at {scale}");
        }
    }
}

#[test]
fn a_network_that_reorders_costs_honest_messages_by_the_control_of_order_alone() {
    for id in ["gossip_consensus", "ripple_effect", "market_auction"] {
        let refused = |signed: &str| {
            let network = "p50_ms=200,p95_ms=800,reorder_window=4";
            let metrics = episode(id, "small_smoke", None, &[("signed", signed), ("network", network)]);
            (heard_and_refused(&metrics), metrics["coordination"]["comm"]["rejected_by_code"].to_string())
        };
        let ((heard, late), by_code) = refused("on");
        println!("{id}: {late} of {heard} come behind later ones: {by_code}");
        assert!(late * 4 < heard && (late > 0) == by_code.contains("COORD_NONCE_TOO_OLD"), "{id}: {by_code}");
        let ((_, others), by_code) = refused("on without order");
        assert_eq!(others, 0, "{id}: {by_code}");
    }
}

#[test]
fn who_is_late_or_said_it_again_is_not_refused_on_a_network_that_keeps_the_order_of_its_links() {
    let network = "drop_rate=0.3,p50_ms=200,p95_ms=800,retries=3";
    for id in ["gossip_consensus", "market_auction", "ripple_effect", "consensus_paxos_lite", "hierarchical_hub_rr"] {
        let metrics = episode(id, "small_smoke", None, &[("signed", "on"), ("network", network)]);
        let (heard, refused) = heard_and_refused(&metrics);
        assert!(heard > 100 && refused == 0, "{id}: {heard} {}", metrics["coordination"]["comm"]);
        assert!(metrics["coordination"]["comm"]["retried_count"].as_u64() > Some(10), "{id}");
    }
}
