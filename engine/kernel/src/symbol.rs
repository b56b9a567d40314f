//! Interned ids: text at the boundary, a dense number everywhere else.
//!
//! A [`Symbol`] is an index, so a table from id to anything is a vector ([`SymbolMap`]), and comparing two ids is
//! comparing two numbers. Symbols are numbered in the order they were first seen; nothing may sort by that number
//! when the order shows in a result (sort by [`Symbols::text`]).

use rustc_hash::FxHashMap;
use std::sync::Arc;

/// An interned id. Meaningful only together with the [`Symbols`] that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

impl Symbol {
    /// Position in tables indexed by symbol.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Debug)]
struct Entry {
    text: Arc<str>,
    /// Text needs no escape in ASCII JSON, so that writers may copy it as it is.
    plain: bool,
}

/// The interner. Cloning it is cheap enough to start every episode from the ids of the policy.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    entries: Vec<Entry>,
    by_text: FxHashMap<Arc<str>, Symbol>,
}

impl Symbols {
    /// The symbol of `text`, made if it is new.
    ///
    /// # Panics
    /// After 2^32 different texts.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.by_text.get(text) {
            return symbol;
        }
        let symbol = Symbol(u32::try_from(self.entries.len()).expect("fewer than 2^32 ids in an episode"));
        let text: Arc<str> = text.into();
        let plain = text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\');
        self.entries.push(Entry { text: text.clone(), plain });
        self.by_text.insert(text, symbol);
        symbol
    }

    /// The symbol of `text` if it is known.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<Symbol> {
        self.by_text.get(text).copied()
    }

    /// The text of `symbol`.
    ///
    /// # Panics
    /// When `symbol` comes from another interner.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.entries[symbol.index()].text
    }

    /// Whether the text of `symbol` needs no escape in ASCII JSON.
    #[must_use]
    pub fn is_plain(&self, symbol: Symbol) -> bool {
        self.entries[symbol.index()].plain
    }

    /// How many texts are known [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no text is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A table from symbols to values, dense in the symbol's number.
#[derive(Clone, Debug)]
pub struct SymbolMap<T>(Vec<Option<T>>);

impl<T> Default for SymbolMap<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> SymbolMap<T> {
    /// The value of `symbol`.
    #[must_use]
    pub fn get(&self, symbol: Symbol) -> Option<&T> {
        self.0.get(symbol.index()).and_then(Option::as_ref)
    }

    /// The value of `symbol`, to change.
    pub fn get_mut(&mut self, symbol: Symbol) -> Option<&mut T> {
        self.0.get_mut(symbol.index()).and_then(Option::as_mut)
    }

    /// Sets the value of `symbol`; returns the earlier one.
    pub fn insert(&mut self, symbol: Symbol, value: T) -> Option<T> {
        if self.0.len() <= symbol.index() {
            self.0.resize_with(symbol.index() + 1, || None);
        }
        self.0[symbol.index()].replace(value)
    }

    /// Takes the value of `symbol` out.
    pub fn remove(&mut self, symbol: Symbol) -> Option<T> {
        self.0.get_mut(symbol.index()).and_then(Option::take)
    }

    /// Whether `symbol` has a value.
    #[must_use]
    pub fn contains(&self, symbol: Symbol) -> bool {
        self.get(symbol).is_some()
    }

    /// Every symbol that has a value, with it, in the order of the symbols' numbers: fine for sums and comparisons, not
    /// for anything whose order shows.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, &T)> {
        (0..).zip(&self.0).filter_map(|(number, value)| Some((Symbol(number), value.as_ref()?)))
    }

    /// Forgets every value; keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_the_same_symbol() {
        let mut symbols = Symbols::default();
        let a = symbols.intern("S1");
        assert_eq!(symbols.intern("S1"), a);
        assert_ne!(symbols.intern("S2"), a);
        assert_eq!(symbols.text(a), "S1");
        assert_eq!(symbols.get("S3"), None);
    }

    #[test]
    fn text_that_json_must_escape_is_not_plain() {
        let mut symbols = Symbols::default();
        for (text, plain) in [("S1", true), ("a\"b", false), ("é", false), ("a\\", false), ("\u{7f}", false)] {
            let symbol = symbols.intern(text);
            assert_eq!(symbols.is_plain(symbol), plain, "{text:?}");
        }
    }
}
