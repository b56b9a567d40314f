//! The leaderboard as pages: one for all, one for every submission.
//!
//! Pages need nothing but themselves: no network, no other file, no font. Everything that comes from a submission is
//! escaped by the template engine, no file of a submission is copied or linked, and a content security policy forbids
//! every script but ours, so that a hostile name or text is shown and does nothing.

use super::chart::{Dot, scatter};
use super::render::{grouped, seconds};
use super::{Board, Entry, figure_names};
use crate::error::ProtocolError;
use crate::scores::RUBRIC;
use crate::task::whole_directory;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Texts of a submission that are shown, in this order.
const SHOWN: [&str; 9] = [
    "README.md",
    "conceptual_model.md",
    "interventions.md",
    "submission.yaml",
    "summary.json",
    "run_metrics.json",
    "token_usage.json",
    "results.csv",
    "event_log.csv",
];
/// How much of a text is shown [bytes].
const LONGEST_TEXT: usize = 32 * 1024;
/// The largest picture that is put into a page [bytes].
const LARGEST_PICTURE: u64 = 2 * 1024 * 1024;
/// How many files of a submission are listed.
const LISTED_FILES: usize = 500;
/// Directories whose files nobody wants to see.
const UNLISTED: [&str; 6] = [".git", ".venv", "venv", "__pycache__", ".pytest_cache", "node_modules"];

const SCRIPT: &str = include_str!("../../templates/sort.js");

/// Writes the pages into a directory that appears whole. A directory of that name is replaced only with `replace`, and
/// only when it is a leaderboard.
///
/// # Errors
/// [`ProtocolError::Input`] when there is something at `out` already; [`ProtocolError::Write`].
pub fn write_pages(board: &Board, out: &Path, replace: bool) -> Result<(), ProtocolError> {
    if replace && out.symlink_metadata().is_ok() && !is_leaderboard(out) {
        let problem = format!("{} is there and is no leaderboard", out.display());
        return Err(ProtocolError::input(problem, "name another directory: only a former leaderboard is replaced"));
    }
    let pages = pages(board)?;
    let files: Vec<(&str, &[u8])> = pages.iter().map(|(path, text)| (path.as_str(), text.as_bytes())).collect();
    whole_directory(out, &files, replace)
}

/// The mark of our own page.
const MARK: &str = "<meta name=\"generator\" content=\"labtrust leaderboard\">";

fn is_leaderboard(dir: &Path) -> bool {
    let empty = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    empty || std::fs::read_to_string(dir.join("index.html")).is_ok_and(|text| text.contains(MARK))
}

/// The pages, by path.
pub(crate) fn pages(board: &Board) -> Result<Vec<(String, String)>, ProtocolError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    for (name, source) in [
        ("base.html", include_str!("../../templates/base.html")),
        ("index.html", include_str!("../../templates/index.html")),
        ("submission.html", include_str!("../../templates/submission.html")),
    ] {
        environment.add_template(name, source).map_err(|error| broken(&error))?;
    }
    let policy = policy();
    let shared = context! { mark => Value::from_safe_string(MARK.to_owned()), policy, style => safe(include_str!("../../templates/style.css")) };
    let render = |name: &str, more: Value| {
        let template = environment.get_template(name).map_err(|error| broken(&error))?;
        template.render(context! { ..more, ..shared.clone() }).map_err(|error| broken(&error))
    };
    let slugs = slugs(board);
    let rows: Vec<Value> =
        board.entries.iter().zip(&slugs).enumerate().map(|(i, (entry, slug))| row(i + 1, entry, slug)).collect();
    let mut pages = vec![(
        "index.html".to_owned(),
        render(
            "index.html",
            context! {
                rows, unscored => board.unscored.clone(), script => safe(SCRIPT), rubric => rubric(),
                charts => charts(board), correlations => matrix(board),
            },
        )?,
    )];
    for (i, (entry, slug)) in board.entries.iter().zip(&slugs).enumerate() {
        let page = render("submission.html", context! { row => row(i + 1, entry, slug), ..details(entry) })?;
        pages.push((format!("submissions/{slug}.html"), page));
    }
    Ok(pages)
}

fn broken(error: &minijinja::Error) -> ProtocolError {
    ProtocolError::input(format!("a page cannot be made: {error:#}"), "this is a fault of the program")
}

fn safe(text: &str) -> Value {
    Value::from_safe_string(text.to_owned())
}

/// Nothing from anywhere, and of scripts only ours.
fn policy() -> Value {
    let digest = BASE64_STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
    safe(&format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ))
}

/// Names of pages: the submission's name where that is a harmless file name, else what is left of it and a digest.
fn slugs(board: &Board) -> Vec<String> {
    let slug = |entry: &Entry| {
        let name = &entry.submission;
        let kept: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.+".contains(c) { c } else { '_' })
            .take(120)
            .collect();
        if kept == *name && !kept.starts_with('.') {
            return kept;
        }
        let digest = Sha256::digest(name.as_bytes());
        let tail: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{tail}", kept.replace('.', "_"))
    };
    // A file system may not tell upper from lower case.
    let mut seen = BTreeSet::new();
    board
        .entries
        .iter()
        .enumerate()
        .map(|(i, entry)| {
            let slug = slug(entry);
            if seen.insert(slug.to_ascii_lowercase()) { slug } else { format!("{slug}-{i}") }
        })
        .collect()
}

fn rubric() -> Vec<Value> {
    RUBRIC
        .iter()
        .map(|category| context! { key => category.key, title => category.title, maximum => category.maximum })
        .collect()
}

fn row(number: usize, entry: &Entry, slug: &str) -> Value {
    let name = entry.name.as_ref().ok();
    let category = entry.intervention.category;
    let physical = entry.physical().map(|(passed, failed, not_checkable)| {
        context! { passed, failed, not_checkable, total => passed + failed + not_checkable }
    });
    context! {
        number, slug,
        submission => entry.submission.clone(),
        date => name.map(|name| name.date.to_string()),
        harness => name.map(|name| &name.harness),
        model => name.map(|name| &name.model),
        run_tag => name.and_then(|name| name.run_tag.as_ref()),
        total => format!("{:.1}", entry.total()),
        points => RUBRIC.iter().zip(entry.points).map(|(category, points)| {
            let share = 100.0 * points / f64::from(category.maximum);
            context! { title => category.title, maximum => category.maximum, points => format!("{points:.1}"), share => format!("{share:.0}") }
        }).collect::<Vec<_>>(),
        reviewers => entry.reviewers.clone(),
        tokens => entry.total_tokens(),
        tokens_told => entry.total_tokens().map(grouped),
        method => entry.token_method().as_str(),
        seconds => entry.runtime_seconds,
        time_told => entry.runtime_seconds.map(seconds),
        timed_out => entry.timed_out,
        category => category.as_str(),
        category_told => category.as_str().replace('_', " "),
        checks => entry.checks().map(|(passed, total)| context! { passed, total }),
        physical,
        code_lines => entry.code_lines.map(grouped),
        notes => entry.notes.clone(),
    }
}

fn charts(board: &Board) -> Vec<Value> {
    let dots = |figure: &dyn Fn(&Entry) -> Option<f64>| -> Vec<Dot> {
        let numbered = board.entries.iter().enumerate();
        numbered.filter_map(|(i, entry)| Some(Dot { number: i + 1, x: figure(entry)?, y: entry.total() })).collect()
    };
    #[expect(clippy::cast_precision_loss, reason = "a place in a chart")]
    let tokens = dots(&|entry| entry.total_tokens().map(|tokens| tokens as f64));
    let time = dots(&|entry| entry.runtime_seconds);
    [
        scatter(&tokens, "Quality against tokens", "tokens", |tokens| {
            if tokens >= 1e6 {
                format!("{}M", tokens / 1e6)
            } else if tokens >= 1e3 {
                format!("{}k", tokens / 1e3)
            } else {
                format!("{tokens}")
            }
        }),
        scatter(&time, "Quality against runtime", "runtime [s]", |seconds| {
            if seconds > 0.0 && seconds < 1e-3 {
                format!("{seconds:e}")
            } else {
                format!("{}", libm::round(seconds * 1e3) / 1e3)
            }
        }),
    ]
    .into_iter()
    .flatten()
    .map(|svg| safe(&svg))
    .collect()
}

/// The correlations as a triangle of cells.
fn matrix(board: &Board) -> Value {
    let names = figure_names();
    let rows: Vec<Value> = (1..names.len())
        .map(|second| {
            let of = |first: usize| {
                let found = board
                    .correlations
                    .iter()
                    .find(|one| one.first == names[first].0 && one.second == names[second].0)
                    .expect("every pair was worked out");
                let strength = found.spearman.map(|rho| format!("{:.0}", libm::fabs(rho) * 60.0));
                context! {
                    first => names[first].1, second => names[second].1, pairs => found.pairs,
                    rho => found.spearman.map(|rho| format!("{rho:.2}")),
                    sign => found.spearman.map(|rho| if rho < 0.0 { "against" } else { "with" }), strength,
                }
            };
            context! { title => names[second].1, cells => (0..second).map(of).collect::<Vec<_>>() }
        })
        .collect();
    let columns: Vec<&str> = names[..names.len() - 1].iter().map(|name| name.1).collect();
    context! { rows, columns }
}

fn details(entry: &Entry) -> Value {
    let report = entry.report.as_ref();
    let checks =
        |pointer: &str| report.and_then(|report| report.pointer(pointer)).map(|found| Value::from(Serde(found)));
    let mut listed = Vec::new();
    let mut total = 0;
    let mut texts = Vec::new();
    let mut picture = None;
    if let Some(folder) = &entry.folder {
        let mut files = Vec::new();
        walk(folder, folder, &mut files, 0);
        total = files.len();
        listed =
            files.iter().take(LISTED_FILES).map(|(path, bytes)| context! { path, bytes => grouped(*bytes) }).collect();
        texts = shown(folder, &files);
        picture = topology(folder);
    }
    context! {
        automated => checks("/automated_checks/checks"),
        physical_checks => checks("/physical_checks/checks"),
        not_replayed => checks("/physical_checks/not_replayed"),
        means => checks("/scenario_total_tonnes_means"),
        files => listed, files_total => total, texts, picture,
        intervention_notes => entry.intervention.notes.clone(),
        cost => entry.tokens.as_ref().and_then(|tokens| tokens.estimated_cost_usd),
        input_tokens => entry.tokens.as_ref().and_then(|tokens| tokens.input_tokens).map(grouped),
        output_tokens => entry.tokens.as_ref().and_then(|tokens| tokens.output_tokens).map(grouped),
    }
}

/// Files below a folder by path, with their sizes. Links are not followed; what cannot be read is not listed.
fn walk(root: &Path, dir: &Path, files: &mut Vec<(String, u64)>, depth: u32) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let path = entry.path();
        if kind.is_dir() && depth < 16 && !UNLISTED.iter().any(|name| entry.file_name() == *name) {
            walk(root, &path, files, depth + 1);
        } else if kind.is_file() {
            let below = path.strip_prefix(root).unwrap_or(&path);
            let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            files.push((parts.join("/"), entry.metadata().map_or(0, |file| file.len())));
        }
    }
}

fn shown(folder: &Path, files: &[(String, u64)]) -> Vec<Value> {
    let mut texts = Vec::new();
    for name in SHOWN {
        for place in [name.to_owned(), format!("outputs/{name}")] {
            if !files.iter().any(|(path, _)| *path == place) {
                continue;
            }
            if let Some((text, cut)) = beginning(&folder.join(&place)) {
                texts.push(context! { name => place, text, cut });
            }
        }
    }
    texts
}

/// The beginning of a text, and whether there is more of it.
fn beginning(path: &PathBuf) -> Option<(String, bool)> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let limit = LONGEST_TEXT as u64 + 1;
    std::fs::File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    let cut = bytes.len() > LONGEST_TEXT;
    bytes.truncate(LONGEST_TEXT);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if cut && text.ends_with('\u{fffd}') {
        text.pop();
    }
    Some((text, cut))
}

/// `topology.png` as a data address, when it is a picture of that kind.
fn topology(folder: &Path) -> Option<Value> {
    for place in ["topology.png", "outputs/topology.png"] {
        let path = folder.join(place);
        if path.symlink_metadata().is_ok_and(|file| file.is_file() && file.len() <= LARGEST_PICTURE)
            && let Ok(bytes) = std::fs::read(&path)
            && bytes.starts_with(b"\x89PNG\r\n\x1a\n")
        {
            return Some(safe(&format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes))));
        }
    }
    None
}

#[cfg(test)]
mod tests;
