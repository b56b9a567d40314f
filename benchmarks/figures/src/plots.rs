//! `make-plots`: every figure and table that a run has data for.

mod conditions;
mod coordination;
mod episode;
mod pack;
mod pages;
mod tables;

use crate::FiguresError;
use crate::chart::Theme;
use crate::draw::scene::Scene;
use crate::draw::{to_pdf, to_png_at, to_svg};
use crate::files::{self, Made};
use crate::run::Run;
use crate::run::conditions::Conditions;
use std::path::PathBuf;

/// Pixels an inch of the pictures.
pub const DPI: u16 = 150;

/// A figure of a run.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its file without the ending, in the run directory.
    pub name: &'static str,
    /// What it shows, in half a sentence.
    pub caption: &'static str,
    /// How it looks.
    pub scene: Scene,
}

/// Every figure that a run has data for, in the order of the pages of the PDF.
#[must_use]
pub fn figures(run: &Run, theme: Theme) -> Vec<Figure> {
    let mut all = Vec::new();
    all.extend(run.conditions.iter().flat_map(|study| conditions::figures(study, theme)));
    all.extend(run.coordination.iter().flat_map(|study| coordination::figures(study, theme)));
    all.extend(run.pack.iter().flat_map(|pack| pack::figures(pack, theme)));
    all.extend(run.episode.iter().flat_map(|episode| episode::figures(episode, theme)));
    all
}

/// The tables of a study of conditions.
pub(crate) fn tables_of_conditions(study: &Conditions) -> Vec<Made> {
    tables::of_conditions(study)
}

/// Every file of `make-plots`, made but not written.
///
/// # Errors
/// [`FiguresError::Picture`] for a figure that is too large.
pub fn make(run: &Run, theme: Theme, pdf: bool) -> Result<Vec<Made>, FiguresError> {
    let figures = figures(run, theme);
    // Tables first: they do not depend on what can be drawn.
    let mut made: Vec<Made> = run.conditions.iter().flat_map(tables::of_conditions).collect();
    made.extend(run.pack.iter().map(tables::of_pack));
    let page = pages::report(run, theme, &figures, &made, pdf);
    for figure in &figures {
        made.push(Made::new(format!("{}.png", figure.name), to_png_at(&figure.scene, DPI)?));
        made.push(Made::new(format!("{}.svg", figure.name), to_svg(&figure.scene)));
    }
    if pdf {
        let pages: Vec<&Scene> = figures.iter().map(|figure| &figure.scene).collect();
        made.push(Made::new("figures/run_figures.pdf", to_pdf(&pages)));
    }
    made.push(page);
    made.extend(run.conditions.iter().map(|study| pages::summary(run, study)));
    Ok(made)
}

/// Makes every file and writes it into the run directory; the files that were written.
///
/// # Errors
/// [`FiguresError`]; nothing is written unless everything could be made.
pub fn write(run: &Run, theme: Theme, pdf: bool) -> Result<Vec<PathBuf>, FiguresError> {
    files::write(&run.dir, &make(run, theme, pdf)?)
}
