//! Undoing codings, one function each. They read text as hostile: every one is linear in it and none can fail.

use super::Coding;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// Lenient: who hides text does not mind a missing sign of padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Least length of something decoded that may be text [count].
const LEAST: usize = 4;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of our own")
}

static HEX: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:(?:\\x|0x|%)?[0-9a-fA-F]{2}[ :,\-]?){8,}"));
static BASE64: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9+/_\-]{12,}={0,2}"));
static BASE64_LINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:[A-Za-z0-9+/_\-]{8,} ){1,200}[A-Za-z0-9+/_\-]+={0,2}"));
static PERCENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"%[0-9a-fA-F]{2}"));
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\\u\{?([0-9a-fA-F]{2,6})\}?|\\x([0-9a-fA-F]{2})|&#[xX]([0-9a-fA-F]{1,6});?|&#([0-9]{1,7});?|[uU]\+([0-9a-fA-F]{4,6})",
    )
});
static DECIMAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:[0-9]{2,3}[ ,;.\-]{1,3}){5,}[0-9]{2,3}"));
static BINARY: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:[01]{7,8}[ ,]?){6,}"));
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]+"));
static JOINED: LazyLock<Regex> = LazyLock::new(|| pattern(r#"["'] ?[+.,&]{1,2} ?["']"#));
static INSIDE: LazyLock<Regex> = LazyLock::new(|| pattern(r"([a-z0-9])[^a-z0-9 ]{1,3}([a-z0-9])"));

/// Everything that `text` may be a coding of. `raw` is the same text with its invisible characters.
pub(super) fn all(text: &str, raw: &str) -> Vec<(Coding, String)> {
    let mut found = Vec::new();
    let mut add = |coding, decoded: Option<String>| found.extend(decoded.map(|decoded| (coding, decoded)));
    add(Coding::Tags, tags(raw));
    add(Coding::Percent, percent(text));
    add(Coding::Escape, escapes(text));
    for run in HEX.find_iter(text) {
        add(Coding::Hex, hex(run.as_str()));
    }
    for run in BASE64.find_iter(text) {
        for offset in 0..4 {
            add(Coding::Base64, run.as_str().get(offset..).and_then(base64));
        }
    }
    for line in BASE64_LINE.find_iter(text) {
        // Words of a language are no pieces of a coding.
        let coded =
            |piece: &&str| piece.chars().any(|c| c.is_ascii_digit()) || piece.chars().skip(1).any(char::is_uppercase);
        let joined: String = line.as_str().split(' ').filter(coded).collect();
        add(Coding::Base64, base64(&joined));
    }
    for run in DECIMAL.find_iter(text) {
        add(Coding::CharCodes, numbers(run.as_str(), 10));
    }
    for run in BINARY.find_iter(text) {
        add(Coding::CharCodes, numbers(run.as_str(), 2));
    }
    found
}

/// The bytes as text, if that is what they are.
fn text_of(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    (text.len() >= LEAST && text.chars().all(readable)).then_some(text)
}

fn hex(run: &str) -> Option<String> {
    let run = run.replace("\\x", " ").replace("0x", " ").replace('%', " ");
    let digits: Vec<u8> = run.bytes().filter(u8::is_ascii_hexdigit).collect();
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    text_of(digits.chunks_exact(2).filter_map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?)).collect())
}

fn base64(run: &str) -> Option<String> {
    let mut run = run.trim_end_matches('=').replace('-', "+").replace('_', "/");
    // One sign more than whole bytes need says nothing.
    run.truncate(run.len() - usize::from(run.len() % 4 == 1));
    text_of(LENIENT.decode(run).ok()?)
}

fn percent(text: &str) -> Option<String> {
    if PERCENT.find_iter(text).take(3).count() < 3 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    for sign in PERCENT.find_iter(text) {
        bytes.extend_from_slice(&text.as_bytes()[at..sign.start()]);
        bytes.extend(u8::from_str_radix(&sign.as_str()[1..], 16));
        at = sign.end();
    }
    bytes.extend_from_slice(&text.as_bytes()[at..]);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn escapes(text: &str) -> Option<String> {
    if ESCAPE.find_iter(text).take(3).count() < 3 {
        return None;
    }
    let decoded = ESCAPE.replace_all(text, |found: &Captures<'_>| {
        let number =
            |group: usize, radix| found.get(group).and_then(|digits| u32::from_str_radix(digits.as_str(), radix).ok());
        let code = number(1, 16).or(number(2, 16)).or(number(3, 16)).or(number(4, 10)).or(number(5, 16));
        code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER).to_string()
    });
    Some(decoded.into_owned())
}

fn numbers(run: &str, radix: u32) -> Option<String> {
    let of = |digits: &str| u8::from_str_radix(digits, radix).ok();
    let bytes: Option<Vec<u8>> = if radix == 2 {
        let digits: Vec<char> = run.chars().filter(char::is_ascii_digit).collect();
        digits.chunks_exact(8).map(|byte| of(&byte.iter().collect::<String>())).collect()
    } else {
        NUMBER.find_iter(run).map(|digits| of(digits.as_str())).collect()
    };
    text_of(bytes?)
}

/// What the invisible tag characters of a text say.
fn tags(raw: &str) -> Option<String> {
    let inside = |c: char| u32::from(c).checked_sub(0xe0000).filter(|code| (0x20..0x7f).contains(code));
    let said: String = raw.chars().filter_map(inside).filter_map(char::from_u32).collect();
    (said.len() >= LEAST).then_some(said)
}

/// The short pieces of a folded text put together, where there are at least five in a row; else nothing.
pub(super) fn squeezed(folded: &str) -> String {
    const RUN: usize = 5;
    let mut out = String::new();
    let (mut run, mut length) = (String::new(), 0);
    let mut close = |run: &mut String, length: &mut usize| {
        if *length >= RUN {
            out.push_str(run);
            out.push(' ');
        }
        run.clear();
        *length = 0;
    };
    for piece in folded.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty()) {
        if piece.chars().nth(3).is_some() {
            close(&mut run, &mut length);
        } else {
            run.push_str(piece);
            length += 1;
        }
    }
    close(&mut run, &mut length);
    out.truncate(out.trim_end().len());
    out
}

/// A folded text without signs inside its words.
pub(super) fn unpunctuated(folded: &str) -> String {
    let joined = JOINED.replace_all(folded, "");
    let mut now = joined.into_owned();
    // Neighbours share a letter (`a-b-c`), so one pass takes every second sign only.
    for _ in 0..2 {
        now = INSIDE.replace_all(&now, "$1$2").into_owned();
    }
    now
}

/// A folded text with letters for the figures and signs inside its words.
pub(super) fn leet(folded: &str) -> String {
    let letter = |c: char| match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    let word = |word: &str| {
        if word.chars().any(|c| c.is_ascii_alphabetic()) { word.chars().map(letter).collect() } else { word.to_owned() }
    };
    folded.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

pub(super) fn rot13(folded: &str) -> String {
    let moved = |c: char| match c {
        'a'..='m' => char::from(c as u8 + 13),
        'n'..='z' => char::from(c as u8 - 13),
        other => other,
    };
    folded.chars().map(moved).collect()
}
