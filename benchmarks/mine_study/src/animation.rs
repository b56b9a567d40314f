//! `animation.html`: one replication as a moving map, in one file that needs no network.
//!
//! Everything that moves is read back from the printed rows of the event log, so the animation shows what the log says and
//! nothing else. From the data come only the places of the nodes.

mod log;

use crate::arms::ArmResult;
use crate::draw::topology;
use crate::plan::Plan;
use labtrust_figures::draw::{Escaped, to_svg};
use log::{Motion, motions};
use serde::Serialize;
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../assets/animation.html");

/// What the page's script is given.
#[derive(Serialize)]
struct Show<'a> {
    scenario: &'a str,
    replication: u32,
    /// Where the accounts begin: what is dumped before does not count [min].
    begin: f64,
    /// [min]
    end: f64,
    trucks: Vec<&'a str>,
    /// Places on the map, by node.
    nodes: BTreeMap<&'a str, [f64; 2]>,
    /// Resources that trucks queue for, and the node at which they do.
    queues: Vec<(&'a str, &'a str)>,
    motions: Vec<Motion>,
}

/// The page for a replication whose rows are `rows`, as they stand in the log.
pub(crate) fn page(plan: &Plan, result: &ArmResult, replication: u32, rows: &[u8]) -> String {
    let (map, places) = topology::draw_map(plan);
    let text = String::from_utf8_lossy(rows);
    let script = motions(&text);
    let show = Show {
        scenario: &result.scenario().id,
        replication,
        begin: result.scenario().warmup.as_secs_f64() / 60.0,
        end: script.end,
        trucks: script.trucks,
        nodes: plan
            .nodes
            .iter()
            .zip(&places)
            .map(|(node, place)| (node.id.as_str(), [libm::round(place.x), libm::round(place.y)]))
            .collect(),
        queues: script.queues,
        motions: script.motions,
    };
    let data = serde_json::to_string(&show).expect("numbers and text have a form in JSON");
    // Within a script nothing ends it but a closing tag.
    let data = data.replace('<', "\\u003c");
    let title = format!("{}, replication {replication}", result.scenario().id);
    let mut page = String::with_capacity(PAGE.len() + data.len() + 64 * 1024);
    let mut rest = PAGE;
    // One pass: what is put in is never looked at again.
    let title = Escaped(&title).to_string();
    let parts = [("{{title}}", &title), ("{{title}}", &title), ("{{map}}", &to_svg(&map)), ("{{data}}", &data)];
    for (mark, content) in parts {
        let (before, after) = rest.split_once(mark).expect("the page has a place for everything, in this order");
        page.push_str(before);
        page.push_str(content);
        rest = after;
    }
    page.push_str(rest);
    page
}
