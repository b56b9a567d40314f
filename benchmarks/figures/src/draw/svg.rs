//! A scene as SVG: text stays text, so it can be searched, selected and read out.

use super::scene::{Anchor, Colour, Item, Outline, Paint, Scene, Text};
use std::fmt::Write as _;

/// The picture as a file. The same scene gives the same bytes.
#[must_use]
pub fn to_svg(scene: &Scene) -> String {
    to_svg_in(scene, &mut |colour| format!("#{:06x}", colour.0))
}

/// The picture with colours as `colours` writes them. It is asked in an order that depends on the shapes only, so that
/// scenes that differ in colours are asked about in step.
pub fn to_svg_in(scene: &Scene, colours: &mut dyn FnMut(Colour) -> String) -> String {
    let mut out = String::with_capacity(scene.items.len() * 160 + 512);
    let (width, height) = (scene.width, scene.height);
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"Roboto, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif\">"
    );
    let _ = writeln!(out, "<title>{}</title>", Escaped(&scene.title));
    if !scene.description.is_empty() {
        let _ = writeln!(out, "<desc>{}</desc>", Escaped(&scene.description));
    }
    for item in &scene.items {
        match item {
            Item::Shape { outline, paint, title } => shape(&mut out, outline, paint, title.as_deref(), colours),
            Item::Text(text) => line_of_text(&mut out, text, colours),
        }
    }
    out.push_str("</svg>\n");
    out
}

fn shape(
    out: &mut String,
    outline: &Outline,
    paint: &Paint,
    title: Option<&str>,
    colours: &mut dyn FnMut(Colour) -> String,
) {
    let name = match outline {
        Outline::Polygon(points) | Outline::Polyline(points) => {
            let name = if matches!(outline, Outline::Polygon(_)) { "polygon" } else { "polyline" };
            let _ = write!(out, "<{name} points=\"");
            for (index, point) in points.iter().enumerate() {
                let space = if index == 0 { "" } else { " " };
                let _ = write!(out, "{space}{},{}", Short(point.x), Short(point.y));
            }
            out.push('"');
            name
        }
        Outline::Circle { centre, radius } => {
            let (x, y, r) = (Short(centre.x), Short(centre.y), Short(*radius));
            let _ = write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"");
            "circle"
        }
        Outline::Rectangle { corner, width, height, round } => {
            let (x, y) = (Short(corner.x), Short(corner.y));
            let _ = write!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\"", Short(*width), Short(*height));
            if *round > 0.0 {
                let _ = write!(out, " rx=\"{}\"", Short(*round));
            }
            "rect"
        }
    };
    match paint.fill {
        Some(colour) => {
            let _ = write!(out, " fill=\"{}\"", colours(colour));
        }
        None => out.push_str(" fill=\"none\""),
    }
    if let Some(colour) = paint.stroke {
        let _ = write!(out, " stroke=\"{}\" stroke-width=\"{}\"", colours(colour), Short(paint.width));
        out.push_str(" stroke-linejoin=\"round\"");
        match paint.dash {
            Some((dash, gap)) => {
                let _ = write!(out, " stroke-dasharray=\"{} {}\"", Short(dash), Short(gap));
            }
            None => out.push_str(" stroke-linecap=\"round\""),
        }
    }
    if paint.opacity < 1.0 {
        let _ = write!(out, " opacity=\"{}\"", Short(paint.opacity));
    }
    match title {
        Some(title) => {
            let _ = writeln!(out, "><title>{}</title></{name}>", Escaped(title));
        }
        None => out.push_str("/>\n"),
    }
}

fn line_of_text(out: &mut String, text: &Text, colours: &mut dyn FnMut(Colour) -> String) {
    let (x, y) = (Short(text.place.x), Short(text.place.y));
    let _ =
        write!(out, "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" fill=\"{}\"", Short(text.size), colours(text.colour));
    if text.bold {
        out.push_str(" font-weight=\"700\"");
    }
    match text.anchor {
        Anchor::Start => {}
        Anchor::Middle => out.push_str(" text-anchor=\"middle\""),
        Anchor::End => out.push_str(" text-anchor=\"end\""),
    }
    if let Some(halo) = text.halo {
        let _ = write!(out, " stroke=\"{}\" stroke-width=\"3\" paint-order=\"stroke\"", colours(halo));
        out.push_str(" stroke-linejoin=\"round\"");
    }
    if text.turn.abs() > 0.0 {
        let _ = write!(out, " transform=\"rotate({} {x} {y})\"", Short(text.turn));
    }
    let _ = writeln!(out, ">{}</text>", Escaped(&text.content));
}

/// A number with at most two decimals and without trailing zeros.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hundredths = libm::round(self.0 * 100.0);
        // Never `-0`.
        write!(out, "{}", if hundredths.abs() < 0.5 { 0.0 } else { hundredths / 100.0 })
    }
}

/// Text in which nothing can be taken for markup, whatever the data say.
pub struct Escaped<'t>(pub &'t str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                // XML has no place for them, escaped or not.
                control if control.is_control() => out.write_char('\u{fffd}')?,
                other => out.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Colour, at};
    use super::*;

    #[test]
    fn numbers_are_short_and_never_minus_nothing() {
        let shown: Vec<String> = [1.0, -0.001, 2.5, 3.24159, -7.126].map(|value| Short(value).to_string()).into();
        assert_eq!(shown, ["1", "0", "2.5", "3.24", "-7.13"]);
    }

    #[test]
    fn text_of_the_data_cannot_leave_its_place_in_the_picture() {
        let mut scene = Scene::new(10.0, 10.0, "</title><script>alert(1)</script>");
        scene.text(Text::new(at(1.0, 2.0), 3.0, Colour(0), "</text><script>&\u{1}"));
        let outline = Outline::Circle { centre: at(0.0, 0.0), radius: 1.0 };
        scene.titled(outline, Paint::fill(Colour(0)), "\"><script>");
        let svg = to_svg(&scene);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;&amp;\u{fffd}"), "{svg}");
    }
}
