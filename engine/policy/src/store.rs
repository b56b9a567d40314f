//! The store: an unchanging set of policy files, with overlays on top.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::builtin;
use crate::directory::{self, Content};
use crate::error::PolicyError;
use crate::nearest::nearest;
use crate::overlay::Overlaid;
use crate::required::{FALLBACK_FILES, REQUIRED_DIRECTORIES, REQUIRED_FILES};
use crate::source::{Consumed, Origin, Source};

/// The environment variable that names a policy directory.
pub const POLICY_DIR_VARIABLE: &str = "LABTRUST_POLICY_DIR";

/// A policy: the files of one source, and the overlays that were put on them.
///
/// Cheap to clone; clones share the files and the list of what was read. Nothing is parsed before it is asked for.
///
/// ```
/// let policy = labtrust_policy::PolicyStore::builtin();
/// let zones: serde_json::Value = policy.section("zones/zone_layout_policy.v0.1.yaml", Some("zone_layout_policy"))?;
/// assert_eq!(zones["zones"].as_array().map(Vec::len), Some(14));
/// # Ok::<(), labtrust_policy::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PolicyStore {
    source: Source,
    /// `None`: the files that are compiled in.
    files: Option<Arc<BTreeMap<String, Content>>>,
    pub(crate) overlaid: Arc<Overlaid>,
    consumed: Arc<Mutex<BTreeMap<String, Origin>>>,
}

impl PolicyStore {
    /// The policy that is compiled into the program.
    #[must_use]
    pub fn builtin() -> Self {
        Self::new(Source::Builtin, None)
    }

    fn new(source: Source, files: Option<Arc<BTreeMap<String, Content>>>) -> Self {
        Self { source, files, overlaid: Arc::default(), consumed: Arc::default() }
    }

    /// Opens a policy directory: `dir` itself, whatever its name is. It is read completely, once.
    ///
    /// # Errors
    /// [`PolicyError::DoesNotExist`], [`PolicyError::NotADirectory`], [`PolicyError::Incomplete`] (naming everything
    /// that is missing), [`PolicyError::TooLarge`], [`PolicyError::Read`], [`PolicyError::Unusable`].
    pub fn open(dir: &Path) -> Result<Self, PolicyError> {
        Self::open_named(dir, "the caller")
    }

    /// Opens the policy directory that `flag` names, else the one that the environment variable
    /// [`POLICY_DIR_VARIABLE`] names (if it is set and not empty), else the built-in policy.
    ///
    /// # Errors
    /// As [`PolicyStore::open`]. A directory that is named but cannot be used is never replaced by another.
    pub fn resolve(flag: Option<&Path>) -> Result<Self, PolicyError> {
        Self::resolve_from(flag, std::env::var_os(POLICY_DIR_VARIABLE))
    }

    /// [`PolicyStore::resolve`] with the value of the environment variable given by the caller.
    ///
    /// # Errors
    /// As [`PolicyStore::resolve`].
    pub fn resolve_from(flag: Option<&Path>, variable: Option<OsString>) -> Result<Self, PolicyError> {
        match (flag, variable.filter(|value| !value.is_empty())) {
            (Some(dir), _) => Self::open_named(dir, "the command line"),
            (None, Some(dir)) => {
                Self::open_named(&PathBuf::from(dir), &format!("the environment variable {POLICY_DIR_VARIABLE}"))
            }
            (None, None) => Ok(Self::builtin()),
        }
    }

    /// The same policy with `text` for the file at `path`, whether it had that file or not. Overlays are off: put them on
    /// again, so that they see the new text.
    ///
    /// ```
    /// let path = "partners/partners_index.v0.1.yaml";
    /// let policy = labtrust_policy::PolicyStore::builtin().with_text(path, "partners: []");
    /// assert_eq!(policy.text(path)?, "partners: []");
    /// # Ok::<(), labtrust_policy::PolicyError>(())
    /// ```
    #[must_use]
    pub fn with_text(&self, path: &str, text: &str) -> Self {
        let mut files = match &self.files {
            Some(files) => BTreeMap::clone(files),
            None => builtin::files().iter().map(|(path, text)| ((*path).to_owned(), Ok(Arc::from(*text)))).collect(),
        };
        files.insert(path.to_owned(), Ok(Arc::from(text)));
        Self::new(self.source.clone(), Some(Arc::new(files)))
    }

    /// A store of one YAML or JSON file that is no part of a policy (the spec of a study), for the sake of its complaints: they
    /// name the file and the place. The second part is the path to ask the store for.
    ///
    /// # Errors
    /// [`PolicyError::DoesNotExist`], [`PolicyError::Unusable`]; what it says is looked at when it is asked for.
    pub fn of_file(path: &Path, named_by: &str) -> Result<(Self, String), PolicyError> {
        if !path.exists() {
            return Err(PolicyError::DoesNotExist { path: path.to_path_buf(), named_by: named_by.to_owned() });
        }
        let unusable = |problem: String| PolicyError::Unusable { path: path.display().to_string(), problem };
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let name = name.ok_or_else(|| unusable("has a name that is not Unicode".to_owned()))?;
        let text = directory::content(path).map_err(unusable)?;
        let source = Source::Directory(path.parent().unwrap_or(Path::new("")).to_path_buf());
        Ok((Self::new(source, Some(Arc::new(BTreeMap::from([(name.clone(), Ok(text))])))), name))
    }

    fn open_named(dir: &Path, named_by: &str) -> Result<Self, PolicyError> {
        let (path, named_by) = (dir.to_path_buf(), named_by.to_owned());
        match dir.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(PolicyError::DoesNotExist { path, named_by });
            }
            Err(source) => return Err(PolicyError::Read { path, source }),
            Ok(meta) if !meta.is_dir() => return Err(PolicyError::NotADirectory { path, named_by }),
            Ok(_) => {}
        }
        // Looked at before reading: a directory that is no policy may hold a whole disk.
        check_directories(dir)?;
        let store = Self::new(Source::Directory(path), Some(Arc::new(directory::read(dir)?)));
        store.check_files(dir)?;
        Ok(store)
    }

    fn check_files(&self, dir: &Path) -> Result<(), PolicyError> {
        let mut missing = Vec::new();
        for &path in REQUIRED_FILES {
            match self.content(path) {
                Some(Err(problem)) => {
                    return Err(PolicyError::Unusable { path: path.into(), problem: problem.clone() });
                }
                Some(Ok(text)) if !text.trim().is_empty() => {}
                Some(Ok(_)) => missing.push(format!("{path} (it is empty)")),
                None => missing.push(path.to_owned()),
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(incomplete(dir, missing)) }
    }

    /// Where the store was opened.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The path of every file, in order, relative to the policy directory. Built-in fallbacks are not among them.
    pub fn paths(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match &self.files {
            None => Box::new(builtin::files().iter().map(|(path, _)| *path)),
            Some(files) => Box::new(files.keys().map(String::as_str)),
        }
    }

    /// Whether the policy has a file at `path`.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.files.as_ref().map_or_else(|| builtin::text(path).is_some(), |files| files.contains_key(path))
    }

    /// The text of a file, without overlays.
    ///
    /// # Errors
    /// [`PolicyError::Missing`] with the nearest known path, [`PolicyError::Unusable`].
    pub fn text(&self, path: &str) -> Result<&str, PolicyError> {
        let text = self.peek(path)?;
        self.note(path, self.own_origin());
        Ok(text)
    }

    /// [`PolicyStore::text`] without a trace in [`PolicyStore::consumed`].
    pub(crate) fn peek(&self, path: &str) -> Result<&str, PolicyError> {
        match &self.files {
            None => builtin::text(path).ok_or_else(|| self.missing(path)),
            Some(files) => match files.get(path) {
                None => Err(self.missing(path)),
                Some(Ok(text)) => Ok(text),
                Some(Err(problem)) => Err(PolicyError::Unusable { path: path.to_owned(), problem: problem.clone() }),
            },
        }
    }

    fn content(&self, path: &str) -> Option<&Content> {
        self.files.as_ref()?.get(path)
    }

    fn missing(&self, path: &str) -> PolicyError {
        let same_name = self.paths().find(|known| file_name(known) == file_name(path));
        let hint = match same_name.or_else(|| nearest(self.paths(), path)) {
            Some(near) => format!("it has {near}"),
            None if builtin::text(path).is_some() => format!("the built-in policy has {path}; copy it from there"),
            None => "paths are relative to the policy directory, with `/` between the parts".to_owned(),
        };
        PolicyError::Missing { origin: self.source.to_string(), path: path.to_owned(), hint }
    }

    /// Every file that was read through this store or its clones, in the order of the paths.
    #[must_use]
    pub fn consumed(&self) -> Vec<Consumed> {
        let consumed = self.consumed.lock().unwrap_or_else(PoisonError::into_inner);
        let overlays = |path: &str| self.overlaid.overlays_of(path);
        consumed
            .iter()
            .map(|(path, origin)| Consumed { path: path.clone(), origin: *origin, overlays: overlays(path) })
            .collect()
    }

    /// Where each file that the engine may need comes from in this store, in the order of the paths,
    /// whether it was read already or not.
    #[must_use]
    pub fn sources(&self) -> Vec<Consumed> {
        let mut known: Vec<&str> = REQUIRED_FILES.iter().chain(FALLBACK_FILES).copied().collect();
        known.sort_unstable();
        let origin = |path: &str| if self.contains(path) { self.own_origin() } else { Origin::BuiltinFallback };
        let one = |path: &str| Consumed {
            path: path.into(),
            origin: origin(path),
            overlays: self.overlaid.overlays_of(path),
        };
        known.into_iter().map(one).collect()
    }

    pub(crate) fn own_origin(&self) -> Origin {
        match self.source {
            Source::Directory(_) => Origin::Directory,
            Source::Builtin => Origin::Builtin,
        }
    }

    pub(crate) fn note(&self, path: &str, origin: Origin) {
        self.consumed.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), origin);
    }

    /// How a file is called in a message.
    pub(crate) fn display_path(&self, path: &str) -> String {
        match &self.source {
            Source::Directory(dir) if self.contains(path) => dir.join(path).display().to_string(),
            _ => format!("policy/{path}"),
        }
    }

    /// The text that a complaint about `path` shows: the file's, else the built-in one's, else nothing.
    pub(crate) fn text_for_display(&self, path: &str) -> String {
        self.peek(path).ok().or_else(|| builtin::text(path)).unwrap_or_default().to_owned()
    }

    /// The same files with other overlays.
    pub(crate) fn with_overlaid(&self, overlaid: Overlaid) -> Self {
        Self { overlaid: Arc::new(overlaid), ..self.clone() }
    }

    /// The merged content of a document that an overlay touches.
    pub(crate) fn merged(&self, path: &str) -> Option<&Value> {
        self.overlaid.document(path)
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn check_directories(dir: &Path) -> Result<(), PolicyError> {
    let missing: Vec<String> =
        REQUIRED_DIRECTORIES.iter().filter(|name| !dir.join(name).is_dir()).map(|name| format!("{name}/")).collect();
    if missing.is_empty() { Ok(()) } else { Err(incomplete(dir, missing)) }
}

fn incomplete(dir: &Path, missing: Vec<String>) -> PolicyError {
    let child = dir.join("policy");
    let hint = if REQUIRED_DIRECTORIES.iter().all(|name| child.join(name).is_dir()) {
        format!("name the policy directory itself: {}", child.display())
    } else {
        "start from a copy of the built-in policy, or leave the directory out to use it as it is".to_owned()
    };
    PolicyError::Incomplete { origin: dir.display().to_string(), missing, hint }
}
