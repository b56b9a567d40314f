//! Receipts of the runs of a pack or release, their verification, and the transparency log over them.

use crate::baselines::{LOG, RUNS};
use crate::{Ground, PackError};
use labtrust_bench::files::write_whole;
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::export::{BUNDLE, Export};
use labtrust_evidence::receipts::Rules;
use labtrust_evidence::release::pretty;
use labtrust_evidence::transparency;
use labtrust_evidence::verify::Verify;
use rayon::prelude::*;
use std::path::Path;

/// Directories of bundles, one a run.
pub const RECEIPTS: &str = "receipts";
/// What verification of a bundle came to, beside it.
pub const VERIFIED: &str = "verify_report.json";
/// The same for people.
pub const VERIFIED_TEXT: &str = "verify_report.txt";

/// Makes the evidence bundle of every run.
///
/// # Errors
/// [`PackError::Export`] for the first run of which there is none.
pub fn export(ground: &Ground<'_>, runs: &[&str], out: &Path) -> Result<(), PackError> {
    let of = |run: &&str| {
        let (log, target) = (out.join(RUNS).join(run).join(LOG), out.join(RECEIPTS).join(run));
        export_one(ground, &log, &target)
    };
    runs.par_iter().map(of).collect::<Vec<_>>().into_iter().collect()
}

/// Makes the evidence bundle of one log, below `target`.
///
/// # Errors
/// [`PackError::Export`].
pub fn export_one(ground: &Ground<'_>, log: &Path, target: &Path) -> Result<(), PackError> {
    let export = Export {
        log,
        out: target,
        rules: Rules::Corrected,
        policy: Some(ground.policy),
        partner: ground.policy.partner(),
        signer: None,
    };
    export.run(&RealDisk)?;
    Ok(())
}

/// Verifies every bundle, with all four fingerprints, and writes what came of it.
///
/// # Errors
/// [`PackError::NotGood`] naming every bundle that does not hold, with its first error.
pub fn verify(ground: &Ground<'_>, runs: &[&str], out: &Path) -> Result<(), PackError> {
    let place = ground.policy.source().to_string();
    let of = |run: &&str| -> Result<Option<String>, PackError> {
        let options = Verify {
            policy: Some(ground.policy),
            policy_place: &place,
            strict_fingerprints: true,
            replay: ground.replay,
            ..Verify::default()
        };
        let dir = out.join(RECEIPTS).join(run);
        let report = options.run(&dir.join(BUNDLE));
        write_whole(&dir.join(VERIFIED), &pretty(&report.json()))?;
        write_whole(&dir.join(VERIFIED_TEXT), report.text(BUNDLE).as_bytes())?;
        Ok(report.errors.first().map(|first| format!("{run}: {first}")))
    };
    let found = runs.par_iter().map(of).collect::<Vec<_>>().into_iter().collect::<Result<Vec<_>, _>>()?;
    let broken: Vec<String> = found.into_iter().flatten().collect();
    if broken.is_empty() { Ok(()) } else { Err(PackError::NotGood(broken.join("; "))) }
}

/// Makes the transparency log of all runs and verifies it.
///
/// # Errors
/// [`PackError::Transparency`]; [`PackError::NotGood`] for a log that is empty or does not hold.
pub fn transparency(out: &Path) -> Result<usize, PackError> {
    let made = transparency::make(&RealDisk, out, out, None)?;
    if made.entries == 0 {
        return Err(PackError::NotGood("the transparency log has no episode".to_owned()));
    }
    let found = transparency::verify(&made.directory, Some(out), &[], None)?;
    match found.errors.first() {
        Some(first) => Err(PackError::NotGood(format!("the transparency log does not hold: {first}"))),
        None => Ok(made.entries),
    }
}
