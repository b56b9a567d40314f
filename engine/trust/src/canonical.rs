//! Canonical JSON: the one text of a value that is hashed and signed.
//!
//! Keys are sorted by code point at every level, there are no spaces, everything outside `U+0020..U+007E` is escaped
//! as `\uXXXX`, and floats print in the shortest form that reads back exactly, in the notation of the reference
//! (`10.0`, `1e-07`, `1e+16`). Not-a-number and infinities are refused: they are not JSON.
//!
//! The writers append to a buffer of the caller, so that a hot loop that reuses its buffer allocates nothing.

use labtrust_kernel::{Symbol, Symbols};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::io;

/// A value that has no canonical text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// Not-a-number or an infinity.
    #[error("a number that is not finite has no canonical form")]
    NotFinite,
    /// A number that is neither a 64-bit integer nor a float.
    #[error("a number outside 64 bits has no canonical form")]
    NumberOutOfRange,
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string.
pub fn write_str(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if is_plain(byte) {
            at += 1;
            continue;
        }
        out.extend_from_slice(&bytes[copied..at]);
        if byte < 0x80 {
            write_escaped_ascii(out, byte);
            at += 1;
        } else {
            // A lead byte in valid UTF-8: the slice starts at a character boundary.
            let character = text[at..].chars().next().expect("a lead byte starts a character");
            for unit in character.encode_utf16(&mut [0; 2]) {
                write_unit(out, *unit);
            }
            at += character.len_utf8();
        }
        copied = at;
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte < 0x7f && byte != b'"' && byte != b'\\'
}

fn write_escaped_ascii(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => return write_unit(out, u16::from(byte)),
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn write_unit(out: &mut Vec<u8>, unit: u16) {
    let digit = |shift: u16| HEX[usize::from(unit >> shift & 0xf)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

/// Appends the text of `symbol` as a JSON string; ids without special characters are copied as they are.
pub fn write_symbol(out: &mut Vec<u8>, symbols: &Symbols, symbol: Symbol) {
    let text = symbols.text(symbol);
    if symbols.is_plain(symbol) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        write_str(out, text);
    }
}

/// Appends an integer.
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends an integer.
pub fn write_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends `true` or `false`.
pub fn write_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Appends `null`.
pub fn write_null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// Appends a float: shortest digits that read back exactly; exponent form below 1e-4 and from 1e16 on.
///
/// # Errors
/// [`CanonicalError::NotFinite`] for not-a-number and infinities; nothing is appended.
pub fn write_f64(out: &mut Vec<u8>, value: f64) -> Result<(), CanonicalError> {
    if !value.is_finite() {
        return Err(CanonicalError::NotFinite);
    }
    let mut buffer = zmij::Buffer::new();
    let Decimal { negative, digits, exponent } = Decimal::parse(buffer.format_finite(value));
    let digits = digits.as_slice();
    if negative {
        out.push(b'-');
    }
    if (-4..16).contains(&exponent) {
        write_plain(out, digits, exponent);
    } else {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        if exponent.unsigned_abs() < 10 {
            out.push(b'0');
        }
        write_u64(out, u64::from(exponent.unsigned_abs()));
    }
    Ok(())
}

/// Digits with a point and no exponent; `exponent` is that of the first digit.
fn write_plain(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let zeros = |out: &mut Vec<u8>, count: usize| out.extend(std::iter::repeat_n(b'0', count));
    let Ok(whole) = usize::try_from(exponent) else {
        out.extend_from_slice(b"0.");
        zeros(out, exponent.unsigned_abs() as usize - 1);
        return out.extend_from_slice(digits);
    };
    let whole = whole + 1;
    if digits.len() <= whole {
        out.extend_from_slice(digits);
        zeros(out, whole - digits.len());
        out.extend_from_slice(b".0");
    } else {
        out.extend_from_slice(&digits[..whole]);
        out.push(b'.');
        out.extend_from_slice(&digits[whole..]);
    }
}

/// A finite decimal: `0.d1d2d3.. * 10^(exponent + 1)`, without leading and trailing zeros (zero is the digit 0).
struct Decimal {
    negative: bool,
    digits: smallvec::SmallVec<[u8; 24]>,
    exponent: i32,
}

impl Decimal {
    /// Takes the digits and the exponent out of any decimal notation, so that nothing here depends on how the
    /// shortest-digits crate likes to print.
    fn parse(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let power: i32 = power.parse().expect("the exponent of a float is a small integer");
        let point = mantissa.find('.').unwrap_or(mantissa.len());
        let mut digits: smallvec::SmallVec<[u8; 24]> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        if leading == digits.len() {
            return Self { negative, digits: smallvec::smallvec![b'0'], exponent: 0 };
        }
        digits.drain(..leading);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let first = i32::try_from(point).expect("a float has few digits") - 1 - i32::try_from(leading).unwrap_or(0);
        Self { negative, digits, exponent: first + power }
    }
}

/// Appends any JSON value.
///
/// # Errors
/// [`CanonicalError`] for numbers without canonical text; the buffer then holds part of the value.
pub fn write_value(out: &mut Vec<u8>, value: &Value) -> Result<(), CanonicalError> {
    match value {
        Value::Null => write_null(out),
        Value::Bool(flag) => write_bool(out, *flag),
        Value::String(text) => write_str(out, text),
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                write_i64(out, integer);
            } else if let Some(integer) = number.as_u64() {
                write_u64(out, integer);
            } else {
                return write_f64(out, number.as_f64().ok_or(CanonicalError::NumberOutOfRange)?);
            }
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(out, item)?;
            }
            out.push(b']');
        }
        Value::Object(map) => return write_map(out, map),
    }
    Ok(())
}

/// Appends a JSON object with its keys in order of code points, whatever the order of the map.
///
/// # Errors
/// [`CanonicalError`] for numbers without canonical text; the buffer then holds part of the map.
pub fn write_map(out: &mut Vec<u8>, map: &Map<String, Value>) -> Result<(), CanonicalError> {
    // Some dependency may switch the map type to insertion order. UTF-8 bytes sort like code points.
    if map.keys().is_sorted() {
        write_entries(out, map.iter())
    } else {
        let mut entries: Vec<(&String, &Value)> = map.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        write_entries(out, entries.into_iter())
    }
}

fn write_entries<'a>(
    out: &mut Vec<u8>,
    entries: impl Iterator<Item = (&'a String, &'a Value)>,
) -> Result<(), CanonicalError> {
    out.push(b'{');
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_str(out, key);
        out.push(b':');
        write_value(out, value)?;
    }
    out.push(b'}');
    Ok(())
}

/// The canonical text of `value`.
///
/// # Errors
/// [`CanonicalError`] for numbers without canonical text.
pub fn to_canonical_vec(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::with_capacity(256);
    write_value(&mut out, value)?;
    Ok(out)
}

/// How long the canonical text is of what `value` serializes to [B], without making either.
///
/// # Errors
/// [`serde_json::Error`] for what is no JSON: maps whose keys are not texts, for instance.
pub fn canonical_len<T: serde::Serialize + ?Sized>(value: &T) -> Result<usize, serde_json::Error> {
    // The order of keys changes no length.
    let mut counted = Counted(0);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut counted, Lengths))?;
    Ok(counted.0)
}

/// Counts what is written [B].
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes as much as the canonical text has wherever JSON has several forms; of numbers nothing but their length.
struct Lengths;

impl Lengths {
    fn digits<W: io::Write + ?Sized>(writer: &mut W, value: u64, negative: bool) -> io::Result<()> {
        let digits = value.checked_ilog10().unwrap_or(0) as usize + 1 + usize::from(negative);
        writer.write_all(&[b'0'; 21][..digits])
    }
}

impl serde_json::ser::Formatter for Lengths {
    fn write_i32<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: i32) -> io::Result<()> {
        self.write_i64(writer, value.into())
    }

    fn write_i64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: i64) -> io::Result<()> {
        Self::digits(writer, value.unsigned_abs(), value < 0)
    }

    fn write_u32<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: u32) -> io::Result<()> {
        Self::digits(writer, value.into(), false)
    }

    fn write_u64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        Self::digits(writer, value, false)
    }

    fn write_f32<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, value.into())
    }

    fn write_f64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let mut text = Vec::with_capacity(24);
        write_f64(&mut text, value).map_err(io::Error::other)?;
        writer.write_all(&text)
    }

    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(is_plain) {
            return writer.write_all(fragment.as_bytes());
        }
        // With its two quotes.
        let mut text = Vec::with_capacity(fragment.len() * 2);
        write_str(&mut text, fragment);
        writer.write_all(&text[1..text.len() - 1])
    }
}

/// SHA-256 of the canonical text of `value`, lower-case hex: a policy's fingerprint.
///
/// # Errors
/// [`CanonicalError`] for numbers without canonical text.
pub fn fingerprint(value: &Value) -> Result<String, CanonicalError> {
    let digest = Sha256::digest(to_canonical_vec(value)?);
    Ok(hex_text(&digest.into()))
}

/// Lower-case hex of a digest.
pub(crate) fn hex_of(digest: &[u8; 32]) -> [u8; 64] {
    let mut hex = [0; 64];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(digest) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 0xf)];
    }
    hex
}

/// The same as text.
pub(crate) fn hex_text(digest: &[u8; 32]) -> String {
    std::str::from_utf8(&hex_of(digest)).expect("hex digits are ASCII").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn canonical(value: &Value) -> String {
        String::from_utf8(to_canonical_vec(value).unwrap()).unwrap()
    }

    fn float(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_published_example_has_its_published_text() {
        let value = json!({"b": 1.0, "a": "é😀\u{7f}\n/\"\\", "c": 1e-7, "i": true});
        assert_eq!(canonical(&value), r#"{"a":"\u00e9\ud83d\ude00\u007f\n/\"\\","b":1.0,"c":1e-07,"i":true}"#);
    }

    #[test]
    fn floats_print_in_the_notation_of_the_reference() {
        for (value, text) in [
            (10.0, "10.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e-7, "1e-07"),
            (1e16, "1e+16"),
            (1e22, "1e+22"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (1e15, "1000000000000000.0"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (12_345_678_901_234_567_000.0, "1.2345678901234567e+19"),
            (123.456, "123.456"),
            (-2.5, "-2.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (100.0, "100.0"),
            (0.5, "0.5"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_and_nothing_is_written() {
        let mut out = Vec::new();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(write_f64(&mut out, value), Err(CanonicalError::NotFinite));
        }
        assert!(out.is_empty());
    }

    #[test]
    fn control_characters_take_the_short_escape_where_there_is_one() {
        assert_eq!(canonical(&json!("\u{8}\u{c}\t\r\u{1}\u{1f}")), r#""\b\f\t\r\u0001\u001f""#);
    }

    #[test]
    fn keys_sort_by_code_point_and_not_by_utf_16() {
        // In UTF-16 the emoji (surrogates, U+D83D) would come before U+FB01.
        assert_eq!(canonical(&json!({"😀": 1, "ﬁ": 2})), r#"{"\ufb01":2,"\ud83d\ude00":1}"#);
    }

    #[test]
    fn a_symbol_prints_like_its_text() {
        let mut symbols = Symbols::default();
        for text in ["S1", "é\"", ""] {
            let symbol = symbols.intern(text);
            let (mut by_symbol, mut by_text) = (Vec::new(), Vec::new());
            write_symbol(&mut by_symbol, &symbols, symbol);
            write_str(&mut by_text, text);
            assert_eq!(by_symbol, by_text);
        }
    }

    #[test]
    fn integers_keep_all_their_digits() {
        assert_eq!(canonical(&json!([u64::MAX, i64::MIN, 0])), "[18446744073709551615,-9223372036854775808,0]");
    }

    #[test]
    fn a_fingerprint_is_the_digest_of_the_canonical_text() {
        assert_eq!(
            fingerprint(&json!({})).unwrap(),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            proptest::num::f64::NORMAL.prop_map(Value::from),
            proptest::num::f64::SUBNORMAL.prop_map(Value::from),
            (-1e6..1e6).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_text_is_ascii_and_reads_back_as_the_same_value(value in any_json()) {
            let text = canonical(&value);
            prop_assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }

        #[test]
        fn the_length_is_that_of_the_text(value in any_json(), number: f32, text: String, small: (i8, u16, Option<char>)) {
            let number = if number.is_finite() { number } else { 0.5 };
            let both = (value, number, text, small);
            let text = canonical(&serde_json::to_value(&both).unwrap());
            prop_assert_eq!(canonical_len(&both).unwrap(), text.len());
        }

        #[test]
        fn canonical_text_of_what_was_read_back_is_the_same_text(value in any_json()) {
            let text = canonical(&value);
            prop_assert_eq!(canonical(&serde_json::from_str(&text).unwrap()), text);
        }
    }
}
