//! How the panel reads a prompt, and how its decoder reads a text. Nothing here is shared with the detector.

use serde_json::{Map, Value};

/// A task of the work list: an action, its arguments and, where it needs such, reason and tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct Task {
    pub(super) action_type: String,
    pub(super) args: Map<String, Value>,
    pub(super) reason_code: Option<String>,
    pub(super) token_refs: Vec<String>,
}

/// What a member takes from a prompt.
#[derive(Clone, Debug, Default)]
pub(super) struct Prompt {
    pub(super) zone: String,
    pub(super) allowed: Vec<String>,
    pub(super) tools: Vec<String>,
    pub(super) tasks: Vec<Task>,
    pub(super) texts: Vec<String>,
    anchors: Vec<String>,
    facts: String,
}

impl Prompt {
    /// Reads a prompt; what is not there stays empty.
    pub(super) fn read(prompt: &str) -> Self {
        let line = |name: &str| -> Value {
            let found = prompt.lines().find_map(|line| line.strip_prefix(name));
            found.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
        };
        let (state, policy) = (line("STATE_JSON: "), line("POLICY_JSON: "));
        let list = |value: &Value| {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let task = |task: &Value| {
            Some(Task {
                action_type: task["action_type"].as_str()?.to_owned(),
                args: task["args"].as_object()?.clone(),
                reason_code: task["reason_code"].as_str().map(str::to_owned),
                token_refs: list(&task["token_refs"]),
            })
        };
        let mut read = Self {
            zone: state["zone"].as_str().unwrap_or_default().to_owned(),
            allowed: list(&policy["allowed_actions"]),
            tools: list(&policy["tools"]),
            anchors: list(&policy["citation_anchors"]),
            tasks: state["facts"]["tasks"].as_array().into_iter().flatten().filter_map(task).collect(),
            facts: state["facts"].to_string(),
            texts: Vec::new(),
        };
        let mut lines = prompt.lines().skip_while(|line| !line.starts_with("UNTRUSTED "));
        let end = lines.next().map(|line| line.replacen("UNTRUSTED", "END", 1)).unwrap_or_default();
        for line in lines.take_while(|line| *line != end) {
            let text = line.split_once("] ").map_or(line, |(_, text)| text);
            read.texts.push(text.replace("\\n", "\n").replace("\\\\", "\\"));
        }
        read
    }

    /// A rule to cite.
    pub(super) fn anchor(&self) -> &str {
        self.anchors.first().map_or("", String::as_str)
    }

    /// All that the records say beside the rest.
    pub(super) fn facts(&self) -> &str {
        &self.facts
    }
}

/// A text as it stands, and for a decoder in every way it knows.
pub(super) fn all(text: &str, decodes: bool) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    if decodes {
        let visible: String = text
            .chars()
            .filter(|c| !matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}'))
            .collect();
        let latin: String = visible.chars().map(latin).collect();
        all.extend([unspaced(&latin), latin.replace("\" + \"", ""), latin.clone()]);
        let mut todo = vec![visible];
        for _ in 0..2 {
            let found: Vec<String> =
                todo.iter().flat_map(|text| [hex(text), base64(text), percent(text)]).flatten().collect();
            all.extend(found.iter().cloned());
            todo = found;
        }
    }
    all
}

/// The Latin letter for some that look like it.
fn latin(c: char) -> char {
    match c {
        'а' => 'a',
        'е' => 'e',
        'о' => 'o',
        'р' => 'p',
        'с' => 'c',
        'і' => 'i',
        'у' => 'y',
        'х' => 'x',
        'ѕ' => 's',
        'А' => 'A',
        'Е' => 'E',
        'О' => 'O',
        'Р' => 'P',
        'С' => 'C',
        'І' => 'I',
        'М' => 'M',
        'Н' => 'H',
        'Ѕ' => 'S',
        'ο' => 'o',
        'α' => 'a',
        'ν' => 'v',
        'Ε' => 'E',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    }
}

/// Letters with one space between them put together; two spaces are a space.
fn unspaced(text: &str) -> String {
    let spaced = text.split(' ').filter(|word| word.chars().count() == 1).count();
    if spaced * 2 < text.split(' ').count() {
        return text.to_owned();
    }
    text.replace("  ", "\u{1}").replace(' ', "").replace('\u{1}', " ")
}

fn hex(text: &str) -> Vec<String> {
    let word = |word: &str| {
        let digits: Vec<u32> = word.chars().map_while(|c| c.to_digit(16)).collect();
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
        (digits.len() >= 16).then(|| String::from_utf8(bytes).ok()).flatten()
    };
    text.split_whitespace().filter_map(word).collect()
}

/// By hand, so that a mistake in a library is no mistake of both sides.
fn base64(text: &str) -> Vec<String> {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let word = |word: &str| {
        let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
        for sign in word.trim_end_matches(['=', '.']).bytes() {
            let value = SIGNS.iter().position(|one| *one == sign)?;
            bits = bits << 6 | value as u32;
            held += 6;
            if held >= 8 {
                held -= 8;
                bytes.push((bits >> held & 0xff) as u8);
            }
        }
        String::from_utf8(bytes).ok().filter(|text| text.len() >= 8 && text.is_ascii())
    };
    text.split_whitespace().filter_map(word).collect()
}

fn percent(text: &str) -> Vec<String> {
    if text.matches('%').count() < 3 {
        return Vec::new();
    }
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, tail)) = rest.split_first() {
        let code = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).into_iter().collect()
}
