//! One agent's copy of versioned facts.

use std::collections::BTreeMap;

/// What is known about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held<V> {
    /// Which version of the value it is; the source counts up when the value changes.
    pub version: u64,
    /// When this was so [µs]: the source may say again, later, that a version still holds.
    pub event_us: u64,
    /// The value.
    pub value: V,
}

/// A last-writer-wins map: per key the fact with the greatest (version, event time, value).
///
/// The value takes part only so that two sources that break the rule of one value a version still end in one view.
/// Source: LWW-element maps, Shapiro, Preguiça, Baquero and Zawirski, INRIA RR-7506, 2011.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica<K, V> {
    facts: BTreeMap<K, Held<V>>,
}

impl<K: Ord, V> Default for Replica<K, V> {
    fn default() -> Self {
        Self { facts: BTreeMap::new() }
    }
}

impl<K: Ord + Clone, V: Ord + Clone> Replica<K, V> {
    /// Takes a fact in; `false` when what is known is newer or the same.
    pub fn apply(&mut self, key: K, fact: Held<V>) -> bool {
        match self.facts.entry(key) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(fact);
                true
            }
            std::collections::btree_map::Entry::Occupied(mut place) => {
                let known = place.get();
                let newer = (fact.version, fact.event_us, &fact.value) > (known.version, known.event_us, &known.value);
                if newer {
                    place.insert(fact);
                }
                newer
            }
        }
    }

    /// Takes in what another replica knows better.
    pub fn merge(&mut self, other: &Self) {
        for (key, held) in &other.facts {
            if self.facts.get(key).is_none_or(|known| (known.version, known.event_us) <= (held.version, held.event_us))
            {
                self.apply(key.clone(), held.clone());
            }
        }
    }

    /// What is known about `key`.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.facts.get(key).map(|held| &held.value)
    }

    /// The same with its version and time.
    #[must_use]
    pub fn held(&self, key: &K) -> Option<&Held<V>> {
        self.facts.get(key)
    }

    /// How old the knowledge about `key` is at `now_us` [µs]; `None` when there is none.
    #[must_use]
    pub fn age_us(&self, key: &K, now_us: u64) -> Option<u64> {
        self.facts.get(key).map(|held| now_us.saturating_sub(held.event_us))
    }

    /// How old the oldest knowledge is at `now_us` [µs]; 0 when nothing is known.
    #[must_use]
    pub fn oldest_age_us(&self, now_us: u64) -> u64 {
        self.facts.values().map(|held| now_us.saturating_sub(held.event_us)).max().unwrap_or(0)
    }

    /// The vector of (key, version), in order of the keys: what a replica says it has when it asks for more.
    pub fn versions(&self) -> impl Iterator<Item = (&K, u64)> {
        self.facts.iter().map(|(key, held)| (key, held.version))
    }

    /// Everything known, in order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Held<V>)> {
        self.facts.iter()
    }

    /// How many keys are known [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.facts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Facts = Vec<(u8, Held<u8>)>;

    fn held(version: u64, event_us: u64, value: u8) -> Held<u8> {
        Held { version, event_us, value }
    }

    fn replica(facts: &[(u8, Held<u8>)]) -> Replica<u8, u8> {
        let mut replica = Replica::default();
        for (key, fact) in facts {
            replica.apply(*key, fact.clone());
        }
        replica
    }

    fn facts() -> impl Strategy<Value = Facts> {
        let one =
            (0u8..4, 0u64..4, 0u64..3, 0u8..3).prop_map(|(key, version, at, value)| (key, held(version, at, value)));
        prop::collection::vec(one, 0..24)
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_of_the_same_facts_end_in_one_view(
            (facts, shuffled) in facts().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
            cut in 0usize..24,
        ) {
            let expected = replica(&facts);
            prop_assert_eq!(&replica(&shuffled), &expected);
            let cut = cut.min(shuffled.len());
            let (mut left, right) = (replica(&shuffled[..cut]), replica(&shuffled[cut..]));
            left.merge(&right);
            prop_assert_eq!(&left, &expected);
            left.merge(&right);
            prop_assert_eq!(&left, &expected);
        }
    }

    #[test]
    fn a_late_fact_about_another_thing_still_counts() {
        let mut replica = replica(&[(1, held(9, 900, 5))]);
        assert!(replica.apply(2, held(1, 100, 7)));
        assert!(!replica.apply(1, held(8, 950, 6)), "an older version said later is older");
        assert_eq!((replica.get(&1), replica.get(&2)), (Some(&5), Some(&7)));
        assert_eq!(replica.versions().collect::<Vec<_>>(), [(&1, 9), (&2, 1)]);
    }

    #[test]
    fn age_counts_from_the_facts_own_time_and_saying_it_again_renews_it() {
        let mut replica = replica(&[(1, held(1, 100, 5)), (2, held(1, 400, 5))]);
        assert_eq!(
            (replica.age_us(&1, 500), replica.age_us(&3, 500), replica.oldest_age_us(500)),
            (Some(400), None, 400)
        );
        assert!(replica.apply(1, held(1, 500, 5)));
        assert_eq!((replica.age_us(&1, 500), replica.oldest_age_us(500)), (Some(0), 100));
    }
}
