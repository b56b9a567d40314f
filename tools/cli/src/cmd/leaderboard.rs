//! `leaderboard`: scored submissions side by side.

use crate::Global;
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_protocol::leaderboard::{Board, Order, render, write_pages};
use labtrust_protocol::scores::ScoreBook;
use std::path::PathBuf;

/// Show scored submissions side by side: quality, tokens, time, help and checks, with pages for a browser
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Database of scores
    #[arg(long, value_name = "FILE")]
    db: PathBuf,
    /// Directory that the submissions' folders are in
    #[arg(long, value_name = "DIR")]
    submissions: PathBuf,
    /// Only submissions of this benchmark
    #[arg(long, value_name = "ID")]
    benchmark: Option<String>,
    /// What rows are ordered by
    #[arg(long, value_name = "FIGURE", default_value = "quality")]
    sort: Sort,
    /// What is printed on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Form,
    /// Directory for pages: index.html and one for every submission, which need no network
    #[arg(long, value_name = "DIR")]
    html: Option<PathBuf>,
    /// Replace a former leaderboard in that directory
    #[arg(long, requires = "html")]
    force: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Sort {
    /// Most points first.
    Quality,
    /// Fewest tokens first, unknown last.
    Tokens,
    /// Shortest run first, unknown last.
    Time,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Form {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "leaderboard",
        notes: "A row is a scored submission; its points are the mean of every reviewer's latest score. There is deliberately no \
                score that puts quality, tokens and time together. Correlations are Spearman's, undefined below three pairs.",
        writes: &[output("--html/", "index.html and submissions/NAME.html")],
        json: Json::foreign(&[
            ("entries", "a row for every scored submission"),
            ("unscored", "folders that nobody scored"),
            ("correlations", "`first`, `second`, `pairs` and `spearman`, which is null where it is undefined"),
        ]),
        examples: &[
            Example::new("--db scores.sqlite --submissions submissions --html board")
                .needs(&["scores.sqlite", "submissions"])
                .leaves(&["board/index.html"]),
            Example::tried("--db scores.sqlite --submissions submissions --sort tokens --format json")
                .needs(&["scores.sqlite", "submissions"]),
        ],
        refusals: &[
            Refusal::new("--db nothing.sqlite --submissions submissions", 1, "no such file").needs(&["submissions"]),
            Refusal::new("--db scores.sqlite --submissions nowhere", 1, "nowhere").needs(&["scores.sqlite"]),
            Refusal::new("--db scores.sqlite --submissions submissions --html submissions", 1, "exists already")
                .needs(&["scores.sqlite", "submissions"]),
            Refusal::new(
                "--db scores.sqlite --submissions submissions --html submissions --force",
                1,
                "is no leaderboard",
            )
            .needs(&["scores.sqlite", "submissions"]),
            Refusal::new("--db scores.sqlite --submissions submissions --sort beauty", 2, "beauty"),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let scores = ScoreBook::open(&options.db)?.scores()?;
    let mut board = Board::collect(&scores, &options.submissions, options.benchmark.as_deref())?;
    board.sort(match options.sort {
        Sort::Quality => Order::Quality,
        Sort::Tokens => Order::Tokens,
        Sort::Time => Order::Time,
    });
    if let Some(html) = &options.html {
        write_pages(&board, html, options.force)?;
        talk.wrote(html);
    }
    talk::print(&match options.format {
        Form::Table => render::table(&board),
        Form::Csv => render::csv(&board),
        Form::Json => render::json(&board),
    })
}
