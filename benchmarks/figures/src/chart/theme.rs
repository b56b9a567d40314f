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
        if luminance(ground) > 0.179 { Colour(0x00_00_00) } else { Colour(0xff_ff_ff) }
    }
}

const LIGHT: Palette = Palette {
    paper: Colour(0xff_ff_ff),
    panel: Colour(0xfa_fb_fc),
    grid: Colour(0xe1_e5_ea),
    ink: Colour(0x1c_23_2e),
    soft: Colour(0x55_60_70),
    rim: Colour(0xff_ff_ff),
    bars: None,
    good: Colour(0x2e_7d_32),
    bad: Colour(0xc6_28_28),
    unsure: Colour(0xd0_d5_dc),
    absent: Colour(0xf1_e3_c4),
    ramp: [Colour(0xf1_f5_ee), Colour(0xf6_b2_6b), Colour(0xb7_1c_1c)],
    series: &[
        Colour(0x2e_7d_32),
        Colour(0x15_65_c0),
        Colour(0xc6_28_28),
        Colour(0x6a_1b_9a),
        Colour(0xef_6c_00),
        Colour(0x00_83_8f),
        Colour(0x7b_1f_a2),
        Colour(0x55_8b_2f),
    ],
};

const DARK: Palette = Palette {
    paper: Colour(0x1e_1e_1e),
    panel: Colour(0x2d_2d_2d),
    grid: Colour(0x45_45_45),
    ink: Colour(0xf0_f0_f0),
    soft: Colour(0xb8_bd_c4),
    rim: Colour(0x1e_1e_1e),
    bars: None,
    good: Colour(0x81_c7_84),
    bad: Colour(0xe5_73_73),
    unsure: Colour(0x5a_5f_66),
    absent: Colour(0x6b_5f_3d),
    ramp: [Colour(0x2f_36_33), Colour(0xb5_76_2f), Colour(0xff_6e_6e)],
    series: &[
        Colour(0x81_c7_84),
        Colour(0x64_b5_f6),
        Colour(0xe5_73_73),
        Colour(0xba_68_c8),
        Colour(0xff_b7_4d),
        Colour(0x4d_d0_e1),
        Colour(0xce_93_d8),
        Colour(0xae_d5_81),
    ],
};

const COLORBLIND: Palette = Palette {
    good: Colour(0x44_77_aa),
    bad: Colour(0xee_66_77),
    unsure: Colour(0xdd_dd_dd),
    absent: Colour(0xf3_ea_b8),
    ramp: [Colour(0xf4_f6_f8), Colour(0x66_cc_ee), Colour(0x33_22_88)],
    series: &[
        Colour(0x44_77_aa),
        Colour(0xee_66_77),
        Colour(0x22_88_33),
        Colour(0xcc_bb_44),
        Colour(0x66_cc_ee),
        Colour(0xaa_33_77),
        Colour(0xbb_bb_bb),
    ],
    ..LIGHT
};

const BW: Palette = Palette {
    panel: Colour(0xff_ff_ff),
    grid: Colour(0xdd_dd_dd),
    ink: Colour(0x00_00_00),
    soft: Colour(0x44_44_44),
    rim: Colour(0x00_00_00),
    bars: Some(Colour(0x66_66_66)),
    good: Colour(0xff_ff_ff),
    bad: Colour(0x22_22_22),
    unsure: Colour(0xd4_d4_d4),
    absent: Colour(0xa6_a6_a6),
    ramp: [Colour(0xff_ff_ff), Colour(0x99_99_99), Colour(0x11_11_11)],
    series: &[
        Colour(0x00_00_00),
        Colour(0x4d_4d_4d),
        Colour(0x80_80_80),
        Colour(0x9e_9e_9e),
        Colour(0xb8_b8_b8),
        Colour(0xd0_d0_d0),
        Colour(0xe8_e8_e8),
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
