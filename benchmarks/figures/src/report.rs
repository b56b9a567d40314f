//! `report.html`: a run on one page that needs nothing else. It says what was run, what may be concluded, every figure, the
//! tables, what to be careful about, and where the numbers come from.
//!
//! Nothing is fetched: pictures, style and script are in the page, and its own policy forbids all else. Whatever the files
//! of a run say is text on the page, never markup.

mod colours;
mod evidence;
mod said;
mod tables;

use crate::FiguresError;
use crate::chart::Theme;
use crate::draw::{Escaped, Fonts};
use crate::files::{self, Made};
use crate::plots;
use crate::run::Run;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The file that is written.
pub const NAME: &str = "report.html";

const STYLE: &str = include_str!("../assets/report/style.css");
const SCRIPT: &str = include_str!("../assets/report/tables.js");

/// Writes the report of the run in `dir` into it.
///
/// # Errors
/// [`FiguresError`]; nothing is written unless the whole page could be made.
pub fn write(dir: &Path, theme: Theme) -> Result<PathBuf, FiguresError> {
    let page = page(&Run::open(dir, None)?, theme)?;
    let mut written = files::write(dir, &[Made::new(NAME, page)])?;
    Ok(written.pop().unwrap_or_else(|| dir.join(NAME)))
}

/// The page. With the light theme it follows the reader's choice of light or dark; other themes are as they are.
///
/// # Errors
/// [`FiguresError`] for a table of the run that cannot be read.
pub fn page(run: &Run, theme: Theme) -> Result<String, FiguresError> {
    let tables = tables::of_run(run)?;
    let mut colours = colours::Colours::new(theme);
    let mut figures = String::new();
    let other = plots::figures(run, colours.other());
    for (figure, other) in plots::figures(run, theme).iter().zip(&other) {
        let picture = colours.picture(&figure.scene, &other.scene);
        let caption = Escaped(figure.caption);
        let _ = writeln!(
            figures,
            "<figure><div class=\"wide\" tabindex=\"0\">{picture}</div><figcaption>{caption}</figcaption></figure>"
        );
    }
    let said = said::of(run)?;
    let mut out = head(&said.title, &colours);
    let _ = writeln!(out, "<header><h1>{}</h1><p class=\"soft\">{}</p>", Escaped(&said.title), Escaped(&said.kinds));
    out.push_str("<nav aria-label=\"Parts of the page\"><a href=\"#verdict\">Verdict</a><a href=\"#run\">What was run</a><a href=\"#figures\">Figures</a><a href=\"#tables\">Tables</a><a href=\"#caveats\">Caveats</a><a href=\"#provenance\">Provenance</a></nav></header>\n<main>\n");
    let _ = writeln!(out, "<section id=\"verdict\"><h2>Verdict</h2>{}</section>", said.verdict);
    let _ = writeln!(out, "<section id=\"run\"><h2>What was run</h2>{}</section>", said.what);
    let _ = writeln!(out, "<section id=\"figures\"><h2>Figures</h2>{figures}</section>");
    let _ = writeln!(
        out,
        "<section id=\"tables\"><h2>Tables</h2><p class=\"soft\">Press the name of a column to sort by it; type words to keep rows that have them all.</p>"
    );
    tables.iter().for_each(|table| table.write(&mut out));
    out.push_str("</section>\n");
    let _ = writeln!(out, "<section id=\"caveats\"><h2>Caveats</h2>{}</section>", said.caveats);
    let _ = writeln!(out, "<section id=\"provenance\"><h2>Provenance</h2>{}</section>\n</main>", said.provenance);
    let _ = writeln!(
        out,
        "<footer>Made by labtrust report from the files of the run; this page needs no network.</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>"
    );
    Ok(out)
}

/// Everything before the body's content. The policy of the page lets this script run and no other.
fn head(title: &str, colours: &colours::Colours) -> String {
    let digest = STANDARD.encode(sha2::Sha256::digest(SCRIPT));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; font-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{}{}{STYLE}</style>\n</head>\n<body>\n",
        Escaped(title),
        typefaces(),
        colours.style()
    )
}

/// The fonts that pictures are measured with: with others, names could run into each other.
fn typefaces() -> String {
    let face = |bold: bool| {
        let weight = if bold { 700 } else { 400 };
        let file = STANDARD.encode(Fonts::file(bold));
        format!("@font-face{{font-family:Roboto;font-weight:{weight};src:url(data:font/ttf;base64,{file})}}\n")
    };
    face(false) + &face(true)
}
