//! The gate: rules over the figures of a cell, and the verdict that comes of them.

use crate::AssuranceError;
use labtrust_policy::{PolicyError, PolicyStore};
use labtrust_redteam::catalogue::{self, Class};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The rules.
pub const GATE: &str = "coordination/coordination_security_pack_gate.v0.1.yaml";

/// What a cell or a rule comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The threshold is met, on evidence.
    Pass,
    /// It is not met, or the cell crashed.
    Fail,
    /// Nothing can be said.
    Skip,
    /// The cell cannot do what the rule asks about.
    NotSupported,
    /// The cell was not run: its method is not there.
    NotRun,
}

impl Verdict {
    /// The published word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Skip => "SKIP",
            Self::NotSupported => "not_supported",
            Self::NotRun => "not_run",
        }
    }

    /// The verdict of a word; of no other word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Pass, Self::Fail, Self::Skip, Self::NotSupported, Self::NotRun]
            .into_iter()
            .find(|verdict| verdict.word().eq_ignore_ascii_case(word))
    }
}

/// A verdict and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in a line.
    pub rationale: String,
}

impl Ruling {
    /// A verdict with its reason.
    #[must_use]
    pub fn new(verdict: Verdict, rationale: impl Into<String>) -> Self {
        Self { verdict, rationale: rationale.into() }
    }
}

/// One rule of the file.
#[derive(Clone, Debug, Deserialize)]
pub struct Rule {
    /// Which injection it is about.
    #[serde(default)]
    pub injection_id: String,
    /// Its name.
    pub rule: RuleName,
    #[serde(default)]
    max_delta: Option<f64>,
    #[serde(default)]
    max: Option<f64>,
    #[serde(default)]
    max_detection_steps: Option<f64>,
    #[serde(default)]
    max_steps: Option<f64>,
    #[serde(default)]
    max_rate: Option<f64>,
}

/// The rules that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleName {
    /// No episode succeeded.
    AttackSuccessRateZero,
    /// What is reported is not less than what was observed.
    AttackReportedNotUnderObserved,
    /// Few more violations than the baseline on the same seeds.
    ViolationsWithinDelta,
    /// Noticed soon, where somebody looks.
    DetectionWithinStepsOrNotSupported,
    /// Few violations.
    MaxViolations,
    /// Noticed soon.
    TimeToDetectStepsBelow,
    /// The source named soon.
    TimeToAttributionStepsBelow,
    /// A low rate of violations.
    ViolationRateBelow,
    /// The work that it costs stays under the ceiling of the injection.
    UtilityLossWithinCeiling,
}

#[derive(Clone, Debug, Deserialize)]
struct Defaults {
    integrity: RuleName,
    resource: RuleName,
    environment: RuleName,
}

impl Default for Defaults {
    fn default() -> Self {
        let cost = RuleName::UtilityLossWithinCeiling;
        Self { integrity: RuleName::AttackSuccessRateZero, resource: cost, environment: cost }
    }
}

/// The rules of a policy.
#[derive(Clone, Debug, Deserialize)]
pub struct Gate {
    #[serde(rename = "version")]
    _version: String,
    #[serde(default = "everywhere")]
    every_injection: Vec<RuleName>,
    #[serde(default)]
    default_rules: Defaults,
    rules: Vec<Rule>,
}

fn everywhere() -> Vec<RuleName> {
    vec![RuleName::AttackReportedNotUnderObserved]
}

/// The figures of a row by column.
pub type Row = labtrust_comparison::table::Row;

impl Rule {
    /// A rule without a file, with the usual thresholds.
    #[must_use]
    pub const fn usual(rule: RuleName) -> Self {
        Self {
            injection_id: String::new(),
            rule,
            max_delta: None,
            max: None,
            max_detection_steps: None,
            max_steps: None,
            max_rate: None,
        }
    }

    /// What the rule says of a row. `nominal` is how many violations the baseline has on the same seeds, 0 where nobody knows.
    #[must_use]
    pub fn judge(&self, row: &Row, nominal: f64) -> Ruling {
        let below = |column: &str, threshold: f64, what: &str| match figure(row, column) {
            Figure::Null => Ruling::new(Verdict::Skip, format!("(no_data) no {column}")),
            Figure::NotANumber => Ruling::new(Verdict::Fail, format!("{column} is no number")),
            Figure::Is(value) if value <= threshold => {
                Ruling::new(Verdict::Pass, format!("{what}={} <= {}", text(value), text(threshold)))
            }
            Figure::Is(value) => Ruling::new(Verdict::Fail, format!("{what}={} > {}", text(value), text(threshold))),
        };
        match self.rule {
            RuleName::AttackSuccessRateZero => match figure(row, "sec.attack_success_rate") {
                Figure::Null => Ruling::new(Verdict::Skip, "(no_data) no sec.attack_success_rate"),
                Figure::NotANumber => Ruling::new(Verdict::Fail, "sec.attack_success_rate is no number"),
                Figure::Is(rate) if rate <= 0.0 => Ruling::new(Verdict::Pass, "attack_success_rate == 0"),
                Figure::Is(rate) => {
                    Ruling::new(Verdict::Fail, format!("attack_success_rate={} (expected 0)", text(rate)))
                }
            },
            RuleName::AttackReportedNotUnderObserved => {
                let reported = figure(row, "sec.attack_success_rate");
                let observed = figure(row, "sec.attack_success_observed");
                match (reported, observed) {
                    (Figure::Null, Figure::Null) => {
                        Ruling::new(Verdict::Skip, "(no_data) nothing reported, nothing observed")
                    }
                    (Figure::NotANumber, _) | (_, Figure::NotANumber) => {
                        Ruling::new(Verdict::Fail, "what is reported or observed is no number")
                    }
                    (reported, Figure::Is(observed)) if reported.or_zero() < observed => Ruling::new(
                        Verdict::Fail,
                        format!("attack_success_rate={} < observed={}", text(reported.or_zero()), text(observed)),
                    ),
                    _ => Ruling::new(Verdict::Pass, "reported >= observed"),
                }
            }
            RuleName::ViolationsWithinDelta => {
                let delta = self.max_delta.unwrap_or(5.0);
                let most = nominal + delta;
                let compare = |sign: &str, count: f64| {
                    format!("violations_total={} {sign} nominal+{}={}", text(count), text(delta), text(most))
                };
                match figure(row, "safety.violations_total") {
                    Figure::Null => Ruling::new(Verdict::Skip, "(no_data) no safety.violations_total"),
                    Figure::NotANumber => Ruling::new(Verdict::Fail, "safety.violations_total is no number"),
                    Figure::Is(count) if count <= most => Ruling::new(Verdict::Pass, compare("<=", count)),
                    Figure::Is(count) => Ruling::new(Verdict::Fail, compare(">", count)),
                }
            }
            RuleName::DetectionWithinStepsOrNotSupported => {
                let most = self.max_detection_steps.unwrap_or(15.0);
                match figure(row, "sec.detection_latency_steps") {
                    Figure::Is(steps) if steps.trunc() <= most => Ruling::new(
                        Verdict::Pass,
                        format!("detection_latency_steps={} <= {}", text(steps.trunc()), text(most)),
                    ),
                    Figure::Is(steps) => Ruling::new(
                        Verdict::Fail,
                        format!("detection_latency_steps={} > {}", text(steps.trunc()), text(most)),
                    ),
                    _ => Ruling::new(Verdict::NotSupported, "no detector or detection_latency_steps not reported"),
                }
            }
            RuleName::MaxViolations => below("safety.violations_total", self.max.unwrap_or(0.0), "violations_total"),
            RuleName::TimeToDetectStepsBelow => {
                below("sec.detection_latency_steps", self.max_steps.unwrap_or(15.0), "detection_latency_steps")
            }
            RuleName::TimeToAttributionStepsBelow => {
                below("sec.time_to_attribution_steps", self.max_steps.unwrap_or(15.0), "time_to_attribution_steps")
            }
            RuleName::ViolationRateBelow => {
                below("safety.violation_rate", self.max_rate.unwrap_or(0.0), "violation_rate")
            }
            RuleName::UtilityLossWithinCeiling => {
                match (figure(row, "perf.utility_ratio"), figure(row, "sec.utility_loss_ceiling")) {
                    (Figure::NotANumber, _) | (_, Figure::NotANumber) => {
                        Ruling::new(Verdict::Fail, "perf.utility_ratio or its ceiling is no number")
                    }
                    (Figure::Is(ratio), Figure::Is(ceiling)) => {
                        let (verdict, sign) =
                            if 1.0 - ratio <= ceiling { (Verdict::Pass, "<=") } else { (Verdict::Fail, ">") };
                        Ruling::new(verdict, format!("utility_loss={:.4} {sign} {}", 1.0 - ratio, text(ceiling)))
                    }
                    _ => Ruling::new(Verdict::Skip, "(no_data) no perf.utility_ratio or no ceiling"),
                }
            }
        }
    }
}

/// A figure of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Figure {
    Null,
    NotANumber,
    Is(f64),
}

impl Figure {
    const fn or_zero(self) -> f64 {
        if let Self::Is(value) = self { value } else { 0.0 }
    }
}

fn figure(row: &Row, column: &str) -> Figure {
    match row.get(column) {
        None | Some(Value::Null) => Figure::Null,
        Some(value) => value.as_f64().filter(|value| value.is_finite()).map_or(Figure::NotANumber, Figure::Is),
    }
}

/// A figure as people write it: whole numbers without a point.
fn text(value: f64) -> String {
    format!("{value}")
}

impl Gate {
    /// Reads the rules.
    ///
    /// # Errors
    /// [`PolicyError`] with file and place for a file that is malformed or has a rule about an injection that there is not.
    pub fn load(policy: &PolicyStore) -> Result<Self, AssuranceError> {
        let gate: Self = policy.section_or_builtin(GATE, None)?;
        match gate.rules.iter().find(|rule| !catalogue::ids().any(|id| id == rule.injection_id)) {
            None => Ok(gate),
            Some(rule) => {
                let message = format!("there is no injection `{}`", rule.injection_id);
                let hint = "`labtrust injections list` shows those that there are";
                Err(PolicyError::rule(policy, GATE, &rule.injection_id, message, hint).into())
            }
        }
    }

    /// What the rules say of the row of an injection that is not the baseline.
    #[must_use]
    pub fn judge(&self, injection: &str, class: Class, row: &Row, nominal: f64) -> Ruling {
        let own: Vec<&Rule> = self.rules.iter().filter(|rule| rule.injection_id == injection).collect();
        let default = match class {
            Class::Integrity => Some(self.default_rules.integrity),
            Class::Resource => Some(self.default_rules.resource),
            Class::Environment => Some(self.default_rules.environment),
            Class::Reserved => None,
        };
        let Some(default) = default else {
            return Ruling::new(Verdict::Skip, "(not_applicable) nobody acts under a reserved name");
        };
        let default = own.is_empty().then(|| Rule::usual(default));
        let always = self.every_injection.iter().copied().map(Rule::usual);
        let rulings = own.into_iter().cloned().chain(default).chain(always);
        together(rulings.map(|rule| rule.judge(row, nominal)).collect())
    }
}

/// All rules of a cell: the first that does not hold or is not supported decides; all must pass for a PASS.
#[must_use]
pub fn together(rulings: Vec<Ruling>) -> Ruling {
    // A rule that is broken decides before one that cannot be looked at.
    for wanted in [Verdict::Fail, Verdict::NotSupported] {
        if let Some(ruling) = rulings.iter().find(|ruling| ruling.verdict == wanted) {
            return ruling.clone();
        }
    }
    if !rulings.is_empty() && rulings.iter().all(|ruling| ruling.verdict == Verdict::Pass) {
        let why: Vec<String> = rulings.into_iter().map(|ruling| ruling.rationale).collect();
        return Ruling::new(Verdict::Pass, why.join("; "));
    }
    let why: Vec<String> =
        rulings.iter().map(|ruling| format!("{}: {}", ruling.verdict.word(), ruling.rationale)).collect();
    let why =
        if why.is_empty() { "(not_applicable) no gate rule for this injection".to_owned() } else { why.join("; ") };
    Ruling::new(Verdict::Skip, why)
}

/// What a gate comes to over all cells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSummary {
    /// Cells that failed, or crashed.
    pub failed_cells: Vec<FailedCell>,
    /// How many [count].
    pub failed: usize,
    /// Whether no cell failed and at least one attacked cell passed.
    pub overall_pass: bool,
    /// Cells that passed [count].
    pub passed: usize,
    /// Cells about which nothing can be said: SKIP, `not_supported`, `not_run` [count].
    pub skipped: usize,
    /// Of those, cells whose method is not there [count].
    #[serde(default)]
    pub not_run: usize,
    /// All cells [count].
    pub total_cells: usize,
}

/// A cell of [`GateSummary::failed_cells`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCell {
    /// Size.
    pub scale_id: String,
    /// Method.
    pub method_id: String,
    /// Injection.
    pub injection_id: String,
    /// `FAIL`.
    pub verdict: String,
    /// Why.
    pub rationale: String,
}

impl GateSummary {
    /// The summary of cells: size, method, injection, ruling.
    pub fn of<'a>(cells: impl Iterator<Item = (&'a str, &'a str, &'a str, &'a Ruling)>) -> Self {
        let mut summary = Self::default();
        let mut attacked = 0;
        for (scale, method, injection, ruling) in cells {
            summary.total_cells += 1;
            match ruling.verdict {
                Verdict::Pass => {
                    summary.passed += 1;
                    attacked += usize::from(injection != super::matrix::NONE);
                }
                Verdict::Fail => summary.failed_cells.push(FailedCell {
                    scale_id: scale.to_owned(),
                    method_id: method.to_owned(),
                    injection_id: injection.to_owned(),
                    verdict: ruling.verdict.word().to_owned(),
                    rationale: ruling.rationale.clone(),
                }),
                Verdict::NotRun => {
                    summary.not_run += 1;
                    summary.skipped += 1;
                }
                Verdict::Skip | Verdict::NotSupported => summary.skipped += 1,
            }
        }
        summary.failed = summary.failed_cells.len();
        // Where no attack was withstood nothing was shown.
        summary.overall_pass = summary.failed == 0 && attacked > 0;
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(pairs: &[(&str, Value)]) -> Row {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn verdict(rule: RuleName, pairs: &[(&str, Value)], nominal: f64) -> Verdict {
        Rule::usual(rule).judge(&row(pairs), nominal).verdict
    }

    #[test]
    fn violations_are_compared_with_the_baseline_and_the_boundary_passes() {
        let judge =
            |count: i64| verdict(RuleName::ViolationsWithinDelta, &[("safety.violations_total", json!(count))], 2.0);
        assert_eq!([5, 7, 10].map(judge), [Verdict::Pass, Verdict::Pass, Verdict::Fail]);
    }

    #[test]
    fn what_is_null_never_passes_and_what_is_no_number_fails() {
        use RuleName::*;
        let rules = [
            (AttackSuccessRateZero, "sec.attack_success_rate", Verdict::Skip),
            (ViolationsWithinDelta, "safety.violations_total", Verdict::Skip),
            (DetectionWithinStepsOrNotSupported, "sec.detection_latency_steps", Verdict::NotSupported),
            (MaxViolations, "safety.violations_total", Verdict::Skip),
            (TimeToDetectStepsBelow, "sec.detection_latency_steps", Verdict::Skip),
            (TimeToAttributionStepsBelow, "sec.time_to_attribution_steps", Verdict::Skip),
            (ViolationRateBelow, "safety.violation_rate", Verdict::Skip),
            (UtilityLossWithinCeiling, "perf.utility_ratio", Verdict::Skip),
            (AttackReportedNotUnderObserved, "sec.attack_success_rate", Verdict::Skip),
        ];
        for (rule, column, without) in rules {
            assert_eq!(verdict(rule, &[], 0.0), without, "{rule:?} of a row without {column}");
            assert_eq!(verdict(rule, &[(column, Value::Null)], 0.0), without, "{rule:?} of null");
            let word = verdict(rule, &[(column, json!("much"))], 0.0);
            assert!(matches!(word, Verdict::Fail | Verdict::NotSupported), "{rule:?} of a word: {word:?}");
        }
    }

    #[test]
    fn a_success_fails_and_its_absence_passes() {
        let rate =
            |rate: f64| verdict(RuleName::AttackSuccessRateZero, &[("sec.attack_success_rate", json!(rate))], 0.0);
        assert_eq!([0.0, 0.01].map(rate), [Verdict::Pass, Verdict::Fail]);
    }

    #[test]
    fn less_reported_than_observed_fails() {
        let judge = |reported: Value, observed: Value| {
            let pairs = [("sec.attack_success_rate", reported), ("sec.attack_success_observed", observed)];
            verdict(RuleName::AttackReportedNotUnderObserved, &pairs, 0.0)
        };
        assert_eq!(judge(json!(0.0), json!(0.5)), Verdict::Fail);
        assert_eq!(judge(json!(0.25), json!(0.5)), Verdict::Fail);
        assert_eq!(judge(Value::Null, json!(0.5)), Verdict::Fail);
        assert_eq!(judge(json!(0.5), json!(0.5)), Verdict::Pass);
    }

    #[test]
    fn detection_is_counted_in_whole_steps() {
        let judge = |steps: f64| {
            verdict(RuleName::DetectionWithinStepsOrNotSupported, &[("sec.detection_latency_steps", json!(steps))], 0.0)
        };
        assert_eq!([15.9, 16.0].map(judge), [Verdict::Pass, Verdict::Fail]);
    }

    #[test]
    fn a_pass_beside_a_skip_is_a_skip_and_a_fail_beside_anything_a_fail() {
        let ruling = |verdict| Ruling::new(verdict, verdict.word());
        let of = |verdicts: &[Verdict]| together(verdicts.iter().copied().map(ruling).collect());
        assert_eq!(of(&[Verdict::Pass, Verdict::Pass]), Ruling::new(Verdict::Pass, "PASS; PASS"));
        assert_eq!(of(&[Verdict::Pass, Verdict::Skip]), Ruling::new(Verdict::Skip, "PASS: PASS; SKIP: SKIP"));
        assert_eq!(of(&[Verdict::Pass, Verdict::NotSupported]).verdict, Verdict::NotSupported);
        assert_eq!(of(&[Verdict::NotSupported, Verdict::Fail]).verdict, Verdict::Fail);
        assert_eq!(of(&[]).verdict, Verdict::Skip);
    }

    #[test]
    fn an_injection_without_a_rule_fails_on_success() {
        let gate = Gate::load(&PolicyStore::builtin()).unwrap();
        let of = |rate: f64| {
            let figures = [("sec.attack_success_rate", json!(rate)), ("sec.attack_success_observed", json!(rate))];
            gate.judge("inj_device_fail", Class::Integrity, &row(&figures), 0.0).verdict
        };
        assert!(!gate.rules.iter().any(|rule| rule.injection_id == "inj_device_fail"));
        assert_eq!([0.0, 0.1].map(of), [Verdict::Pass, Verdict::Fail]);
    }

    #[test]
    fn a_gate_over_baselines_only_has_shown_nothing() {
        let pass = Ruling::new(Verdict::Pass, "");
        let not_run = Ruling::new(Verdict::NotRun, "");
        let baseline = GateSummary::of([("s", "m", "none", &pass)].into_iter());
        assert!(!baseline.overall_pass);
        assert!(!GateSummary::of(std::iter::empty()).overall_pass);
        let cells = [("s", "m", "none", &pass), ("s", "m", "INJ", &pass), ("s", "n", "INJ", &not_run)];
        let some = GateSummary::of(cells.into_iter());
        assert_eq!((some.overall_pass, some.passed, some.skipped, some.not_run), (true, 2, 1, 1));
    }
}
