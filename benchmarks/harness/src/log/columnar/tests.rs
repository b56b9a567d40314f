use super::*;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Field, Row as Record};
use ::parquet::schema::printer::print_schema;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs::File;

/// A line of a log, with what the test wants in it.
fn line(over: Value) -> Vec<u8> {
    let mut line = json!({
        "episode": 0, "step": 3, "t_s": 40, "agent_id": "A_OPS_0", "action_type": "MOVE", "status": "ACCEPTED",
        "blocked_reason_code": null, "event_id": "pz_ops_0_4", "specimen_ids": [], "emits": [], "violations": [],
        "enforcements": [], "token_consumed": [], "args": {}, "hashchain_head": "b",
        "hashchain": { "head_hash": "a", "last_event_hash": "b", "length": 2 }, "prev_hash": "a", "chain_hash": "b",
        "event": { "reason_code": null, "token_refs": [], "t_s": 40 },
    });
    for (key, value) in over.as_object().unwrap() {
        line[key] = value.clone();
    }
    let mut bytes = serde_json::to_vec(&line).unwrap();
    bytes.push(b'\n');
    bytes
}

/// Writes lines into a file with groups of `group_rows`; its bytes and a reader of them.
fn written(
    episodes: &[(u64, Vec<Vec<u8>>)],
    group_rows: usize,
) -> (tempfile::TempDir, Vec<u8>, SerializedFileReader<File>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.parquet");
    let mut log = ColumnarLog::with_groups_of(&path, group_rows).unwrap();
    for (seed, lines) in episodes {
        log.append("demo", *seed, &lines.concat()).unwrap();
    }
    log.persist().unwrap();
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    (dir, std::fs::read(&path).unwrap(), reader)
}

fn field(row: &Record, name: &str) -> Field {
    row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field.clone()).unwrap()
}

fn texts(row: &Record, name: &str) -> Vec<String> {
    let Field::ListInternal(list) = field(row, name) else { panic!("{name} is no list") };
    let text = |field: &Field| match field {
        Field::Str(text) => text.clone(),
        other => panic!("{name} has {other}"),
    };
    list.elements().iter().map(text).collect()
}

#[test]
fn the_columns_of_a_file_are_the_published_ones() {
    let (_dir, _, reader) = written(&[(7, vec![line(json!({}))])], 10);
    let mut printed = Vec::new();
    print_schema(&mut printed, reader.metadata().file_metadata().schema());
    let tidy = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(tidy(&String::from_utf8(printed).unwrap()), tidy(SCHEMA));
}

/// The page of the reference has a row for every column, in the order of the file.
#[test]
fn every_column_is_documented() {
    let page = include_str!("../../../../../docs/src/reference/records.md");
    let table = page.split("## Log in columns").nth(1).expect("the page has a section").split("\n## ").next().unwrap();
    let documented: Vec<_> = table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    let schema = parse_message_type(SCHEMA).unwrap();
    let columns: Vec<_> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    assert_eq!(documented, columns);
}

#[test]
fn a_row_says_in_columns_what_its_line_says() {
    let told = line(json!({
        "episode": 2, "step": 9, "t_s": 100, "status": "BLOCKED", "blocked_reason_code": "RBAC_ACTION_DENY",
        "args": { "to_zone": "Z\u{e9}", "n": [1, 2] }, "specimen_ids": ["S1", "S2"], "emits": ["MOVE"],
        "violations": [
            { "invariant_id": "INV-A", "status": "PASS" }, { "invariant_id": "INV-B", "status": "VIOLATION" },
        ],
        "enforcements": [{ "type": "throttle_agent", "reason_code": null, "rule_id": "R" }],
        "token_consumed": ["T1"], "chain_hash": null,
        "rbac_decision": { "allowed": false, "reason_code": "RBAC_ACTION_DENY", "role_id": "ROLE_RUNNER" },
        "signature_verification": { "passed": false, "reason_code": "SIG_INVALID", "key_id": "K" },
        "event": { "reason_code": "QC_FAIL", "token_refs": ["T1", "T2"], "key_id": "K" },
    }));
    let (_dir, _, reader) = written(&[(u64::MAX, vec![told.clone(), line(json!({}))])], 10);
    let rows: Vec<Record> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    let (full, bare) = (&rows[0], &rows[1]);
    let text = |text: &str| Field::Str(text.to_owned());
    for (name, value) in [
        ("line", Field::Long(1)),
        ("task", text("demo")),
        ("episode", Field::Long(2)),
        ("seed", Field::ULong(u64::MAX)),
        ("step", Field::Int(9)),
        ("t_s", Field::Long(100)),
        ("agent_id", text("A_OPS_0")),
        ("role_id", text("ROLE_RUNNER")),
        ("action_type", text("MOVE")),
        ("status", text("BLOCKED")),
        ("blocked_reason_code", text("RBAC_ACTION_DENY")),
        ("given_reason_code", text("QC_FAIL")),
        ("event_id", text("pz_ops_0_4")),
        ("args_json", text("{\"n\":[1,2],\"to_zone\":\"Z\u{e9}\"}")),
        ("invariants_held", Field::Int(1)),
        ("key_id", text("K")),
        ("signature_passed", Field::Bool(false)),
        ("chain_length", Field::Long(2)),
        ("prev_hash", text("a")),
        ("chain_hash", Field::Null),
        ("record_json", text(std::str::from_utf8(&told).unwrap().trim_end())),
    ] {
        assert_eq!(field(full, name), value, "{name}");
    }
    assert_eq!(texts(full, "specimen_ids"), ["S1", "S2"]);
    assert_eq!(texts(full, "emits"), ["MOVE"]);
    assert_eq!(texts(full, "violations"), ["INV-B"]);
    assert_eq!(texts(full, "enforcements"), ["throttle_agent"]);
    assert_eq!(texts(full, "token_refs"), ["T1", "T2"]);
    assert_eq!(texts(full, "token_consumed"), ["T1"]);
    for absent in ["role_id", "blocked_reason_code", "given_reason_code", "key_id", "signature_passed"] {
        assert_eq!(field(bare, absent), Field::Null, "{absent}");
    }
    assert_eq!((field(bare, "line"), field(bare, "chain_hash")), (Field::Long(2), text("b")));
    assert!(texts(bare, "violations").is_empty() && texts(bare, "specimen_ids").is_empty());
}

#[test]
fn a_file_names_its_maker_and_no_time_and_has_the_same_bytes_again() {
    let episodes = [(1, vec![line(json!({})), line(json!({ "step": 4 }))]), (2, vec![line(json!({ "episode": 1 }))])];
    let (_one, bytes, reader) = written(&episodes, 2);
    let (_two, again, _) = written(&episodes, 2);
    assert_eq!(bytes, again);
    let metadata = reader.metadata().file_metadata();
    assert_eq!(metadata.created_by(), Some(concat!("labtrust version ", env!("CARGO_PKG_VERSION"))));
    let pairs: Vec<_> = metadata.key_value_metadata().unwrap().iter().map(|pair| pair.key.as_str()).collect();
    assert_eq!(pairs, ["labtrust_episode_log"]);
}

#[test]
fn a_line_that_is_no_record_is_refused_and_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = ColumnarLog::create(&dir.path().join("log.parquet")).unwrap();
    let error = log.append("demo", 1, b"{\"episode\":1}\n").unwrap_err();
    assert!(matches!(error, BenchError::NotALog { .. }), "{error}");
    drop(log);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_no_log_is_not_read_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.parquet");
    std::fs::write(&path, b"PAR1 something else").unwrap();
    assert!(matches!(RecordLines::open(&path), Err(BenchError::NotALog { .. })));
    let schema = Arc::new(parse_message_type("message m { REQUIRED INT64 record_json; }").unwrap());
    SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::default()).unwrap().close().unwrap();
    let error = RecordLines::open(&path).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is no episode log: it has no text column record_json", path.display()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However many rows a group has, also one more or one less than there are.
    #[test]
    fn lines_come_back_byte_for_byte_from_groups_of_any_size(
        episodes in proptest::collection::vec(proptest::collection::vec((".{0,9}", 0..3_usize), 0..5), 0..5),
        group_rows in 1..8_usize,
    ) {
        let lines: Vec<(u64, Vec<Vec<u8>>)> = episodes.iter().enumerate().map(|(number, rows)| {
            let rows = rows.iter().map(|(word, many)| {
                line(json!({ "episode": number, "args": { "word": word }, "specimen_ids": vec![word; *many] }))
            });
            (number as u64, rows.collect())
        }).collect();
        let (dir, _, reader) = written(&lines, group_rows);
        let told: Vec<Vec<u8>> = lines.into_iter().flat_map(|(_, rows)| rows).collect();
        prop_assert_eq!(reader.num_row_groups(), told.len().div_ceil(group_rows));
        let mut back = RecordLines::open(&dir.path().join("log.parquet")).unwrap();
        for expected in &told {
            let mut found = back.next_line().unwrap().unwrap();
            found.push(b'\n');
            prop_assert_eq!(&found, expected);
        }
        prop_assert_eq!(back.next_line().unwrap(), None);
        let lists: Vec<_> = reader.get_row_iter(None).unwrap().map(|row| texts(&row.unwrap(), "specimen_ids").len()).collect();
        let many: Vec<_> = episodes.iter().flatten().map(|(_, many)| *many).collect();
        prop_assert_eq!(lists, many);
    }
}
