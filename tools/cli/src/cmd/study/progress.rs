//! How far a study is: a bar for people, a JSON line a cell for programs, on stderr.

use crate::talk::Talk;
use indicatif::ProgressBar;
use labtrust_study::plan::PlannedCell;
use labtrust_study::run::Made;
use serde_json::json;
use std::io::Write;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

/// How progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cmd) enum How {
    /// A line of JSON for every cell.
    Json,
    /// A bar, where a person is watching.
    Text,
    /// Not at all.
    None,
}

/// Counts cells.
pub(in crate::cmd) struct Progress {
    how: How,
    bar: ProgressBar,
    begun: Instant,
    cells: usize,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    done: usize,
    /// Of those, made by this process: what the rest will take is told by them.
    now: usize,
}

impl Progress {
    pub(in crate::cmd) fn new(how: How, cells: usize, talk: Talk) -> Self {
        let bar = match how {
            How::Text => talk.progress(cells as u64, "cells"),
            How::Json | How::None => ProgressBar::hidden(),
        };
        Self { how, bar, begun: Instant::now(), cells, counts: Mutex::default() }
    }

    /// A cell is done.
    #[expect(clippy::cast_precision_loss, reason = "cells of a study are far below 2^53")]
    pub(in crate::cmd) fn tell(&self, cell: &PlannedCell, made: Made) {
        self.bar.inc(1);
        // Held while the line is written: lines of two threads must not mix.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.done += 1;
        counts.now += usize::from(made != Made::Before);
        if self.how != How::Json {
            return;
        }
        let elapsed_s = self.begun.elapsed().as_secs_f64();
        let left = (self.cells - counts.done.min(self.cells)) as f64;
        let eta_s = (counts.now > 0).then(|| elapsed_s / counts.now as f64 * left);
        let status = match made {
            Made::Before => "there_before",
            Made::Now => "done",
            Made::Failed => "failed",
        };
        let tenths = |seconds: f64| (seconds * 10.0).round() / 10.0;
        let line = json!({
            "event": "cell", "index": cell.index, "cell_id": cell.cell_id, "status": status,
            "done": counts.done, "cells": self.cells,
            "elapsed_s": tenths(elapsed_s), "eta_s": eta_s.map(tenths),
        });
        // A closed stderr is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    pub(in crate::cmd) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
