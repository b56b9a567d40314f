//! What a picture is made of: a few shapes and lines of text, in the order in which they are painted.

/// A place in a picture [px], y downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left [px].
    pub x: f64,
    /// From the top [px].
    pub y: f64,
}

/// `Point { x, y }`, shorter.
pub const fn at(x: f64, y: f64) -> Point {
    Point { x, y }
}

/// `0xRRGGBB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u32);

/// The outline of something.
#[derive(Clone, Debug)]
pub enum Outline {
    /// Straight lines from point to point, closed when it is filled or a polygon.
    Polygon(Vec<Point>),
    /// Straight lines from point to point, open.
    Polyline(Vec<Point>),
    /// A circle.
    Circle {
        /// Its middle.
        centre: Point,
        /// [px]
        radius: f64,
    },
    /// A rectangle along the axes.
    Rectangle {
        /// The corner at the top left.
        corner: Point,
        /// [px]
        width: f64,
        /// [px]
        height: f64,
        /// Radius of its corners.
        round: f64,
    },
}

/// How an outline is painted.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// Colour of what is inside.
    pub fill: Option<Colour>,
    /// Of fill and stroke, 0 to 1.
    pub opacity: f64,
    /// Colour of the outline.
    pub stroke: Option<Colour>,
    /// Width of the outline [px].
    pub width: f64,
    /// Length of dashes and of what is between them.
    pub dash: Option<(f64, f64)>,
}

impl Paint {
    /// Filled, without an outline.
    #[must_use]
    pub const fn fill(colour: Colour) -> Self {
        Self { fill: Some(colour), opacity: 1.0, stroke: None, width: 0.0, dash: None }
    }

    /// An outline only.
    #[must_use]
    pub const fn line(colour: Colour, width: f64) -> Self {
        Self { fill: None, opacity: 1.0, stroke: Some(colour), width, dash: None }
    }

    /// With an outline too.
    #[must_use]
    pub const fn outlined(self, colour: Colour, width: f64) -> Self {
        Self { stroke: Some(colour), width, ..self }
    }

    /// With a dashed outline.
    #[must_use]
    pub const fn dashed(self, dash: f64, gap: f64) -> Self {
        Self { dash: Some((dash, gap)), ..self }
    }

    /// Seen through.
    #[must_use]
    pub const fn faint(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }
}

/// Which part of a line of text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A line of text.
#[derive(Clone, Debug)]
pub struct Text {
    /// Where its base line is.
    pub place: Point,
    /// [px]
    pub size: f64,
    /// In the bold face.
    pub bold: bool,
    /// Of the letters.
    pub colour: Colour,
    /// What of it is at `place`.
    pub anchor: Anchor,
    /// A rim in this colour keeps it readable on lines.
    pub halo: Option<Colour>,
    /// Clockwise, about its place [degrees].
    pub turn: f64,
    /// What it says.
    pub content: String,
}

impl Text {
    /// A plain line that begins at `place`.
    #[must_use]
    pub fn new(place: Point, size: f64, colour: Colour, content: impl Into<String>) -> Self {
        let content = content.into();
        Self { place, size, bold: false, colour, anchor: Anchor::Start, halo: None, turn: 0.0, content }
    }

    /// In the bold face.
    #[must_use]
    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// With another part of it at its place.
    #[must_use]
    pub fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// With a rim in the colour of what it stands on.
    #[must_use]
    pub fn on(self, halo: Colour) -> Self {
        Self { halo: Some(halo), ..self }
    }

    /// Turned clockwise about its place [degrees].
    #[must_use]
    pub fn turned(self, turn: f64) -> Self {
        Self { turn, ..self }
    }
}

/// One thing to paint.
#[derive(Clone, Debug)]
pub enum Item {
    /// Something with an outline.
    Shape {
        /// Where it is.
        outline: Outline,
        /// How it looks.
        paint: Paint,
        /// What a viewer shows when it is pointed at.
        title: Option<String>,
    },
    /// A line of text.
    Text(Text),
}

/// A picture.
#[derive(Clone, Debug)]
pub struct Scene {
    /// [px]
    pub width: f64,
    /// [px]
    pub height: f64,
    /// For those who cannot see it.
    pub title: String,
    /// What there is to be seen in it, in a sentence or two; empty when the title says it all.
    pub description: String,
    /// What is painted, the lowest first.
    pub items: Vec<Item>,
}

impl Scene {
    /// An empty picture.
    #[must_use]
    pub fn new(width: f64, height: f64, title: impl Into<String>) -> Self {
        Self { width, height, title: title.into(), description: String::new(), items: Vec::new() }
    }

    /// Paints a shape on top.
    pub fn shape(&mut self, outline: Outline, paint: Paint) {
        self.items.push(Item::Shape { outline, paint, title: None });
    }

    /// Paints a shape that says `title` when it is pointed at.
    pub fn titled(&mut self, outline: Outline, paint: Paint, title: impl Into<String>) {
        self.items.push(Item::Shape { outline, paint, title: Some(title.into()) });
    }

    /// Paints a straight line.
    pub fn line(&mut self, from: Point, to: Point, paint: Paint) {
        self.shape(Outline::Polyline(vec![from, to]), paint);
    }

    /// Writes a line of text.
    pub fn text(&mut self, text: Text) {
        self.items.push(Item::Text(text));
    }
}
