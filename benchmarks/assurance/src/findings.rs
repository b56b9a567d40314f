//! Everything that is wrong with a policy: its shape, its sense, whether a domain can load it, and what is said of risks.

use crate::AssuranceError;
use crate::register::Register;
use crate::register::crossref::contradictions;
use labtrust_plugin::lab::{ActionKind, LabDomain};
use labtrust_policy::{Finding, PolicyError, PolicyStore, validate};

/// Everything that is wrong with a policy under a partner's overlay, in the order of files and lines.
///
/// # Errors
/// [`AssuranceError::Policy`] for an overlay that there is not.
pub fn findings(
    policy: PolicyStore,
    partner: Option<&str>,
    domain: &str,
    laboratory: &dyn LabDomain,
) -> Result<Vec<Finding>, AssuranceError> {
    let (policy, overlay) = overlaid(policy, partner, domain);
    let loading = overlay.or_else(|| laboratory.load(&policy).err());
    if let Some(error @ PolicyError::UnknownOverlay { .. }) = loading {
        return Err(error.into());
    }
    let mut findings = validate(&policy, &actions(), loading.as_ref());
    // What is said of risks is judged only where it can be read; where it cannot, that is a finding already.
    let contradictions = match Register::load(&policy) {
        Ok(register) => contradictions(&policy, &register),
        Err(AssuranceError::Policy(error)) => vec![error],
        Err(other) => return Err(other),
    };
    for finding in contradictions.iter().map(Finding::from_error) {
        let is_told = |one: &Finding| (&one.file, one.line) == (&finding.file, finding.line);
        if finding.line == 0 || !findings.iter().any(is_told) {
            findings.push(finding);
        }
    }
    findings.sort_by(|a, b| (&a.file, a.line, a.column, &a.message).cmp(&(&b.file, b.line, b.column, &b.message)));
    Ok(findings)
}

/// The actions that a role may be given; what the laboratory does by itself is nobody's.
#[must_use]
pub fn actions() -> Vec<&'static str> {
    use ActionKind as K;
    let by_itself =
        |kind: &&K| matches!(kind, K::ReceiveBatch | K::Alarm | K::DeviceFault | K::DeviceRepaired | K::AblateControls);
    K::ALL.iter().filter(|kind| !by_itself(kind)).map(|kind| kind.name()).collect()
}

/// The policy with its overlays on; with an overlay that cannot be put on, the policy below it and the complaint.
fn overlaid(policy: PolicyStore, partner: Option<&str>, domain: &str) -> (PolicyStore, Option<PolicyError>) {
    let mut policy = policy;
    // A domain needs no overlay, and a profile may have put it on already.
    if policy.domain().is_none() && policy.domains().iter().any(|known| known == domain) {
        match policy.with_domain(domain) {
            Ok(with) => policy = with,
            Err(error) => return (policy, Some(error)),
        }
    }
    match partner.filter(|_| policy.partner().is_none()) {
        None => (policy, None),
        Some(partner) => match policy.with_partner(partner) {
            Ok(with) => (with, None),
            Err(error) => (policy, Some(error)),
        },
    }
}
