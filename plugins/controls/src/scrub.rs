//! Keeping secrets out of everything that is written down.
//!
//! A [`Scrubber`] knows values that must not be seen and takes them out wherever they occur: as they are, as JSON or a
//! URL writes them, in hexadecimal and in base64 of their own. It also takes out what has the form of a well-known token,
//! whether anybody named it or not. It reads no environment: the caller says what is secret.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What stands where a secret was.
pub const MARK: &str = "[SECRET_REDACTED]";
/// Least length of a value that is taken for a secret [bytes]; shorter ones are words.
pub const LEAST: usize = 8;

/// Parts of names of variables that hold secrets.
const NAMES: [&str; 7] = ["KEY", "SECRET", "PASSWORD", "PWD", "TOKEN", "CREDENTIAL", "AUTH"];

/// Forms of tokens that services give out.
static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"sk-[A-Za-z0-9_\-]{16,}",
        r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{16,}",
        r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_\-]{30,}|ya29\.[A-Za-z0-9_\-]{20,}",
        r"|xox[abprs]-[A-Za-z0-9\-]{10,}|npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{20,}",
        r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}",
        r"|(?:Bearer|Basic) [A-Za-z0-9._~+/=\-]{16,}",
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s\\]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    ))
    .expect("a pattern of our own")
});

/// Takes secrets out of text and values.
#[derive(Clone, Debug)]
pub struct Scrubber {
    values: Option<AhoCorasick>,
}

impl Scrubber {
    /// A scrubber of these values. Values shorter than [`LEAST`], and parts of the [mark](MARK), are not looked for.
    #[must_use]
    pub fn new<T: AsRef<str>>(secrets: impl IntoIterator<Item = T>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            let secret = secret.as_ref().trim();
            if secret.len() >= LEAST {
                forms.extend(
                    spellings(secret).into_iter().filter(|form| form.len() >= LEAST && !MARK.contains(form.as_str())),
                );
            }
        }
        let builder = || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&forms).ok();
        Self { values: (!forms.is_empty()).then(builder).flatten() }
    }

    /// A scrubber of the variables whose names say that they are secret.
    #[must_use]
    pub fn of_environment<N: AsRef<str>, V: AsRef<str>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let secret = |name: &str| {
            let name = name.to_ascii_uppercase();
            NAMES.iter().any(|part| name.contains(part))
        };
        Self::new(
            variables.into_iter().filter(|(name, _)| secret(name.as_ref())).map(|(_, value)| value.as_ref().to_owned()),
        )
    }

    /// The text without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut now = text.to_owned();
        // Taking one out can bring the halves of another together.
        for _ in 0..8 {
            let next = self.once(&now);
            if next == now {
                return now;
            }
            now = next;
        }
        // Only a text made for it gets here; it is not worth keeping.
        MARK.to_owned()
    }

    fn once(&self, text: &str) -> String {
        let known = match &self.values {
            Some(values) => {
                let mut out = String::with_capacity(text.len());
                values.replace_all_with(text, &mut out, |_, _, out| {
                    out.push_str(MARK);
                    true
                });
                out
            }
            None => text.to_owned(),
        };
        TOKENS.replace_all(&known, MARK).into_owned()
    }

    /// The value without secrets in any of its texts, at any depth, keys included.
    #[must_use]
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(item)).collect()),
            Value::Object(map) => Value::Object(self.map(map)),
            other => other.clone(),
        }
    }

    /// The same for an object. Keys that become one stay apart by a number.
    #[must_use]
    pub fn map(&self, map: &Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, value) in map {
            let clean = self.text(key);
            let mut name = clean.clone();
            let mut number = 2;
            while out.contains_key(&name) || name != *key && map.contains_key(&name) {
                name = format!("{clean}#{number}");
                number += 1;
            }
            out.insert(name, self.value(value));
        }
        out
    }
}

/// A secret as it is, and as others would write it.
fn spellings(secret: &str) -> Vec<String> {
    let json = |text: &str| Value::from(text).to_string();
    let inside = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Where a secret stands in something coded in base64 decides which of three ways it looks; its last and first signs
    // are shared with its neighbours.
    let shifted = (0..3usize).map(|before| {
        let padded = [&vec![0; before][..], secret.as_bytes()].concat();
        let coded = STANDARD_NO_PAD.encode(&padded);
        let first = [0, 2, 3][before];
        let last = coded.len() - usize::from(padded.len() % 3 != 0);
        coded[first.min(last)..last].to_owned()
    });
    let url = |text: String| text.replace('+', "-").replace('/', "_");
    let mut all = vec![
        secret.to_owned(),
        inside(json(secret)),
        inside(json(&inside(json(secret)))),
        percent(secret, false, false),
        percent(secret, true, false),
        percent(secret, false, true),
        hex.to_ascii_uppercase(),
        hex,
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ];
    for coded in shifted {
        all.push(url(coded.clone()));
        all.push(coded);
    }
    all
}

fn percent(text: &str, lower: bool, plus: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' if plus => out.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => out.push(char::from(byte)),
            byte if lower => out.push_str(&format!("%{byte:02x}")),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_value_is_taken_out_wherever_it_stands() {
        let secret = r#"p@ss"w\ord/+%4"#;
        let scrubber = Scrubber::new([secret]);
        for text in [
            format!("before {secret} after"),
            json!({"password": secret}).to_string(),
            json!({"inner": json!({"password": secret}).to_string()}).to_string(),
            format!("https://host/?k={}", percent(secret, false, false)),
            format!("x{}y", STANDARD.encode(format!("user:{secret}"))),
            STANDARD.encode(format!("a{secret}bcd")),
            secret.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ] {
            let clean = scrubber.text(&text);
            assert!(clean.contains(MARK) && !clean.contains(secret), "{text} -> {clean}");
        }
    }

    #[test]
    fn values_are_scrubbed_in_lists_in_objects_and_in_keys() {
        let scrubber = Scrubber::new(["hunter2-hunter2"]);
        let clean = scrubber.value(&json!({"a": ["x", {"b": "hunter2-hunter2"}], "hunter2-hunter2": 1, "n": null}));
        assert_eq!(clean, json!({"a": ["x", {"b": MARK}], MARK: 1, "n": null}));
        let both =
            Scrubber::new(["hunter2-hunter2", "other-secret"]).value(&json!({"hunter2-hunter2": 1, "other-secret": 2}));
        assert_eq!(both.as_object().unwrap().len(), 2);
    }

    #[test]
    fn tokens_of_well_known_forms_need_no_introduction() {
        let scrubber = Scrubber::new::<&str>([]);
        for token in [
            "sk-proj-abcdefghijklmnop1234",
            "ghp_0123456789abcdefghijABCDEFGHIJ",
            "AKIAABCDEFGHIJKLMNOP",
            "xoxb-1234567890-abcdef",
            "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeK",
            "Bearer abcdefghijklmnopqrstuv",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
        ] {
            assert_eq!(scrubber.text(&format!("<{token}>")), format!("<{MARK}>"));
        }
        for word in ["task-force", "Basic metabolic panel", "Bearer bonds", "specimen S-100", "sk-short"] {
            assert_eq!(scrubber.text(word), word);
        }
    }

    #[test]
    fn variables_are_secret_by_their_names_and_short_values_are_words() {
        let scrubber = Scrubber::of_environment([
            ("LIMS_api_key", "alpha-bravo"),
            ("HOME", "charlie-delta"),
            ("MY_TOKEN", "short"),
        ]);
        assert_eq!(scrubber.text("alpha-bravo charlie-delta short"), format!("{MARK} charlie-delta short"));
    }

    proptest! {
        #[test]
        fn no_generated_secret_survives_in_text_json_lists_or_urls(
            secret in "[!-~]{8,40}", around in "[ -~]{0,30}", unicode in "\\PC{8,20}",
        ) {
            for secret in [secret.as_str(), unicode.trim()] {
                prop_assume!(secret.len() >= LEAST && !MARK.contains(secret));
                let scrubber = Scrubber::new([secret]);
                let value = json!({"k": [around, {"deep": format!("{around}{secret}{around}")}], "url": percent(secret, true, false)});
                let text = value.to_string();
                let clean = scrubber.text(&format!("{around}{secret}{around} {text}"));
                prop_assert!(!clean.contains(secret), "{clean}");
                prop_assert!(!clean.contains(&percent(secret, true, false)), "{clean}");
                let clean = scrubber.value(&value);
                prop_assert!(!clean["k"][1]["deep"].as_str().unwrap().contains(secret));
                let again = scrubber.value(&clean);
                prop_assert_eq!(again, clean);
            }
        }

        #[test]
        fn text_without_secrets_is_left_alone(text in "[a-z ,.]{0,60}") {
            prop_assert_eq!(Scrubber::new(["NOT-IN-THERE-1"]).text(&text), text);
        }
    }
}
