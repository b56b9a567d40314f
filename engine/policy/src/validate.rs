//! What is wrong with a policy: everything at once, each with its place and a way out.
//!
//! Loading a policy stops at the first mistake, which is right for a run and tiresome for an author. [`validate`] reads every file,
//! checks its shape against the embedded JSON Schema (a directory's own schemas do not count: they may be as wrong as
//! the rest), then its sense: ids that nothing declares, ids declared twice, and rules that cannot work. It knows the
//! names of fields and not what they mean to a domain; the domain's own complaints are added by whoever can load one.

mod dangling;
mod document;
mod names;
mod schema;
mod sense;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::builtin;
use crate::error::{PolicyError, find_token};
use crate::required::{FALLBACK_FILES, REQUIRED_FILES};
use crate::store::PolicyStore;
use document::{Document, Place};
use names::{Family, Names};
pub use schema::{schema_complaints, schema_path, schemas};

/// One thing that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// File, relative to the policy directory; empty when the policy as a whole is meant.
    pub file: String,
    /// Line, counted from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// Column in characters, counted from 1; 0 when it is not known.
    pub column: usize,
    /// Whether the policy still works, though hardly as meant.
    pub warning: bool,
    /// The id, key or place in the document that is complained about.
    pub subject: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do.
    pub fix: String,
    kind: Kind,
}

/// What sort of mistake a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Load,
    Schema,
    Unknown(Family),
    Twice,
    Unreachable,
    NoZone,
    Idle,
    Nobody,
    Approvals,
    NoCategory,
    NoFile,
}

impl Finding {
    fn at(document: &Document, place: Place, kind: Kind, subject: &str, message: String, fix: String) -> Self {
        let Place { line, column } = place;
        let (file, subject) = (document.path.clone(), plain(subject));
        Self { file, line, column, warning: false, subject, message: plain(&message), fix: plain(&fix), kind }
    }

    fn warning(self) -> Self {
        Self { warning: true, ..self }
    }

    /// A complaint of loading as a finding.
    #[must_use]
    pub fn from_error(error: &PolicyError) -> Self {
        use miette::Diagnostic as _;
        let (message, column) = match error {
            PolicyError::Parse(at)
            | PolicyError::MissingTopKey(at)
            | PolicyError::Rule(at)
            | PolicyError::Reference(at) => (at.message.clone(), at.column),
            other => (other.to_string(), 0),
        };
        let fix = error.help().map_or_else(|| "correct this place".to_owned(), |help| help.to_string());
        Self {
            file: error.file().unwrap_or_default().to_owned(),
            line: error.line().unwrap_or(0),
            column,
            warning: false,
            subject: String::new(),
            message: plain(&message),
            fix: plain(&fix),
            kind: Kind::Load,
        }
    }

    /// A short name of the sort of mistake, for programs: `schema`, `unknown-zone`, `declared-twice`, ...
    #[must_use]
    pub fn code(&self) -> String {
        match self.kind {
            Kind::Load => "load".to_owned(),
            Kind::Schema => "schema".to_owned(),
            Kind::Unknown(family) => format!("unknown-{}", family.name().replace(' ', "-")),
            Kind::Twice => "declared-twice".to_owned(),
            Kind::Unreachable => "unreachable-zone".to_owned(),
            Kind::NoZone => "device-zone".to_owned(),
            Kind::Idle => "role-without-actions".to_owned(),
            Kind::Nobody => "action-of-nobody".to_owned(),
            Kind::Approvals => "impossible-approvals".to_owned(),
            Kind::NoCategory => "emit-without-category".to_owned(),
            Kind::NoFile => "no-such-file".to_owned(),
        }
    }

    /// Whether this finding already says what `error`, a complaint of loading, says.
    fn covers(&self, error: &Self) -> bool {
        let same_place = self.file == error.file && self.line == error.line;
        !self.warning && (same_place || find_token(&error.message, &self.subject).is_some())
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = if self.file.is_empty() { "policy" } else { &self.file };
        let level = if self.warning { "warning: " } else { "" };
        match self.line {
            0 => write!(out, "{file}: {level}{}; {}", self.message, self.fix),
            line => write!(out, "{file}:{line}: {level}{}; {}", self.message, self.fix),
        }
    }
}

/// Text of a file in a form that a terminal cannot take for a command.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Everything that is wrong with the files of a policy, in the order of files and lines.
///
/// `actions` are the actions that agents of the domain may ask for; with none, actions are not judged. Overlays are
/// checked file by file, whether they are on the store or not. `loading` is what loading the domain complained about;
/// it is left out where a finding says the same.
#[must_use]
pub fn validate(store: &PolicyStore, actions: &[&str], loading: Option<&PolicyError>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut documents = Vec::new();
    for path in store.paths().filter(|path| !path.contains(".schema.") && !path.starts_with("schemas/")) {
        match store.peek(path).and_then(|text| Read::of(store, path, text)) {
            Ok(Read { document, shape }) => {
                documents.push(document);
                findings.extend(shape);
            }
            Err(error) => findings.push(Finding::from_error(&error)),
        }
    }
    let own = documents.len();
    documents.extend(borrowed(store));
    let names = Names::collect(&documents, actions);
    let mut sense = Vec::new();
    dangling::check(&documents[..own], &names, &mut sense);
    dangling::slips(&documents[..own], &names, &mut sense);
    dangling::twice(&documents[..own], &mut sense);
    sense::check(&sense::Look { documents: &documents[..own], names: &names, actions }, &mut sense);
    // Where the shape is wrong already, its consequences for the sense are noise.
    sense.retain(|one| !findings.iter().any(|shape| (&shape.file, shape.line) == (&one.file, one.line)));
    findings.append(&mut sense);
    if let Some(error) = loading.map(Finding::from_error)
        && !findings.iter().any(|finding| finding.covers(&error))
    {
        findings.push(error);
    }
    let key = |finding: &Finding| (finding.file.clone(), finding.line, finding.column, finding.message.clone());
    findings.sort_by(|a, b| -> Ordering { key(a).cmp(&key(b)) });
    findings.dedup();
    findings
}

/// The built-in files that stand in for those that a directory lacks.
fn borrowed(store: &PolicyStore) -> Vec<Arc<Document>> {
    let engine = PolicyStore::builtin();
    let lacking = REQUIRED_FILES.iter().chain(FALLBACK_FILES).filter(|path| !store.contains(path));
    lacking.filter_map(|path| Some(Read::of(&engine, path, builtin::text(path)?).ok()?.document)).collect()
}

/// A file that was read, and what is wrong with its shape.
#[derive(Clone)]
struct Read {
    document: Arc<Document>,
    shape: Vec<Finding>,
}

impl Read {
    /// Reads a file. Most files of most policies are the built-in ones, which are read once for all.
    ///
    /// # Errors
    /// As [`Document::read`].
    fn of(store: &PolicyStore, path: &str, text: &str) -> Result<Self, PolicyError> {
        static BUILTIN: Mutex<BTreeMap<String, Read>> = Mutex::new(BTreeMap::new());
        if builtin::text(path) != Some(text) {
            return Self::anew(store, path, text);
        }
        let known = || BUILTIN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = known().get(path) {
            return Ok(read.clone());
        }
        let read = Self::anew(store, path, text)?;
        known().insert(path.to_owned(), read.clone());
        Ok(read)
    }

    fn anew(store: &PolicyStore, path: &str, text: &str) -> Result<Self, PolicyError> {
        let document = Document::read(store, path, text)?;
        let mut shape = Vec::new();
        if let Some(schema) = schema_path(path) {
            schema::check(&document, schema, &mut shape);
        }
        Ok(Self { document: Arc::new(document), shape })
    }
}

/// Where a policy says something about `id`: files and lines in order, with the place in the document.
#[must_use]
pub fn places_of(store: &PolicyStore, id: &str) -> Vec<(String, usize, &'static str)> {
    let mut places = Vec::new();
    for path in store.paths().filter(|path| !path.contains(".schema.") && !path.starts_with("schemas/")) {
        let Ok(Read { document, .. }) = store.peek(path).and_then(|text| Read::of(store, path, text)) else { continue };
        let declared = names::DECLARED.iter().map(|(_, kind, pattern)| (*kind, *pattern));
        for (_, pattern) in declared
            .chain(names::USED.iter().map(|(kind, pattern, _)| (*kind, *pattern)))
            .filter(|(kind, _)| *kind == document.kind)
        {
            let named = document.find(pattern).into_iter().filter(|node| node.text() == Some(id));
            places.extend(named.map(|node| (path.to_owned(), node.place.line, pattern)));
        }
    }
    places.sort();
    places.dedup();
    places
}
