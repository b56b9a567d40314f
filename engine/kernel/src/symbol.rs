//! Interned ids: text at the boundary, a dense number everywhere else.
//!
//! A [`Symbol`] is an index, so a table from id to anything is a vector ([`SymbolMap`]), and comparing two ids is
//! comparing two numbers. Symbols are numbered in the order they were first seen; nothing may sort by that number
//! when the order shows in a result (sort by [`Symbols::text`]).

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::BuildHasher;
use std::marker::PhantomData;
use std::sync::Arc;

/// An interned id. Meaningful only together with the [`Symbols`] that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Symbol(u32);

impl Symbol {
    /// Position in tables indexed by symbol.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Texts one behind the other, found by number and by text.
#[derive(Clone, Debug, Default)]
struct Table {
    texts: String,
    /// Where each text ends, and in the highest bit whether writers of ASCII JSON may copy it as it is.
    ends: Vec<u32>,
    by_text: HashTable<u32>,
}

const PLAIN: u32 = 1 << 31;

impl Table {
    fn get(&self, hash: u64, text: &str) -> Option<u32> {
        self.by_text.find(hash, |&number| self.text(number as usize) == text).copied()
    }

    fn text(&self, number: usize) -> &str {
        let begin = number.checked_sub(1).map_or(0, |before| self.ends[before] & !PLAIN);
        &self.texts[begin as usize..(self.ends[number] & !PLAIN) as usize]
    }

    fn push(&mut self, hash: u64, text: &str) -> u32 {
        let number = u32::try_from(self.ends.len()).expect("fewer than 2^32 ids in an episode");
        self.texts.push_str(text);
        let end = u32::try_from(self.texts.len()).ok().filter(|end| end & PLAIN == 0);
        let end = end.expect("the ids of an episode have less than 2 GiB of text");
        let plain = text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\');
        self.ends.push(end | if plain { PLAIN } else { 0 });
        let Self { texts, ends, by_text } = self;
        let text_of = |number: usize| {
            let begin = number.checked_sub(1).map_or(0, |before| ends[before] & !PLAIN);
            &texts[begin as usize..(ends[number] & !PLAIN) as usize]
        };
        by_text.insert_unique(hash, number, |&number| hash_of(text_of(number as usize)));
        number
    }
}

fn hash_of(text: &str) -> u64 {
    FxBuildHasher.hash_one(text)
}

/// The interner. One that is [over](Self::over) another begins with its ids and costs nothing before it has one of its
/// own: that is how every episode starts from the ids of the policy.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// Ids that are shared, with the first numbers.
    below: Option<Arc<Self>>,
    /// How many these are [count].
    shared: u32,
    own: Table,
}

impl Symbols {
    /// An interner that knows the symbols of another.
    #[must_use]
    pub fn over(below: &Arc<Self>) -> Self {
        let shared = u32::try_from(below.len()).expect("fewer than 2^32 ids in an episode");
        Self { below: Some(Arc::clone(below)), shared, own: Table::default() }
    }

    /// The texts that are not shared, in the order of their symbols: interned in this order [over](Self::over) the same
    /// interner they have the same symbols.
    pub fn own(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.own.ends.len()).map(|number| self.own.text(number))
    }

    /// Takes the texts that are not shared away, and their memory.
    pub fn forget_own(&mut self) {
        self.own = Table::default();
    }

    /// Makes room for some more texts, of some length together [bytes].
    pub fn reserve(&mut self, texts: usize, bytes: usize) {
        let Table { texts: all, ends, by_text } = &mut self.own;
        all.reserve(bytes);
        ends.reserve(texts);
        let text_of = |number: usize| {
            let begin = number.checked_sub(1).map_or(0, |before| ends[before] & !PLAIN);
            &all[begin as usize..(ends[number] & !PLAIN) as usize]
        };
        by_text.reserve(texts, |&number| hash_of(text_of(number as usize)));
    }

    /// The symbol of `text`, made if it is new.
    ///
    /// # Panics
    /// After 2^32 different texts, or 2 GiB of them.
    pub fn intern(&mut self, text: &str) -> Symbol {
        let hash = hash_of(text);
        self.find(hash, text).unwrap_or_else(|| {
            let number = self.own.push(hash, text);
            Symbol(self.shared.checked_add(number).expect("fewer than 2^32 ids in an episode"))
        })
    }

    /// The symbol of `text` if it is known.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<Symbol> {
        self.find(hash_of(text), text)
    }

    fn find(&self, hash: u64, text: &str) -> Option<Symbol> {
        let own = || self.own.get(hash, text).map(|number| Symbol(self.shared + number));
        self.below.as_ref().and_then(|below| below.find(hash, text)).or_else(own)
    }

    /// The text of `symbol`.
    ///
    /// # Panics
    /// When `symbol` comes from another interner.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        match (symbol.0.checked_sub(self.shared), &self.below) {
            (None, Some(below)) => below.text(symbol),
            (number, _) => self.own.text(number.unwrap_or(symbol.0) as usize),
        }
    }

    /// Whether the text of `symbol` needs no escape in ASCII JSON.
    #[must_use]
    pub fn is_plain(&self, symbol: Symbol) -> bool {
        match (symbol.0.checked_sub(self.shared), &self.below) {
            (None, Some(below)) => below.is_plain(symbol),
            (number, _) => self.own.ends[number.unwrap_or(symbol.0) as usize] & PLAIN != 0,
        }
    }

    /// How many texts are known [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared as usize + self.own.ends.len()
    }

    /// Whether no text is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A table from symbols to values, dense from the lowest symbol in it: what is only about the ids of an episode has no
/// room for those of the policy.
#[derive(Clone, Debug)]
pub struct SymbolMap<T> {
    /// The number of the first place.
    first: usize,
    values: Vec<Option<T>>,
}

impl<T> Default for SymbolMap<T> {
    fn default() -> Self {
        Self { first: 0, values: Vec::new() }
    }
}

/// Members only, whatever room the table has.
impl<T: Serialize> Serialize for SymbolMap<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let members: Vec<(Symbol, &T)> = self.iter().collect();
        members.serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for SymbolMap<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = SymbolMap<T>;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("pairs of symbol and value")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<SymbolMap<T>, A::Error> {
                let mut map = SymbolMap::default();
                while let Some((symbol, value)) = from.next_element::<(Symbol, T)>()? {
                    map.insert(symbol, value);
                }
                Ok(map)
            }
        }
        from.deserialize_seq(Members(PhantomData))
    }
}

impl<T> SymbolMap<T> {
    /// The value of `symbol`.
    #[must_use]
    pub fn get(&self, symbol: Symbol) -> Option<&T> {
        // What is below the first place is far above the last.
        self.values.get(symbol.index().wrapping_sub(self.first)).and_then(Option::as_ref)
    }

    /// The value of `symbol`, to change.
    pub fn get_mut(&mut self, symbol: Symbol) -> Option<&mut T> {
        self.values.get_mut(symbol.index().wrapping_sub(self.first)).and_then(Option::as_mut)
    }

    /// Sets the value of `symbol`; returns the earlier one.
    pub fn insert(&mut self, symbol: Symbol, value: T) -> Option<T> {
        let number = symbol.index();
        if self.values.is_empty() {
            self.first = number;
        } else if number < self.first {
            // Room for as much again below, so that symbols that come in falling order are not slow.
            let first = number.saturating_sub(self.values.len()).min(number);
            let missing = self.first - first;
            self.values.splice(0..0, std::iter::repeat_with(|| None).take(missing));
            self.first = first;
        }
        let place = number - self.first;
        if self.values.len() <= place {
            self.values.resize_with(place + 1, || None);
        }
        self.values[place].replace(value)
    }

    /// Takes the value of `symbol` out.
    pub fn remove(&mut self, symbol: Symbol) -> Option<T> {
        self.values.get_mut(symbol.index().wrapping_sub(self.first)).and_then(Option::take)
    }

    /// Whether `symbol` has a value.
    #[must_use]
    pub fn contains(&self, symbol: Symbol) -> bool {
        self.get(symbol).is_some()
    }

    /// Every symbol that has a value, with it, in the order of the symbols' numbers: fine for sums and comparisons, not
    /// for anything whose order shows.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, &T)> {
        let symbol = |place: usize| u32::try_from(self.first + place).map(Symbol).ok();
        (0..).zip(&self.values).filter_map(move |(place, value)| Some((symbol(place)?, value.as_ref()?)))
    }

    /// Forgets every value; keeps the memory.
    pub fn clear(&mut self) {
        self.values.clear();
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
    fn what_is_known_below_is_known_above_by_the_same_symbol() {
        let mut below = Symbols::default();
        let (a, quoted) = (below.intern("A"), below.intern("\""));
        let below = Arc::new(below);
        let (mut one, mut two) = (Symbols::over(&below), Symbols::over(&below));
        assert_eq!((one.intern("A"), one.get("A"), one.len()), (a, Some(a), 2));
        let (b, c) = (one.intern("B"), two.intern("C"));
        assert_eq!((b, one.text(b), two.text(c), one.get("C")), (c, "B", "C", None));
        assert_eq!((one.text(a), one.is_plain(quoted), one.is_plain(b)), ("A", false, true));
        assert_eq!(Symbols::over(&Arc::new(one.clone())).text(b), "B");
        for number in 0..1000 {
            one.intern(&number.to_string());
        }
        assert_eq!((one.len(), one.get("999").map(|symbol| one.text(symbol))), (1003, Some("999")));
    }

    #[test]
    fn a_map_holds_what_was_put_in_whatever_the_order() {
        for order in [[5, 3, 9, 0], [0, 3, 5, 9], [9, 5, 3, 0], [3, 9, 0, 5]] {
            let mut map = SymbolMap::default();
            for number in order {
                assert_eq!(map.insert(Symbol(number), number), None);
            }
            assert_eq!(map.insert(Symbol(5), 55), Some(5));
            let all: Vec<_> = map.iter().map(|(symbol, value)| (symbol.0, *value)).collect();
            assert_eq!(all, [(0, 0), (3, 3), (5, 55), (9, 9)]);
            assert_eq!((map.get(Symbol(4)), map.get(Symbol(10))), (None, None));
            assert_eq!((map.remove(Symbol(9)), map.get(Symbol(9))), (Some(9), None));
        }
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
