//! A policy and a directory of runs, and what the register says of them.

use labtrust_assurance::register::policy::{PLAN, SUITE, WAIVERS};
use labtrust_assurance::register::{BundleOptions, Coverage, Register, State, build, crosswalk, schema_complaints};
use labtrust_bench::date::Date;
use labtrust_policy::PolicyStore;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A day on which the shipped waivers hold.
pub(crate) const TODAY: &str = "2026-11-22";

/// A suite with two attacks.
const TWO_ATTACKS: &str = r#"
version: "0.1"
controls:
  - { control_id: CTRL-TOOL-SANDBOX, name: Sandbox of tools, description: Limits of tools. }
  - { control_id: CTRL-MEMORY, name: Memory }
attacks:
  - { attack_id: SEC-TOOL-SELECT-001, risk_id: R-TOOL-001, control_id: CTRL-TOOL-SANDBOX }
  - { attack_id: SEC-MEM-001, risk_id: R-DATA-003, control_id: CTRL-MEMORY }
"#;

pub(crate) struct Desk {
    pub(crate) policy: PolicyStore,
    pub(crate) dir: TempDir,
}

impl Desk {
    /// The shipped policy with a small suite, and a plan that is content with two episodes.
    pub(crate) fn new() -> Self {
        let shipped = PolicyStore::builtin();
        let plan = shipped
            .text(PLAN)
            .unwrap()
            .replace("max_attack_success_upper_95: 0.05", "max_attack_success_upper_95: 0.8");
        let policy = shipped.with_text(PLAN, &plan).with_text(SUITE, TWO_ATTACKS);
        Self { policy, dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn with_waivers(self, rows: &str) -> Self {
        let policy = self.policy.with_text(WAIVERS, &format!("version: \"0.1\"\nwaivers:\n{rows}"));
        Self { policy, ..self }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn register(&self) -> Register {
        Register::load(&self.policy).unwrap()
    }

    /// Writes a file of the run `run`.
    pub(crate) fn write(&self, run: &str, path: &str, content: impl AsRef<[u8]>) {
        let file = self.path().join(run).join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    pub(crate) fn write_json(&self, run: &str, path: &str, content: &Value) {
        self.write(run, path, serde_json::to_vec(content).unwrap());
    }

    /// The bundle of everything that was written, which has to have its shape and to refer to nothing that it lacks.
    pub(crate) fn bundle(&self) -> Value {
        let mut runs: Vec<PathBuf> =
            std::fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        runs.sort();
        let options = BundleOptions { runs, ..BundleOptions::default() };
        let bundle = build(&self.policy, &self.register(), &options).unwrap();
        assert_eq!(schema_complaints(&bundle), [""; 0]);
        assert_eq!(crosswalk(&bundle), [""; 0]);
        bundle
    }

    pub(crate) fn coverage(&self, date: &str) -> Coverage {
        Coverage::of(&self.register(), &self.bundle(), date.parse::<Date>().unwrap()).unwrap()
    }

    pub(crate) fn state(&self, method: &str, risk: &str, date: &str) -> State {
        let coverage = self.coverage(date);
        let cell = coverage.cells.into_iter().find(|one| one.cell.method == method && one.cell.risk == risk);
        cell.expect("the cell is required").state
    }

    /// The cell has to be a gap with a reason of this kind.
    pub(crate) fn is_refused(&self, method: &str, risk: &str, kind: &str) {
        match self.state(method, risk, TODAY) {
            State::Gap { reasons } => {
                assert!(
                    reasons.iter().any(|reason| reason.contains(&format!(": {kind}: "))),
                    "not {kind}: {reasons:?}"
                );
            }
            other => panic!("{kind} counts: {other:?}"),
        }
    }

    pub(crate) fn is_covered(&self, method: &str, risk: &str) -> bool {
        matches!(self.state(method, risk, TODAY), State::Covered { .. })
    }
}

/// The entry of a type in a bundle.
pub(crate) fn entry<'b>(bundle: &'b Value, kind: &str) -> &'b Value {
    let entries = bundle["evidence"].as_array().unwrap();
    entries.iter().find(|entry| entry["type"] == kind).unwrap_or_else(|| panic!("no {kind} in {entries:?}"))
}
