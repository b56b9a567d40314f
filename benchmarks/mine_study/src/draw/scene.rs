//! What a picture is made of: a few shapes and lines of text, in the order in which they are painted.

/// A place in a picture [px], y downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// `Point { x, y }`, shorter.
pub(crate) const fn at(x: f64, y: f64) -> Point {
    Point { x, y }
}

/// `0xRRGGBB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u32);

/// The outline of something.
#[derive(Clone, Debug)]
pub(crate) enum Outline {
    /// Straight lines from point to point, closed when it is filled or a polygon.
    Polygon(Vec<Point>),
    /// Straight lines from point to point, open.
    Polyline(Vec<Point>),
    Circle {
        centre: Point,
        radius: f64,
    },
    Rectangle {
        corner: Point,
        width: f64,
        height: f64,
        /// Radius of its corners.
        round: f64,
    },
}

/// How an outline is painted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) fill: Option<Colour>,
    /// Of fill and stroke, 0 to 1.
    pub(crate) opacity: f64,
    pub(crate) stroke: Option<Colour>,
    pub(crate) width: f64,
    /// Length of dashes and of what is between them.
    pub(crate) dash: Option<(f64, f64)>,
}

impl Paint {
    pub(crate) const fn fill(colour: Colour) -> Self {
        Self { fill: Some(colour), opacity: 1.0, stroke: None, width: 0.0, dash: None }
    }

    pub(crate) const fn line(colour: Colour, width: f64) -> Self {
        Self { fill: None, opacity: 1.0, stroke: Some(colour), width, dash: None }
    }

    pub(crate) const fn outlined(self, colour: Colour, width: f64) -> Self {
        Self { stroke: Some(colour), width, ..self }
    }

    pub(crate) const fn dashed(self, dash: f64, gap: f64) -> Self {
        Self { dash: Some((dash, gap)), ..self }
    }

    pub(crate) const fn faint(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }
}

/// Which part of a line of text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// Where its base line is.
    pub(crate) place: Point,
    /// [px]
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) colour: Colour,
    pub(crate) anchor: Anchor,
    /// A rim in this colour keeps it readable on lines.
    pub(crate) halo: Option<Colour>,
    /// Clockwise, about its place [degrees].
    pub(crate) turn: f64,
    pub(crate) content: String,
}

impl Text {
    pub(crate) fn new(place: Point, size: f64, colour: Colour, content: impl Into<String>) -> Self {
        let content = content.into();
        Self { place, size, bold: false, colour, anchor: Anchor::Start, halo: None, turn: 0.0, content }
    }

    pub(crate) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(crate) fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub(crate) fn on(self, halo: Colour) -> Self {
        Self { halo: Some(halo), ..self }
    }

    pub(crate) fn turned(self, turn: f64) -> Self {
        Self { turn, ..self }
    }
}

/// One thing to paint.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Shape {
        outline: Outline,
        paint: Paint,
        /// What a viewer shows when it is pointed at.
        title: Option<String>,
    },
    Text(Text),
}

/// A picture.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// [px]
    pub(crate) width: f64,
    /// [px]
    pub(crate) height: f64,
    /// For those who cannot see it.
    pub(crate) title: String,
    pub(crate) items: Vec<Item>,
}

impl Scene {
    pub(crate) fn new(width: f64, height: f64, title: impl Into<String>) -> Self {
        Self { width, height, title: title.into(), items: Vec::new() }
    }

    pub(crate) fn shape(&mut self, outline: Outline, paint: Paint) {
        self.items.push(Item::Shape { outline, paint, title: None });
    }

    pub(crate) fn titled(&mut self, outline: Outline, paint: Paint, title: impl Into<String>) {
        self.items.push(Item::Shape { outline, paint, title: Some(title.into()) });
    }

    pub(crate) fn line(&mut self, from: Point, to: Point, paint: Paint) {
        self.shape(Outline::Polyline(vec![from, to]), paint);
    }

    pub(crate) fn text(&mut self, text: Text) {
        self.items.push(Item::Text(text));
    }
}
