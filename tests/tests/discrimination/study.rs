//! Breeds the habits of `group_evolving_study`, and holds that what is shipped was bred.

use crate::episodes::{Judged, Size, Who, episodes};
use crate::{EXPLICIT, SIMULATED};
use labtrust_coordination::methods::group_evolving_study::SHIPPED;
use labtrust_coordination::methods::group_evolving_study::evolution::Evolution;
use std::path::Path;

const SEED: u64 = 2026;
const POPULATION: usize = 16;
const GENERATIONS: u32 = 12;
/// Of each size, on which each genome is tried.
const EPISODES: u32 = 4;
/// The laboratory where nothing takes time but steps, and the one where work does.
const SIZES: [Size; 2] =
    [Size { scale: None, timing: EXPLICIT, network: None }, Size { scale: None, timing: SIMULATED, network: None }];

/// Breeds anew where `LABTRUST_REGENERATE` is set; else checks what is shipped.
pub(crate) fn check_or_breed() {
    if std::env::var_os("LABTRUST_REGENERATE").is_some() {
        let path = "../plugins/coordination/src/methods/group_evolving_study/checkpoint.json";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::write(&path, breed(GENERATIONS).checkpoint()).expect("the checkpoint can be written");
        return;
    }
    let shipped = Evolution::resume(SHIPPED).expect("it is the checkpoint that was bred");
    assert_eq!((shipped.generation(), shipped.population().len()), (GENERATIONS, POPULATION));
    // The first generation can be bred again in a test's time, and is the one that was.
    let first = breed(1);
    assert_eq!(first.archive()[0], shipped.archive()[0], "bred otherwise: LABTRUST_REGENERATE=1");
    let trend: Vec<i64> = shipped.archive().iter().map(|(_, fitness)| *fitness).collect();
    assert!(trend.last() > trend.first(), "it got no better: {trend:?}");
}

fn breed(generations: u32) -> Evolution {
    let mut evolution = Evolution::new(SEED, POPULATION, EPISODES);
    for _ in 0..generations {
        let seeds = evolution.seeds();
        let fitness: Vec<i64> =
            evolution.population().iter().map(|genome| fitness(&genome.to_string(), &seeds)).collect();
        evolution.tell(&fitness).expect("each was tried");
    }
    evolution
}

/// What a genome is worth, on episodes that are the same for all: the share of what could be released, less what it took.
fn fitness(genome: &str, seeds: &[u64]) -> i64 {
    let who = Who::Bred(genome.to_owned());
    SIZES.iter().flat_map(|size| episodes(&who, *size, seeds.iter().copied())).map(|episode| worth(&episode)).sum()
}

fn worth(episode: &Judged) -> i64 {
    let [completed, p95_s, stat_s, tardiness_s] = episode.figures.map(|figure| figure.unwrap_or(0.0));
    let share = completed / (episode.most.max(1) as f64);
    (share * 1e6 - p95_s * 100.0 - stat_s * 100.0 - tardiness_s * 5.0).round() as i64
}
