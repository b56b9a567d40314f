//! Scenes as a PDF, one a page: shapes stay shapes and text stays text, in the fonts of the program, so that it can be
//! enlarged, searched and copied.

use super::font::Fonts;
use super::png::path;
use super::scene::{Anchor, Colour, Item, Outline, Paint, Scene, Text};
use pdf_writer::types::{
    CidFontType, FontFlags, LineCapStyle, LineJoinStyle, SystemInfo, TextRenderingMode, UnicodeCmap,
};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};
use std::collections::{BTreeMap, BTreeSet};
use tiny_skia::PathSegment;

/// A unit of a scene is 1/96 inch, one of a page 1/72.
const POINTS: f64 = 0.75;

/// Names of the fonts in the file: regular, bold.
const FONTS: [(Name<'static>, Name<'static>); 2] =
    [(Name(b"F0"), Name(b"AAAAAA+Roboto")), (Name(b"F1"), Name(b"AAAAAB+Roboto-Bold"))];
const SYSTEM: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The file. The same scenes give the same bytes.
#[must_use]
pub fn to_pdf(scenes: &[&Scene]) -> Vec<u8> {
    let fonts = Fonts::load();
    let mut pdf = Pdf::new();
    let mut next = 1;
    let mut fresh = || {
        next += 1;
        Ref::new(next - 1)
    };
    let (catalogue, tree) = (fresh(), fresh());
    let faces = FONTS.map(|_| [fresh(), fresh(), fresh(), fresh(), fresh()]);
    let pages: Vec<[Ref; 2]> = scenes.iter().map(|_| [fresh(), fresh()]).collect();
    pdf.catalog(catalogue).pages(tree);
    let kids = pages.iter().map(|[page, _]| *page);
    pdf.pages(tree).kids(kids).count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    let mut used: [BTreeMap<u16, char>; 2] = Default::default();
    for (scene, [page, content]) in scenes.iter().zip(&pages) {
        let mut drawn = Drawn { content: Content::new(), fonts: &fonts, used: &mut used, opacities: BTreeSet::new() };
        drawn.scene(scene);
        let opacities = std::mem::take(&mut drawn.opacities);
        pdf.stream(*content, drawn.content.finish().as_slice());
        let mut sheet = pdf.page(*page);
        sheet.parent(tree).contents(*content);
        sheet.media_box(Rect::new(0.0, 0.0, narrow(scene.width * POINTS), narrow(scene.height * POINTS)));
        let mut resources = sheet.resources();
        let mut dictionary = resources.fonts();
        for ((name, _), [face, ..]) in FONTS.iter().zip(&faces) {
            dictionary.pair(*name, *face);
        }
        dictionary.finish();
        let mut states = resources.ext_g_states();
        for thousandths in opacities {
            let share = f32::from(thousandths) / 1000.0;
            let name = state(thousandths);
            states
                .insert(Name(name.as_bytes()))
                .start::<pdf_writer::writers::ExtGraphicsState<'_>>()
                .non_stroking_alpha(share)
                .stroking_alpha(share);
        }
    }
    for (index, (refs, used)) in faces.iter().zip(&used).enumerate() {
        embed(&mut pdf, &fonts, index == 1, *refs, used);
    }
    pdf.finish()
}

fn state(thousandths: u16) -> String {
    format!("G{thousandths}")
}

/// A page that is being drawn.
struct Drawn<'a> {
    content: Content,
    fonts: &'a Fonts,
    /// Glyphs that are shown, of each font, and what they stand for.
    used: &'a mut [BTreeMap<u16, char>; 2],
    opacities: BTreeSet<u16>,
}

impl Drawn<'_> {
    fn scene(&mut self, scene: &Scene) {
        let scale = narrow(POINTS);
        // From the top to the bottom, as scenes are.
        self.content.transform([scale, 0.0, 0.0, -scale, 0.0, narrow(scene.height * POINTS)]);
        self.content.set_line_join(LineJoinStyle::RoundJoin);
        for item in &scene.items {
            match item {
                Item::Shape { outline, paint, .. } => self.shape(outline, paint),
                Item::Text(text) => self.text(text),
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an opacity is between 0 and 1")]
    fn opacity(&mut self, opacity: f64) {
        let thousandths = libm::round(opacity.clamp(0.0, 1.0) * 1000.0) as u16;
        self.opacities.insert(thousandths);
        let name = state(thousandths);
        self.content.set_parameters(Name(name.as_bytes()));
    }

    fn shape(&mut self, outline: &Outline, paint: &Paint) {
        let Some(path) = path(outline) else { return };
        self.opacity(paint.opacity);
        if let Some(colour) = paint.fill {
            self.trace(&path);
            let [red, green, blue] = parts(colour);
            self.content.set_fill_rgb(red, green, blue).fill_nonzero();
        }
        if let Some(colour) = paint.stroke {
            let [red, green, blue] = parts(colour);
            self.content.set_stroke_rgb(red, green, blue).set_line_width(narrow(paint.width));
            let (cap, dashes) = match paint.dash {
                Some((dash, gap)) => (LineCapStyle::ButtCap, vec![narrow(dash), narrow(gap)]),
                None => (LineCapStyle::RoundCap, Vec::new()),
            };
            self.content.set_line_cap(cap).set_dash_pattern(dashes, 0.0);
            self.trace(&path);
            self.content.stroke();
        }
    }

    fn trace(&mut self, path: &tiny_skia::Path) {
        let mut last = tiny_skia::Point::zero();
        for segment in path.segments() {
            match segment {
                PathSegment::MoveTo(to) => {
                    self.content.move_to(to.x, to.y);
                    last = to;
                }
                PathSegment::LineTo(to) => {
                    self.content.line_to(to.x, to.y);
                    last = to;
                }
                PathSegment::QuadTo(bend, to) => {
                    // A page has cubic curves only: the same curve with two points that bend it.
                    let towards = |from: f32, bend: f32| from + (bend - from) * 2.0 / 3.0;
                    self.content.cubic_to(
                        towards(last.x, bend.x),
                        towards(last.y, bend.y),
                        towards(to.x, bend.x),
                        towards(to.y, bend.y),
                        to.x,
                        to.y,
                    );
                    last = to;
                }
                PathSegment::CubicTo(first, second, to) => {
                    self.content.cubic_to(first.x, first.y, second.x, second.y, to.x, to.y);
                    last = to;
                }
                PathSegment::Close => {
                    self.content.close_path();
                }
            }
        }
    }

    fn text(&mut self, text: &Text) {
        let font = usize::from(text.bold);
        let mut codes = Vec::with_capacity(text.content.len() * 2);
        for character in text.content.chars() {
            let glyph = self.fonts.glyph(character, text.bold);
            self.used[font].entry(glyph).or_insert(character);
            codes.extend_from_slice(&glyph.to_be_bytes());
        }
        let width = self.fonts.width(&text.content, text.size, text.bold);
        let shift = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        let turn = text.turn.to_radians();
        let (sin, cos) = (libm::sin(turn), libm::cos(turn));
        let (x, y) = (text.place.x + shift * cos, text.place.y + shift * sin);
        let matrix = [cos, sin, sin, -cos, x, y].map(narrow);
        self.opacity(1.0);
        let [red, green, blue] = parts(text.colour);
        let halo = text.halo.map(parts);
        let content = &mut self.content;
        content.begin_text().set_font(FONTS[font].0, narrow(text.size)).set_text_matrix(matrix);
        if let Some([red, green, blue]) = halo {
            content.set_stroke_rgb(red, green, blue).set_line_width(3.0).set_dash_pattern([], 0.0);
            content.set_text_rendering_mode(TextRenderingMode::Stroke).show(Str(&codes)).set_text_matrix(matrix);
        }
        content.set_fill_rgb(red, green, blue).set_text_rendering_mode(TextRenderingMode::Fill);
        content.show(Str(&codes)).end_text();
    }
}

/// Puts a font into the file, with what its glyphs stand for.
fn embed(pdf: &mut Pdf, fonts: &Fonts, bold: bool, refs: [Ref; 5], used: &BTreeMap<u16, char>) {
    let [face, descendant, descriptor, file, meaning] = refs;
    let name = FONTS[usize::from(bold)].1;
    pdf.type0_font(face)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(descendant)
        .to_unicode(meaning);
    let mut font = pdf.cid_font(descendant);
    font.subtype(CidFontType::Type2).base_font(name).system_info(SYSTEM).font_descriptor(descriptor);
    font.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
    let mut widths = font.widths();
    for (glyph, character) in used {
        let width = fonts.width(character.encode_utf8(&mut [0; 4]), 1000.0, bold);
        widths.same(*glyph, *glyph, narrow(width));
    }
    widths.finish();
    font.finish();
    let metrics = fonts.metrics(bold);
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(metrics.bounds[0], metrics.bounds[1], metrics.bounds[2], metrics.bounds[3]))
        .italic_angle(0.0)
        .ascent(metrics.ascent)
        .descent(metrics.descent)
        .cap_height(metrics.capitals)
        .stem_v(if bold { 140.0 } else { 90.0 })
        .font_file2(file);
    let bytes = Fonts::file(bold);
    pdf.stream(file, bytes).pair(Name(b"Length1"), i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    let mut map = UnicodeCmap::new(Name(b"Custom"), SYSTEM);
    for (glyph, character) in used {
        map.pair(*glyph, *character);
    }
    pdf.cmap(meaning, map.finish().as_slice());
}

fn parts(colour: Colour) -> [f32; 3] {
    let [_, red, green, blue] = colour.0.to_be_bytes();
    [red, green, blue].map(|part| f32::from(part) / 255.0)
}

#[expect(clippy::cast_possible_truncation, reason = "a page needs no more digits")]
fn narrow(value: f64) -> f32 {
    value as f32
}
