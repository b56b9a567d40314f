//! Writes the table of the policy files that are compiled into the library.
//!
//! A build script instead of a directory macro: on stable Rust a macro cannot tell cargo that a *new* file
//! belongs to it, `rerun-if-changed` on the directory can. `include_str!` makes the compiler refuse a file
//! that is not UTF-8 and rebuild when a file's content changes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let crate_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    // A link to the repository's policy, and the files themselves in a package.
    let policy_dir = crate_dir.join("policy").canonicalize()?;
    let mut files = Vec::new();
    collect(&policy_dir, "", &mut files)?;
    // Binary search in the table needs the order of the names, whatever the file system's order is.
    files.sort();

    let mut table = String::from("static FILES: &[(&str, &str)] = &[\n");
    for (name, path) in &files {
        writeln!(table, "    ({name:?}, include_str!({:?})),", path.display().to_string())?;
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("builtin_files.rs"), table)?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

fn collect(dir: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", dir.display());
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        let relative = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        if path.is_dir() {
            collect(&path, &relative, files)?;
        } else if matches!(path.extension().and_then(|e| e.to_str()), Some("yaml" | "yml" | "json")) {
            files.push((relative, path));
        }
    }
    Ok(())
}
