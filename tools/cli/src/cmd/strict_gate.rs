//! `--strict`, `--waivers` and `--date` of the commands that decide by a gate.

use crate::error::CliError;
use crate::session::Session;
use crate::{Global, plugin_files};
use labtrust_assurance::pack::strict::Strict;
use labtrust_assurance::register::policy::Waiver;
use labtrust_assurance::register::waivers;
use labtrust_bench::date::Date;
use labtrust_coordination::catalogue::Catalogue;
use std::path::PathBuf;
use std::time::SystemTime;

/// How strictly a gate is read.
#[derive(Debug, clap::Args)]
pub(super) struct StrictOptions {
    /// Fail, too, where a cell shows nothing: SKIP, `not_supported`, and `not_run` without a waiver
    #[arg(long)]
    strict: bool,
    /// Waivers of methods that do not exist yet, instead of the policy's; a file of the same shape
    #[arg(long, value_name = "FILE", requires = "strict")]
    waivers: Option<PathBuf>,
    /// Day on which waivers are judged; today (UTC) when it is not given
    #[arg(long, value_name = "YYYY-MM-DD", requires = "strict")]
    date: Option<Date>,
}

impl StrictOptions {
    /// Calls `act` with what a strict reader goes by, or with nothing.
    ///
    /// # Errors
    /// [`CliError`] for waivers and plugins that cannot be read, and what `act` says.
    pub(super) fn with<T>(
        &self,
        global: &Global,
        act: impl FnOnce(Option<Strict<'_>>) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        if !self.strict {
            return act(None);
        }
        let registry = plugin_files::registry(global)?;
        let waivers: Vec<Waiver> = match &self.waivers {
            Some(file) => waivers::of_file(file)?,
            None => waivers::of_policy(&Session::open(global, None)?.policy)?,
        };
        let date = self.date.unwrap_or_else(|| Date::of(SystemTime::now()));
        // A method that lacks something would not be run again either.
        let catalogue = Catalogue::load(&Session::open(global, None)?.policy)?;
        let exists = |method: &str| catalogue.not_run(&registry, method).is_none();
        act(Some(Strict { waivers: &waivers, date, exists: &exists }))
    }
}
