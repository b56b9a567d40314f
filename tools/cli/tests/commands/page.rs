//! The reference page of the commands, as far as it is made from the list.

use super::{list, table, text, texts};
use labtrust_tests::generated;
use serde_json::Value;
use std::fmt::Write as _;

const PAGE: &str = "docs/src/reference/commands.md";

/// Text in a cell of a table: a bar ends the cell, and what looks like a tag is not one.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

/// An option or a file, with its options set as code.
fn code(text: &str) -> String {
    format!("`{text}`")
}

fn anchor(name: &str) -> String {
    name.replace(' ', "-")
}

fn overview(table: &Value) -> String {
    let mut page = "| command | does | writes |\n|---|---|---|\n".to_owned();
    for command in list(table, "commands") {
        let name = text(command, "name");
        let files: Vec<_> = list(command, "writes").iter().map(|row| code(text(row, "path"))).collect();
        let summary = cell(text(command, "summary"));
        let _ = writeln!(page, "| [`{name}`](#{}) | {summary} | {} |", anchor(name), files.join(", "));
    }
    page
}

fn options(rows: &[Value]) -> String {
    let mut page = "| option | meaning | default |\n|---|---|---|\n".to_owned();
    for row in rows {
        let (name, value) = (text(row, "name"), row["value"].as_str().filter(|value| *value != text(row, "name")));
        let short = row["short"].as_str().map_or_else(String::new, |short| format!("`{short}`, "));
        let several = if row["several"] == true { "..." } else { "" };
        let shown = value.map_or_else(|| format!("{name}{several}"), |value| format!("{name} {value}{several}"));
        let mut help = cell(row["help"].as_str().unwrap_or_default());
        let choices = texts(row, "choices");
        if !choices.is_empty() {
            let _ = write!(help, ": {}", choices.iter().map(|choice| code(choice)).collect::<Vec<_>>().join(", "));
        }
        let default = match (row["default"].as_str(), row["required"] == true) {
            (Some(default), _) => code(default),
            (None, true) => "required".to_owned(),
            (None, false) => String::new(),
        };
        let _ = writeln!(page, "| {short}{} | {help} | {default} |", code(&shown));
    }
    page
}

fn section(command: &Value) -> String {
    let name = text(command, "name");
    let mut page = format!("### {name}\n\n{}.", text(command, "summary"));
    let _ = write!(page, " {}", text(command, "notes"));
    page.truncate(page.trim_end().len());
    page.push_str("\n\n```sh\n");
    for example in list(command, "examples").iter().filter(|example| example["shown"] == true) {
        let _ = writeln!(page, "{}", format!("labtrust {name} {}", text(example, "line")).trim_end());
    }
    page.push_str("```\n\n");
    if !list(command, "arguments").is_empty() {
        let _ = writeln!(page, "{}", options(list(command, "arguments")));
    }
    if !list(command, "writes").is_empty() {
        page.push_str("| file | holds |\n|---|---|\n");
        for row in list(command, "writes") {
            let _ = writeln!(page, "| {} | {} |", code(text(row, "path")), cell(text(row, "what")));
        }
        page.push('\n');
    }
    page.push_str("| exit code | meaning |\n|---|---|\n");
    for row in list(command, "exits").iter().filter(|row| row["code"] != 70) {
        let _ = writeln!(page, "| {} | {} |", row["code"], cell(text(row, "meaning")));
    }
    page + "\n" + &json(&command["json"])
}

/// What is said about the JSON of a command.
fn json(json: &Value) -> String {
    let (kind, keys) = (json["kind"].as_str(), list(json, "keys"));
    let mut page = match (kind, text(json, "form")) {
        (Some(kind), "product") if keys.is_empty() => format!("`--format json`: `{kind}`.\n\n"),
        (Some(kind), "product") => format!("`--format json`: `{kind}`, in its `summary`\n\n"),
        (Some(kind), _) => format!("`--format json`: `{kind}`\n\n"),
        (None, _) => "`--format json`:\n\n".to_owned(),
    };
    if !keys.is_empty() {
        page.push_str("| key | holds |\n|---|---|\n");
        for row in keys {
            let _ = writeln!(page, "| {} | {} |", code(text(row, "key")), cell(text(row, "what")));
        }
        page.push('\n');
    }
    page
}

#[test]
fn the_reference_page_says_what_the_program_says() {
    let table = table();
    generated::check(PAGE, "overview", &overview(&table));
    generated::check(PAGE, "options of every command", &options(list(&table, "options")));
    generated::check(PAGE, "commands", &list(&table, "commands").iter().map(section).collect::<String>());
}
