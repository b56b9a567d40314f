//! How long the canonical JSON of a message is [B], for messages that tell it without writing it: of letters that nobody looks at
//! only the length counts.

/// Decimal digits [count].
#[must_use]
pub fn digits(number: impl Into<u64>) -> usize {
    number.into().checked_ilog10().unwrap_or(0) as usize + 1
}

/// A list.
#[must_use]
pub fn list(items: impl ExactSizeIterator<Item = usize>) -> usize {
    let commas = items.len().saturating_sub(1);
    items.sum::<usize>() + commas + "[]".len()
}

/// A map of these keys, of which there is at least one, and of values that are so long.
#[must_use]
pub fn map<const N: usize>(fields: [(&str, usize); N]) -> usize {
    fields.iter().map(|(key, value)| key.len() + "\"\":,".len() + value).sum::<usize>() + "{}".len() - 1
}

/// A variant of an enumeration that holds something.
#[must_use]
pub fn variant(name: &str, holds: usize) -> usize {
    map([(name, holds)])
}
