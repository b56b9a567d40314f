//! `deps-inventory`: what this program was built of.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_evidence::digest::sha256;
use labtrust_evidence::disk::{RealDisk, write_file};
use labtrust_evidence::release::pretty;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The lock file that the program was built with.
const LOCK: &str = include_str!("../../../../Cargo.lock");

/// List what this program was built of: every package with its version and its digest
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for SECURITY/deps_inventory_runtime.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "deps-inventory",
        notes: "The packages are those of the lock file that is compiled in, so the list is of this program and not of a \
                directory. `python_version` is `none`: there is no Python in it.",
        writes: &[output(
            "--out/SECURITY/deps_inventory_runtime.json",
            "packages, platform, and the digest of the lock file",
        )],
        done: "the inventory is there",
        json: Json::product(&[("packages", "[count]")]),
        examples: &[Example::new("--out inventory").leaves(&["inventory/SECURITY/deps_inventory_runtime.json"])],
        refusals: &[Refusal::new("--out results.json", 1, "cannot").needs(&["results.json"])],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        if self.out.as_os_str().is_empty() {
            return Err(CliError::Empty { option: "--out" });
        }
        let inventory = inventory();
        let packages = inventory["packages"].as_array().map_or(0, Vec::len);
        let path = self.out.join("SECURITY/deps_inventory_runtime.json");
        write_file(&RealDisk, &path, &pretty(&inventory))?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&path);
        answer.figure("packages", packages);
        answer.finish::<Self>(true, &format!("{packages} packages\n"))
    }
}

/// What `deps_inventory_runtime.json` says of this program.
pub(crate) fn inventory() -> Value {
    json!({
        "version": "0.1",
        "python_version": "none",
        "platform": std::env::consts::OS,
        "pyproject_toml_sha256": null,
        "lock_file_sha256": sha256(LOCK.as_bytes()),
        "packages": packages(),
    })
}

/// Name and version of every package of the lock file, in its order.
fn packages() -> Vec<Value> {
    let value = |block: &str, key: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let package = |block: &str| {
        let name = value(block, "name")?.to_lowercase().replace('_', "-");
        Some(json!({ "name": name, "version": value(block, "version")? }))
    };
    LOCK.split("[[package]]").skip(1).filter_map(package).collect()
}
