//! Colours of charts. A theme changes colours only, never the place of anything: the same chart in two themes has the
//! same shapes in the same order.

use crate::draw::scene::Colour;

/// Which colours a chart has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// On white.
    Light,
    /// On near black.
    Dark,
    /// Told apart with any of the common colour blindnesses (Tol's bright scheme).
    Colorblind,
    /// Greys for print.
    Bw,
}

impl Theme {
    /// Every theme.
    pub const ALL: [Self; 4] = [Self::Light, Self::Dark, Self::Colorblind, Self::Bw];

    /// Its name on the command line.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Colorblind => "colorblind",
            Self::Bw => "bw",
        }
    }

    /// The theme of that name.
    #[must_use]
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.id() == id)
    }

    /// Its colours.
    #[must_use]
    pub const fn palette(self) -> &'static Palette {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
            Self::Colorblind => &COLORBLIND,
            Self::Bw => &BW,
        }
    }
}

/// The colours of a theme, by what they are for.
#[derive(Debug)]
pub struct Palette {
    /// The sheet.
    pub paper: Colour,
    /// Where data are.
    pub panel: Colour,
    /// Lines of the grid.
    pub grid: Colour,
    /// Text that matters, and rims.
    pub ink: Colour,
    /// Other text, and axes.
    pub soft: Colour,
    /// Rims of markers.
    pub rim: Colour,
    /// Bars of intervals; those of the series where none is given.
    pub bars: Option<Colour>,
    /// What passed.
    pub good: Colour,
    /// What failed.
    pub bad: Colour,
    /// What shows nothing.
    pub unsure: Colour,
    /// What could not be tried.
    pub absent: Colour,
    /// From the least to the most of something bad.
    ramp: [Colour; 3],
    series: &'static [Colour],
}

impl Palette {
    /// The colour of the series of that number; past the last they begin anew, and markers tell them apart.
    #[must_use]
    pub fn series(&self, index: usize) -> Colour {
        self.series[index % self.series.len()]
    }

    /// The colour of a share of the ramp, 0 to 1.
    #[must_use]
    pub fn ramp(&self, share: f64) -> Colour {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        let [low, middle, high] = self.ramp;
        if share < 0.5 { mixed(low, middle, share * 2.0) } else { mixed(middle, high, share * 2.0 - 1.0) }
    }

    /// The colour of text on `ground`: of black and white the one that is further from it.
    #[must_use]
    pub fn on(ground: Colour) -> Colour {
        // The luminance at which black and white have the same contrast (WCAG 2).
        if luminance(ground) > 0.179 { Colour(0x000000) } else { Colour(0xffffff) }
    }
}

const LIGHT: Palette = Palette {
    paper: Colour(0xffffff),
    panel: Colour(0xfafbfc),
    grid: Colour(0xe1e5ea),
    ink: Colour(0x1c232e),
    soft: Colour(0x556070),
    rim: Colour(0xffffff),
    bars: None,
    good: Colour(0x2e7d32),
    bad: Colour(0xc62828),
    unsure: Colour(0xd0d5dc),
    absent: Colour(0xf1e3c4),
    ramp: [Colour(0xf1f5ee), Colour(0xf6b26b), Colour(0xb71c1c)],
    series: &[
        Colour(0x2e7d32),
        Colour(0x1565c0),
        Colour(0xc62828),
        Colour(0x6a1b9a),
        Colour(0xef6c00),
        Colour(0x00838f),
        Colour(0x7b1fa2),
        Colour(0x558b2f),
    ],
};

const DARK: Palette = Palette {
    paper: Colour(0x1e1e1e),
    panel: Colour(0x2d2d2d),
    grid: Colour(0x454545),
    ink: Colour(0xf0f0f0),
    soft: Colour(0xb8bdc4),
    rim: Colour(0x1e1e1e),
    bars: None,
    good: Colour(0x81c784),
    bad: Colour(0xe57373),
    unsure: Colour(0x5a5f66),
    absent: Colour(0x6b5f3d),
    ramp: [Colour(0x2f3633), Colour(0xb5762f), Colour(0xff6e6e)],
    series: &[
        Colour(0x81c784),
        Colour(0x64b5f6),
        Colour(0xe57373),
        Colour(0xba68c8),
        Colour(0xffb74d),
        Colour(0x4dd0e1),
        Colour(0xce93d8),
        Colour(0xaed581),
    ],
};

const COLORBLIND: Palette = Palette {
    good: Colour(0x4477aa),
    bad: Colour(0xee6677),
    unsure: Colour(0xdddddd),
    absent: Colour(0xf3eab8),
    ramp: [Colour(0xf4f6f8), Colour(0x66ccee), Colour(0x332288)],
    series: &[
        Colour(0x4477aa),
        Colour(0xee6677),
        Colour(0x228833),
        Colour(0xccbb44),
        Colour(0x66ccee),
        Colour(0xaa3377),
        Colour(0xbbbbbb),
    ],
    ..LIGHT
};

const BW: Palette = Palette {
    panel: Colour(0xffffff),
    grid: Colour(0xdddddd),
    ink: Colour(0x000000),
    soft: Colour(0x444444),
    rim: Colour(0x000000),
    bars: Some(Colour(0x666666)),
    good: Colour(0xffffff),
    bad: Colour(0x222222),
    unsure: Colour(0xd4d4d4),
    absent: Colour(0xa6a6a6),
    ramp: [Colour(0xffffff), Colour(0x999999), Colour(0x111111)],
    series: &[
        Colour(0x000000),
        Colour(0x4d4d4d),
        Colour(0x808080),
        Colour(0x9e9e9e),
        Colour(0xb8b8b8),
        Colour(0xd0d0d0),
        Colour(0xe8e8e8),
    ],
    ..LIGHT
};

/// Between two colours, `share` of the way.
fn mixed(from: Colour, to: Colour, share: f64) -> Colour {
    let (from, to) = (from.0.to_be_bytes(), to.0.to_be_bytes());
    let mut out = [0; 4];
    for (out, (from, to)) in out.iter_mut().zip(from.into_iter().zip(to)) {
        *out = byte(f64::from(from) + (f64::from(to) - f64::from(from)) * share);
    }
    Colour(u32::from_be_bytes(out))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
fn byte(value: f64) -> u8 {
    libm::round(value) as u8
}

/// Relative luminance, 0 to 1 (WCAG 2).
fn luminance(colour: Colour) -> f64 {
    let [_, red, green, blue] = colour.0.to_be_bytes();
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { libm::pow((part + 0.055) / 1.055, 2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(one: Colour, other: Colour) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_everything_it_stands_on() {
        for theme in Theme::ALL {
            let palette = theme.palette();
            for ground in [palette.paper, palette.panel] {
                assert!(contrast(palette.ink, ground) > 7.0 && contrast(palette.soft, ground) > 4.5, "{theme:?}");
            }
            for step in 0..=20 {
                let ground = palette.ramp(f64::from(step) / 20.0);
                assert!(contrast(Palette::on(ground), ground) >= 4.5, "{theme:?} {step}");
            }
        }
    }

    #[test]
    fn passed_and_failed_differ_in_brightness_where_colour_does_not_tell() {
        let palette = Theme::Bw.palette();
        assert!(contrast(palette.good, palette.bad) > 7.0);
    }

    #[test]
    fn themes_are_found_by_their_names() {
        assert!(Theme::ALL.into_iter().all(|theme| Theme::of(theme.id()) == Some(theme)));
        assert_eq!(Theme::of("solarized"), None);
    }
}
