//! Parts of the documentation that are made from the code.
//!
//! Such a part stands between `<!-- generated: NAME -->` and `<!-- end generated -->`. A test compares it with what the
//! code says; with `LABTRUST_REGENERATE=1` in the environment it is written instead.

use std::path::PathBuf;

/// Compares, or writes, the part `name` of the file `path` (relative to the project).
///
/// # Panics
/// When the part differs from `text`, or is not there.
pub fn check(path: &str, name: &str, text: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let old = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (begin, end) = (format!("<!-- generated: {name} -->\n"), "<!-- end generated -->");
    let (before, rest) = old.split_once(&begin).unwrap_or_else(|| panic!("{path} has no line {begin}"));
    let (part, after) = rest.split_once(end).unwrap_or_else(|| panic!("{path} has no line {end} after {begin}"));
    let new = format!("\n{}\n\n", text.trim_end());
    if part == new {
        return;
    }
    if std::env::var_os("LABTRUST_REGENERATE").is_some() {
        std::fs::write(&file, format!("{before}{begin}{new}{end}{after}")).expect("the file can be written");
        return;
    }
    let line = part.lines().zip(new.lines()).find(|(old, new)| old != new);
    let (old, new) = line.unwrap_or(("(its length)", "(another length)"));
    panic!(
        "{path}, part {name}, is not what the code says.\n  there: {old}\n  code:  {new}\nWrite it anew with \
         LABTRUST_REGENERATE=1 cargo test -p labtrust -p labtrust-tests"
    );
}
