//! Python, for what is written in it.

/// Variable that names the interpreter.
pub(crate) const VARIABLE: &str = "LABTRUST_PYTHON";

/// The interpreter that somebody has named.
pub(crate) fn named() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|python| !python.is_empty())
}

/// The interpreter, and what starts a module of the package with it.
pub(crate) fn module(name: &str) -> Vec<String> {
    module_of(named().unwrap_or_else(|| "python3".to_owned()), name)
}

/// The same with an interpreter of one's own choice.
pub(crate) fn module_of(python: String, name: &str) -> Vec<String> {
    vec![python, "-m".to_owned(), name.to_owned()]
}
