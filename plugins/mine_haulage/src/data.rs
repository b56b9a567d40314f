//! The data of a mine: its site, and the scenarios that are played on it.
//!
//! The built-in mine is RON; a directory is CSV tables with scenarios in YAML or RON. Both give the same [`Scenario`]s,
//! and both are held to the same rules. Formats: `docs/src/reference/mine_data.md`.

mod built_in;
mod document;
mod error;
mod finite;
mod merged;
mod records;
mod resolve;
mod source;
mod table;

pub use error::{DataError, Place};

use crate::scenario::Scenario;
use crate::site::Site;
use merged::Merged;
use records::{DumpRecord, EdgeRecord, List, LoaderRecord, NodeRecord, SITE_FORMAT, SiteFile, TruckRecord};
use serde_json::Value;
use source::{Notation, Sources, check_format, from_ron};
use std::path::Path;

/// The most that a data file may be [bytes].
const MOST_BYTES: u64 = 16 << 20;

/// A site and its scenarios, as they were read.
#[derive(Clone, Debug)]
pub struct MineData {
    site: Site,
    sources: Sources,
}

impl MineData {
    /// The mine that is compiled in.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    pub fn built_in() -> Self {
        let read = || {
            let (file, text) = built_in::SITE;
            let records: SiteFile = from_ron(file, text)?;
            check_format(file, Some(&records.format), SITE_FORMAT)?;
            let places = |list: List, index: usize, field: &str| {
                Place::file(file).at(format!("{}, entry {}, {field}", list.name(), index + 1))
            };
            let site = records.build(&places)?;
            let mut sources = Sources::default();
            for (file, text) in built_in::SCENARIOS {
                sources.add(file, text, Notation::Ron)?;
            }
            Ok::<_, DataError>(Self { site, sources })
        };
        match read() {
            Ok(data) => data,
            Err(error) => panic!("the built-in mine can be read: {error}"),
        }
    }

    /// Reads `nodes.csv`, `edges.csv`, `trucks.csv`, `loaders.csv`, `dump_points.csv` and every `scenarios/*.yaml`,
    /// `*.yml` and `*.ron` of `directory`. Every scenario is put together once, so that a mistake in one is found
    /// whichever is asked for.
    ///
    /// # Errors
    /// [`DataError`] with the file, the place and the rule.
    pub fn load_dir(directory: &Path) -> Result<Self, DataError> {
        let read = |list: List| {
            let path = directory.join(format!("{}.csv", list.name()));
            Ok::<_, DataError>((path.display().to_string(), read_text(&path)?))
        };
        let (nodes_file, text) = read(List::Nodes)?;
        let (nodes, node_lines) = List::Nodes.table(&nodes_file, &text, NodeRecord::read)?;
        let (edges_file, text) = read(List::Edges)?;
        let (edges, edge_lines) = List::Edges.table(&edges_file, &text, EdgeRecord::read)?;
        let (trucks_file, text) = read(List::Trucks)?;
        let (trucks, truck_lines) = List::Trucks.table(&trucks_file, &text, TruckRecord::read)?;
        let (loaders_file, text) = read(List::Loaders)?;
        let (loaders, loader_lines) = List::Loaders.table(&loaders_file, &text, LoaderRecord::read)?;
        let (dumps_file, text) = read(List::Dumps)?;
        let (dump_points, dump_lines) = List::Dumps.table(&dumps_file, &text, DumpRecord::read)?;
        let places = |list: List, index: usize, field: &str| {
            let (file, lines) = match list {
                List::Nodes => (&nodes_file, &node_lines),
                List::Edges => (&edges_file, &edge_lines),
                List::Trucks => (&trucks_file, &truck_lines),
                List::Loaders => (&loaders_file, &loader_lines),
                List::Dumps => (&dumps_file, &dump_lines),
            };
            let line = lines.get(index).copied();
            Place { file: file.clone(), line, field: Some(format!("column {field}")) }
        };
        let records = SiteFile { format: SITE_FORMAT.to_owned(), nodes, edges, trucks, loaders, dump_points };
        let site = records.build(&places)?;
        let data = Self { site, sources: read_scenarios(&directory.join("scenarios"))? };
        for id in data.scenario_ids() {
            data.scenario(id, &[])?;
        }
        Ok(data)
    }

    /// The site as it stands, without any override.
    #[must_use]
    pub const fn site(&self) -> &Site {
        &self.site
    }

    /// The scenarios' ids: those that stand on their own first, then the others; in each group by name, with numbers
    /// in names compared as numbers.
    #[must_use]
    pub fn scenario_ids(&self) -> Vec<&str> {
        let mut ids: Vec<_> = self.sources.by_id.iter().collect();
        ids.sort_by_cached_key(|(id, source)| (source.inherits.is_some(), natural(id)));
        ids.into_iter().map(|(id, _)| id.as_str()).collect()
    }

    /// The scenario `id`, with `changes` applied over it in their order.
    ///
    /// A change is a path of keys as in a scenario file, joined by dots, and a value:
    /// `("fleet.truck_count", 6.into())`, `("edge_overrides.E03_UP.capacity", 2.into())`.
    ///
    /// # Errors
    /// [`DataError`]: an unknown scenario, key or id, a value that breaks its rule, a missing key, inheritance that goes
    /// round or nowhere. It names the file, or the change.
    pub fn scenario(&self, id: &str, changes: &[(&str, Value)]) -> Result<Scenario, DataError> {
        resolve::scenario(&Merged::new(&self.sources, id, changes)?, &self.site)
    }
}

/// The value that `text` stands for in a change: a number, `true`, `false`, or the text itself.
#[must_use]
pub fn change_value(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::from(text),
    }
}

fn read_text(path: &Path) -> Result<String, DataError> {
    let hint = "a mine's directory holds nodes.csv, edges.csv, trucks.csv, loaders.csv, dump_points.csv and scenarios/";
    let failed = |source| DataError::Read { path: path.to_owned(), source, hint };
    let place = || Place::file(&path.display().to_string());
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MOST_BYTES {
        return Err(place().wrong(format!("the file has {size} bytes"), "a data file has at most 16 MiB"));
    }
    String::from_utf8(std::fs::read(path).map_err(failed)?).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        Place { line: Some(line), ..place() }.wrong("the file is not text in UTF-8", "save it as UTF-8")
    })
}

fn read_scenarios(directory: &Path) -> Result<Sources, DataError> {
    let hint = "a mine's directory holds its scenarios in scenarios/*.yaml";
    let failed = |source| DataError::Read { path: directory.to_owned(), source, hint };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let notation = match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml" | "yml") => Notation::Yaml,
            Some("ron") => Notation::Ron,
            _ => continue,
        };
        files.push((path, notation));
    }
    // The order of a directory is the file system's business.
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut sources = Sources::default();
    for (path, notation) in &files {
        sources.add(&path.display().to_string(), &read_text(path)?, *notation)?;
    }
    if sources.by_id.is_empty() {
        return Err(Place::file(&directory.display().to_string()).wrong("there is no scenario", hint));
    }
    Ok(sources)
}

/// A key that sorts `trucks_4` before `trucks_12`.
fn natural(id: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = vec![(0, String::new())];
    for letter in id.chars() {
        let Some(last) = parts.last_mut() else { break };
        match letter.to_digit(10) {
            Some(digit) if last.1.is_empty() => last.0 = last.0.saturating_mul(10).saturating_add(u64::from(digit)),
            Some(digit) => parts.push((u64::from(digit), String::new())),
            None => last.1.push(letter),
        }
    }
    parts
}
