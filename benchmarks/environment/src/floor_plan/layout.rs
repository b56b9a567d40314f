//! Where the rooms are: columns by distance from the entrance, rows so that ways stay short and straight.

use super::Plan;
use std::collections::VecDeque;

/// Width of a room [px].
pub(super) const ROOM_WIDTH: i32 = 184;
/// Space between two columns, where the ways are [px].
pub(super) const COLUMN_GAP: i32 = 96;
/// Space between two rooms of a column [px].
const ROW_GAP: i32 = 56;
/// Height of a room without devices [px].
const ROOM_HEIGHT: i32 = 64;
/// What a device adds to it [px].
pub(super) const DEVICE_HEIGHT: i32 = 40;
/// Rooms of neighbouring columns that are no further apart than this look crooked and are levelled [px].
const NEARLY_LEVEL: i32 = 44;
/// How often rows are moved towards their neighbours; the picture is at rest long before.
const SWEEPS: usize = 24;

/// A room's place; `y` is its middle, relative to the picture's middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) column: i32,
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) height: i32,
}

/// Places every zone, in the order of the plan.
pub(super) fn layout(plan: &Plan) -> Vec<Room> {
    let count = plan.zones.len();
    let mut neighbours = vec![Vec::new(); count];
    for edge in &plan.graph_edges {
        if let (Some(from), Some(to)) = (plan.zone_index(&edge.from), plan.zone_index(&edge.to)) {
            neighbours[from].push(to);
            neighbours[to].push(from);
        }
    }
    let columns = distances(plan, &neighbours);
    let reach = reach(&neighbours, &columns);
    let heights: Vec<i32> = plan
        .zones
        .iter()
        .map(|zone| ROOM_HEIGHT + DEVICE_HEIGHT * i32::try_from(plan.devices_in(zone).count()).unwrap_or(0))
        .collect();
    let last = columns.iter().copied().max().unwrap_or(0);
    let mut by_column: Vec<Vec<usize>> = vec![Vec::new(); last + 1];
    for (zone, &column) in columns.iter().enumerate() {
        by_column[column].push(zone);
    }

    let mut y = vec![0_i32; count];
    for sweep in 0..SWEEPS {
        // Forth and back in turn: a room is drawn to the rooms before it, then to those after it.
        let order: Vec<usize> = if sweep % 2 == 0 { (0..=last).collect() } else { (0..=last).rev().collect() };
        for column in order {
            let wish: Vec<i32> = by_column[column]
                .iter()
                .map(|&zone| {
                    let near = neighbours[zone].iter().filter(|&&other| columns[other] != column);
                    let (sum, weight) = near
                        .fold((0, 0), |(sum, weight), &other| (sum + y[other] * reach[other], weight + reach[other]));
                    if weight == 0 { y[zone] } else { sum / weight }
                })
                .collect();
            let mut rows: Vec<(i32, usize)> = wish.into_iter().zip(by_column[column].iter().copied()).collect();
            // Rooms that lead further keep the straight line; policy order breaks ties.
            rows.sort_by_key(|&(wish, zone)| (wish, std::cmp::Reverse(reach[zone]), zone));
            settle(&rows, &heights, &reach, &mut y);
        }
    }
    straighten(&columns, &neighbours, &reach, &heights, &mut y);
    let room = |zone: usize| {
        let column = i32::try_from(columns[zone]).unwrap_or(0);
        Room { column, x: column * (ROOM_WIDTH + COLUMN_GAP), y: y[zone], height: heights[zone] }
    };
    (0..count).map(room).collect()
}

/// Steps from the entrance; zones without a way stand in a column of their own at the end.
fn distances(plan: &Plan, neighbours: &[Vec<usize>]) -> Vec<usize> {
    let count = plan.zones.len();
    let mut distance = vec![usize::MAX; count];
    let entrance = plan.zones.iter().position(|zone| zone.kind == "INGRESS").unwrap_or(0);
    let mut queue = VecDeque::new();
    if count > 0 {
        distance[entrance] = 0;
        queue.push_back(entrance);
    }
    let mut farthest = 0;
    while let Some(zone) = queue.pop_front() {
        farthest = distance[zone];
        for &next in &neighbours[zone] {
            if distance[next] == usize::MAX {
                distance[next] = distance[zone] + 1;
                queue.push_back(next);
            }
        }
    }
    distance.iter().map(|&steps| if steps == usize::MAX { farthest + 1 } else { steps }).collect()
}

/// How many zones lie behind each zone, itself included: the main way is where most of the laboratory lies.
fn reach(neighbours: &[Vec<usize>], columns: &[usize]) -> Vec<i32> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|&zone| std::cmp::Reverse(columns[zone]));
    let mut reach = vec![1; columns.len()];
    for zone in order {
        for &other in &neighbours[zone] {
            if columns[other] > columns[zone] {
                reach[zone] += reach[other];
            }
        }
    }
    reach
}

/// Lets rooms that are nearly level with the room before them stand exactly level with it, where there is space.
fn straighten(columns: &[usize], neighbours: &[Vec<usize>], reach: &[i32], heights: &[i32], y: &mut [i32]) {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|&zone| (columns[zone], std::cmp::Reverse(reach[zone]), zone));
    for &zone in &order {
        let before = neighbours[zone].iter().copied().filter(|&other| columns[other] < columns[zone]);
        let Some(before) = before.max_by_key(|&other| (reach[other], std::cmp::Reverse(other))) else { continue };
        if (y[before] - y[zone]).abs() > NEARLY_LEVEL {
            continue;
        }
        let free = (0..columns.len()).all(|other| {
            let apart = (heights[other] + heights[zone]) / 2 + ROW_GAP / 2;
            other == zone || columns[other] != columns[zone] || (y[other] - y[before]).abs() >= apart
        });
        if free {
            y[zone] = y[before];
        }
    }
}

/// Puts the rooms of a column, given in order from the top, as near to their wishes as they fit.
fn settle(rows: &[(i32, usize)], heights: &[i32], reach: &[i32], y: &mut [i32]) {
    // The most important room gets its wish; the others make way upwards and downwards.
    let Some(anchor) = (0..rows.len()).max_by_key(|&row| (reach[rows[row].1], std::cmp::Reverse(row))) else { return };
    let equals = rows.iter().filter(|(_, zone)| reach[*zone] == reach[rows[anchor].1]).count();
    if equals == rows.len() {
        // Nobody is more important: the column as a whole is centred on its wishes.
        let total: i32 = rows.iter().map(|&(_, zone)| heights[zone]).sum::<i32>()
            + ROW_GAP * i32::try_from(rows.len() - 1).unwrap_or(0);
        let middle = rows.iter().map(|&(wish, _)| wish).sum::<i32>() / i32::try_from(rows.len()).unwrap_or(1);
        let mut top = middle - total / 2;
        for &(_, zone) in rows {
            y[zone] = top + heights[zone] / 2;
            top += heights[zone] + ROW_GAP;
        }
        return;
    }
    y[rows[anchor].1] = rows[anchor].0;
    let apart = |a: usize, b: usize| (heights[a] + heights[b]) / 2 + ROW_GAP;
    for row in anchor + 1..rows.len() {
        let (above, here) = (rows[row - 1].1, rows[row].1);
        y[here] = rows[row].0.max(y[above] + apart(above, here));
    }
    for row in (0..anchor).rev() {
        let (below, here) = (rows[row + 1].1, rows[row].1);
        y[here] = rows[row].0.min(y[below] - apart(below, here));
    }
}
