//! A set in which an addition wins over a removal that did not know of it.

use crate::agent::AgentId;
use std::collections::{BTreeMap, BTreeSet};

/// One addition: the n-th of an agent.
type Dot = (AgentId, u64);

/// An observed-remove set. Every addition has a name of its own; a removal takes away the additions that it has seen. What was
/// seen is a count for each agent, so removed elements leave nothing behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrSet<T> {
    elements: BTreeMap<T, BTreeSet<Dot>>,
    /// How many additions of each agent this replica knows of.
    seen: BTreeMap<AgentId, u64>,
}

impl<T: Ord> Default for OrSet<T> {
    fn default() -> Self {
        Self { elements: BTreeMap::new(), seen: BTreeMap::new() }
    }
}

impl<T: Ord + Clone> OrSet<T> {
    /// Adds `element` as `agent`. Only the replica of `agent` may do so: two that name additions alike would be taken for one.
    pub fn add(&mut self, agent: AgentId, element: T) {
        let count = self.seen.entry(agent).or_default();
        *count += 1;
        // The new name says all that the old ones of the element said.
        self.elements.insert(element, BTreeSet::from([(agent, *count)]));
    }

    /// Takes `element` away, as far as this replica has seen it added; `false` when it is not in.
    pub fn remove(&mut self, element: &T) -> bool {
        self.elements.remove(element).is_some()
    }

    /// Whether `element` is in.
    #[must_use]
    pub fn contains(&self, element: &T) -> bool {
        self.elements.contains_key(element)
    }

    /// What is in, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.elements.keys()
    }

    /// How many are in [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether nothing is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Takes in what another replica has done: an addition stays when both have it, or when one has it and the other has not
    /// seen it yet; one that the other has seen and does not have was removed there.
    pub fn merge(&mut self, other: &Self) {
        let (seen, theirs) = (&self.seen, &other.elements);
        self.elements.retain(|element, dots| {
            let kept = theirs.get(element);
            dots.retain(|dot| kept.is_some_and(|kept| kept.contains(dot)) || !knows(&other.seen, *dot));
            !dots.is_empty()
        });
        for (element, dots) in theirs {
            let fresh: Vec<Dot> = dots.iter().copied().filter(|dot| !knows(seen, *dot)).collect();
            if !fresh.is_empty() {
                self.elements.entry(element.clone()).or_default().extend(fresh);
            }
        }
        for (agent, count) in &other.seen {
            let known = self.seen.entry(*agent).or_default();
            *known = (*known).max(*count);
        }
    }
}

fn knows(seen: &BTreeMap<AgentId, u64>, (agent, number): Dot) -> bool {
    seen.get(&agent).is_some_and(|count| number <= *count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: AgentId = AgentId(0);
    const B: AgentId = AgentId(1);

    #[test]
    fn an_addition_wins_over_a_removal_that_did_not_know_of_it() {
        let mut left = OrSet::default();
        left.add(A, 'x');
        let mut right = left.clone();
        right.remove(&'x');
        left.add(A, 'x');
        let mut merged = left.clone();
        merged.merge(&right);
        right.merge(&left);
        assert!(merged.contains(&'x') && merged == right);
    }

    #[test]
    fn a_removal_of_what_was_seen_stays_a_removal() {
        let mut left = OrSet::default();
        left.add(A, 'x');
        let mut right = OrSet::default();
        right.merge(&left);
        assert!(right.remove(&'x') && !right.remove(&'x'));
        right.add(B, 'y');
        left.merge(&right);
        assert_eq!(left.iter().collect::<Vec<_>>(), [&'y']);
        left.merge(&right);
        assert_eq!(left, right);
    }

    /// Three replicas that change and merge at random, and the model: a removal cancels the additions it has seen.
    fn history(steps: &[(usize, u8, usize)]) -> Vec<(OrSet<u8>, BTreeSet<u64>)> {
        let mut sets = vec![OrSet::default(); 3];
        // Of each replica: additions (name, element) that it has heard of, and names that it has heard are cancelled.
        let mut model = vec![(BTreeSet::<(u64, u8)>::new(), BTreeSet::<u64>::new()); 3];
        for (number, (at, what, with)) in steps.iter().enumerate() {
            let element = what % 3;
            match what / 3 {
                0 => {
                    sets[*at].add(AgentId(*at as u32), element);
                    model[*at].0.insert((number as u64, element));
                }
                1 => {
                    sets[*at].remove(&element);
                    let names: Vec<u64> =
                        model[*at].0.iter().filter(|(_, one)| *one == element).map(|(name, _)| *name).collect();
                    model[*at].1.extend(names);
                }
                _ => {
                    let (set, (added, cancelled)) = (sets[*with].clone(), model[*with].clone());
                    sets[*at].merge(&set);
                    model[*at].0.extend(added);
                    model[*at].1.extend(cancelled);
                }
            }
        }
        let elements = model.into_iter().map(|(added, cancelled)| {
            added.into_iter().filter(|(name, _)| !cancelled.contains(name)).map(|(_, one)| u64::from(one)).collect()
        });
        sets.into_iter().zip(elements).collect()
    }

    proptest! {
        #[test]
        fn replicas_hold_what_was_added_and_not_removed_as_far_as_they_heard(
            steps in prop::collection::vec((0usize..3, 0u8..9, 0usize..3), 0..40)
        ) {
            let end = history(&steps);
            for (set, expected) in &end {
                let held: BTreeSet<u64> = set.iter().map(|one| u64::from(*one)).collect();
                prop_assert_eq!(&held, expected);
            }
            let (mut forth, mut back) = (OrSet::default(), OrSet::default());
            end.iter().for_each(|(set, _)| forth.merge(set));
            end.iter().rev().for_each(|(set, _)| back.merge(set));
            prop_assert_eq!(forth.iter().collect::<Vec<_>>(), back.iter().collect::<Vec<_>>());
        }
    }
}
