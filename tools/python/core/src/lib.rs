//! The native part of the Python package: environments, batches of them, and the program's commands.
//!
//! What Python's users see is in `tools/python/labtrust`; nothing here is meant to be called by anybody else. Text goes
//! over as JSON, numbers as arrays. Nothing of the laboratory is decided here.

mod batch;
mod environment;
mod program;
mod world;

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<world::World>()?;
    module.add_class::<environment::Environment>()?;
    module.add_class::<batch::Batch>()?;
    module.add_function(wrap_pyfunction!(program::tasks, module)?)?;
    module.add_function(wrap_pyfunction!(program::run_program, module)?)?;
    module.add_function(wrap_pyfunction!(program::run_command, module)?)?;
    Ok(())
}
