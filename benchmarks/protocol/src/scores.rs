//! Human scores of submissions, in a database of one file.
//!
//! One score is what one reviewer gave one submission on one day: points in seven categories, 100 in all. The database
//! is SQLite, with the version of its form in `user_version`, so that a file of another program or of a later version
//! is refused and never half understood.

use crate::date::Date;
use crate::error::{ProtocolError, read_text};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A category of the rubric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rubric {
    /// As files and columns call it.
    pub key: &'static str,
    /// As people call it.
    pub title: &'static str,
    /// The most points that it can be worth [points].
    pub maximum: u32,
}

/// The rubric's categories; their maxima are 100 points in all.
pub const RUBRIC: [Rubric; 7] = [
    Rubric { key: "conceptual_modelling", title: "Conceptual modelling", maximum: 20 },
    Rubric { key: "data_topology", title: "Data and topology", maximum: 15 },
    Rubric { key: "simulation_correctness", title: "Simulation correctness", maximum: 20 },
    Rubric { key: "experimental_design", title: "Experimental design", maximum: 15 },
    Rubric { key: "results_interpretation", title: "Results and interpretation", maximum: 15 },
    Rubric { key: "code_quality", title: "Code quality", maximum: 10 },
    Rubric { key: "traceability", title: "Traceability", maximum: 5 },
];

/// What one reviewer gave one submission on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The submission's folder name.
    pub submission: String,
    /// Who judged.
    pub reviewer: String,
    /// When.
    pub date: Date,
    /// Points in the rubric's categories, in the order of [`RUBRIC`] [points].
    pub points: [f64; 7],
    /// What the reviewer has to say.
    pub notes: String,
}

impl Score {
    /// Checks and makes a score.
    ///
    /// # Errors
    /// [`ProtocolError::Input`] naming the category and its range, or the name that is empty.
    pub fn new(
        submission: &str,
        reviewer: &str,
        date: Date,
        points: [f64; 7],
        notes: &str,
    ) -> Result<Self, ProtocolError> {
        for (what, text) in [("submission", submission), ("reviewer", reviewer)] {
            if text.trim().is_empty() || text.trim() != text || text.chars().any(char::is_control) {
                let problem = format!("{text:?} cannot be a {what}");
                return Err(ProtocolError::input(problem, "write a name without spaces around it, on one line"));
            }
        }
        for (category, points) in RUBRIC.iter().zip(points) {
            if !(points >= 0.0 && points <= f64::from(category.maximum)) {
                let problem = format!("{points} points in {} are out of range", category.key);
                return Err(ProtocolError::input(problem, &format!("give 0 to {}", category.maximum)));
            }
        }
        let (submission, reviewer, notes) = (submission.to_owned(), reviewer.to_owned(), notes.trim().to_owned());
        Ok(Self { submission, reviewer, date, points, notes })
    }

    /// All points [points], at most 100.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.points.iter().sum()
    }

    /// The score as a JSON object, as [`read_json`] reads it, with the total.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("submission".to_owned(), self.submission.clone().into());
        fields.insert("reviewer".to_owned(), self.reviewer.clone().into());
        fields.insert("date".to_owned(), self.date.to_string().into());
        for (category, points) in RUBRIC.iter().zip(self.points) {
            fields.insert(category.key.to_owned(), points.into());
        }
        fields.insert("total".to_owned(), self.total().into());
        fields.insert("notes".to_owned(), self.notes.clone().into());
        Value::Object(fields)
    }
}

/// Reads scores from a JSON file: one object, or a list of them. A `total` is allowed and has to be the sum.
///
/// # Errors
/// [`ProtocolError::Content`] naming file, entry and field; nothing is returned when one entry is wrong.
pub fn read_json(path: &Path, today: Date) -> Result<Vec<Score>, ProtocolError> {
    let document: Value = serde_json::from_str(&read_text(path)?).map_err(|error| {
        ProtocolError::at(path, format_args!("line {}", error.line()), format!("is not JSON: {error}"), "")
    })?;
    let entries = match document {
        Value::Array(entries) => entries,
        one => vec![one],
    };
    if entries.is_empty() {
        return Err(ProtocolError::content(path, "has no scores", "list at least one"));
    }
    entries
        .iter()
        .enumerate()
        .map(|(i, entry)| {
            score_of(entry, today).map_err(|(field, problem, hint)| {
                let place =
                    if field.is_empty() { format!("entry {}", i + 1) } else { format!("entry {}, {field}", i + 1) };
                ProtocolError::at(path, place, problem, &hint)
            })
        })
        .collect()
}

fn score_of(entry: &Value, today: Date) -> Result<Score, (String, String, String)> {
    let wrong = |field: &str, problem: String, hint: &str| (field.to_owned(), problem, hint.to_owned());
    let Value::Object(fields) = entry else {
        return Err(wrong("", "is no object".to_owned(), "write an object with submission, reviewer and points"));
    };
    let known = |field: &str| {
        ["submission", "reviewer", "date", "notes", "total"].contains(&field) || RUBRIC.iter().any(|r| r.key == field)
    };
    if let Some(field) = fields.keys().find(|field| !known(field)) {
        let keys: Vec<_> = RUBRIC.iter().map(|category| category.key).collect();
        return Err(wrong(field, "is not known".to_owned(), &format!("the categories are {}", keys.join(", "))));
    }
    let text = |field: &str| match fields.get(field) {
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        None | Some(Value::Null) => Ok(None),
        Some(other) => Err(wrong(field, format!("is {other}"), "write a text")),
    };
    let needed = |field: &str| text(field)?.ok_or_else(|| wrong(field, "is missing".to_owned(), "every score has one"));
    let mut points = [0.0; 7];
    for (points, category) in points.iter_mut().zip(RUBRIC) {
        let hint = format!("give 0 to {}", category.maximum);
        *points = match fields.get(category.key) {
            None | Some(Value::Null) => return Err(wrong(category.key, "is missing".to_owned(), &hint)),
            Some(value) => value.as_f64().ok_or_else(|| wrong(category.key, format!("is {value}"), &hint))?,
        };
    }
    let date = match text("date")? {
        Some(date) => date.parse().map_err(|problem| wrong("date", problem, ""))?,
        None => today,
    };
    let score =
        Score::new(needed("submission")?, needed("reviewer")?, date, points, text("notes")?.unwrap_or_default())
            .map_err(|error| wrong("", error.to_string(), error.hint().unwrap_or_default()))?;
    if let Some(total) = fields.get("total")
        && total.as_f64().is_none_or(|total| libm::fabs(total - score.total()) > 1e-9)
    {
        return Err(wrong("total", format!("is {total}, but the points are {}", score.total()), "leave it out"));
    }
    Ok(score)
}

/// Marks the file as ours: "LTSc".
const APPLICATION_ID: i64 = 0x4C54_5363;
/// The form of the database.
pub const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE scores (
    submission TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    date TEXT NOT NULL,
    conceptual_modelling REAL NOT NULL CHECK (conceptual_modelling BETWEEN 0 AND 20),
    data_topology REAL NOT NULL CHECK (data_topology BETWEEN 0 AND 15),
    simulation_correctness REAL NOT NULL CHECK (simulation_correctness BETWEEN 0 AND 20),
    experimental_design REAL NOT NULL CHECK (experimental_design BETWEEN 0 AND 15),
    results_interpretation REAL NOT NULL CHECK (results_interpretation BETWEEN 0 AND 15),
    code_quality REAL NOT NULL CHECK (code_quality BETWEEN 0 AND 10),
    traceability REAL NOT NULL CHECK (traceability BETWEEN 0 AND 5),
    notes TEXT NOT NULL,
    UNIQUE (submission, reviewer, date)
) STRICT;
";

/// The scores that were recorded.
#[derive(Debug)]
pub struct ScoreBook {
    path: PathBuf,
    connection: Connection,
}

impl ScoreBook {
    /// Opens a database, or makes one where there is no file.
    ///
    /// # Errors
    /// [`ProtocolError::Database`] when the file is not one of these, is of a later version, or cannot be opened.
    pub fn open_or_create(path: &Path) -> Result<Self, ProtocolError> {
        labtrust_bench::files::make_parent(path)?;
        Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens a database to read it.
    ///
    /// # Errors
    /// As [`ScoreBook::open_or_create`]; also when there is no such file.
    pub fn open(path: &Path) -> Result<Self, ProtocolError> {
        if !path.is_file() {
            return Err(ProtocolError::Database {
                path: path.to_path_buf(),
                problem: "there is no such file".to_owned(),
                hint: Some("`labtrust record-score` makes it with the first score".to_owned()),
            });
        }
        Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    fn open_with(path: &Path, flags: OpenFlags) -> Result<Self, ProtocolError> {
        let told = |error: rusqlite::Error| told(path, &error);
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(told)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(told)?;
        let mut book = Self { path: path.to_path_buf(), connection };
        book.prepare()?;
        Ok(book)
    }

    fn prepare(&mut self) -> Result<(), ProtocolError> {
        let (application, version) = (self.pragma("application_id")?, self.pragma("user_version")?);
        let fail = |problem: String, hint: &str| {
            Err(ProtocolError::Database { path: self.path.clone(), problem, hint: Some(hint.to_owned()) })
        };
        if application == APPLICATION_ID {
            if version == SCHEMA_VERSION {
                return Ok(());
            }
            return fail(
                format!("has the form {version}, this program knows {SCHEMA_VERSION}"),
                "use the version of the program that wrote it",
            );
        }
        let count = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 =
            self.connection.query_row(count, [], |row| row.get(0)).map_err(|error| told(&self.path, &error))?;
        if application != 0 || version != 0 || tables != 0 {
            return fail("is a database of another program".to_owned(), "name another file");
        }
        // Two processes may get here at once: the one that comes second finds the form made.
        let made = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
            let now: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
            if now != APPLICATION_ID {
                transaction.execute_batch(SCHEMA)?;
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
            }
            transaction.commit()
        });
        made.map_err(|error| told(&self.path, &error))
    }

    fn pragma(&self, name: &str) -> Result<i64, ProtocolError> {
        self.connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|error| told(&self.path, &error))
    }

    /// Adds scores: all of them, or none.
    ///
    /// # Errors
    /// [`ProtocolError::Database`] naming the first that is there already.
    pub fn record(&mut self, scores: &[Score]) -> Result<(), ProtocolError> {
        let fail = |error: &rusqlite::Error| told(&self.path, error);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| fail(&e))?;
        for score in scores {
            let [a, b, c, d, e, f, g] = score.points;
            let put = transaction.execute(
                "INSERT INTO scores VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                rusqlite::params![
                    score.submission,
                    score.reviewer,
                    score.date.to_string(),
                    a,
                    b,
                    c,
                    d,
                    e,
                    f,
                    g,
                    score.notes
                ],
            );
            match put {
                Ok(_) => {}
                Err(rusqlite::Error::SqliteFailure(error, _))
                    if error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE =>
                {
                    return Err(ProtocolError::Database {
                        path: self.path.clone(),
                        problem: format!(
                            "{} has a score of {} for {:?} already",
                            score.reviewer, score.date, score.submission
                        ),
                        hint: Some("a second judgement of the same day needs another date".to_owned()),
                    });
                }
                Err(error) => return Err(fail(&error)),
            }
        }
        transaction.commit().map_err(|error| fail(&error))
    }

    /// Every score, by submission, date and reviewer.
    ///
    /// # Errors
    /// [`ProtocolError::Database`] when a row cannot be true: the file was changed by hand.
    pub fn scores(&self) -> Result<Vec<Score>, ProtocolError> {
        let fail = |error: &rusqlite::Error| told(&self.path, error);
        let select = "SELECT submission, reviewer, date, conceptual_modelling, data_topology, simulation_correctness, \
                      experimental_design, results_interpretation, code_quality, traceability, notes \
                      FROM scores ORDER BY submission, date, reviewer";
        let mut statement = self.connection.prepare(select).map_err(|error| fail(&error))?;
        let mut rows = statement.query([]).map_err(|error| fail(&error))?;
        let mut scores = Vec::new();
        while let Some(row) = rows.next().map_err(|error| fail(&error))? {
            let text = |i: usize| row.get::<_, String>(i).map_err(|error| fail(&error));
            let mut points = [0.0; 7];
            for (i, points) in points.iter_mut().enumerate() {
                *points = row.get(3 + i).map_err(|error| fail(&error))?;
            }
            let (submission, date) = (text(0)?, text(2)?);
            let changed = |problem: String| ProtocolError::Database {
                path: self.path.clone(),
                problem: format!("the score of {submission:?} cannot be true: {problem}"),
                hint: Some("the file was changed by another program".to_owned()),
            };
            let date = date.parse().map_err(changed)?;
            let score = Score::new(&submission, &text(1)?, date, points, &text(10)?);
            scores.push(score.map_err(|error| changed(error.to_string()))?);
        }
        Ok(scores)
    }
}

fn told(path: &Path, error: &rusqlite::Error) -> ProtocolError {
    let (problem, hint) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            ("is no score database".to_owned(), "name another file, or one that record-score made")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ("is in use by another process".to_owned(), "try again when it has ended")
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            (format!("cannot be opened: {error}"), "name a file in a directory that you may write to")
        }
        Some(ErrorCode::DatabaseCorrupt) => ("is damaged".to_owned(), "go back to a copy"),
        _ => (error.to_string(), ""),
    };
    let hint = (!hint.is_empty()).then(|| hint.to_owned());
    ProtocolError::Database { path: path.to_path_buf(), problem, hint }
}

/// Scores as CSV, a row each, with a header.
#[must_use]
pub fn scores_csv(scores: &[Score]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["submission", "reviewer", "date"];
    header.extend(RUBRIC.iter().map(|category| category.key));
    header.extend(["total", "notes"]);
    let mut write = |row: Vec<String>| writer.write_record(row).expect("a vector takes every row");
    write(header.into_iter().map(str::to_owned).collect());
    for score in scores {
        let mut row = vec![score.submission.clone(), score.reviewer.clone(), score.date.to_string()];
        row.extend(score.points.iter().map(ToString::to_string));
        row.extend([score.total().to_string(), score.notes.clone()]);
        write(row);
    }
    let bytes = writer.into_inner().expect("a vector takes every row");
    String::from_utf8(bytes).expect("texts are UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: [f64; 7] = [20.0, 15.0, 20.0, 15.0, 15.0, 10.0, 5.0];

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn score(submission: &str, reviewer: &str, date: &str) -> Score {
        Score::new(submission, reviewer, day(date), FULL, "fine").unwrap()
    }

    #[test]
    fn the_rubric_is_a_hundred_points() {
        assert_eq!(RUBRIC.map(|category| category.maximum), [20, 15, 20, 15, 15, 10, 5]);
        assert_eq!(score("s", "r", "2026-01-01").total(), 100.0);
    }

    #[test]
    fn points_out_of_range_are_refused_in_every_category() {
        for i in 0..7 {
            for wrong in [FULL[i] + 0.5, -0.5, f64::NAN, f64::INFINITY] {
                let mut points = FULL;
                points[i] = wrong;
                let error = Score::new("s", "r", day("2026-01-01"), points, "").unwrap_err();
                assert!(error.to_string().contains(RUBRIC[i].key), "{error}");
            }
        }
        for name in ["", " ", "a\nb", " a"] {
            assert!(Score::new(name, "r", day("2026-01-01"), FULL, "").is_err());
            assert!(Score::new("s", name, day("2026-01-01"), FULL, "").is_err());
        }
    }

    #[test]
    fn a_score_comes_back_as_it_was_recorded_and_not_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/scores.sqlite");
        let first = [score("b", "r", "2026-01-02"), score("a", "r", "2026-01-01"), score("a", "q", "2026-01-01")];
        ScoreBook::open_or_create(&path).unwrap().record(&first).unwrap();
        let mut book = ScoreBook::open_or_create(&path).unwrap();
        // One that is new and one that is not: neither is put in.
        let error = book.record(&[score("c", "r", "2026-01-01"), score("a", "q", "2026-01-01")]).unwrap_err();
        assert!(error.to_string().contains("q has a score of 2026-01-01 for \"a\" already"), "{error}");
        book.record(&[score("a", "q", "2026-01-03")]).unwrap();
        drop(book);
        let found = ScoreBook::open(&path).unwrap().scores().unwrap();
        assert_eq!(found, [first[2].clone(), first[1].clone(), score("a", "q", "2026-01-03"), first[0].clone()]);
    }

    #[test]
    fn a_file_that_is_no_score_database_is_refused_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        std::fs::write(&path, "scores, but by hand; long enough for a header of a database. ".repeat(20)).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(ScoreBook::open_or_create(&path).unwrap_err().to_string().contains("is no score database"));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        let other = dir.path().join("other.sqlite");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(ScoreBook::open_or_create(&other).unwrap_err().to_string().contains("another program"));
        let later = dir.path().join("later.sqlite");
        ScoreBook::open_or_create(&later).unwrap().connection.pragma_update(None, "user_version", 2).unwrap();
        assert!(ScoreBook::open(&later).unwrap_err().to_string().contains("has the form 2"));
        assert!(ScoreBook::open(&dir.path().join("none.sqlite")).unwrap_err().to_string().contains("no such file"));
        assert!(!dir.path().join("none.sqlite").exists());
        assert!(ScoreBook::open_or_create(dir.path()).is_err());
    }

    #[test]
    fn scores_are_read_from_json_all_or_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scores.json");
        let today = day("2026-05-05");
        let all = score("s", "r", "2026-01-01");
        std::fs::write(&path, Value::Array(vec![all.json()]).to_string()).unwrap();
        assert_eq!(read_json(&path, today).unwrap(), std::slice::from_ref(&all));
        let change = |field: &str, value: Value| {
            let mut entry = all.json();
            entry[field] = value;
            if field != "total" {
                entry.as_object_mut().unwrap().remove("total");
            }
            std::fs::write(&path, entry.to_string()).unwrap();
            read_json(&path, today)
        };
        assert_eq!(change("date", Value::Null).unwrap()[0].date, today);
        for (field, value, says) in [
            ("code_quality", 11.into(), "out of range"),
            ("code_quality", Value::Null, "missing"),
            ("code_quality", "10".into(), "is \"10\""),
            ("reviewer", Value::Null, "missing"),
            ("date", "2026-02-30".into(), "28 days"),
            ("total", 99.into(), "points are 100"),
            ("quality", 1.into(), "not known"),
        ] {
            let error = change(field, value.clone()).unwrap_err().to_string();
            assert!(error.contains("entry 1") && error.contains(says), "{field} {value}: {error}");
        }
        for text in ["[]", "[1]", "{", "3"] {
            std::fs::write(&path, text).unwrap();
            assert!(read_json(&path, today).is_err(), "{text}");
        }
    }

    #[test]
    fn csv_keeps_what_needs_quotes() {
        let one = Score::new("a,b", "r", day("2026-01-01"), FULL, "said \"yes\"\nand no").unwrap();
        let text = scores_csv(&[one]);
        assert!(
            text.ends_with("\"a,b\",r,2026-01-01,20,15,20,15,15,10,5,100,\"said \"\"yes\"\"\nand no\"\n"),
            "{text}"
        );
    }
}
