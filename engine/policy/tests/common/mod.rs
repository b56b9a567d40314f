//! A policy directory to spoil: the built-in one, written out.

#![allow(dead_code, reason = "each test file uses its own part of this module")]

use std::fs;
use std::path::{Path, PathBuf};

use labtrust_policy::PolicyStore;
use tempfile::TempDir;

/// The built-in policy as a directory of its own, under a name that is not `policy`.
pub(crate) struct Copy {
    dir: TempDir,
}

impl Copy {
    pub(crate) fn of_the_builtin() -> Self {
        let copy = Self { dir: TempDir::with_prefix("rules-of-our-house").unwrap() };
        let store = PolicyStore::builtin();
        for path in store.paths() {
            copy.write(path, store.text(path).unwrap());
        }
        copy
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.file(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.file(path)).unwrap();
    }

    pub(crate) fn open(&self) -> PolicyStore {
        PolicyStore::open(self.path()).unwrap()
    }
}

/// The whole complaint as a user reads it, without colours.
pub(crate) fn shown(error: &labtrust_policy::PolicyError) -> String {
    let mut out = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor()).with_width(140);
    handler.render_report(&mut out, error).unwrap();
    out
}
