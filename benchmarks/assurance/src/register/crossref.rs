//! Where the files about risks contradict each other, or name what there is not.

use super::policy::{
    CLAIMS, COVERAGE, MAPPINGS, MATRIX, MatrixCell, PLAN, RISKS, Register, SECURITY_MAP, SUITE, SourceKind, WAIVERS,
    parts, risks_of,
};
use super::waivers::complaint;
use labtrust_policy::{PolicyError, PolicyStore};
use std::collections::{BTreeMap, BTreeSet};

/// Controls of claims that are no controls of the suite.
pub const CONTROLS_OF_CLAIMS: [&str; 9] = [
    "Runner output schema enforcement",
    "Golden runner validates contract",
    "Single RNG wrapper seeded per episode",
    "No ambient randomness in step",
    "Coordination security pack (scale x method x injection matrix)",
    "validate-policy before release",
    "failure_models.v0.1 maintenance_schedule",
    "reagent_policy.v0.1 panel_requirements",
    "package-release paper_v0.1 pipeline",
];

/// A list of complaints in the making.
struct Check<'a> {
    policy: &'a PolicyStore,
    register: &'a Register,
    found: Vec<PolicyError>,
}

/// Everything that is wrong, each with its place and a way out.
#[must_use]
pub fn contradictions(policy: &PolicyStore, register: &Register) -> Vec<PolicyError> {
    let mut check = Check { policy, register, found: Vec::new() };
    check.risks();
    check.coverage();
    check.security_map();
    check.mappings();
    check.matrix();
    check.plan();
    check.waivers();
    check.claims();
    check.found
}

impl Check<'_> {
    fn wrong(&mut self, file: &str, token: &str, message: String, hint: &str) {
        self.found.push(PolicyError::rule(self.policy, file, token, message, hint));
    }

    fn risks(&mut self) {
        let register = self.register;
        let mut seen = BTreeSet::new();
        for risk in &register.risks {
            let id = &risk.risk_id;
            if !seen.insert(id) {
                self.wrong(RISKS, id, format!("the risk `{id}` stands there twice"), "remove or rename one of the two");
            }
            for injection in &risk.suggested_injections {
                if parts(injection).is_empty() {
                    self.wrong(RISKS, injection, no_actor(injection), "put it under `proposed_injections`");
                }
            }
        }
        for attack in register.attacks() {
            if !register.has_risk(&attack.risk_id) {
                let message =
                    format!("{} is about `{}`, which is no risk of the registry", attack.attack_id, attack.risk_id);
                self.wrong(SUITE, &attack.risk_id, message, "name a risk of risks/risk_registry.v0.1.yaml");
            }
        }
    }

    /// Every risk stands in the list of `file` once, and nothing else does.
    fn each_once<'r>(&mut self, file: &str, ids: impl Iterator<Item = &'r str>) {
        let mut seen = BTreeMap::<&str, usize>::new();
        for id in ids {
            *seen.entry(id).or_default() += 1;
        }
        for (id, count) in &seen {
            if !self.register.has_risk(id) {
                self.wrong(file, id, format!("`{id}` is no risk of the registry"), "take it out, or add the risk");
            } else if *count > 1 {
                self.wrong(file, id, format!("the risk `{id}` stands there {count} times"), "make one entry of them");
            }
        }
        for risk in &self.register.risks {
            if !seen.contains_key(risk.risk_id.as_str()) {
                let message = format!("nothing is said of the risk `{}`", risk.risk_id);
                self.wrong(file, &risk.risk_id, message, "name what exercises it, or say why nothing can");
            }
        }
    }

    /// What exercises a risk exists, acts, and is about the risk by its own account.
    fn exercises(&mut self, file: &str, risk: &str, injections: &[&str], attacks: &[&str]) {
        for injection in injections {
            if parts(injection).is_empty() {
                self.wrong(file, injection, no_actor(injection), "`labtrust injections list` shows those that act");
            } else if !risks_of(injection).contains(risk) {
                let about: Vec<&str> = risks_of(injection).into_iter().collect();
                let message = format!("`{injection}` is about {} and not about `{risk}`", about.join(", "));
                self.wrong(file, injection, message, "name an injection that is");
            }
        }
        // Without a suite there is nothing that attacks could be compared with.
        let Some(suite) = &self.register.suite else { return };
        for attack in attacks {
            match suite.attacks.iter().find(|one| one.attack_id == *attack) {
                None => {
                    self.wrong(file, attack, format!("the suite has no attack `{attack}`"), "name one of the suite")
                }
                Some(one) if one.risk_id != risk => {
                    let message = format!("`{attack}` is about {} and not about `{risk}`", one.risk_id);
                    self.wrong(file, attack, message, "name an attack that is");
                }
                Some(_) => {}
            }
        }
    }

    fn coverage(&mut self) {
        let register = self.register;
        self.each_once(COVERAGE, register.coverage.iter().map(|row| row.risk_id.as_str()));
        for row in &register.coverage {
            let id = &row.risk_id;
            self.exercises(COVERAGE, id, &texts(&row.injection_ids), &texts(&row.attack_ids));
            let exercised = !row.injection_ids.is_empty() || !row.attack_ids.is_empty();
            let excused = row.not_applicable_justification.as_deref().is_some_and(|text| !text.trim().is_empty());
            if exercised == excused {
                let message = if exercised {
                    format!("`{id}` is exercised and said to be not applicable")
                } else {
                    format!("`{id}` is neither exercised nor said to be not applicable")
                };
                self.wrong(COVERAGE, id, message, "decide for one of the two");
            }
        }
    }

    fn security_map(&mut self) {
        let register = self.register;
        self.each_once(SECURITY_MAP, register.security_map.iter().map(|entry| entry.risk_id.as_str()));
        for entry in &register.security_map {
            let id = &entry.risk_id;
            let of = |kind: &str| -> Vec<&str> {
                entry.covered_by.iter().filter(|by| by.kind == kind).map(|by| by.id.as_str()).collect()
            };
            self.exercises(SECURITY_MAP, id, &of("injection"), &of("attack_suite"));
            for by in entry.covered_by.iter().filter(|by| by.kind != "injection" && by.kind != "attack_suite") {
                let message = format!("`{}` is no kind of what covers a risk", by.kind);
                self.wrong(SECURITY_MAP, &by.kind, message, "write `injection` or `attack_suite`");
            }
            let covered = !entry.covered_by.is_empty();
            if covered == entry.non_applicable || (entry.non_applicable && entry.notes.trim().is_empty()) {
                let message = format!("`{id}` is not either covered, or not applicable with a reason");
                self.wrong(SECURITY_MAP, id, message, "name what covers it, or say why nothing can");
            }
            let other = register.coverage.iter().find(|row| row.risk_id == *id);
            if other.is_some_and(|row| row.not_applicable_justification.is_some() == covered) {
                let message =
                    format!("`{id}` is covered here and not applicable in {COVERAGE}, or the other way round");
                self.wrong(SECURITY_MAP, id, message, "let both say the same");
            }
        }
    }

    fn mappings(&mut self) {
        let register = self.register;
        for mapping in &register.mappings {
            let id = &mapping.risk_id;
            if !register.has_risk(id) {
                self.wrong(MAPPINGS, id, format!("`{id}` is no risk of the registry"), "take it out, or add the risk");
            }
            self.exercises(MAPPINGS, id, &texts(&mapping.injection_ids), &[]);
        }
    }

    fn matrix(&mut self) {
        let register = self.register;
        let mut seen: BTreeMap<(&str, &str), &MatrixCell> = BTreeMap::new();
        for cell in &register.matrix {
            if !register.has_risk(&cell.risk_id) {
                let message = format!("`{}` is no risk of the registry", cell.risk_id);
                self.wrong(MATRIX, &cell.risk_id, message, "take the cell out, or add the risk");
            }
            let before = seen.insert((&cell.method_id, &cell.risk_id), cell);
            let differs =
                |one: &&MatrixCell| one.coverage != cell.coverage || one.required_bench != cell.required_bench;
            if before.as_ref().is_some_and(differs) {
                let message = format!("two cells of {} and {} contradict each other", cell.method_id, cell.risk_id);
                self.wrong(MATRIX, &cell.method_id, message, "let both say the same");
            }
        }
    }

    fn plan(&mut self) {
        let register = self.register;
        let required = register.required();
        for (method, risk) in &required {
            if !register.plan.cells.iter().any(|row| row.method_id == *method && row.risk_id == *risk) {
                let message = format!("{method} needs evidence for {risk}, and no row says how to get it");
                self.wrong(PLAN, method, message, "add a row");
            }
        }
        for row in &register.plan.cells {
            let (method, risk) = (&row.method_id, &row.risk_id);
            if !required.contains(&(method.as_str(), risk.as_str())) {
                let message = format!("{method} needs no evidence for {risk}");
                self.wrong(PLAN, method, message, "take the row out, or set `required_bench` in the matrix");
            }
            match (row.evidence.kind, &row.evidence.injection_id, &row.evidence.attack_id) {
                (SourceKind::CoordRisk, Some(injection), None) => {
                    self.exercises(PLAN, risk, &[injection], &[]);
                    let runs = |cmd: &Option<String>| {
                        let named = |option: &str, value: &str| {
                            let words: Vec<&str> = cmd.as_deref().unwrap_or_default().split_whitespace().collect();
                            words.windows(2).any(|pair| pair == [option, value])
                        };
                        named("--coord-method", method) && named("--injection", injection)
                    };
                    if !runs(&row.evidence.cmd) || !runs(&row.evidence.cmd_without) {
                        let message =
                            format!("the commands of {method} and {risk} do not run {method} under {injection}");
                        self.wrong(PLAN, method, message, "name both in `cmd` and `cmd_without`");
                    }
                }
                (SourceKind::SecuritySuite, None, Some(attack)) => self.exercises(PLAN, risk, &[], &[attack]),
                _ => {
                    let message = format!("the row of {method} and {risk} does not name what it says it runs");
                    self.wrong(
                        PLAN,
                        method,
                        message,
                        "`coord_risk` has an `injection_id`, `security_suite` an `attack_id`",
                    );
                }
            }
        }
    }

    fn waivers(&mut self) {
        let register = self.register;
        let required = register.required();
        for waiver in &register.waivers {
            let (method, risk) = (&waiver.method_id, &waiver.risk_id);
            if !required.contains(&(method.as_str(), risk.as_str())) {
                let message = format!("{method} needs no evidence for {risk}, so nothing is to be waived");
                self.wrong(WAIVERS, method, message, "take the waiver out");
            }
            if let Some((token, message, hint)) = complaint(waiver) {
                self.wrong(WAIVERS, token, message, hint);
            }
        }
    }

    fn claims(&mut self) {
        let register = self.register;
        let Some(suite) = &register.suite else { return };
        let mut seen = BTreeSet::new();
        for claim in &register.claims {
            if !seen.insert(&claim.claim_id) {
                let message = format!("the claim `{}` stands there twice", claim.claim_id);
                self.wrong(CLAIMS, &claim.claim_id, message, "remove or rename one of the two");
            }
            for control in &claim.controls {
                let of_suite = suite.controls.iter().any(|one| one.control_id == *control || one.name == *control);
                if !of_suite && !CONTROLS_OF_CLAIMS.contains(&control.as_str()) {
                    let message = format!("`{control}` is no control of the suite, and no other that is known");
                    self.wrong(CLAIMS, control, message, "name a control of the suite");
                }
            }
        }
    }
}

fn no_actor(injection: &str) -> String {
    format!("there is no injection `{injection}` that does anything")
}

fn texts(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}
