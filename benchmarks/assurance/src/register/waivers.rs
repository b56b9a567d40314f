//! Whether a method may be without evidence for a risk on a day. Waivers hold up to and on their last day; which day it is, is for
//! the caller to say.

use super::policy::{List, WAIVERS, Waiver};
use crate::AssuranceError;
use labtrust_bench::date::Date;
use labtrust_policy::{PolicyError, PolicyStore};
use std::path::Path;

/// The first waiver of a method and a risk that holds on `date`, with its last day.
///
/// # Errors
/// Why none does, a line for each that was found; nothing where none was.
pub fn in_force<'w>(
    waivers: &'w [Waiver],
    method: &str,
    risk: &str,
    date: Date,
) -> Result<(&'w Waiver, Date), Vec<String>> {
    let mut reasons = Vec::new();
    for waiver in waivers.iter().filter(|one| one.method_id == method && one.risk_id == risk) {
        match waiver.expires_on.parse::<Date>() {
            Ok(last) if last >= date => return Ok((waiver, last)),
            Ok(last) => reasons.push(format!("its waiver expired on {last}")),
            Err(error) => reasons.push(format!("its waiver has no end: {error}")),
        }
    }
    Err(reasons)
}

/// The waivers of a policy.
///
/// # Errors
/// [`AssuranceError::Policy`] naming file and place.
pub fn of_policy(policy: &PolicyStore) -> Result<Vec<Waiver>, AssuranceError> {
    Ok(policy.section_or_builtin::<List<Waiver>>(WAIVERS, None)?.rows)
}

/// The waivers of a file of the same shape.
///
/// # Errors
/// [`AssuranceError::Policy`] naming file and place: also for a waiver that ends on no day, and for one without a reason or without
/// somebody who approved it, which `validate-policy` tells of those of a policy.
pub fn of_file(path: &Path) -> Result<Vec<Waiver>, AssuranceError> {
    let (store, name) = PolicyStore::of_file(path, "--waivers")?;
    let waivers = store.section::<List<Waiver>>(&name, None)?.rows;
    for waiver in &waivers {
        if let Some((token, message, hint)) = complaint(waiver) {
            return Err(PolicyError::rule(&store, &name, token, message, hint).into());
        }
    }
    Ok(waivers)
}

/// What is wrong with a waiver by itself: where it shows, what it is, and a way out.
pub(super) fn complaint(waiver: &Waiver) -> Option<(&str, String, &'static str)> {
    if let Err(error) = waiver.expires_on.parse::<Date>() {
        return Some((&waiver.expires_on, error, "a waiver ends on a day"));
    }
    let (method, risk) = (&waiver.method_id, &waiver.risk_id);
    (waiver.why.trim().is_empty() || waiver.approved_by.trim().is_empty()).then(|| {
        let message = format!("the waiver of {method} and {risk} has no reason, or nobody who approved it");
        (method.as_str(), message, "say why, and which role takes the risk")
    })
}
