//! `policy.bin`: what training writes.
//!
//! A line of JSON, then all numbers as little-endian float32, in the order of `shapes`: the scale of each number of an
//! observation, then weights and bias of every layer. The line says what the policy was trained for (`task`, `timing`,
//! `fields`, `zones`, `devices`, `actions`, `history`), so that it is refused where its numbers would mean something else.
//! Whatever else the bytes are, reading them ends with a [`Flaw`].

use crate::network::{Layer, Network};
use crate::policy::{FieldText, LearnedPolicy, Mismatch, Trained};
use labtrust_plugin::wire::Act;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

/// What the first line says the file is.
pub const KIND: &str = "labtrust.policy";
/// Version of the form.
pub const VERSION: &str = "0.2";
/// Longest file that is read [bytes]; a policy has some ten thousand.
const MOST_BYTES: u64 = 64 << 20;
/// Most layers, and most observations seen at once [count].
const MOST_LAYERS: usize = 16;
const MOST_HISTORY: usize = 64;
/// What to do about a file that cannot be used.
const HINT: &str = "`labtrust train-ppo` writes such files";

/// Why bytes are no policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}; {HINT}")]
pub struct Flaw {
    /// Where: a byte of the file, or a key of its first line.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; {HINT}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is no policy.
    #[error("{path}: {flaw}")]
    Content {
        /// The file.
        path: String,
        /// Why.
        flaw: Flaw,
    },
    /// No such policy comes with the program.
    #[error("no policy {path} comes with the program; there are [{known}]")]
    NotShipped {
        /// What was asked for.
        path: String,
        /// What there is.
        known: String,
    },
    /// It was trained on something else.
    #[error("{path}: {mismatch}")]
    Elsewhere {
        /// The file.
        path: String,
        /// What differs.
        mismatch: Box<Mismatch>,
    },
}

/// What every version says first.
#[derive(Deserialize)]
struct Said {
    kind: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "version")]
    _version: String,
    task: String,
    timing: String,
    history: usize,
    fields: Vec<FieldText>,
    zones: Vec<String>,
    devices: Vec<String>,
    actions: Vec<String>,
    shapes: Vec<Vec<usize>>,
}

fn flaw<T>(place: impl Into<String>, problem: impl Into<String>) -> Result<T, Flaw> {
    Err(Flaw { place: place.into(), problem: problem.into() })
}

/// The policy in a file.
///
/// # Errors
/// [`FileError`], naming the file and the place.
pub fn open(path: &Path) -> Result<LearnedPolicy, FileError> {
    let shown = path.display().to_string();
    let unread = |source| FileError::Read { path: shown.clone(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unread)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unread)?;
    read(&bytes).map_err(|flaw| FileError::Content { path: shown, flaw })
}

/// The policy in these bytes.
///
/// # Errors
/// [`Flaw`], naming the place.
pub fn read(bytes: &[u8]) -> Result<LearnedPolicy, Flaw> {
    if bytes.len() as u64 > MOST_BYTES {
        return flaw(format!("byte {MOST_BYTES}"), "no policy is as long as this");
    }
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
        return flaw("byte 0", format!("there is no line of JSON, so this is no {KIND}"));
    };
    let (line, numbers) = (&bytes[..end], &bytes[end + 1..]);
    let head = head(line)?;
    let inputs = match head.shapes.first().map(Vec::as_slice) {
        Some(&[inputs]) => inputs,
        _ => return flaw("shapes", "the first shape is that of the scale: one length"),
    };
    let wanted = head.fields.iter().try_fold(0_usize, |sum, field| sum.checked_add(field.2));
    if inputs == 0 || wanted != Some(inputs) {
        return flaw("shapes", format!("the scale has {inputs} numbers, which is not what the fields have"));
    }
    let mut sizes = inputs.checked_mul(head.history);
    let layers = &head.shapes[1..];
    if layers.is_empty() || !layers.len().is_multiple_of(2) || layers.len() / 2 > MOST_LAYERS {
        return flaw("shapes", format!("weights and biases of 1 to {MOST_LAYERS} layers follow the scale"));
    }
    for pair in layers.chunks_exact(2) {
        match (pair[0].as_slice(), pair[1].as_slice(), sizes) {
            (&[from, to], &[bias], Some(before)) if from == before && to == bias && to > 0 => sizes = Some(to),
            _ => return flaw("shapes", format!("{pair:?} does not follow what is before it")),
        }
    }
    if sizes != Some(Act::ALL.len()) {
        return flaw("shapes", format!("the last layer has to have a value for each of {} actions", Act::ALL.len()));
    }
    let count = head.shapes.iter().try_fold(0_usize, |sum, shape| {
        sum.checked_add(shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length))?)
    });
    let bytes_wanted = count.and_then(|count| count.checked_mul(4));
    if bytes_wanted != Some(numbers.len()) {
        let wanted = bytes_wanted.map_or_else(|| "more than there can be".to_owned(), |bytes| bytes.to_string());
        let problem = format!("{} bytes of numbers follow, the shapes ask for {wanted}", numbers.len());
        return flaw(format!("byte {}", end + 1), problem);
    }
    let values = numbers.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
    let values: Vec<f32> = values.collect();
    if let Some(place) = values.iter().position(|value| !value.is_finite()) {
        return flaw(format!("byte {}", end + 1 + 4 * place), format!("{} is no finite number", values[place]));
    }
    let (scale, mut rest) = values.split_at(inputs);
    if let Some(place) = scale.iter().position(|scale| *scale < 0.0) {
        return flaw(format!("byte {}", end + 1 + 4 * place), "a scale is below zero");
    }
    let mut network = Vec::new();
    for shape in layers.chunks_exact(2) {
        let (weights, after) = rest.split_at(shape[0][0] * shape[0][1]);
        let (bias, after) = after.split_at(shape[1][0]);
        network.push(Layer { weights: weights.to_vec(), bias: bias.to_vec() });
        rest = after;
    }
    let Head { task, timing, history, fields, zones, devices, .. } = head;
    Ok(LearnedPolicy {
        trained: Trained { task, timing, fields, zones, devices },
        scale: scale.to_vec(),
        history,
        network: Network(network),
        sha256: hex(&Sha256::digest(bytes)),
    })
}

fn head(line: &[u8]) -> Result<Head, Flaw> {
    let unread = |error: &serde_json::Error| Flaw {
        place: format!("line 1, column {}", error.column()),
        problem: format!("this is no {KIND}: {error}"),
    };
    let said: Said = serde_json::from_slice(line).map_err(|error| unread(&error))?;
    let (kind, version) = (said.kind.as_deref().unwrap_or("nothing"), said.version.as_deref().unwrap_or("none"));
    if kind != KIND {
        return flaw("kind", format!("this is {kind:?}, no {KIND}"));
    }
    if version != VERSION {
        return flaw("version", format!("this is version {version} of {KIND}, this program reads {VERSION}"));
    }
    let head: Head = serde_json::from_slice(line).map_err(|error| unread(&error))?;
    if !(1..=MOST_HISTORY).contains(&head.history) {
        return flaw("history", format!("{} is not from 1 to {MOST_HISTORY}", head.history));
    }
    let places = head.actions.len().max(Act::ALL.len());
    let known = |place: usize| Act::ALL.get(place).map(|act| act.name());
    if let Some(place) = (0..places).find(|&place| head.actions.get(place).map(String::as_str) != known(place)) {
        let (there, here) = (head.actions.get(place).map_or("nothing", String::as_str), known(place));
        let problem = format!("action {place} is {there}, in this program {}", here.unwrap_or("nothing"));
        return flaw("actions", problem);
    }
    Ok(head)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
