//! What a submission's outputs say, read once. What cannot be read is kept as the sentence that says so.

use csv::{ByteRecord, ReaderBuilder};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The outputs of a submission.
#[derive(Debug)]
pub struct Outputs {
    /// `summary.json`.
    pub summary: Result<Value, String>,
    /// Its text, to find lines in.
    pub summary_text: String,
    /// `results.csv`.
    pub results: Result<Results, String>,
    /// The columns of `event_log.csv`.
    pub log_columns: Result<Vec<String>, String>,
}

/// A table of results.
#[derive(Debug, Default)]
pub struct Results {
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<ResultRow>,
}

/// A row of the results.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultRow {
    /// Its line in the file, the header being line 1.
    pub line: u64,
    /// The scenario.
    pub scenario: String,
    /// The replication.
    pub replication: Option<i64>,
    /// The seed.
    pub seed: Option<i64>,
    /// Tonnes delivered [t].
    pub tonnes: Option<Figure>,
    /// Tonnes an hour [t/h].
    pub tonnes_per_hour: Option<Figure>,
    /// Fields that cannot be what their column says.
    pub unreadable: Vec<String>,
}

/// A number in a file, and how precisely it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// The number.
    pub value: f64,
    /// Half a unit of its last digit: what rounding can have taken or added.
    pub rounding: f64,
}

impl Figure {
    /// Reads a decimal number; nothing but a finite one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
        let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len().min(300));
        let exponent: f64 = exponent.parse().ok()?;
        #[expect(clippy::cast_precision_loss, reason = "300 at most")]
        let last_digit = exponent - decimals as f64;
        Some(Self { value, rounding: 0.5 * libm::pow(10.0, last_digit.clamp(-300.0, 300.0)) })
    }

    /// A number of a JSON file.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            // The shortest text that gives the number back is, but for trailing zeros, what was written.
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Whether `expected` could have been written like this, with `slack` to spare.
    #[must_use]
    pub fn agrees(self, expected: f64, slack: f64) -> bool {
        libm::fabs(self.value - expected) <= self.rounding + slack + 1e-9 * libm::fabs(expected)
    }
}

/// A whole number, also one written as `3.0`, as tables that pass through a data frame have them.
#[must_use]
pub fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
    (libm::trunc(number) == number && libm::fabs(number) <= 9_007_199_254_740_992.0).then_some(number as i64)
}

impl Outputs {
    /// Reads what is in `dir`.
    #[must_use]
    pub fn read(dir: &Path) -> Self {
        let text = crate::error::read_text(&dir.join("summary.json")).map_err(|error| error.to_string());
        let summary = text
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|text| serde_json::from_str(text).map_err(|error| format!("summary.json is not JSON: {error}")));
        let summary_text = text.unwrap_or_default();
        let results = read_results(&dir.join("results.csv"));
        let log_columns = read_columns(&dir.join("event_log.csv"));
        Self { summary, summary_text, results, log_columns }
    }

    /// The summary's scenarios, where it has any.
    pub fn scenarios(&self) -> Option<&serde_json::Map<String, Value>> {
        self.summary.as_ref().ok()?.get("scenarios")?.as_object()
    }

    /// The line of the summary in which `scenarios.<scenario>.<key>` stands, as far as a look at the text can tell.
    #[must_use]
    pub fn summary_line(&self, scenario: &str, key: Option<&str>) -> Option<u64> {
        let text = &self.summary_text;
        let mut at = 0;
        for name in ["scenarios", scenario].into_iter().chain(key) {
            let quoted = Value::from(name).to_string();
            let found = text[at..]
                .match_indices(&quoted)
                .find(|(place, _)| text[at + place + quoted.len()..].trim_start().starts_with(':'))?;
            at += found.0 + quoted.len();
        }
        Some(1 + text[..at].bytes().filter(|byte| *byte == b'\n').count() as u64)
    }

    /// Means of total tonnes: the summary's, and those of the results where the summary has none.
    #[must_use]
    pub fn total_tonnes_means(&self) -> BTreeMap<String, f64> {
        let mut sums: BTreeMap<&str, (f64, u32)> = BTreeMap::new();
        for row in self.results.iter().flat_map(|results| &results.rows) {
            if let Some(tonnes) = row.tonnes {
                let (sum, count) = sums.entry(&row.scenario).or_default();
                *sum += tonnes.value;
                *count += 1;
            }
        }
        let mut means: BTreeMap<String, f64> =
            sums.into_iter().map(|(id, (sum, count))| (id.to_owned(), sum / f64::from(count))).collect();
        for (id, scenario) in self.scenarios().into_iter().flatten() {
            if let Some(mean) = scenario.get("total_tonnes_mean").and_then(Value::as_f64) {
                means.insert(id.clone(), mean);
            }
        }
        means
    }
}

/// A reader that takes rows of any length: what is missing is told, not fatal.
pub(crate) fn csv_reader(path: &Path) -> Result<csv::Reader<std::fs::File>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = std::fs::File::open(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    Ok(ReaderBuilder::new().flexible(true).buffer_capacity(1 << 18).from_reader(file))
}

/// The header's fields. A byte order mark, which some programs write, is no part of a name.
pub(crate) fn columns(reader: &mut csv::Reader<std::fs::File>) -> Result<Vec<String>, String> {
    let header = reader.byte_headers().map_err(|error| error.to_string())?;
    let text = |field: &[u8]| String::from_utf8_lossy(field).trim_start_matches('\u{feff}').trim().to_owned();
    Ok(header.iter().map(text).collect())
}

fn read_columns(path: &Path) -> Result<Vec<String>, String> {
    columns(&mut csv_reader(path)?)
}

fn read_results(path: &Path) -> Result<Results, String> {
    let mut reader = csv_reader(path)?;
    let columns = columns(&mut reader)?;
    let place = |name: &str| columns.iter().position(|column| column == name);
    let places = [
        place("scenario_id"),
        place("replication"),
        place("random_seed"),
        place("total_tonnes_delivered"),
        place("tonnes_per_hour"),
    ];
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| format!("results.csv: {error}"))? {
        let line = record.position().map_or(0, csv::Position::line);
        let mut unreadable = Vec::new();
        let field = |i: usize| places[i].and_then(|at| record.get(at)).map(String::from_utf8_lossy);
        fn told<T>(
            name: &str,
            text: Option<std::borrow::Cow<'_, str>>,
            read: impl Fn(&str) -> Option<T>,
            wrong: &mut Vec<String>,
        ) -> Option<T> {
            let text = text?;
            let value = read(&text);
            if value.is_none() {
                wrong.push(format!("{name} is {text:?}"));
            }
            value
        }
        let not_negative = |text: &str| Figure::parse(text).filter(|figure| figure.value >= 0.0);
        rows.push(ResultRow {
            line,
            scenario: field(0).unwrap_or_default().trim().to_owned(),
            replication: told("replication", field(1), whole, &mut unreadable),
            seed: told("random_seed", field(2), whole, &mut unreadable),
            tonnes: told("total_tonnes_delivered", field(3), not_negative, &mut unreadable),
            tonnes_per_hour: told("tonnes_per_hour", field(4), not_negative, &mut unreadable),
            unreadable,
        });
    }
    Ok(Results { columns, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_knows_how_precisely_it_was_written() {
        for (text, value, rounding) in
            [("12", 12.0, 0.5), ("12.50", 12.5, 0.005), (" 1e3 ", 1000.0, 500.0), ("1.5E-2", 0.015, 0.0005)]
        {
            let found = Figure::parse(text).unwrap();
            assert_eq!(found.value, value);
            assert!(libm::fabs(found.rounding / rounding - 1.0) < 1e-12, "{text}: {}", found.rounding);
        }
        for text in ["", "x", "nan", "inf", "1e999", "1,5"] {
            assert_eq!(Figure::parse(text), None, "{text}");
        }
        assert!(Figure::parse("12.3").unwrap().agrees(12.349, 0.0));
        assert!(!Figure::parse("12.3").unwrap().agrees(12.351, 0.0));
    }

    #[test]
    fn a_whole_number_may_come_through_a_data_frame() {
        assert_eq!((whole("3"), whole("3.0"), whole(" -4 ")), (Some(3), Some(3), Some(-4)));
        assert_eq!((whole("3.5"), whole(""), whole("1e300"), whole("nan")), (None, None, None, None));
    }

    #[test]
    fn a_line_of_the_summary_is_found() {
        let text = "{\n \"note\": \"baseline\",\n \"scenarios\": {\n  \"trucks_4\": {\"x\": 1},\n  \"baseline\": {\n   \"x\": 2}}}";
        let outputs = Outputs {
            summary: Err(String::new()),
            summary_text: text.to_owned(),
            results: Err(String::new()),
            log_columns: Err(String::new()),
        };
        assert_eq!(outputs.summary_line("baseline", Some("x")), Some(6));
        assert_eq!(outputs.summary_line("trucks_4", None), Some(4));
        assert_eq!(outputs.summary_line("nothing", None), None);
    }
}
