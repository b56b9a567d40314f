//! Whether bytes are canonical JSON: the one text that a value has.
//!
//! Everything that is hashed or signed here is canonical, so a verifier need not interpret anything else: a key that
//! occurs twice, `1e0` for `1.0`, a space, an escape that is not needed, or a byte behind the end would each be a
//! second text of a value, and two readers could see two values in one text. The check goes once over the bytes and
//! allocates nothing, except to compare keys with escapes.

use labtrust_trust::canonical;

/// Levels of nesting that are read [count].
pub const MAX_DEPTH: usize = 64;

/// Bytes are not canonical JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not canonical JSON at byte {at}: {what}")]
pub struct NotCanonical {
    /// Where, from 0 [bytes].
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// Whether `bytes` are one canonical JSON value and nothing else.
///
/// # Errors
/// [`NotCanonical`] at the first byte that the canonical text would not have.
pub fn check(bytes: &[u8]) -> Result<(), NotCanonical> {
    let mut scan = Scan { bytes, at: 0 };
    scan.value(0)?;
    if scan.at < bytes.len() { scan.wrong("something follows the value") } else { Ok(()) }
}

/// Where a member of a map stands in its text, which is shorter than 4 GiB: a log has many of them in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberRange {
    /// What tells most keys apart at a glance.
    tag: u32,
    key: (u32, u32),
    value: (u32, u32),
}

/// The length of a key, and its first, middle and last byte.
const fn tag_of(key: &[u8]) -> u32 {
    match key {
        [] => 0,
        [first, ..] => {
            let (middle, last) = (key[key.len() / 2], key[key.len() - 1]);
            u32::from_le_bytes([key.len() as u8, *first, middle, last])
        }
    }
}

impl MemberRange {
    /// The key, without its quotes.
    #[must_use]
    pub fn key<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.key.0 as usize..self.key.1 as usize]
    }

    /// The canonical text of the value.
    #[must_use]
    pub fn value<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.value.0 as usize..self.value.1 as usize]
    }
}

/// The member with a key.
#[must_use]
pub fn member<'m>(members: &'m [MemberRange], text: &[u8], key: &str) -> Option<&'m MemberRange> {
    place(members, text, key).map(|place| &members[place])
}

/// Its place.
pub(crate) fn place(members: &[MemberRange], text: &[u8], key: &str) -> Option<usize> {
    let tag = tag_of(key.as_bytes());
    members.iter().position(|member| member.tag == tag && member.key(text) == key.as_bytes())
}

/// Where the members of a canonical map stand; `None` of another canonical value.
///
/// # Errors
/// As [`check`]; and of what is longer than 4 GiB.
pub fn member_ranges(bytes: &[u8]) -> Result<Option<Vec<MemberRange>>, NotCanonical> {
    let mut scan = Scan { bytes, at: 0 };
    if u32::try_from(bytes.len()).is_err() {
        return scan.wrong("it is too long");
    }
    if scan.peek() != Some(b'{') {
        return check(bytes).map(|()| None);
    }
    let mut members = Vec::with_capacity(24);
    let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    scan.members(0, |key, value| {
        let (from, to) = (key.0 + 1, key.1 - 1);
        let (key, value) = ((short(from), short(to)), (short(value.0), short(value.1)));
        members.push(MemberRange { tag: tag_of(&bytes[from..to]), key, value });
    })?;
    if scan.at < bytes.len() { scan.wrong("something follows the value") } else { Ok(Some(members)) }
}

/// A value as a canonical line, with the line feed. It has to have been read from JSON.
#[must_use]
pub fn line(value: &serde_json::Value) -> Vec<u8> {
    let mut bytes = crate::derive::canonical_bytes(value);
    bytes.push(b'\n');
    bytes
}

/// Bytes that stand for themselves in a text: most of a log is made of them.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0x20;
    while byte <= 0x7e {
        plain[byte] = byte != b'"' as usize && byte != b'\\' as usize;
        byte += 1;
    }
    plain
};

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn wrong<T>(&self, what: &'static str) -> Result<T, NotCanonical> {
        Err(NotCanonical { at: self.at, what })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), NotCanonical> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        self.wrong("a value should be here")
    }

    fn value(&mut self, depth: usize) -> Result<(), NotCanonical> {
        if depth > MAX_DEPTH {
            return self.wrong("it is nested too deeply");
        }
        match self.peek() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.text().map(drop),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.wrong("a value should be here"),
        }
    }

    fn list(&mut self, depth: usize) -> Result<(), NotCanonical> {
        self.at += 1;
        if self.takes(b']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            if self.takes(b']') {
                return Ok(());
            }
            if !self.takes(b',') {
                return self.wrong("`,` or `]` should be here");
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<(), NotCanonical> {
        self.members(depth, |_, _| ())
    }

    /// A map; `found` is shown where each key and each value begins and ends.
    fn members(
        &mut self,
        depth: usize,
        mut found: impl FnMut((usize, usize), (usize, usize)),
    ) -> Result<(), NotCanonical> {
        self.at += 1;
        if self.takes(b'}') {
            return Ok(());
        }
        let mut last: Option<(usize, usize)> = None;
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return self.wrong("a key should be here");
            }
            let key = self.text()?;
            if let Some(last) = last
                && !self.before(last, key)
            {
                self.at = start;
                return self.wrong("keys should rise, and none should occur twice");
            }
            last = Some(key);
            if !self.takes(b':') {
                return self.wrong("`:` should be here");
            }
            let begin = self.at;
            self.value(depth + 1)?;
            found(key, (begin, self.at));
            if self.takes(b'}') {
                return Ok(());
            }
            if !self.takes(b',') {
                return self.wrong("`,` or `}` should be here");
            }
        }
    }

    /// Whether the text of one key comes before that of another, by code points.
    fn before(&self, first: (usize, usize), second: (usize, usize)) -> bool {
        let (first, second) = (&self.bytes[first.0..first.1], &self.bytes[second.0..second.1]);
        if !first.contains(&b'\\') && !second.contains(&b'\\') {
            // Without their closing quotes: a key comes before those that it begins.
            return first[..first.len() - 1] < second[..second.len() - 1];
        }
        let text = |bytes: &[u8]| serde_json::from_slice::<String>(bytes).unwrap_or_default();
        text(first) < text(second)
    }

    /// A text with its quotes: where it begins and ends.
    fn text(&mut self) -> Result<(usize, usize), NotCanonical> {
        let start = self.at;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            self.at += rest.iter().position(|byte| !PLAIN[usize::from(*byte)]).unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((start, self.at));
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.wrong("this should be escaped"),
                None => return self.wrong("the text does not end"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), NotCanonical> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => self.unit(),
            _ => self.wrong("this is no escape of canonical JSON"),
        }
    }

    fn unit(&mut self) -> Result<(), NotCanonical> {
        let unit = self.hex(self.at + 2)?;
        match unit {
            0x08 | 0x09 | 0x0a | 0x0c | 0x0d => self.wrong("there is a shorter escape"),
            0x20..=0x7e => self.wrong("this needs no escape"),
            0xd800..=0xdbff => {
                let second = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u");
                if second && (0xdc00..=0xdfff).contains(&self.hex(self.at + 8)?) {
                    self.at += 12;
                    return Ok(());
                }
                self.wrong("half a surrogate pair")
            }
            0xdc00..=0xdfff => self.wrong("half a surrogate pair"),
            _ => {
                self.at += 6;
                Ok(())
            }
        }
    }

    fn hex(&self, at: usize) -> Result<u32, NotCanonical> {
        let digits = self.bytes.get(at..at + 4).unwrap_or_default();
        let lower = digits.len() == 4 && digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !lower {
            return self.wrong("four lower-case hex digits should follow");
        }
        Ok(digits.iter().fold(0, |value, digit| value * 16 + char::from(*digit).to_digit(16).unwrap_or(0)))
    }

    fn number(&mut self) -> Result<(), NotCanonical> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let digits = &self.bytes[start..self.at];
        let text = std::str::from_utf8(digits).unwrap_or_default();
        let whole = |text: &str| {
            text.parse::<i64>().map(|n| n.to_string()).or_else(|_| text.parse::<u64>().map(|n| n.to_string()))
        };
        let own = if digits.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            let mut out = Vec::new();
            let written = text.parse().is_ok_and(|value: f64| canonical::write_f64(&mut out, value).is_ok());
            written.then_some(out)
        } else {
            whole(text).ok().map(String::into_bytes)
        };
        if own.as_deref() == Some(digits) {
            return Ok(());
        }
        self.at = start;
        self.wrong("this is not how the number is written, or it has more than 64 bits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_trust::canonical::to_canonical_vec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_written_canonically_is_canonical() {
        for value in [
            json!({"b": 1.0, "a": "é😀\u{7f}\n/\"\\", "c": 1e-7, "i": true, "aa": [null, -3, u64::MAX]}),
            json!([]),
            json!({}),
            json!({"": 1, "😀": 1, "ﬁ": 2}),
        ] {
            check(&to_canonical_vec(&value).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_second_text_of_a_value_is_refused() {
        for text in [
            "",
            " 1",
            "1 ",
            "1\n",
            "{\"a\":1,\"a\":2}",
            "{\"b\":1,\"a\":2}",
            "[1,]",
            "[1 ]",
            "1e0",
            "1.00",
            "01",
            "-0",
            "+1",
            "1E5",
            "1e5",
            "NaN",
            "\"\\u0041\"",
            "\"\\u000a\"",
            "\"\\u00E9\"",
            "\"é\"",
            "\"\\/\"",
            "\"\\ud800\"",
            "\"\\udc00\\ud800\"",
            "18446744073709551616",
            "{\"a\" :1}",
            "\"\u{7f}\"",
            "tru",
            "{",
            "\"",
            "[[",
            "{\"ab\":1,\"a\":2}",
            "--1",
            "1-1",
            "\u{feff}1",
        ] {
            assert!(check(text.as_bytes()).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(check(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn only_the_canonical_text_of_what_it_says_is_accepted(text in "[\\[\\]{},:\"\\\\0-9a-f .eEu+tr-]{0,24}") {
            let reprinted = serde_json::from_str::<Value>(&text).ok().and_then(|value| to_canonical_vec(&value).ok());
            prop_assert_eq!(check(text.as_bytes()).is_ok(), reprinted.as_deref() == Some(text.as_bytes()), "{}", text);
        }
    }
}
