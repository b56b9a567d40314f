//! The security attack suite.
