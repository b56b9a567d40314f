//! A moment of an episode on the floor plan: who is where, what every device does, what waits.

use super::layout::{DEVICE_HEIGHT, ROOM_WIDTH, Room, layout};
use super::svg::{Course, course, ends, family, is_guarded, wrap};
use super::{Placement, Plan, Zone, title_of, words};
use labtrust_figures::draw::scene::{Anchor, Colour, Outline, Paint, Point, Scene, Text, at};
use labtrust_plugin::lab::{DeviceStatus, DeviceView, Stage, Symbols, WorldView};

/// Space around the plan [px].
const MARGIN: i32 = 40;
/// Space for the lines above the plan [px].
const HEADER: i32 = 76;
/// Space for the legend below it [px].
const FOOTER: i32 = 48;
/// Most people who are drawn in a room; the others are counted.
const PEOPLE: usize = 7;

const INK: Colour = Colour(0x1b_2430);
const FAINT: Colour = Colour(0x5b_6675);
const CARD: Colour = Colour(0xf7_f8fa);
const WAY: Colour = Colour(0x9a_a5b4);
const GUARDED: Colour = Colour(0xc0_564b);
const WHITE: Colour = Colour(0xff_ffff);
const DEVICE: Colour = Colour(0xc3_cad4);
/// Ground and rim by what happens in a room, in the order of the families of the plan.
const ROOMS: [(Colour, Colour); 6] = [
    (Colour(0xec_eff4), Colour(0x8b_97a8)),
    (Colour(0xe5_f3ee), Colour(0x3f_9078)),
    (Colour(0xe6_effb), Colour(0x3c_72b8)),
    (Colour(0xf0_eafa), Colour(0x7d_5bb5)),
    (Colour(0xe2_f4f8), Colour(0x2f_8ca3)),
    (Colour(0xfc_ecea), Colour(0xc0_564b)),
];
/// What a device does, its colour and its name.
const STATES: [(DeviceStatus, Colour, &str); 4] = [
    (DeviceStatus::Idle, Colour(0x9a_a5b4), "free"),
    (DeviceStatus::Running, Colour(0x2f_9e62), "running"),
    (DeviceStatus::Maintenance, Colour(0xd2_931f), "maintenance"),
    (DeviceStatus::Fault, Colour(0xc0_392b), "broken"),
];
const PERSON: Colour = Colour(0x2b_4c7e);

/// A moment of an episode.
pub struct Moment<'a> {
    /// What there is to see.
    pub view: &'a WorldView,
    /// The names in it.
    pub symbols: &'a Symbols,
    /// A line above the plan.
    pub title: &'a str,
    /// People by their place in the view, and what they are called.
    pub people: &'a [(usize, String)],
}

/// Draws a moment. The same moment gives the same picture.
#[must_use]
pub fn picture(plan: &Plan, moment: &Moment<'_>) -> Scene {
    let plan = &with_devices(plan, moment);
    let rooms = layout(plan);
    let top = rooms.iter().map(|room| room.y - room.height / 2).min().unwrap_or(0);
    let bottom = rooms.iter().map(|room| room.y + room.height / 2).max().unwrap_or(0);
    let right = rooms.iter().map(|room| room.x + ROOM_WIDTH).max().unwrap_or(0);
    let width = (right + 2 * MARGIN).max(720);
    let height = bottom - top + HEADER + FOOTER + 2 * MARGIN;
    let rooms: Vec<Room> =
        rooms.iter().map(|room| Room { x: room.x + MARGIN, y: room.y - top + MARGIN + HEADER, ..*room }).collect();

    let mut scene = Scene::new(f64::from(width), f64::from(height), moment.title);
    let card = Outline::Rectangle { corner: at(0.0, 0.0), width: scene.width, height: scene.height, round: 0.0 };
    scene.shape(card, Paint::fill(CARD));
    scene.text(Text::new(point(MARGIN, MARGIN + 14), 20.0, INK, moment.title).bold());
    scene.text(Text::new(point(MARGIN, MARGIN + 38), 13.0, FAINT, waiting(moment)));
    for edge in &plan.graph_edges {
        let Some((a, b)) = ends(plan, &rooms, edge) else { continue };
        let Course { start, end, .. } = course(a, b);
        let colour = if is_guarded(plan, edge) { GUARDED } else { WAY };
        scene.line(point(start.0, start.1), point(end.0, end.1), Paint::line(colour, 2.5));
    }
    for (zone, room) in plan.zones.iter().zip(&rooms) {
        draw_room(&mut scene, moment, zone, room);
    }
    legend(&mut scene, height - MARGIN + 8);
    scene
}

/// The plan with the devices that the episode has, wherever they stand.
fn with_devices(plan: &Plan, moment: &Moment<'_>) -> Plan {
    let text = |id| moment.symbols.text(id).to_owned();
    let placed = |device: &DeviceView| {
        let zone_id = text(moment.view.zones.get(device.zone)?.id);
        Some(Placement { device_id: text(device.id), zone_id })
    };
    Plan { device_placement: moment.view.devices.iter().filter_map(placed).collect(), ..plan.clone() }
}

fn point(x: i32, y: i32) -> Point {
    at(f64::from(x), f64::from(y))
}

/// What waits where, in a line.
fn waiting(moment: &Moment<'_>) -> String {
    let count = |stages: &[Stage]| moment.view.specimens.iter().filter(|s| stages.contains(&s.stage)).count();
    format!(
        "{} s.  Specimens: {} at reception, {} to separate, {} to aliquot, {} ready or queued, {} running, {} with a \
         result, {} released, {} held.",
        moment.view.now_s,
        count(&[Stage::Arrived, Stage::Accessioned, Stage::Checked]),
        count(&[Stage::Accepted, Stage::Spinning, Stage::Spun]),
        count(&[Stage::Separated, Stage::Aliquoting]),
        count(&[Stage::Ready, Stage::Queued]),
        count(&[Stage::Running, Stage::Analysed]),
        count(&[Stage::Resulted]),
        count(&[Stage::Released]),
        count(&[Stage::Held]),
    )
}

fn draw_room(scene: &mut Scene, moment: &Moment<'_>, zone: &Zone, room: &Room) {
    let (x, top) = (room.x, room.y - room.height / 2);
    let (ground, rim) = ROOMS[family(zone)];
    let outline = Outline::Rectangle {
        corner: point(x, top),
        width: f64::from(ROOM_WIDTH),
        height: f64::from(room.height),
        round: 8.0,
    };
    scene.titled(outline, Paint::fill(ground).outlined(rim, 1.5), zone.zone_id.as_str());
    for (y, line) in (top + 24..).step_by(16).zip(wrap(&title_of(zone), 20)) {
        scene.text(Text::new(point(x + 12, y), 14.0, INK, line).bold());
    }
    let place = moment.view.zones.iter().position(|known| moment.symbols.text(known.id) == zone.zone_id);
    let here = moment.view.devices.iter().filter(|device| Some(device.zone) == place);
    for (y, device) in (top + 58..).step_by(usize::try_from(DEVICE_HEIGHT).unwrap_or(1)).zip(here) {
        draw_device(scene, moment, device, (x, y));
    }
    let people: Vec<&str> = moment
        .people
        .iter()
        .filter(|(person, _)| {
            place.is_some() && moment.view.agents.get(*person).is_some_and(|agent| agent.zone == place)
        })
        .map(|(_, name)| name.as_str())
        .collect();
    draw_people(scene, &people, (x, room.y + room.height / 2));
}

fn draw_device(scene: &mut Scene, moment: &Moment<'_>, device: &DeviceView, (x, y): (i32, i32)) {
    let corner = point(x + 10, y);
    let outline = Outline::Rectangle { corner, width: f64::from(ROOM_WIDTH - 20), height: 30.0, round: 5.0 };
    let id = moment.symbols.text(device.id);
    scene.titled(outline, Paint::fill(WHITE).outlined(DEVICE, 1.0), id);
    let colour = STATES.iter().find(|(status, ..)| *status == device.status).map_or(INK, |(_, colour, _)| *colour);
    scene.shape(Outline::Circle { centre: point(x + 23, y + 15), radius: 5.0 }, Paint::fill(colour));
    scene.text(Text::new(point(x + 34, y + 19), 12.0, INK, words(id, "DEV_")));
    let mut note = String::new();
    if device.queue_len > 0 {
        note = format!("{} queued", device.queue_len);
    }
    if !device.qc_pass {
        note = "QC failed".to_owned();
    }
    if !note.is_empty() {
        scene.text(Text::new(point(x + ROOM_WIDTH - 16, y + 19), 11.0, FAINT, note).anchored(Anchor::End));
    }
}

/// People stand on the lower wall of a room.
fn draw_people(scene: &mut Scene, people: &[&str], (x, bottom): (i32, i32)) {
    for (place, name) in (0..).zip(people.iter().take(PEOPLE)) {
        let middle = x + 20 + 24 * place;
        let dot = Outline::Circle { centre: point(middle, bottom), radius: 10.5 };
        scene.titled(dot, Paint::fill(PERSON).outlined(WHITE, 1.5), *name);
        scene.text(Text::new(point(middle, bottom + 4), 10.0, WHITE, short(name)).anchored(Anchor::Middle));
    }
    if people.len() > PEOPLE {
        let more = format!("+{}", people.len() - PEOPLE);
        scene.text(Text::new(point(x + ROOM_WIDTH - 10, bottom + 18), 11.0, FAINT, more).anchored(Anchor::End));
    }
}

/// `runner_1` as `r1`, `supervisor_0` as `s0`.
fn short(name: &str) -> String {
    let (words, number) = name.rsplit_once('_').unwrap_or((name, ""));
    words.chars().next().into_iter().chain(number.chars().take(3)).collect()
}

fn legend(scene: &mut Scene, y: i32) {
    let mut x = MARGIN;
    for (_, colour, name) in STATES {
        scene.shape(Outline::Circle { centre: point(x + 5, y - 4), radius: 5.0 }, Paint::fill(colour));
        scene.text(Text::new(point(x + 16, y), 12.0, FAINT, name));
        x += 40 + 7 * i32::try_from(name.len()).unwrap_or(0);
    }
    scene.shape(Outline::Circle { centre: point(x + 5, y - 4), radius: 7.0 }, Paint::fill(PERSON));
    scene.text(Text::new(point(x + 18, y), 12.0, FAINT, "an agent"));
}
