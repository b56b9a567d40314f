//! A scene as PNG, with the fonts of the program and no others: the same bytes wherever it is drawn.

use super::font::Fonts;
use super::scene::{Anchor, Colour, Item, Outline, Paint, Scene, Text};
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint as Brush, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Nothing can be that large, or that small.
    #[error("a picture of {width} x {height} pixels cannot be drawn")]
    Size {
        /// [px]
        width: u32,
        /// [px]
        height: u32,
    },
    /// The encoder would not.
    #[error("cannot encode a picture: {0}")]
    Encode(#[from] png::EncodingError),
}

/// The picture as a file, a pixel a unit of the scene.
///
/// # Errors
/// [`PictureError`] when the scene has no size.
pub fn to_png(scene: &Scene) -> Result<Vec<u8>, PictureError> {
    draw(scene, 1.0, None)
}

/// Units of a scene in an inch, as in a style sheet.
const UNITS_PER_INCH: f64 = 96.0;

/// The picture as a file of `dpi` pixels an inch, which the file says of itself. An inch is 96 units of the scene.
///
/// # Errors
/// [`PictureError`] when the scene has no size.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub fn to_png_at(scene: &Scene, dpi: u16) -> Result<Vec<u8>, PictureError> {
    let per_metre = libm::round(f64::from(dpi) / 0.0254) as u32;
    draw(scene, f64::from(dpi) / UNITS_PER_INCH, Some(per_metre))
}

/// The picture as pixels of three bytes (red, green, blue), row by row from the top.
pub struct Pixels {
    /// [px]
    pub width: u32,
    /// [px]
    pub height: u32,
    /// Three times as many as there are pixels.
    pub bytes: Vec<u8>,
}

/// The picture as pixels, `scale` of them a unit of the scene in each direction.
///
/// # Errors
/// [`PictureError`] when the scene has no size.
pub fn to_pixels(scene: &Scene, scale: f64) -> Result<Pixels, PictureError> {
    let pixmap = paint(scene, scale)?;
    Ok(Pixels { width: pixmap.width(), height: pixmap.height(), bytes: opaque(&pixmap) })
}

fn draw(scene: &Scene, scale: f64, per_metre: Option<u32>) -> Result<Vec<u8>, PictureError> {
    encode(&paint(scene, scale)?, per_metre)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; checked by the pixmap")]
fn paint(scene: &Scene, scale: f64) -> Result<Pixmap, PictureError> {
    let (width, height) = (libm::ceil(scene.width * scale) as u32, libm::ceil(scene.height * scale) as u32);
    let whole = Transform::from_scale(narrow(scale), narrow(scale));
    let mut pixmap = Pixmap::new(width, height).ok_or(PictureError::Size { width, height })?;
    pixmap.fill(tiny_skia::Color::WHITE);
    let fonts = Fonts::load();
    for item in &scene.items {
        match item {
            Item::Shape { outline, paint, .. } => shape(&mut pixmap, outline, paint, whole),
            Item::Text(text) => line_of_text(&mut pixmap, &fonts, text, whole),
        }
    }
    Ok(pixmap)
}

/// Every pixel is opaque, so three bytes each are enough.
fn opaque(pixmap: &Pixmap) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(pixmap.data().len() / 4 * 3);
    for pixel in pixmap.data().as_chunks::<4>().0 {
        pixels.extend_from_slice(&pixel[..3]);
    }
    pixels
}

fn encode(pixmap: &Pixmap, per_metre: Option<u32>) -> Result<Vec<u8>, PictureError> {
    let pixels = opaque(pixmap);
    let mut file = Vec::with_capacity(1 << 18);
    let mut encoder = png::Encoder::new(&mut file, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    if let Some(per_metre) = per_metre {
        let dims = png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter };
        encoder.set_pixel_dims(Some(dims));
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

fn shape(pixmap: &mut Pixmap, outline: &Outline, paint: &Paint, whole: Transform) {
    let Some(path) = path(outline) else { return };
    if let Some(colour) = paint.fill {
        let brush = brush(colour, paint.opacity);
        pixmap.fill_path(&path, &brush, FillRule::Winding, whole, None);
    }
    if let Some(colour) = paint.stroke {
        let stroke = Stroke {
            width: narrow(paint.width),
            line_cap: if paint.dash.is_some() { LineCap::Butt } else { LineCap::Round },
            line_join: LineJoin::Round,
            dash: paint.dash.and_then(|(dash, gap)| StrokeDash::new(vec![narrow(dash), narrow(gap)], 0.0)),
            ..Stroke::default()
        };
        pixmap.stroke_path(&path, &brush(colour, paint.opacity), &stroke, whole, None);
    }
}

/// The outline as lines and curves.
pub(super) fn path(outline: &Outline) -> Option<Path> {
    let mut builder = PathBuilder::new();
    match outline {
        Outline::Polygon(points) | Outline::Polyline(points) => {
            let mut points = points.iter();
            let first = points.next()?;
            builder.move_to(narrow(first.x), narrow(first.y));
            points.for_each(|point| builder.line_to(narrow(point.x), narrow(point.y)));
            if matches!(outline, Outline::Polygon(_)) {
                builder.close();
            }
        }
        Outline::Circle { centre, radius } => {
            builder.push_circle(narrow(centre.x), narrow(centre.y), narrow(*radius));
        }
        Outline::Rectangle { corner, width, height, round } => {
            let (left, top) = (narrow(corner.x), narrow(corner.y));
            let (right, bottom) = (narrow(corner.x + width), narrow(corner.y + height));
            let r = narrow(round.min(width / 2.0).min(height / 2.0).max(0.0));
            if r <= 0.0 {
                builder.push_rect(Rect::from_ltrb(left, top, right, bottom)?);
                return builder.finish();
            }
            builder.move_to(left + r, top);
            builder.line_to(right - r, top);
            builder.quad_to(right, top, right, top + r);
            builder.line_to(right, bottom - r);
            builder.quad_to(right, bottom, right - r, bottom);
            builder.line_to(left + r, bottom);
            builder.quad_to(left, bottom, left, bottom - r);
            builder.line_to(left, top + r);
            builder.quad_to(left, top, left + r, top);
            builder.close();
        }
    }
    builder.finish()
}

fn line_of_text(pixmap: &mut Pixmap, fonts: &Fonts, text: &Text, whole: Transform) {
    let mut glyphs = Glyphs(PathBuilder::new());
    fonts.outline(&text.content, text.size, text.bold, &mut glyphs);
    // A line of blanks has no outline.
    let Some(path) = glyphs.0.finish() else { return };
    let width = fonts.width(&text.content, text.size, text.bold);
    let shift = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    // Sine and cosine of the standard library differ between platforms.
    let turn = text.turn.to_radians();
    let (sin, cos) = (narrow(libm::sin(turn)), narrow(libm::cos(turn)));
    let place = Transform::from_row(cos, sin, -sin, cos, narrow(text.place.x), narrow(text.place.y))
        .pre_translate(narrow(shift), 0.0)
        .post_concat(whole);
    if let Some(halo) = text.halo {
        let rim = Stroke { width: 3.0, line_join: LineJoin::Round, ..Stroke::default() };
        pixmap.stroke_path(&path, &brush(halo, 1.0), &rim, place, None);
    }
    pixmap.fill_path(&path, &brush(text.colour, 1.0), FillRule::Winding, place, None);
}

/// Outlines of glyphs in a path.
struct Glyphs(PathBuilder);

impl OutlineBuilder for Glyphs {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an opacity is between 0 and 1")]
fn brush(colour: Colour, opacity: f64) -> Brush<'static> {
    let [_, red, green, blue] = colour.0.to_be_bytes();
    let mut brush = Brush { anti_alias: true, ..Brush::default() };
    brush.set_color_rgba8(red, green, blue, (opacity.clamp(0.0, 1.0) * 255.0) as u8);
    brush
}

#[expect(clippy::cast_possible_truncation, reason = "pixels need no more digits")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::super::scene::at;
    use super::*;

    fn decoded(file: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height, pixels)
    }

    #[test]
    fn labels_are_drawn_without_any_font_of_the_machine() {
        let mut scene = Scene::new(80.0, 30.0, "");
        scene.text(Text::new(at(5.0, 22.0), 20.0, Colour(0x00_00_ff), "E03"));
        let (width, height, pixels) = decoded(&to_png(&scene).unwrap());
        assert_eq!((width, height), (80, 30));
        let blue = pixels.as_chunks::<3>().0.iter().filter(|pixel| **pixel == [0, 0, 255]).count();
        assert!((50..400).contains(&blue), "{blue} pixels are blue all over");
    }

    #[test]
    fn a_scene_is_drawn_to_the_same_bytes_again() {
        let mut scene = Scene::new(40.0, 40.0, "");
        let round = Outline::Rectangle { corner: at(3.0, 3.0), width: 20.0, height: 12.0, round: 4.0 };
        scene.shape(round, Paint::fill(Colour(0x12_34_56)).faint(0.5).outlined(Colour(0), 1.5).dashed(3.0, 2.0));
        assert_eq!(to_png(&scene).unwrap(), to_png(&scene).unwrap());
    }

    #[test]
    fn a_picture_without_size_is_refused() {
        assert!(matches!(to_png(&Scene::new(0.0, 5.0, "")), Err(PictureError::Size { width: 0, height: 5 })));
    }
}
