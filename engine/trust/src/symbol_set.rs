//! A set of interned ids as a bitset: membership is one shift, an episode's set is a few words.

use labtrust_kernel::Symbol;

/// A set of [`Symbol`]s of one interner.
#[derive(Clone, Debug, Default)]
pub struct SymbolSet(Vec<u64>);

impl SymbolSet {
    /// Whether `symbol` is in the set.
    #[must_use]
    #[inline]
    pub fn contains(&self, symbol: Symbol) -> bool {
        self.0.get(symbol.index() / 64).is_some_and(|word| word >> (symbol.index() % 64) & 1 == 1)
    }

    /// Puts `symbol` in; `false` when it was in already.
    pub fn insert(&mut self, symbol: Symbol) -> bool {
        let word = symbol.index() / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let bit = 1 << (symbol.index() % 64);
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Takes `symbol` out; `false` when it was not in.
    pub fn remove(&mut self, symbol: Symbol) -> bool {
        let Some(word) = self.0.get_mut(symbol.index() / 64) else { return false };
        let bit = 1 << (symbol.index() % 64);
        let was = *word & bit != 0;
        *word &= !bit;
        was
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// How many symbols are in the set [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// Members only: how much room a set has taken says nothing.
impl labtrust_kernel::Remembered for SymbolSet {
    fn recall(&self, memory: &mut labtrust_kernel::Memory) {
        let words = self.0.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        memory.list(self.0[..words].iter());
    }
}

/// Sets are equal when their members are, however much memory each once needed.
impl PartialEq for SymbolSet {
    fn eq(&self, other: &Self) -> bool {
        let words = self.0.len().max(other.0.len());
        (0..words).all(|i| self.0.get(i).unwrap_or(&0) == other.0.get(i).unwrap_or(&0))
    }
}

impl Eq for SymbolSet {}

impl FromIterator<Symbol> for SymbolSet {
    fn from_iter<I: IntoIterator<Item = Symbol>>(symbols: I) -> Self {
        let mut set = Self::default();
        for symbol in symbols {
            set.insert(symbol);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_kernel::Symbols;

    #[test]
    fn what_was_put_in_is_in_until_it_is_taken_out() {
        let mut symbols = Symbols::default();
        let ids: Vec<Symbol> = (0..200).map(|i| symbols.intern(&i.to_string())).collect();
        let mut set = SymbolSet::default();
        assert!(!set.contains(ids[199]));
        assert!(set.insert(ids[0]) && set.insert(ids[199]) && !set.insert(ids[199]));
        assert!(set.contains(ids[199]) && !set.contains(ids[198]));
        assert_eq!(set.len(), 2);
        assert!(set.remove(ids[199]) && !set.remove(ids[199]) && !set.remove(ids[100]));
        assert_eq!(set, [ids[0]].into_iter().collect());
        assert!(!set.is_empty());
    }
}
