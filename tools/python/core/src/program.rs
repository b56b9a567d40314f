//! The program's commands, inside of a Python process.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::ffi::OsString;

/// The ids of all tasks, sorted.
#[pyfunction]
pub(crate) fn tasks() -> PyResult<Vec<&'static str>> {
    let registry = labtrust_builtin::registry().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let task = |entry: &&labtrust_plugin::Registration| match entry.plugin {
        labtrust_plugin::Plugin::Task(task) => Some(task.id()),
        _ => None,
    };
    Ok(registry.entries().iter().filter_map(task).collect())
}

/// Runs the program as the command line does; the answer is its exit code.
#[pyfunction]
pub(crate) fn run_program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| labtrust_cli::run_inside(&arguments))
}

/// Runs a command. What went wrong is the exit code and the words for it; nothing where all went well.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> Option<(u8, String)> {
    let failed = py.detach(|| labtrust_cli::try_inside(&arguments)).err()?;
    Some((failed.code, failed.message))
}
