//! Which program this is.

/// Commit the program was built from, where known.
pub(crate) const GIT_SHA: Option<&str> = option_env!("LABTRUST_GIT_SHA");

/// What `--version` prints: name, version and the first twelve digits of the commit.
pub(crate) fn line() -> String {
    let commit = option_env!("LABTRUST_GIT_SHA_SHORT").unwrap_or("unknown");
    format!("labtrust {} (git {commit})", env!("CARGO_PKG_VERSION"))
}
