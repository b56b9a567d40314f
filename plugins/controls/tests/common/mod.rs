//! The labelled set, and the page of figures that tests keep true.

use std::fmt::Write as _;
use std::path::Path;

/// A sentence, and whether it is an attack.
pub(crate) struct Labelled {
    pub(crate) attack: bool,
    #[allow(dead_code, reason = "each test program uses a part of this file")]
    pub(crate) kind: String,
    pub(crate) text: String,
}

/// The set that the phrases were made with.
pub(crate) fn labelled() -> Vec<Labelled> {
    read(include_str!("../data/labelled.jsonl"))
}

/// The set that was written when the phrases were finished, and that none was changed for.
#[allow(dead_code, reason = "each test program uses a part of this file")]
pub(crate) fn held_out() -> Vec<Labelled> {
    read(include_str!("../data/held_out.jsonl"))
}

fn read(lines: &str) -> Vec<Labelled> {
    lines
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            assert!(["attack", "benign"].contains(&text("label").as_str()));
            Labelled {
                attack: text("label") == "attack",
                kind: row["kind"].as_str().unwrap_or_default().to_owned(),
                text: text("text"),
            }
        })
        .collect()
}

/// A part of a whole, in tenths of a per cent.
pub(crate) fn percent(part: usize, whole: usize) -> String {
    let tenths = (part * 1000 + whole / 2) / whole.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Tests of one program write the page one after the other.
static WRITING: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Compares a table with the part of the page that is named; `LABTRUST_REGENERATE=1` writes it there.
pub(crate) fn same_as_page(part: &str, table: &str) {
    let _one = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/reference/runtime_controls.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mark = |end: &str| format!("<!-- {part}: {end} -->\n");
    let begin = page.find(&mark("begin")).expect("the page has the part") + mark("begin").len();
    let end = page.find(&mark("end")).expect("the part ends");
    let mut wanted = String::new();
    write!(wanted, "\n{table}\n").unwrap();
    if std::env::var("LABTRUST_REGENERATE").is_ok_and(|set| set == "1") {
        std::fs::write(&path, format!("{}{wanted}{}", &page[..begin], &page[end..])).unwrap();
        return;
    }
    assert_eq!(&page[begin..end], wanted, "LABTRUST_REGENERATE=1 writes docs/src/reference/runtime_controls.md anew");
}
