//! Every kind of chart, small, as it is.

use insta::assert_snapshot;
use labtrust_figures::chart::bars::{Bar, BarChart, BarPanel};
use labtrust_figures::chart::boxes::{BoxChart, Values};
use labtrust_figures::chart::heat::{Field, HeatChart, HeatPanel, Shade};
use labtrust_figures::chart::lanes::{Lane, LaneChart, Span};
use labtrust_figures::chart::sankey::{Flow, Sankey, Stage};
use labtrust_figures::chart::xy::{XyChart, XyLine, XyPanel, XyPoint};
use labtrust_figures::chart::{Entry, Heading, Swatch, Theme, Weight, bars, boxes, heat, lanes, sankey, xy};
use labtrust_figures::draw::scene::Scene;
use labtrust_figures::draw::to_svg;

fn points() -> XyChart {
    let point = |x: f64, y: f64, series: usize, weight, label: Option<&str>| XyPoint {
        x,
        y,
        x_interval: Some((x - 5.0, x + 10.0)),
        y_interval: Some((y - 0.5, y + 0.5)),
        series,
        weight,
        label: label.map(str::to_owned),
        note: format!("{x} and {y}"),
    };
    let points = vec![
        point(120.0, 3.0, 0, Weight::Strong, Some("first")),
        point(180.0, 4.5, 1, Weight::Plain, Some("second")),
        point(150.0, 2.5, 2, Weight::Faint, None),
    ];
    let line = XyLine {
        series: Some(1),
        points: vec![(120.0, 3.0), (180.0, 4.5)],
        band: vec![(120.0, 2.5, 3.5), (180.0, 4.0, 5.0)],
        steps: true,
    };
    XyChart {
        heading: Heading::new("Points", "Upper left is better.").note("A note."),
        x_label: "time [s]".into(),
        y_label: "released [count]".into(),
        from_zero: (false, true),
        panels: vec![
            XyPanel { title: "with data".into(), points, lines: vec![line], y_label: None },
            XyPanel { title: "without".into(), ..XyPanel::default() },
        ],
        legend: vec![Entry::new(Swatch::Marker(0, Weight::Plain), "first"), Entry::new(Swatch::Dashed, "guide")],
        empty: "There is nothing.".into(),
    }
}

fn bar_chart() -> BarChart {
    let bar = |label: &str, value, interval, series| Bar { label: label.into(), value, interval, series };
    let bars =
        vec![bar("a", Some(3.5), Some((3.0, 4.0)), 0), bar("b", Some(10.0), None, 1), bar("none", None, None, 2)];
    BarChart {
        heading: Heading::new("Bars", ""),
        panels: vec![BarPanel { label: "count".into(), bars }],
        empty: "Nothing.".into(),
    }
}

fn heat_map() -> HeatChart {
    let field = |shade, text: &str, small: &str| Field {
        shade,
        text: text.into(),
        small: small.into(),
        note: format!("{text} note"),
    };
    let fields = vec![
        vec![field(Shade::Ramp(0.3), "0.30", "3/10"), field(Shade::Good, "P", "")],
        vec![field(Shade::Bad, "F", ""), Field::empty("not there")],
    ];
    HeatChart {
        heading: Heading::new("Fields", ""),
        rows: vec!["one".into(), "two".into()],
        columns: vec!["INJ-A".into(), "INJ-B".into()],
        panels: vec![HeatPanel { title: "small".into(), fields }],
        key: vec![(Shade::Good, "P".into(), "passed".into())],
    }
}

fn box_plot() -> BoxChart {
    let row = |label: &str, values: &[f64]| Values { label: label.into(), values: values.to_vec() };
    BoxChart {
        heading: Heading::new("Boxes", ""),
        label: "released".into(),
        rows: vec![row("on", &[1.0, 2.0, 3.0, 4.0, 9.0]), row("off", &[])],
        empty: "Nothing.".into(),
    }
}

fn gantt() -> LaneChart {
    let span =
        |from, to, label: &str| Span { from, to, series: 0, label: label.into(), note: format!("{from} to {to}") };
    let busy = Lane {
        label: "DEV_1".into(),
        total: "busy 50 %".into(),
        spans: vec![span(0.0, 400.0, "S1"), span(600.0, 600.0, "")],
        ..Lane::default()
    };
    let counted = Lane {
        label: "RC_X".into(),
        total: "3 blocked".into(),
        moments: vec![10.0, 11.0, 800.0],
        series: 1,
        ..Lane::default()
    };
    LaneChart {
        heading: Heading::new("Lanes", ""),
        label: "time [s]".into(),
        until: 800.0,
        lanes: vec![busy, counted],
        legend: vec![(0, "analysis".into())],
        empty: "Nothing.".into(),
    }
}

fn flow() -> Sankey {
    let stage = |label: &str, layer, series| Stage { label: label.into(), layer, series };
    Sankey {
        heading: Heading::new("Flow", ""),
        unit: "specimens".into(),
        stages: vec![stage("received", 0, 0), stage("accepted", 1, 1), stage("held", 1, 2)],
        flows: vec![
            Flow { from: 0, to: 1, amount: 6 },
            Flow { from: 0, to: 2, amount: 2 },
            // Goes back: left out.
            Flow { from: 1, to: 0, amount: 9 },
        ],
        empty: "Nothing.".into(),
    }
}

/// A chart's name and how it is drawn.
type Kind = (&'static str, fn(Theme) -> Scene);

const KINDS: [Kind; 6] = [
    ("xy", |theme| xy::draw(&points(), theme)),
    ("bars", |theme| bars::draw(&bar_chart(), theme)),
    ("heat", |theme| heat::draw(&heat_map(), theme)),
    ("boxes", |theme| boxes::draw(&box_plot(), theme)),
    ("lanes", |theme| lanes::draw(&gantt(), theme)),
    ("sankey", |theme| sankey::draw(&flow(), theme)),
];

#[test]
fn every_kind_of_chart_looks_as_it_did() {
    for (name, draw) in KINDS {
        assert_snapshot!(name, to_svg(&draw(Theme::Light)));
    }
}

#[test]
fn a_theme_changes_colours_and_nothing_else() {
    for (name, draw) in KINDS {
        let plain = |theme| {
            let svg = to_svg(&draw(theme));
            let mut parts = svg.split('#');
            let first = parts.next().unwrap_or_default().to_owned();
            // Six digits of colour follow every sign.
            parts.fold(first, |all, part| all + part.get(6..).unwrap_or_default())
        };
        for theme in Theme::ALL {
            assert_eq!(plain(theme), plain(Theme::Light), "{name} {theme:?}");
        }
        assert_ne!(to_svg(&draw(Theme::Dark)), to_svg(&draw(Theme::Light)), "{name}");
    }
}

#[test]
fn pictures_are_xml_with_a_title_and_text_as_text() {
    for (name, draw) in KINDS {
        let svg = to_svg(&draw(Theme::Light));
        let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{name}: {error}"));
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        assert!(
            root.first_element_child()
                .is_some_and(|first| first.has_tag_name("title") || first.tag_name().name() == "title")
        );
        assert!(root.children().any(|one| one.tag_name().name() == "text"), "{name}");
    }
}

#[test]
fn all_that_is_drawn_is_on_the_sheet() {
    for (name, draw) in KINDS {
        let scene = draw(Theme::Light);
        let svg = to_svg(&scene);
        let document = roxmltree::Document::parse(&svg).unwrap();
        let number =
            |node: &roxmltree::Node<'_, '_>, key: &str| node.attribute(key).and_then(|text| text.parse::<f64>().ok());
        for node in document.root_element().children().filter(roxmltree::Node::is_element) {
            if let (Some(x), Some(y)) =
                (number(&node, "x").or_else(|| number(&node, "cx")), number(&node, "y").or_else(|| number(&node, "cy")))
            {
                assert!((0.0..=scene.width).contains(&x) && (0.0..=scene.height).contains(&y), "{name}: {x}, {y}");
            }
        }
    }
}
