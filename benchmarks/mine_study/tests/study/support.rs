//! Studies to look at, and readers for their files.

use labtrust_mine_haulage::MineData;
use labtrust_mine_study::{StudyError, StudySpec, run_study};
use labtrust_plugin::Registry;
use serde_json::Value;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::LazyLock;

/// A study of all six scenarios with few replications, made once.
pub(crate) static SMALL: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    make(&spec(&MineData::built_in().scenario_ids(), 4), &dir.path().join("study")).unwrap();
    dir
});

/// A file of [`SMALL`].
pub(crate) fn small(name: &str) -> String {
    read(&SMALL.path().join("study"), name)
}

pub(crate) fn spec(scenarios: &[&str], replications: u32) -> StudySpec {
    StudySpec {
        scenarios: scenarios.iter().map(|&id| id.to_owned()).collect(),
        replications: Some(replications),
        event_log: true,
        threads: NonZeroUsize::new(2),
        command: "labtrust run-mine --all --out DIR".to_owned(),
        ..StudySpec::default()
    }
}

pub(crate) fn make(spec: &StudySpec, out: &Path) -> Result<(), StudyError> {
    run_study(spec, &MineData::built_in(), &Registry::linked()?, out, false).map(drop)
}

pub(crate) fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Rows of a table, by column.
pub(crate) fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

pub(crate) fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {:?}", row[column]))
}

pub(crate) fn summary() -> Value {
    serde_json::from_str(&small("summary.json")).unwrap()
}

/// Every file of a directory.
pub(crate) fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
    };
    std::fs::read_dir(dir).unwrap().map(entry).collect()
}

/// 0.975 quantile of Student's t with 3 degrees of freedom, from a printed table.
pub(crate) const T_OF_FOUR: f64 = 3.182_446_305_284_263;

/// Mean and 95 % interval of four values, by the textbook.
pub(crate) fn interval(values: &[f64]) -> (f64, f64, f64) {
    assert_eq!(values.len(), 4, "the quantile is that of four values");
    let mean = values.iter().sum::<f64>() / 4.0;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let half = T_OF_FOUR * libm::sqrt(squares / 3.0) / 2.0;
    (mean, mean - half, mean + half)
}

#[track_caller]
pub(crate) fn near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!(libm::fabs(found - expected) <= 2e-6 * expected.abs().max(1.0), "{found} is not {expected}");
}
