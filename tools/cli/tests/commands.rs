//! Everything that is made from the list of commands: it is asked from the program itself, with `labtrust commands
//! --format json`.

#[path = "commands/matrix.rs"]
mod matrix;
#[path = "commands/page.rs"]
mod page;

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Exit code, stdout and stderr of the program in `dir`, with nothing of the tester's own settings.
fn labtrust<S: AsRef<str>>(dir: &Path, arguments: &[S]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust"))
        .args(arguments.iter().map(AsRef::as_ref))
        .current_dir(dir)
        .env_remove("LABTRUST_POLICY_DIR")
        .env_remove("LABTRUST_PARTNER")
        .env_remove("LABTRUST_STRICT_SIGNATURES")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The whole list, in its order.
fn table() -> Value {
    let (code, out, said) = labtrust(Path::new("."), &["commands", "--format", "json"]);
    assert_eq!(code, 0, "{said}");
    serde_json::from_str(&out).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no list {key} in {value}"))
}

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    list(value, key).iter().map(|item| item.as_str().unwrap()).collect()
}
