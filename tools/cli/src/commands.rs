//! The one list of commands. The command line, `labtrust commands`, the help, the manual pages, the completions, the
//! reference page (`docs/src/reference/commands.md`) and the tests of all commands (`tests/commands.rs`) follow it.
//!
//! To add a command:
//!
//! 1. a file in `cmd/`, named in `cmd.rs`, with an options struct whose doc comment is the summary, and for that struct
//!    [`CliCommand`]: a [`Spec`] and `run` (`cmd/bench_smoke.rs` is a short one);
//! 2. a line in [`COMMANDS`];
//! 3. `LABTRUST_REGENERATE=1 cargo test -p labtrust --test commands`, which writes its part of the reference page, and
//!    `INSTA_UPDATE=always cargo test -p labtrust --test cli`, since the list in the help is longer. Both run without
//!    the variable afterwards. Input files of its examples go to `tests/fixtures/`.

use crate::cmd;
use crate::command::{CliCommand, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use crate::{Global, Program};
use clap::{ArgMatches, Command, CommandFactory};

/// Every command, in the order of the help.
pub(crate) const COMMANDS: &[Entry] = &[
    entry::<cmd::run_benchmark::Options>(),
    entry::<cmd::quick_eval::Options>(),
    entry::<cmd::eval_agent::Options>(),
    entry::<cmd::train_ppo::Options>(),
    entry::<cmd::eval_ppo::Options>(),
    entry::<cmd::run_summary::Options>(),
    entry::<cmd::summarize_results::Options>(),
    entry::<cmd::validate_results::Options>(),
    entry::<cmd::diff::Options>(),
    entry::<cmd::bench_smoke::Options>(),
    entry::<cmd::bench_scaling::Options>(),
    entry::<cmd::throughput_compare::Options>(),
    entry::<cmd::determinism_report::Options>(),
    entry::<cmd::generate_official_baselines::Options>(),
    entry::<cmd::run_official_pack::Options>(),
    entry::<cmd::full_pipeline::Options>(),
    entry::<cmd::reproduce::Options>(),
    entry::<cmd::package_release::Options>(),
    entry::<cmd::forker_quickstart::Options>(),
    entry::<cmd::review::Options>(),
    entry::<cmd::run_scenario::Options>(),
    entry::<cmd::run_vectors::Options>(),
    entry::<cmd::run_mine::Options>(),
    entry::<cmd::validate_policy::Options>(),
    entry::<cmd::schema::Options>(),
    entry::<cmd::explain::Options>(),
    entry::<cmd::check_trace::Options>(),
    entry::<cmd::export_receipts::Options>(),
    entry::<cmd::verify_bundle::Options>(),
    entry::<cmd::witness::Options>(),
    entry::<cmd::export_fhir::Options>(),
    entry::<cmd::validate_fhir::Options>(),
    entry::<cmd::transparency_log::Make>(),
    entry::<cmd::transparency_log::Check>(),
    entry::<cmd::release::Build>(),
    entry::<cmd::release::Check>(),
    entry::<cmd::ui_export::Options>(),
    entry::<cmd::build_episode_bundle::Options>(),
    entry::<cmd::replay_log::Options>(),
    entry::<cmd::recover_log::Options>(),
    entry::<cmd::deps_inventory::Options>(),
    entry::<cmd::risk_register::Export>(),
    entry::<cmd::risk_register::Build>(),
    entry::<cmd::validate_coverage::Options>(),
    entry::<cmd::safety_case::Options>(),
    entry::<cmd::method_risk_matrix::Options>(),
    entry::<cmd::audit_selfcheck::Options>(),
    entry::<cmd::run_security_suite::Options>(),
    entry::<cmd::new_task::Options>(),
    entry::<cmd::measure_run::Options>(),
    entry::<cmd::evaluate_submission::Options>(),
    entry::<cmd::normalize_tokens::Options>(),
    entry::<cmd::record_score::Options>(),
    entry::<cmd::leaderboard::Options>(),
    entry::<cmd::run_security_pack::Options>(),
    entry::<cmd::run_study::Options>(),
    entry::<cmd::run_coordination_study::Options>(),
    entry::<cmd::study::plan::Options>(),
    entry::<cmd::study::cell::Options>(),
    entry::<cmd::study::merge::Options>(),
    entry::<cmd::study::status::Options>(),
    entry::<cmd::study::emit::Options>(),
    entry::<cmd::check_security_gate::Options>(),
    entry::<cmd::show_pack::ShowMatrix>(),
    entry::<cmd::show_pack::ShowResults>(),
    entry::<cmd::summarize_coordination::Options>(),
    entry::<cmd::build_coordination_matrix::Options>(),
    entry::<cmd::make_plots::Options>(),
    entry::<cmd::report::Options>(),
    entry::<cmd::lab_report::Recommend>(),
    entry::<cmd::lab_report::Report>(),
    entry::<cmd::commands::Options>(),
    entry::<cmd::completions::Options>(),
    entry::<cmd::man::Options>(),
    entry::<cmd::controls::List>(),
    entry::<cmd::injections::List>(),
    entry::<cmd::methods::List>(),
    entry::<cmd::methods::Show>(),
    entry::<cmd::plugins::List>(),
    entry::<cmd::plugins::Show>(),
    entry::<cmd::plugins::CheckFile>(),
    entry::<cmd::plugins_new::Options>(),
    entry::<cmd::lab_draw::Options>(),
    entry::<cmd::keys::New>(),
    entry::<cmd::keys::Show>(),
    entry::<cmd::keys::Rotate>(),
];

/// What the groups of commands are for.
const GROUPS: &[(&str, &str)] = &[
    ("study", "Make the cells of a study one by one, on many machines"),
    ("bench", "Measure the program itself"),
    ("controls", "See which controls the laboratory has"),
    ("injections", "See what the red team can do, and what stops it"),
    ("methods", "See how many agents can be directed, by which method"),
    ("plugins", "See which plugins there are, check one, or begin one"),
    ("lab", "Look at the laboratory"),
    ("keys", "Make, show and follow the keys that sign evidence"),
];

/// A command in the list.
pub(crate) struct Entry {
    pub(crate) spec: Spec,
    options: fn(Command) -> Command,
    run: fn(&ArgMatches, &Global, Talk) -> Result<(), Failure>,
}

/// Why a command did not do its work.
pub(crate) enum Failure {
    Usage(clap::Error),
    Command(Box<CliError>),
}

const fn entry<C: CliCommand>() -> Entry {
    Entry { spec: C::SPEC, options: C::augment_args, run: run_as::<C> }
}

fn run_as<C: CliCommand>(matches: &ArgMatches, global: &Global, talk: Talk) -> Result<(), Failure> {
    let options = C::from_arg_matches(matches).map_err(Failure::Usage)?;
    options.run(global, talk).map_err(|error| Failure::Command(Box::new(error)))
}

impl Entry {
    /// Runs it with the options that were given.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn run(&self, matches: &ArgMatches, global: &Global, talk: Talk) -> Result<(), Failure> {
        (self.run)(matches, global, talk)
    }

    /// It as clap knows it.
    fn command(&self) -> Command {
        let (_, name) = self.spec.path();
        (self.options)(Command::new(name)).before_help(self.spec.help_before()).after_help(self.spec.help_after())
    }
}

/// The whole command line.
pub(crate) fn program() -> Command {
    let mut program = Program::command();
    for entry in COMMANDS {
        let Some(group) = entry.spec.path().0 else {
            program = program.subcommand(entry.command());
            continue;
        };
        if program.find_subcommand(group).is_none() {
            let about = GROUPS.iter().find(|(name, _)| *name == group).map_or("", |(_, about)| *about);
            let parent = Command::new(group).about(about).subcommand_required(true).arg_required_else_help(true);
            program = program.subcommand(parent);
        }
        program = program.mut_subcommand(group, |parent| parent.subcommand(entry.command()));
    }
    program
}

/// The command that was asked for, and its options.
pub(crate) fn asked_for(matches: &ArgMatches) -> Option<(&'static Entry, &ArgMatches)> {
    let (first, below) = matches.subcommand()?;
    let (name, options) = match below.subcommand() {
        Some((second, options)) => (format!("{first} {second}"), options),
        None => (first.to_owned(), below),
    };
    Some((COMMANDS.iter().find(|entry| entry.spec.name == name)?, options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::arguments;
    use std::collections::BTreeSet;

    #[test]
    fn clap_finds_nothing_to_complain_about() {
        program().debug_assert();
    }

    #[test]
    fn every_command_says_what_there_is_to_say() {
        let names: BTreeSet<_> = COMMANDS.iter().map(|entry| entry.spec.name).collect();
        assert_eq!(names.len(), COMMANDS.len(), "a name is used once");
        for entry in COMMANDS {
            let Spec { name, examples, refusals, .. } = entry.spec;
            assert!(entry.command().get_about().is_some(), "{name} has no summary: the doc comment of its options");
            assert!(examples.iter().any(|example| example.shown), "{name} shows no example");
            assert!(examples.iter().any(|example| example.tried), "{name} has no example that is run");
            assert!(!refusals.is_empty(), "{name} refuses nothing");
            let group = entry.spec.path().0;
            assert!(group.is_none_or(|group| GROUPS.iter().any(|(known, _)| *known == group)), "{name}: its group");
        }
    }

    #[test]
    fn examples_can_be_read_also_those_that_are_only_shown() {
        for entry in COMMANDS {
            let name = entry.spec.name;
            for example in entry.spec.examples {
                let words = ["labtrust".to_owned()].into_iter().chain(name.split(' ').map(str::to_owned));
                let matches = program().try_get_matches_from(words.chain(arguments(example.line)));
                let matches = matches.unwrap_or_else(|error| panic!("{name} {}: {error}", example.line));
                assert_eq!(asked_for(&matches).map(|(entry, _)| entry.spec.name), Some(name));
            }
        }
    }
}
