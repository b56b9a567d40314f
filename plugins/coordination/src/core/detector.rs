//! Who misbehaves: a detector that gives no more false alarms than it may.
//!
//! Each step every worker leaves residuals: what was seen of them that was not asked of them, what was asked and not seen, what was refused,
//! bids that nobody can make, messages beyond the usual. How strange a worker's residuals are is judged against those of the
//! others of their role, not against a model: a conformal p-value, the share of the others' scores that are at least as great.
//! Evidence is gathered over steps as a bet against the worker being like the others: R <- (R + 1) e(p) with e(p) = 1 / (2 sqrt p), which has
//! mean at most 1 as long as the worker is. Where R reaches c there is an alarm; the mean time until a false one is at least c steps, so c =
//! 1000 N / budget keeps N workers within the budget of false alarms per 1000 steps. Where the world is not so kind to theory, the budget
//! is a limit all the same: who is most suspect is alarmed about first, and what is beyond the budget waits.
//!
//! Source: V. Vovk, A. Gammerman, G. Shafer, *Algorithmic learning in a random world*, 2005, chapters 2 and 7; J. Shin, A. Ramdas, A. Rinaldo,
//! "E-detectors", New England Journal of Statistics in Data Science 2(2), 2024.

use std::collections::{BTreeMap, VecDeque};

/// The greatest score; what is stranger than that is as strange.
const MOST: usize = 15;
/// Scores of a worker that are remembered [steps].
const WINDOW: usize = 400;
/// Scores of others without which nobody is judged [count].
const LEAST: u32 = 40;

/// What was strange about one worker in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residuals {
    /// They were where nobody had sent them, or did what nobody had asked.
    pub strayed: bool,
    /// They were seen not to do what they were asked.
    pub disobeyed: bool,
    /// What they did was refused.
    pub refused: bool,
    /// Bids of theirs that nobody could make who stands there [count].
    pub impossible_bids: u32,
    /// Messages of theirs beyond one [count].
    pub messages: u32,
}

impl Residuals {
    /// How strange it is, 0 for nothing.
    #[must_use]
    pub fn score(&self) -> usize {
        let flags = 6 * usize::from(self.strayed) + 4 * usize::from(self.disobeyed) + usize::from(self.refused);
        // Every doubling of the messages counts as much as the last.
        let messages = (u32::BITS - self.messages.leading_zeros()) as usize;
        (flags + 8 * self.impossible_bids.min(2) as usize + messages).min(MOST)
    }
}

/// How much a detector may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// False alarms in 1000 steps, over all workers [count], at least 1.
    pub alarms_per_1000_steps: u32,
}

/// An alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alarm {
    /// In which step.
    pub step: u32,
    /// About whom, an agent of the site.
    pub agent: u16,
    /// The evidence: the bet's gain so far. An alarm is at [`Detector::threshold`].
    pub evidence: f64,
    /// What was strange about them in this step.
    pub last: Residuals,
}

/// How often each score came.
type Histogram = [u32; MOST + 1];

#[derive(Clone, Debug, Default)]
struct Suspect {
    role: u32,
    scores: VecDeque<u8>,
    histogram: Histogram,
    evidence: f64,
}

/// A detector at work in one episode.
#[derive(Clone, Debug)]
pub struct Detector {
    budget: Budget,
    threshold: f64,
    suspects: BTreeMap<u16, Suspect>,
    roles: BTreeMap<u32, Histogram>,
    all: Histogram,
    /// Steps of the alarms of the last 1000 steps.
    alarms: VecDeque<u32>,
}

impl Detector {
    /// A detector for so many workers.
    #[must_use]
    pub fn new(budget: Budget, workers: usize) -> Self {
        let budget = Budget { alarms_per_1000_steps: budget.alarms_per_1000_steps.max(1) };
        let threshold = 1000.0 * workers.max(1) as f64 / f64::from(budget.alarms_per_1000_steps);
        let (suspects, roles) = (BTreeMap::new(), BTreeMap::new());
        Self { budget, threshold, suspects, roles, all: [0; MOST + 1], alarms: VecDeque::new() }
    }

    /// The evidence at which there is an alarm.
    #[must_use]
    pub const fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Workers by their evidence, the most suspect first.
    #[must_use]
    pub fn ranked(&self) -> Vec<(u16, f64)> {
        let mut ranked: Vec<(u16, f64)> =
            self.suspects.iter().map(|(agent, suspect)| (*agent, suspect.evidence)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }

    /// Looks at what was seen in a step of workers (agent, role, residuals), and says about whom there is an alarm now, the most
    /// suspect first. Who is contained is not to be among them: they do nothing that could be judged.
    pub fn judge(&mut self, step: u32, seen: &[(u16, u32, Residuals)]) -> Vec<Alarm> {
        for (agent, role, residuals) in seen {
            let p = self.p_value(*agent, *role, residuals.score());
            let suspect = self.suspects.entry(*agent).or_default();
            suspect.evidence = (suspect.evidence + 1.0) * 0.5 / libm::sqrt(p);
        }
        // After all were judged: nobody is compared with who was seen a moment later.
        for (agent, role, residuals) in seen {
            self.remember(*agent, *role, residuals.score());
        }
        while self.alarms.front().is_some_and(|&alarm| alarm.saturating_add(1000) <= step) {
            self.alarms.pop_front();
        }
        let mut alarms: Vec<Alarm> = Vec::new();
        for (agent, evidence) in self.ranked() {
            let last = seen.iter().find(|(other, ..)| *other == agent).map(|(.., residuals)| *residuals);
            let Some(last) = last.filter(|_| evidence >= self.threshold) else { continue };
            if self.alarms.len() >= self.budget.alarms_per_1000_steps as usize {
                break;
            }
            self.alarms.push_back(step);
            if let Some(suspect) = self.suspects.get_mut(&agent) {
                suspect.evidence = 0.0;
            }
            alarms.push(Alarm { step, agent, evidence, last });
        }
        alarms
    }

    /// The share of others' scores, and this one, that are at least as great: of their role, or of all where there are few.
    fn p_value(&self, agent: u16, role: u32, score: usize) -> f64 {
        let nothing = [0; MOST + 1];
        let own = self.suspects.get(&agent);
        let count = |of: &Histogram, from: usize| of[from..].iter().sum::<u32>();
        let own_of_role = own.filter(|own| own.role == role).map_or(&nothing, |own| &own.histogram);
        let own = own.map_or(&nothing, |own| &own.histogram);
        let of_role = self.roles.get(&role).unwrap_or(&nothing);
        let others = |of: &Histogram, own: &Histogram, from| count(of, from).saturating_sub(count(own, from));
        let (pool, own) =
            if others(of_role, own_of_role, 0) >= LEAST { (of_role, own_of_role) } else { (&self.all, own) };
        let (n, as_great) = (others(pool, own, 0), others(pool, own, score));
        if n < LEAST { 1.0 } else { f64::from(as_great + 1) / f64::from(n + 1) }
    }

    fn remember(&mut self, agent: u16, role: u32, score: usize) {
        let Self { suspects, roles, all, .. } = self;
        let suspect = suspects.entry(agent).or_default();
        if suspect.role != role {
            // Somebody with another role is compared with other people.
            let forgotten = std::mem::take(&mut suspect.histogram);
            for (score, times) in forgotten.iter().enumerate() {
                all[score] -= times;
                roles.entry(suspect.role).or_default()[score] -= times;
            }
            suspect.scores.clear();
            suspect.role = role;
        }
        let of_role = roles.entry(role).or_default();
        suspect.scores.push_back(score as u8);
        for histogram in [&mut suspect.histogram, of_role, all] {
            histogram[score] += 1;
        }
        if suspect.scores.len() > WINDOW
            && let Some(oldest) = suspect.scores.pop_front()
        {
            for histogram in [&mut suspect.histogram, roles.entry(role).or_default(), all] {
                histogram[usize::from(oldest)] -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_kernel::Streams;

    const BUDGET: Budget = Budget { alarms_per_1000_steps: 5 };
    const WORKERS: u16 = 12;

    /// Alarms of 1000 steps in which everybody is refused now and then, and number 7 strays from step 300 on as often as told.
    fn alarms(seed: u64, budget: Budget, strays: f64) -> Vec<Alarm> {
        let mut draws = Streams::new(seed).stream("test", "detector");
        let mut detector = Detector::new(budget, usize::from(WORKERS));
        let mut all = Vec::new();
        for step in 0..1000 {
            let residuals = |agent: u16, draws: &mut labtrust_kernel::Stream| Residuals {
                refused: draws.bernoulli(0.05),
                disobeyed: draws.bernoulli(0.01),
                strayed: agent == 7 && step >= 300 && draws.bernoulli(strays),
                ..Residuals::default()
            };
            let seen: Vec<_> =
                (0..WORKERS).map(|agent| (agent, u32::from(agent % 2), residuals(agent, &mut draws))).collect();
            all.extend(detector.judge(step, &seen));
        }
        all
    }

    #[test]
    fn clean_runs_have_fewer_false_alarms_than_the_budget() {
        let runs = 60;
        let strict = Budget { alarms_per_1000_steps: 1 };
        for budget in [BUDGET, strict] {
            let alarms: usize = (0..runs).map(|seed| alarms(seed, budget, 0.0).len()).sum();
            let most = runs as usize * budget.alarms_per_1000_steps as usize;
            assert!(alarms * 2 < most, "{alarms} in {runs} runs, where {most} are allowed");
        }
    }

    #[test]
    fn who_strays_now_and_then_is_found_soon_and_nobody_else_is() {
        for seed in 0..20 {
            let alarms = alarms(seed, BUDGET, 0.2);
            let first = alarms.iter().find(|alarm| alarm.agent == 7);
            assert!(first.is_some_and(|alarm| (300..400).contains(&alarm.step)), "seed {seed}: {alarms:?}");
            assert!(alarms.iter().filter(|alarm| alarm.agent != 7).count() <= 2, "seed {seed}: {alarms:?}");
        }
    }

    #[test]
    fn the_budget_is_kept_even_when_everybody_goes_mad() {
        let mut detector = Detector::new(BUDGET, 12);
        let mut all = Vec::new();
        for step in 0..2000_u32 {
            let strayed = |agent: u16| step >= 200 && (step / 50 + u32::from(agent)).is_multiple_of(12);
            let residuals = |agent| Residuals { strayed: strayed(agent), ..Residuals::default() };
            let seen: Vec<_> = (0..12).map(|agent| (agent, 0, residuals(agent))).collect();
            all.extend(detector.judge(step, &seen));
        }
        for alarm in &all {
            let within = all.iter().filter(|other| (alarm.step..alarm.step + 1000).contains(&other.step)).count();
            assert!(within <= 5, "{within} alarms within 1000 steps");
        }
        assert!(all.len() > 5, "it is not silent either: {}", all.len());
    }

    #[test]
    fn an_impossible_bid_is_stranger_than_a_refusal_and_a_flood_than_a_few_words() {
        let score = |residuals: Residuals| residuals.score();
        let bid = score(Residuals { impossible_bids: 1, ..Residuals::default() });
        assert!(bid > score(Residuals { refused: true, disobeyed: true, ..Residuals::default() }));
        let words = |messages| score(Residuals { messages, ..Residuals::default() });
        assert!(words(0) < words(3) && words(3) < words(1000));
        assert_eq!(score(Residuals { impossible_bids: 9, messages: u32::MAX, ..Residuals::default() }), MOST);
    }
}
