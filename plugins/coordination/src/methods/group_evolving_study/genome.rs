//! Habits as numbers: what counts how much when somebody looks for work.

use labtrust_kernel::Stream;
use serde::{Deserialize, Serialize};

/// Genes of a genome [count].
const GENES: usize = 8;
/// The greatest gene; the least is its opposite.
const MOST: i32 = 100;
/// Every gene's name, in the order in which they are written.
pub const NAMES: [&str; GENES] = ["travel", "waiting", "age", "priority", "nearness", "reach", "horizon", "fairness"];

/// One way to choose work. Genes are from -100 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Genome([i32; GENES]);

/// A text that is no genome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no genome: {GENES} whole numbers from -{MOST} to {MOST}, with a space between")]
pub struct NotAGenome {
    text: String,
}

impl std::fmt::Display for Genome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let genes: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&genes.join(" "))
    }
}

impl std::str::FromStr for Genome {
    type Err = NotAGenome;

    fn from_str(text: &str) -> Result<Self, NotAGenome> {
        let wrong = || NotAGenome { text: text.to_owned() };
        let genes: Option<Vec<i32>> = text.split_whitespace().map(|gene| gene.parse().ok()).collect();
        let genes: [i32; GENES] = genes.and_then(|genes| genes.try_into().ok()).ok_or_else(wrong)?;
        Self(genes).is_possible().then_some(Self(genes)).ok_or_else(wrong)
    }
}

impl Genome {
    /// Whether all genes are in their range: what was read may say anything.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.0.iter().all(|gene| (-MOST..=MOST).contains(gene))
    }

    /// Any genome, each as likely as any other.
    #[must_use]
    pub fn random(draws: &mut Stream) -> Self {
        Self(std::array::from_fn(|_| draws.between(i64::from(-MOST), i64::from(MOST)) as i32))
    }

    /// A child of two: each gene of either, and a few of them moved.
    #[must_use]
    pub fn child(mother: &Self, father: &Self, draws: &mut Stream) -> Self {
        let gene = |number: usize| {
            let inherited = if draws.bernoulli(0.5) { mother.0[number] } else { father.0[number] };
            let moved = if draws.bernoulli(0.4) { libm::round(draws.normal(0.0, 20.0)) as i32 } else { 0 };
            (inherited + moved).clamp(-MOST, MOST)
        };
        Self(std::array::from_fn(gene))
    }

    /// What a job scores, given how long the walk is, how long it waits for this act, how old and how urgent its specimen is, and how far
    /// it is from its release [s, s, s, s of head start, rank].
    #[must_use]
    pub fn score(&self, travel_s: i64, waiting_s: i64, age_s: i64, head_start_s: i64, rank: u8) -> i64 {
        let [travel, waiting, age, priority, nearness, ..] = self.0.map(i64::from);
        // A rank is worth a minute.
        -travel * travel_s + (waiting * waiting_s + age * age_s + priority * head_start_s) / 4
            - nearness * 60 * i64::from(rank)
    }

    /// How far somebody walks for work at most [s].
    #[must_use]
    pub fn reach_s(&self) -> i64 {
        20 * i64::from(self.0[5] + MOST)
    }

    /// How long before it is ready somebody goes to work [s].
    #[must_use]
    pub fn horizon_s(&self) -> i64 {
        3 * i64::from(self.0[6].max(0))
    }

    /// How much later who has done more than others chooses: in jobs, for each ability that they have more.
    #[must_use]
    pub fn fairness(&self) -> i64 {
        i64::from(self.0[7])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_kernel::Streams;

    #[test]
    fn a_genome_is_read_as_it_is_written_and_nothing_else_is() {
        let mut draws = Streams::new(3).stream("test", "genome");
        for _ in 0..50 {
            let genome = Genome::random(&mut draws);
            assert_eq!(genome.to_string().parse(), Ok(genome));
        }
        for text in ["", "1 2 3", "1 2 3 4 5 6 7 101", "1 2 3 4 5 6 7 x", "1 2 3 4 5 6 7 8 9"] {
            assert!(text.parse::<Genome>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_child_is_near_its_parents() {
        let mut draws = Streams::new(3).stream("test", "child");
        let (mother, father) = (Genome([0; GENES]), Genome([100; GENES]));
        let mut same = 0;
        for _ in 0..100 {
            let child = Genome::child(&mother, &father, &mut draws);
            assert!(child.is_possible());
            same += child.0.iter().filter(|gene| [0, 100].contains(gene)).count();
        }
        assert!(same > 400, "{same} of 800 genes are inherited as they were");
    }
}
