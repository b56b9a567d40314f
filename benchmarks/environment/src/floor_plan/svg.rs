//! The picture itself: SVG text that needs no font, script or image from elsewhere.
//!
//! It stands on a card of its own colour, so that it can be read on any page; a reader who prefers dark pictures gets
//! a dark card.

use super::layout::{COLUMN_GAP, DEVICE_HEIGHT, ROOM_WIDTH, Room};
use super::{Edge, Plan, Zone, title_of, words};
use std::fmt::Write;

/// Space around the plan [px].
const MARGIN: i32 = 44;
/// Space for the title above the plan [px].
const HEADER: i32 = 84;
/// Space for the legend below it [px].
const FOOTER: i32 = 70;

/// Kinds of rooms by what happens in them: class name, words for the legend.
const FAMILIES: [(&str, &str); 6] = [
    ("way", "reception and ways"),
    ("prep", "preparation"),
    ("analysis", "analysis"),
    ("control", "quality control"),
    ("cold", "cold storage"),
    ("risk", "restricted"),
];

const STYLE: &str = "\
.card{fill:#f7f8fa;stroke:#d5dae1}\
.title{font-size:22px;font-weight:650;fill:#1b2430}\
.sub,.key{font-size:13px;fill:#5b6675}\
.room{stroke-width:1.5}\
.name{font-size:15px;font-weight:600;fill:#1b2430}\
.id{font-size:10px;fill:#5b6675;letter-spacing:.03em}\
.way{fill:#eceff4;stroke:#8b97a8}\
.prep{fill:#e5f3ee;stroke:#3f9078}\
.analysis{fill:#e6effb;stroke:#3c72b8}\
.control{fill:#f0eafa;stroke:#7d5bb5}\
.cold{fill:#e2f4f8;stroke:#2f8ca3}\
.risk{fill:#fcecea;stroke:#c0564b}\
.path{fill:none;stroke:#9aa5b4;stroke-width:2.5;stroke-linecap:round}\
.guarded{stroke:#c0564b}\
.pill{fill:#f7f8fa;stroke:#c3cad4}\
.time{font-size:12px;fill:#445062}\
.door{fill:#fff4dd;stroke:#b98421;stroke-width:1.5}\
.locked{fill:#fcecea;stroke:#c0564b}\
.doorname{font-size:11px;fill:#5b6675;paint-order:stroke;stroke:#f7f8fa;stroke-width:5px;stroke-linejoin:round}\
.device{fill:#fff;stroke:#c3cad4}\
.devname{font-size:12px;fill:#2c3745}\
.dot{fill:#3c72b8}";

const DARK_STYLE: &str = "\
.card{fill:#171c23;stroke:#313a46}\
.title,.name{fill:#e8edf3}\
.sub,.key,.id,.doorname{fill:#9aa7b8}\
.doorname{stroke:#171c23}\
.way{fill:#232b36;stroke:#67758a}\
.prep{fill:#16302a;stroke:#4fa78d}\
.analysis{fill:#172b45;stroke:#5d92d6}\
.control{fill:#2a2140;stroke:#9a79d1}\
.cold{fill:#12303a;stroke:#46a6bf}\
.risk{fill:#3a1d1b;stroke:#d9756a}\
.path{stroke:#5a6676}\
.guarded{stroke:#d9756a}\
.pill{fill:#171c23;stroke:#414c5a}\
.time{fill:#b8c4d2}\
.door{fill:#3a2e14;stroke:#d6a445}\
.locked{fill:#3a1d1b;stroke:#d9756a}\
.device{fill:#0f1318;stroke:#414c5a}\
.devname{fill:#cfd8e3}\
.dot{fill:#5d92d6}";

/// Writes the picture. `rooms` has a place for every zone of the plan.
pub(super) fn render(plan: &Plan, rooms: &[Room]) -> String {
    let top = rooms.iter().map(|room| room.y - room.height / 2).min().unwrap_or(0);
    let bottom = rooms.iter().map(|room| room.y + room.height / 2).max().unwrap_or(0);
    let right = rooms.iter().map(|room| room.x + ROOM_WIDTH).max().unwrap_or(0);
    let width = (right + 2 * MARGIN).max(720);
    let height = bottom - top + HEADER + FOOTER + 2 * MARGIN;
    // Rooms in the picture's own coordinates.
    let rooms: Vec<Room> =
        rooms.iter().map(|room| Room { x: room.x + MARGIN, y: room.y - top + MARGIN + HEADER, ..*room }).collect();

    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"t d\" font-family=\"Inter,'Segoe UI',Helvetica,Arial,sans-serif\">\n\
         <title id=\"t\">Floor plan of the laboratory</title>\n\
         <desc id=\"d\">{} zones, {} ways, {} doors and {} devices; rooms further right are further from the entrance.</desc>\n\
         <style>{STYLE}@media (prefers-color-scheme:dark){{{DARK_STYLE}}}</style>\n\
         <rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"14\"/>\n",
        plan.zones.len(),
        plan.graph_edges.len(),
        plan.doors.len(),
        plan.device_placement.len(),
        width - 1,
        height - 1,
    );
    let _ = writeln!(out, "<text class=\"title\" x=\"{MARGIN}\" y=\"{}\">The laboratory</text>", MARGIN + 20);
    let _ = writeln!(
        out,
        "<text class=\"sub\" x=\"{MARGIN}\" y=\"{}\">{} zones, {} devices. Numbers on the ways are walking times.</text>",
        MARGIN + 44,
        plan.zones.len(),
        plan.device_placement.len(),
    );
    // All ways first, then what stands on them, then the rooms: nothing is crossed out.
    for edge in &plan.graph_edges {
        way(&mut out, plan, &rooms, edge);
    }
    for edge in &plan.graph_edges {
        walking_time(&mut out, plan, &rooms, edge);
    }
    for (zone, room) in plan.zones.iter().zip(&rooms) {
        draw_room(&mut out, plan, zone, room);
    }
    // Doors hang in the walls of rooms, so they come after them.
    for edge in &plan.graph_edges {
        door(&mut out, plan, &rooms, edge);
    }
    legend(&mut out, plan, height - MARGIN);
    out.push_str("</svg>\n");
    out
}

/// The family of a zone, an index into [`FAMILIES`].
pub(super) fn family(zone: &Zone) -> usize {
    if zone.restricted || zone.requires_access_token.is_some() {
        return 5;
    }
    match zone.kind.as_str() {
        "PREANALYTICS" | "DEVICE_ZONE" => 1,
        "ANALYTICS" => 2,
        "QC" => 3,
        "COLD_STORAGE" => 4,
        "RESTRICTED" | "WASTE" => 5,
        _ => 0,
    }
}

/// Both ends of a way, the one further left (or up) first.
pub(super) fn ends(plan: &Plan, rooms: &[Room], edge: &Edge) -> Option<(Room, Room)> {
    let (from, to) = (rooms[plan.zone_index(&edge.from)?], rooms[plan.zone_index(&edge.to)?]);
    Some(if (to.column, to.y) < (from.column, from.y) { (to, from) } else { (from, to) })
}

pub(super) fn is_guarded(plan: &Plan, edge: &Edge) -> bool {
    let door = edge.via_door.as_ref().and_then(|id| plan.doors.iter().find(|door| door.door_id == *id));
    door.is_some_and(|door| door.requires_token.is_some() || !door.requires_role.is_empty())
}

/// The line of a way.
pub(super) struct Course {
    pub(super) start: (i32, i32),
    pub(super) end: (i32, i32),
    /// Where its walking time stands.
    label: (i32, i32),
}

pub(super) fn course(a: Room, b: Room) -> Course {
    if a.column == b.column {
        let x = a.x + ROOM_WIDTH / 2;
        let (top, bottom) = (a.y + a.height / 2, b.y - b.height / 2);
        return Course { start: (x, top), end: (x, bottom), label: (x, i32::midpoint(top, bottom)) };
    }
    let (x1, x2) = (a.x + ROOM_WIDTH, b.x);
    let span = |room: Room| (room.y - room.height / 2 + 16, room.y + room.height / 2 - 16);
    let ((top_a, bottom_a), (top_b, bottom_b)) = (span(a), span(b));
    let (top, bottom) = (top_a.max(top_b), bottom_a.min(bottom_b));
    if top <= bottom {
        // Rooms that face each other get a straight way.
        let y = i32::midpoint(a.y, b.y).clamp(top, bottom);
        return Course { start: (x1, y), end: (x2, y), label: (i32::midpoint(x1, x2), y) };
    }
    let (y1, y2) = (b.y.clamp(top_a, bottom_a), a.y.clamp(top_b, bottom_b));
    // Two thirds of the way along the curve: in the middle, where ways cross, two times would cover each other.
    let bend = i32::midpoint(x1, x2);
    let label = ((x1 + 18 * bend + 8 * x2) / 27, (7 * y1 + 20 * y2) / 27);
    Course { start: (x1, y1), end: (x2, y2), label }
}

fn way(out: &mut String, plan: &Plan, rooms: &[Room], edge: &Edge) {
    let Some((a, b)) = ends(plan, rooms, edge) else { return };
    let Course { start: (x1, y1), end: (x2, y2), .. } = course(a, b);
    let class = if is_guarded(plan, edge) { "path guarded" } else { "path" };
    if x1 == x2 || y1 == y2 {
        let _ = writeln!(out, "<path class=\"{class}\" d=\"M{x1} {y1}L{x2} {y2}\"/>");
    } else {
        let bend = i32::midpoint(x1, x2);
        let _ = writeln!(out, "<path class=\"{class}\" d=\"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}\"/>");
    }
}

fn walking_time(out: &mut String, plan: &Plan, rooms: &[Room], edge: &Edge) {
    let (Some((a, b)), Some(travel_s)) = (ends(plan, rooms, edge), edge.travel_s) else { return };
    let (x, y) = course(a, b).label;
    let _ = writeln!(
        out,
        "<rect class=\"pill\" x=\"{}\" y=\"{}\" width=\"42\" height=\"22\" rx=\"11\"/>\
         <text class=\"time\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{travel_s} s</text>",
        x - 21,
        y - 11,
        y + 4,
    );
}

/// The door of a way, in the wall of the room that is nearer to the entrance.
fn door(out: &mut String, plan: &Plan, rooms: &[Room], edge: &Edge) {
    let (Some((a, b)), Some(door)) = (ends(plan, rooms, edge), &edge.via_door) else { return };
    let class = if is_guarded(plan, edge) { "door locked" } else { "door" };
    let Course { start: (x, y), end, label } = course(a, b);
    // Its name: above a straight way, below the room where the way bends.
    let (name_x, name_y, anchor) = if x == end.0 || y == end.1 {
        (label.0.max(x + COLUMN_GAP / 2), label.1 - 18, "middle")
    } else {
        (x + 5, a.y + a.height / 2 + 17, "end")
    };
    let (width, height) = if a.column == b.column { (26, 9) } else { (9, 26) };
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"2.5\"/>\
         <text class=\"doorname\" x=\"{name_x}\" y=\"{name_y}\" text-anchor=\"{anchor}\">{}</text></g>",
        escape(door),
        x - width / 2,
        y - height / 2,
        escape(&words(door, "D_")),
    );
}

fn draw_room(out: &mut String, plan: &Plan, zone: &Zone, room: &Room) {
    let (x, top) = (room.x, room.y - room.height / 2);
    let class = FAMILIES[family(zone)].0;
    let lines = wrap(&title_of(zone), 20);
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect class=\"room {class}\" x=\"{x}\" y=\"{top}\" width=\"{ROOM_WIDTH}\" height=\"{}\" rx=\"8\"/>",
        escape(&zone.zone_id),
        room.height,
    );
    let first = if lines.len() == 1 { top + 29 } else { top + 21 };
    for (y, line) in (first..).step_by(16).zip(&lines) {
        let _ = writeln!(out, "<text class=\"name\" x=\"{}\" y=\"{y}\">{}</text>", x + 14, escape(line));
    }
    let id_y = if lines.len() == 1 { top + 46 } else { top + 53 };
    let _ = writeln!(out, "<text class=\"id\" x=\"{}\" y=\"{id_y}\">{}</text>", x + 14, escape(&zone.zone_id));
    for (y, device) in (top + 62..).step_by(usize::try_from(DEVICE_HEIGHT).unwrap_or(1)).zip(plan.devices_in(zone)) {
        let _ = writeln!(
            out,
            "<rect class=\"device\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"30\" rx=\"5\"/>\
             <circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"3.5\"/>\
             <text class=\"devname\" x=\"{}\" y=\"{}\">{}</text>",
            x + 10,
            ROOM_WIDTH - 20,
            x + 22,
            y + 15,
            x + 32,
            y + 19,
            escape(&words(device, "DEV_")),
        );
    }
    out.push_str("</g>\n");
}

/// The families that occur, left to right.
fn legend(out: &mut String, plan: &Plan, y: i32) {
    let mut x = MARGIN;
    for (index, (class, text)) in FAMILIES.iter().enumerate() {
        if !plan.zones.iter().any(|zone| family(zone) == index) {
            continue;
        }
        let _ = writeln!(
            out,
            "<rect class=\"room {class}\" x=\"{x}\" y=\"{}\" width=\"18\" height=\"14\" rx=\"3\"/>\
             <text class=\"key\" x=\"{}\" y=\"{y}\">{text}</text>",
            y - 12,
            x + 26,
        );
        x += 48 + 7 * i32::try_from(text.len()).unwrap_or(0);
    }
    for (class, text) in [("door", "door"), ("door locked", "door with conditions")] {
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"7\" height=\"20\" rx=\"2\"/>\
             <text class=\"key\" x=\"{}\" y=\"{y}\">{text}</text>",
            x + 4,
            y - 15,
            x + 20,
        );
        x += 42 + 7 * i32::try_from(text.len()).unwrap_or(0);
    }
}

/// Breaks a title at spaces so that no line is longer than `width` characters, where it can be broken; two lines at most.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    if text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    let mut first = String::new();
    let mut rest = String::new();
    for word in text.split_whitespace() {
        let fits = rest.is_empty() && (first.is_empty() || first.chars().count() + 1 + word.chars().count() <= width);
        let line = if fits { &mut first } else { &mut rest };
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    [first, shorten(&rest, width + 2)].into_iter().filter(|line| !line.is_empty()).collect()
}

fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// Text as it may stand in a picture: policy files are other people's words.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
