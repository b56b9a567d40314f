//! Reading typed parts of a policy.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::builtin;
use crate::error::{Located, PolicyError};
use crate::parse;
use crate::references;
use crate::source::Origin;
use crate::store::PolicyStore;

impl PolicyStore {
    /// The content of a file as a `T`: what stands under `top`, or with `None` the whole document. Overlays are in it.
    ///
    /// # Errors
    /// [`PolicyError::Missing`], [`PolicyError::Unusable`], [`PolicyError::Parse`] with file, line and column,
    /// [`PolicyError::MissingTopKey`], [`PolicyError::Reference`] when `same_as` references form a circle.
    pub fn section<T: DeserializeOwned>(&self, path: &str, top: Option<&str>) -> Result<T, PolicyError> {
        let text = self.text(path)?;
        self.read(path, text, top)
    }

    /// The whole document as a value tree, overlays included. Integers and floats stay distinct (`140` is an
    /// integer, `140.0` a float).
    ///
    /// # Errors
    /// As [`PolicyStore::section`].
    pub fn value(&self, path: &str) -> Result<Value, PolicyError> {
        self.section(path, None)
    }

    /// [`PolicyStore::section`], or the built-in file when the policy has none at `path`.
    ///
    /// For files that came later than the layout of the reference, so that older directories keep working.
    ///
    /// # Errors
    /// As [`PolicyStore::section`]; a file that is there but broken is not replaced.
    pub fn section_or_builtin<T: DeserializeOwned>(&self, path: &str, top: Option<&str>) -> Result<T, PolicyError> {
        match builtin::text(path) {
            Some(text) if !self.contains(path) => self.read_fallback(path, text, top),
            _ => self.section(path, top),
        }
    }

    /// [`PolicyStore::section_or_builtin`], and the built-in file also when the policy's own one cannot be used.
    /// The second part says why, for a warning; it must not be dropped silently.
    ///
    /// For the one file that is broken in every copy of the reference, `tokens/token_enforcement_map.v0.1.yaml`.
    ///
    /// # Errors
    /// As [`PolicyStore::section`], when there is no built-in file to fall back to.
    pub fn section_or_builtin_if_broken<T: DeserializeOwned>(
        &self,
        path: &str,
        top: Option<&str>,
    ) -> Result<(T, Option<PolicyError>), PolicyError> {
        match (self.section_or_builtin(path, top), builtin::text(path)) {
            (Ok(content), _) => Ok((content, None)),
            (Err(why), Some(text)) if self.own_origin() == Origin::Directory => {
                Ok((self.read_fallback(path, text, top)?, Some(why)))
            }
            (Err(error), _) => Err(error),
        }
    }

    fn read_fallback<T: DeserializeOwned>(&self, path: &str, text: &str, top: Option<&str>) -> Result<T, PolicyError> {
        self.note(path, Origin::BuiltinFallback);
        parse::typed(self, path, text, top)
    }

    fn read<T: DeserializeOwned>(&self, path: &str, text: &str, top: Option<&str>) -> Result<T, PolicyError> {
        if let Some(document) = self.merged(path) {
            return self.read_merged(path, text, document, top);
        }
        references::check(self, path, text)?;
        parse::typed(self, path, text, top)
    }

    /// Reads merged content. It has no lines of its own, so a complaint names the overlays that took part.
    fn read_merged<T: DeserializeOwned>(
        &self,
        path: &str,
        text: &str,
        document: &Value,
        top: Option<&str>,
    ) -> Result<T, PolicyError> {
        let part = match top {
            None => document,
            Some(key) => document.get(key).ok_or_else(|| {
                let keys: Vec<String> =
                    document.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
                parse::missing_top_key(self, path, text, key, &keys)
            })?,
        };
        T::deserialize(part).map_err(|error| {
            let overlays = self.overlaid.overlays_of(path).join(", ");
            let hint = format!("the content is this file merged with {overlays}");
            PolicyError::Parse(Located::new(self, path, text, None, error.to_string(), Some(hint)))
        })
    }
}
