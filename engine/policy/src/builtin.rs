//! The policy directory that is compiled into the program.

include!(concat!(env!("OUT_DIR"), "/builtin_files.rs"));

/// Every built-in file as (path, text), in the order of the paths.
pub(crate) fn files() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// Text of the built-in file at `path`.
pub(crate) fn text(path: &str) -> Option<&'static str> {
    FILES.binary_search_by(|(name, _)| (*name).cmp(path)).ok().map(|at| FILES[at].1)
}
