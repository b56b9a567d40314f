//! `token_usage.json`: how many tokens a run took, and how anybody knows.
//!
//! A number without its origin is worth nothing, and a sum of counted and guessed numbers is a guess. So the method is
//! one word for the whole file, and a file that lists parts may not claim a better method than its worst part has.

use crate::error::{ProtocolError, read_text};
use labtrust_bench::files::write_whole;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The file's name in a submission.
pub const FILE_NAME: &str = "token_usage.json";

const COUNTS: [&str; 3] = ["input_tokens", "output_tokens", "total_tokens"];
const FIELDS: [&str; 5] = ["input_tokens", "output_tokens", "total_tokens", "token_count_method", "estimated_cost_usd"];

/// How the numbers came about, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Counted by whoever ran the model.
    Exact,
    /// Told by the platform.
    Reported,
    /// Worked out from something else.
    Estimated,
    /// Not known.
    Unknown,
}

impl Method {
    const ALL: [Self; 4] = [Self::Exact, Self::Reported, Self::Estimated, Self::Unknown];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Reported => "reported",
            Self::Estimated => "estimated",
            Self::Unknown => "unknown",
        }
    }
}

/// What a valid file says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenUsage {
    /// Tokens read [count].
    pub input_tokens: Option<u64>,
    /// Tokens written [count].
    pub output_tokens: Option<u64>,
    /// Both [count].
    pub total_tokens: Option<u64>,
    /// How these are known.
    pub token_count_method: Method,
    /// What they cost [USD].
    pub estimated_cost_usd: Option<f64>,
}

impl TokenUsage {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        input_tokens: None,
        output_tokens: None,
        total_tokens: None,
        token_count_method: Method::Unknown,
        estimated_cost_usd: None,
    };

    /// All tokens: as the file says, or the sum of both kinds where it says only these [count].
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total_tokens.or_else(|| self.input_tokens?.checked_add(self.output_tokens?))
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ProtocolError::Read`], and [`ProtocolError::Content`] naming the first field that is wrong.
    pub fn read(path: &Path) -> Result<Self, ProtocolError> {
        Self::parse(&read_text(path)?).map_err(|(place, problem, hint)| ProtocolError::Content {
            path: path.to_path_buf(),
            place,
            problem,
            hint: Some(hint),
        })
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let document: Value = serde_json::from_str(text).map_err(|error| {
            (Some(format!("line {}", error.line())), format!("is not JSON: {error}"), "write a JSON object".to_owned())
        })?;
        let Value::Object(fields) = document else {
            return Err((
                None,
                "is not a JSON object".to_owned(),
                format!("write an object with {}", FIELDS.join(", ")),
            ));
        };
        for field in FIELDS {
            // Every field is there, null or not: what is left out was forgotten, not unknown.
            if !fields.contains_key(field) {
                return Err(problem(field, "is missing", "write null where it is not known"));
            }
        }
        let whole = part(&fields, "")?;
        if let Some(parts) = fields.get("parts") {
            check_parts(parts, &whole)?;
        }
        Ok(whole)
    }
}

/// Place, what is wrong, what to do.
type Problem = (Option<String>, String, String);

fn problem(place: &str, what: impl Into<String>, hint: impl Into<String>) -> Problem {
    (Some(place.to_owned()), what.into(), hint.into())
}

fn part(fields: &Map<String, Value>, at: &str) -> Result<TokenUsage, Problem> {
    let place = |field: &str| format!("{at}{field}");
    let mut counts = [None; 3];
    for (count, field) in counts.iter_mut().zip(COUNTS) {
        *count = match fields.get(field) {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_u64().ok_or_else(|| {
                problem(&place(field), format!("is {value}"), "write a whole number of tokens, 0 or more, or null")
            })?),
        };
    }
    let names = Method::ALL.map(Method::as_str).join(", ");
    let method = match fields.get("token_count_method") {
        Some(Value::String(said)) => {
            Method::ALL.into_iter().find(|method| method.as_str() == said).ok_or_else(|| {
                let known: Vec<_> = Method::ALL.iter().filter(|method| said.contains(method.as_str())).collect();
                if known.len() > 1 {
                    let hint =
                        "give the whole the weaker method and list the parts, each with its own, under \"parts\"";
                    return problem(&place("token_count_method"), format!("mixes methods: {said:?}"), hint);
                }
                problem(&place("token_count_method"), format!("is {said:?}"), format!("write one of {names}"))
            })?
        }
        other => {
            let said = other.map_or_else(|| "missing".to_owned(), ToString::to_string);
            return Err(problem(&place("token_count_method"), format!("is {said}"), format!("write one of {names}")));
        }
    };
    let estimated_cost_usd = match fields.get("estimated_cost_usd") {
        None | Some(Value::Null) => None,
        Some(value) => Some(value.as_f64().filter(|cost| cost.is_finite() && *cost >= 0.0).ok_or_else(|| {
            problem(&place("estimated_cost_usd"), format!("is {value}"), "write an amount of 0 or more, or null")
        })?),
    };
    let [input_tokens, output_tokens, total_tokens] = counts;
    if let (Some(input), Some(output), Some(total)) = (input_tokens, output_tokens, total_tokens)
        && input.checked_add(output) != Some(total)
    {
        let what = format!("is {total}, but {input} and {output} are {}", u128::from(input) + u128::from(output));
        return Err(problem(&place("total_tokens"), what, "a total is what goes in and what comes out"));
    }
    let known = counts.iter().flatten().count();
    if method == Method::Unknown && known > 0 {
        let hint = "say how the numbers are known: exact, reported or estimated";
        return Err(problem(&place("token_count_method"), "is unknown although there are numbers", hint));
    }
    if method != Method::Unknown && known == 0 {
        let hint = "write unknown where no number is known";
        return Err(problem(&place("token_count_method"), format!("is {} of no numbers", method.as_str()), hint));
    }
    Ok(TokenUsage { input_tokens, output_tokens, total_tokens, token_count_method: method, estimated_cost_usd })
}

/// Parts say where the numbers come from; the whole is no better known than the worst of them.
fn check_parts(parts: &Value, whole: &TokenUsage) -> Result<(), Problem> {
    let Value::Array(parts) = parts else {
        return Err(problem("parts", "is no list", "list objects with counts and a token_count_method"));
    };
    let mut sums = [Some(0_u64); 3];
    let mut worst = Method::Exact;
    for (i, one) in parts.iter().enumerate() {
        let at = format!("parts[{i}]");
        let Value::Object(fields) = one else {
            return Err(problem(&at, "is no object", "list objects with counts and a token_count_method"));
        };
        let one = part(fields, &format!("{at}."))?;
        worst = worst.max(one.token_count_method);
        let counts = [one.input_tokens, one.output_tokens, one.total()];
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum = sum.and_then(|sum| sum.checked_add(count?));
        }
    }
    if !parts.is_empty() && whole.token_count_method < worst {
        let (said, worst) = (whole.token_count_method.as_str(), worst.as_str());
        let what = format!("is {said}, but a part is {worst}");
        return Err(problem(
            "token_count_method",
            what,
            format!("a mixed sum is no better than its worst part: write {worst}"),
        ));
    }
    let wholes = [whole.input_tokens, whole.output_tokens, whole.total()];
    for ((sum, whole), field) in sums.into_iter().zip(wholes).zip(COUNTS) {
        if let (Some(sum), Some(whole)) = (sum, whole)
            && !parts.is_empty()
            && sum != whole
        {
            return Err(problem(field, format!("is {whole}, but the parts sum to {sum}"), "list every part once"));
        }
    }
    Ok(())
}

/// What became of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Normalized {
    /// There was no file; now there is one that says that nothing is known.
    Created(PathBuf),
    /// The file is as the protocol wants it.
    Valid(PathBuf),
}

/// Sees to it that a submission has a valid `token_usage.json`: creates a missing one (all null, `unknown`), checks one
/// that is there and leaves it as it is. `path` is the submission's directory or the file itself.
///
/// # Errors
/// [`ProtocolError::Content`] naming file, field and remedy; [`ProtocolError::Input`] when there is no such directory.
pub fn normalize(path: &Path) -> Result<Normalized, ProtocolError> {
    let file = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
    if file.file_name().is_none_or(|name| name != FILE_NAME) {
        let problem = if path.exists() {
            format!("{} is neither a directory nor a {FILE_NAME}", path.display())
        } else {
            format!("there is no directory {}", path.display())
        };
        return Err(ProtocolError::input(problem, "name the directory of a submission"));
    }
    if !file.parent().is_some_and(|dir| dir.as_os_str().is_empty() || dir.is_dir()) {
        let problem = format!("there is no directory {}", path.parent().unwrap_or(path).display());
        return Err(ProtocolError::input(problem, "name the directory of a submission"));
    }
    if !file.exists() {
        write_whole(&file, &TokenUsage::UNKNOWN.bytes())?;
        return Ok(Normalized::Created(file));
    }
    TokenUsage::read(&file).map(|_| Normalized::Valid(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: &str, output: &str, total: &str, method: &str, more: &str) -> String {
        format!(
            r#"{{"input_tokens":{input},"output_tokens":{output},"total_tokens":{total},"token_count_method":{method},"estimated_cost_usd":null{more}}}"#
        )
    }

    #[test]
    fn a_missing_file_is_created_once_and_says_that_nothing_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE_NAME);
        assert_eq!(normalize(dir.path()).unwrap(), Normalized::Created(file.clone()));
        insta::assert_snapshot!(std::fs::read_to_string(&file).unwrap(), @r#"
        {
          "input_tokens": null,
          "output_tokens": null,
          "total_tokens": null,
          "token_count_method": "unknown",
          "estimated_cost_usd": null
        }
        "#);
        assert_eq!(normalize(dir.path()).unwrap(), Normalized::Valid(file.clone()));
        assert_eq!(normalize(&file).unwrap(), Normalized::Valid(file));
        assert!(normalize(&dir.path().join("nothing")).is_err());
    }

    #[test]
    fn honest_files_are_valid() {
        for (text, total) in [
            (usage("1", "2", "3", "\"exact\"", ""), Some(3)),
            (usage("1", "2", "null", "\"reported\"", ""), Some(3)),
            (usage("null", "null", "7", "\"estimated\"", ""), Some(7)),
            (usage("null", "null", "null", "\"unknown\"", ""), None),
            (usage("0", "0", "0", "\"exact\"", ",\"note\":\"x\""), Some(0)),
            (
                usage(
                    "3",
                    "3",
                    "6",
                    "\"estimated\"",
                    r#","parts":[{"input_tokens":1,"output_tokens":1,"token_count_method":"exact"},{"input_tokens":2,"output_tokens":2,"total_tokens":4,"token_count_method":"estimated"}]"#,
                ),
                Some(6),
            ),
        ] {
            assert_eq!(TokenUsage::parse(&text).unwrap().total(), total, "{text}");
        }
    }

    #[test]
    fn a_file_that_misleads_is_refused_and_the_field_named() {
        let exact_and_estimated = r#","parts":[{"total_tokens":1,"token_count_method":"exact"},{"total_tokens":2,"token_count_method":"estimated"}]"#;
        for (text, place, says) in [
            (usage("1", "2", "4", "\"exact\"", ""), "total_tokens", "are 3"),
            (usage("18446744073709551615", "2", "1", "\"exact\"", ""), "total_tokens", "18446744073709551617"),
            (usage("-1", "2", "1", "\"exact\"", ""), "input_tokens", "is -1"),
            (usage("1.5", "2", "1", "\"exact\"", ""), "input_tokens", "is 1.5"),
            (usage("\"1\"", "2", "3", "\"exact\"", ""), "input_tokens", "\"1\""),
            (usage("true", "2", "3", "\"exact\"", ""), "input_tokens", "true"),
            (usage("1", "2", "3", "\"exakt\"", ""), "token_count_method", "exakt"),
            (usage("1", "2", "3", "\"exact/estimated\"", ""), "token_count_method", "mixes"),
            (usage("1", "2", "3", "[\"exact\",\"estimated\"]", ""), "token_count_method", "is ["),
            (usage("1", "2", "3", "null", ""), "token_count_method", "null"),
            (usage("1", "2", "3", "\"unknown\"", ""), "token_count_method", "although"),
            (usage("null", "null", "null", "\"exact\"", ""), "token_count_method", "no numbers"),
            (usage("null", "null", "3", "\"exact\"", exact_and_estimated), "token_count_method", "part is estimated"),
            (usage("null", "null", "4", "\"estimated\"", exact_and_estimated), "total_tokens", "sum to 3"),
            (usage("1", "2", "3", "\"exact\"", ",\"parts\":3"), "parts", "no list"),
            ("{}".to_owned(), "input_tokens", "missing"),
            ("[]".to_owned(), "", "not a JSON object"),
            ("{".to_owned(), "line 1", "not JSON"),
        ] {
            let (found, problem, _) = TokenUsage::parse(&text).unwrap_err();
            assert!(found.unwrap_or_default().starts_with(place) && problem.contains(says), "{text}: {problem}");
        }
    }
}
