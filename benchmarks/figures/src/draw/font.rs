//! The two fonts that are in the program, as outlines and widths.

use ttf_parser::{Face, OutlineBuilder};

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Roboto-Regular-latin.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/fonts/Roboto-Bold-latin.ttf");

/// Both weights, ready for use.
pub struct Fonts {
    regular: Face<'static>,
    bold: Face<'static>,
}

impl Fonts {
    /// Reads them; nothing of the machine is looked at.
    ///
    /// # Panics
    /// Never: the fonts are part of the program.
    #[must_use]
    pub fn load() -> Self {
        let face = |bytes| Face::parse(bytes, 0).expect("the fonts in the program are sound");
        Self { regular: face(REGULAR), bold: face(BOLD) }
    }

    /// Width of a line of text [px].
    #[must_use]
    pub fn width(&self, content: &str, size: f64, bold: bool) -> f64 {
        let face = self.face(bold);
        let units: u32 = content.chars().map(|character| advance(face, character)).sum();
        f64::from(units) * scale(face, size)
    }

    /// Hands the outline of every glyph to `builder`, as [`Placed`] at its place on a base line that begins at 0.
    pub(super) fn outline(&self, content: &str, size: f64, bold: bool, builder: &mut dyn OutlineBuilder) {
        let face = self.face(bold);
        let scale = scale(face, size);
        let mut x = 0.0;
        for character in content.chars() {
            let glyph = face.glyph_index(character).unwrap_or_default();
            face.outline_glyph(glyph, &mut Placed { builder, x, scale });
            x += f64::from(advance(face, character)) * scale;
        }
    }

    /// The number of a character's glyph; that of the box for a character that the font lacks.
    pub(super) fn glyph(&self, character: char, bold: bool) -> u16 {
        self.face(bold).glyph_index(character).unwrap_or_default().0
    }

    /// The TrueType file of a weight: Latin letters and a few signs.
    #[must_use]
    pub const fn file(bold: bool) -> &'static [u8] {
        if bold { BOLD } else { REGULAR }
    }

    /// Its measures, in thousandths of its size.
    pub(super) fn metrics(&self, bold: bool) -> Metrics {
        let face = self.face(bold);
        let share = |units: i16| f32::from(units) * 1000.0 / f32::from(face.units_per_em());
        let bounds = face.global_bounding_box();
        Metrics {
            bounds: [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(share),
            ascent: share(face.ascender()),
            descent: share(face.descender()),
            capitals: share(face.capital_height().unwrap_or(face.ascender())),
        }
    }

    const fn face(&self, bold: bool) -> &Face<'static> {
        if bold { &self.bold } else { &self.regular }
    }
}

/// What a PDF wants to know of a font.
pub(super) struct Metrics {
    pub(super) bounds: [f32; 4],
    pub(super) ascent: f32,
    pub(super) descent: f32,
    pub(super) capitals: f32,
}

/// A character that the font lacks is as wide as the box that is shown instead.
fn advance(face: &Face<'_>, character: char) -> u32 {
    let glyph = face.glyph_index(character).unwrap_or_default();
    face.glyph_hor_advance(glyph).unwrap_or_default().into()
}

fn scale(face: &Face<'_>, size: f64) -> f64 {
    size / f64::from(face.units_per_em())
}

/// Turns font units, y upwards, into pixels, y downwards.
struct Placed<'b> {
    builder: &'b mut dyn OutlineBuilder,
    x: f64,
    scale: f64,
}

impl Placed<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "pixels need no more digits")]
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        ((self.x + f64::from(x) * self.scale) as f32, (-f64::from(y) * self.scale) as f32)
    }
}

impl OutlineBuilder for Placed<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.builder.curve_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_labels_use_is_in_both_fonts() {
        let fonts = Fonts::load();
        for character in (' '..='~').chain("·×±°²–—…−≤≥ÄÖÜäöüßéèçñø".chars()) {
            for bold in [false, true] {
                assert!(fonts.face(bold).glyph_index(character).is_some(), "{character:?}");
            }
        }
    }

    #[test]
    fn text_is_as_wide_as_its_characters_and_bold_is_wider() {
        let fonts = Fonts::load();
        assert_eq!(fonts.width("", 12.0, false), 0.0);
        let (one, two) = (fonts.width("8", 12.0, false), fonts.width("88", 24.0, false));
        assert!(libm::fabs(two - 4.0 * one) < 1e-9 && one > 5.0 && one < 9.0, "{one} {two}");
        assert!(fonts.width("Crusher", 12.0, true) > fonts.width("Crusher", 12.0, false));
    }
}
