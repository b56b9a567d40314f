//! Colours of the page: every colour of a picture is a variable, so that one picture is light or dark as its reader is.

use crate::chart::Theme;
use crate::draw::scene::{Colour, Scene};
use crate::draw::to_svg_in;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The variables of a page.
pub(super) struct Colours {
    theme: Theme,
    /// A colour and what it is in the other theme, with its number.
    pairs: BTreeMap<(u32, u32), usize>,
}

impl Colours {
    pub(super) fn new(theme: Theme) -> Self {
        Self { theme, pairs: BTreeMap::new() }
    }

    /// The theme for readers who want it dark.
    pub(super) fn other(&self) -> Theme {
        match self.theme {
            Theme::Light => Theme::Dark,
            same => same,
        }
    }

    /// A picture whose colours are variables. `other` is the same picture in the other theme.
    pub(super) fn picture(&mut self, scene: &Scene, other: &Scene) -> String {
        let mut others = Vec::new();
        to_svg_in(other, &mut |colour| {
            others.push(colour);
            String::new()
        });
        let mut others = others.into_iter();
        to_svg_in(scene, &mut |colour| {
            let pair = (colour.0, others.next().unwrap_or(colour).0);
            let next = self.pairs.len();
            format!("var(--c{})", self.pairs.entry(pair).or_insert(next))
        })
    }

    /// What the variables are.
    pub(super) fn style(&self) -> String {
        let (theme, other) = (self.theme, self.other());
        let own = self.variables(theme, |pair| pair.0);
        let scheme = if theme == Theme::Dark { "dark" } else { "light" };
        if theme == other {
            return format!(":root{{color-scheme:{scheme};{own}}}\n");
        }
        let dark = self.variables(other, |pair| pair.1);
        // Paper is white, whatever the screen is.
        format!(
            ":root{{color-scheme:light dark;{own}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        )
    }

    fn variables(&self, theme: Theme, of: fn(&(u32, u32)) -> u32) -> String {
        let palette = theme.palette();
        let link = if theme == Theme::Dark { Colour(0x8a_b8_ff) } else { Colour(0x1a_56_b0) };
        let named = [
            ("page", palette.panel),
            ("sheet", palette.paper),
            ("panel", palette.panel),
            ("line", palette.grid),
            ("ink", palette.ink),
            ("soft", palette.soft),
            ("good", palette.good),
            ("bad", palette.bad),
            ("link", link),
        ];
        let mut out = String::new();
        for (name, colour) in named {
            let _ = write!(out, "--{name}:#{:06x};", colour.0);
        }
        let mut numbered: Vec<(usize, u32)> = self.pairs.iter().map(|(pair, number)| (*number, of(pair))).collect();
        numbered.sort_unstable();
        for (number, colour) in numbered {
            let _ = write!(out, "--c{number}:#{colour:06x};");
        }
        out
    }
}
