//! `docs/src/reference/discrimination.md`: the figures in full, and whether the page is about the methods that there
//! are.

use crate::compare::{cell, difference, is_loss};
use crate::episodes::{EXAMPLE, FIGURES, Judged, Size, Who, bound, episodes, methods};
use crate::{EXPLICIT, SIMULATED};
use labtrust_bench::stats::Confidence;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Seeds of the page, from 0.
const SEEDS: u64 = 20;
const SIZES: [Size; 14] = [
    Size { scale: Some("small_smoke"), timing: EXPLICIT, network: None },
    Size { scale: None, timing: EXPLICIT, network: None },
    Size { scale: None, timing: SIMULATED, network: None },
    Size { scale: Some("medium_stress_signed_bus"), timing: SIMULATED, network: None },
    Size { scale: Some("corridor_heavy"), timing: EXPLICIT, network: None },
    Size { scale: Some("one_hall"), timing: SIMULATED, network: None },
    Size { scale: Some("two_halls"), timing: SIMULATED, network: None },
    Size { scale: Some("corridor"), timing: SIMULATED, network: None },
    Size { scale: Some("corridor_tight"), timing: SIMULATED, network: None },
    Size { scale: Some("full_lane"), timing: SIMULATED, network: Some("drop_rate=0.3") },
    Size { scale: Some("full_lane"), timing: SIMULATED, network: None },
    Size { scale: Some("surge"), timing: SIMULATED, network: None },
    Size { scale: Some("outage"), timing: SIMULATED, network: None },
    Size { scale: Some("multi_site"), timing: SIMULATED, network: None },
];

type All = BTreeMap<(usize, Who), Vec<Judged>>;

/// Writes the page where `LABTRUST_REGENERATE` is set; else checks that it names every method.
pub(crate) fn check_or_write() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference/discrimination.md");
    if std::env::var_os("LABTRUST_REGENERATE").is_some() {
        std::fs::write(&path, page()).expect("the page can be written");
    }
    let page = std::fs::read_to_string(&path).expect("the page is there");
    for id in methods() {
        assert!(page.contains(&format!("`{id}`")), "the page does not name {id}: LABTRUST_REGENERATE=1");
    }
}

fn page() -> String {
    let mut all = All::new();
    for (number, &size) in SIZES.iter().enumerate() {
        let mut whos = vec![Who::Random, Who::Method { id: EXAMPLE, core: true }];
        for id in methods() {
            whos.extend([true, false].map(|core| Who::Method { id, core }));
        }
        for who in whos {
            let judged = episodes(&who, size, 0..SEEDS);
            all.insert((number, who), judged);
        }
    }
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "\n{SEEDS} seeds, 0 to {}, the same for all.", SEEDS - 1);
    for (number, size) in SIZES.iter().enumerate() {
        write_size(&mut page, &all, number, *size);
    }
    write_cores(&mut page, &all);
    write_pairs(&mut page, &all);
    page
}

const HEAD: &str = "# Do the methods differ?

Every [method](methods.md) that is compiled in, at several sizes of `coord_scale`, judged by what counts: results
released, 95th percentile of turnaround, mean time of STAT specimens from arrival to release (to the end of the episode
for those that are not released), weighted tardiness. Beside them *random_legal*, agents that do anything that is legal,
the kit's example `org.example.earliest_due`, and *bound*, the most that could be released. What it costs to decide is not
counted as a difference.

The sizes from `one_hall` on are the scenario set of `policy/coordination/scale_configs.v0.1.yaml`: what each asks stands
there. A pair that is not told apart is named at the end. Where everybody of a trade waits at its post, walks are short and bids
are equal: then a matching and an auction of single jobs give the same work to the same people, and a bundle auction and a
scheduler put it in the same order, that of its weight. What would separate them is travel that costs something.

The page is written by

```
LABTRUST_REGENERATE=1 cargo test -p labtrust-tests --test discrimination -- the_page
```

and one line of it can be had from

```
labtrust run-benchmark --task coord_scale --scale medium_stress_signed_bus --timing simulated --episodes 20 --seed 0 --coord-method centralized_planner
```

(its `stat_mean_turnaround_s` and the others are in the results). The test also runs small sizes of all this with every change.
";

fn confidence(level: f64) -> Confidence {
    Confidence::new(level).expect("it is between 0 and 1")
}

/// A method with its core.
fn whole(id: &'static str) -> Who {
    Who::Method { id, core: true }
}

fn write_size(page: &mut String, all: &All, number: usize, size: Size) {
    let _ = writeln!(page, "\n## {}\n", size.name());
    let _ = writeln!(page, "Mean and half the width of its 95 % interval (Student's t).\n");
    let _ = writeln!(page, "| Method | {} |\n|---|---:|---:|---:|---:|", FIGURES.join(" | "));
    let names = [("*random_legal*".to_owned(), Who::Random), (format!("*{EXAMPLE}*"), whole(EXAMPLE))];
    let methods = methods().into_iter().map(|id| (format!("`{id}`"), whole(id)));
    for (name, who) in names.into_iter().chain(methods) {
        let judged = &all[&(number, who)];
        let cells: Vec<String> = (0..FIGURES.len()).map(|figure| cell(judged, figure, Confidence::P95)).collect();
        let _ = writeln!(page, "| {name} | {} |", cells.join(" | "));
    }
    let _ = writeln!(page, "| *bound* | {:.1} | | | |", bound(&all[&(number, whole(EXAMPLE))]));
}

/// What each method loses without its core: the clearest loss of each figure.
fn write_cores(page: &mut String, all: &All) {
    let _ = writeln!(page, "\n## Without their cores\n");
    let _ = writeln!(
        page,
        "What `--coord-param core=off` changes: mean of the paired differences and its 95 % interval, where it is a loss \
         and the interval excludes 0; of several sizes the one where the interval is farthest from 0 against its width. \
         A shield only shows where messages are lost: `where_messages_are_lost_a_shield_is_worth_something` in the test has \
         it at a loss of nine in ten.\n"
    );
    let _ = writeln!(page, "| Method | {} |\n|---|---|---|---|---|", FIGURES.join(" | "));
    for id in methods() {
        let _ = write!(page, "| `{id}` |");
        for figure in 0..FIGURES.len() {
            let mut best: Option<(f64, String)> = None;
            for (number, size) in SIZES.iter().enumerate() {
                let off = &all[&(number, Who::Method { id, core: false })];
                let Some(found) = difference(off, &all[&(number, whole(id))], figure, Confidence::P95) else {
                    continue;
                };
                let half = (found.bounds.upper - found.bounds.lower) / 2.0;
                let clear = found.mean.abs() / half.max(1e-9);
                if found.excludes_zero()
                    && is_loss(figure, found.mean)
                    && best.as_ref().is_none_or(|(least, _)| clear > *least)
                {
                    best = Some((clear, format!("{:+.1} ± {half:.1} ({})", found.mean, size.name())));
                }
            }
            let _ = write!(page, " {} |", best.map_or("–".to_owned(), |(_, text)| text));
        }
        page.push('\n');
    }
}

/// What tells each pair of methods apart.
fn write_pairs(page: &mut String, all: &All) {
    let tests = SIZES.len() * FIGURES.len();
    let strict = confidence(1.0 - 0.05 / tests as f64);
    let methods = methods();
    let (mut apart, mut ties) = (Vec::new(), Vec::new());
    for (number, a) in methods.iter().enumerate() {
        for b in &methods[number + 1..] {
            let mut best: Option<(f64, String)> = None;
            for (size, figure) in (0..SIZES.len()).flat_map(|size| (0..FIGURES.len()).map(move |figure| (size, figure)))
            {
                let Some(found) = difference(&all[&(size, whole(a))], &all[&(size, whole(b))], figure, strict) else {
                    continue;
                };
                let half = (found.bounds.upper - found.bounds.lower) / 2.0;
                let clear = found.mean.abs() / half.max(1e-9);
                if found.excludes_zero() && best.as_ref().is_none_or(|(least, _)| clear > *least) {
                    let (name, size) = (FIGURES[figure], SIZES[size].name());
                    best = Some((clear, format!("{name} {:+.1} ± {half:.1} ({size})", found.mean)));
                }
            }
            match best {
                Some((_, text)) => apart.push(format!("| `{a}` | `{b}` | {text} |")),
                None => ties.push(format!("`{a}` and `{b}`")),
            }
        }
    }
    let _ = writeln!(page, "\n## Pair by pair\n");
    let _ = writeln!(
        page,
        "{} of {} pairs differ in a figure at a size: the mean of the paired differences, first less second, with an \
         interval that excludes 0 although it was looked for in {tests} places (95 % together, Bonferroni).\n",
        apart.len(),
        apart.len() + ties.len()
    );
    if !ties.is_empty() {
        let _ = writeln!(page, "Not told apart: {}.\n", ties.join("; "));
    }
    let _ = writeln!(page, "| First | Second | Clearest difference |\n|---|---|---|\n{}", apart.join("\n"));
}
