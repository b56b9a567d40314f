//! Rows of `event_log.csv`.
//!
//! A study of six scenarios has half a million rows, so a row is put together from pieces that are printed once a
//! scenario; nothing is allocated for it, and no number but time and queue length is formatted.

use super::csv::quoted;
use labtrust_mine_haulage::site::{NodeId, Truck};
use labtrust_mine_haulage::{EventKind, EventRow, Resource, Scenario};

/// The first line.
pub(crate) const HEADER: &str = "time_min,replication,scenario_id,truck_id,event_type,from_node,to_node,location,\
                                 loaded,payload_tonnes,resource_id,queue_length\n";

/// A nanosecond is this part of a millionth of a minute.
const NANOS_PER_MICROMINUTE: u64 = 60_000;

/// Text that is put into rows as it is.
///
/// It is padded to whole blocks, so that a copy is a copy of blocks: its length is not looked at before, and what is
/// copied too much is written over by what follows.
struct Piece {
    padded: Box<[u8]>,
    length: usize,
}

/// Two registers of most machines, and longer than nearly all pieces.
const BLOCK: usize = 32;

impl Piece {
    fn new(text: &str) -> Self {
        let mut padded = text.as_bytes().to_vec();
        padded.resize(text.len().next_multiple_of(BLOCK).max(BLOCK), 0);
        Self { padded: padded.into(), length: text.len() }
    }

    /// A cell and what separates it from the next.
    fn cell(text: &str) -> Self {
        Self::new(&format!("{},", quoted(text)))
    }
}

/// The longest of `pieces`, padding included [bytes].
fn longest<'p>(pieces: impl IntoIterator<Item = &'p Piece>) -> usize {
    pieces.into_iter().map(|piece| piece.padded.len()).max().unwrap_or(BLOCK)
}

/// Prints rows of one scenario.
pub(crate) struct RowPrinter {
    scenario: String,
    trucks: Vec<TruckPieces>,
    nodes: Vec<Piece>,
    /// The end of a road that begins or ends nowhere.
    nowhere: Piece,
    edges: Vec<Piece>,
    loaders: Vec<Piece>,
    dumps: Vec<Piece>,
    /// More than any row takes, its replication's piece apart [bytes].
    row_length: usize,
}

struct TruckPieces {
    payload_tonnes: f64,
    /// Its id with each kind of event.
    events: Vec<Piece>,
    /// Loaded or not, and its payload, where that is the truck's.
    full: [Piece; 2],
    /// The same where that is nothing.
    empty: [Piece; 2],
}

/// Formatted numbers: time, payload, queue length.
const NUMBERS: usize = 96;

impl RowPrinter {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let site = &scenario.site;
        let load = |payload: f64| ["false", "true"].map(|loaded| Piece::new(&format!("{loaded},{payload},")));
        let truck = |truck: &Truck| TruckPieces {
            payload_tonnes: truck.payload_tonnes,
            events: EventKind::ALL
                .iter()
                .map(|kind| Piece::new(&format!("{},{},", quoted(&truck.id), kind.as_str())))
                .collect(),
            full: load(truck.payload_tonnes),
            empty: load(0.0),
        };
        let mut printer = Self {
            scenario: quoted(&scenario.id).into_owned(),
            trucks: site.trucks.iter().map(truck).collect(),
            nodes: site.nodes.iter().map(|node| Piece::cell(&node.id)).collect(),
            nowhere: Piece::new(","),
            edges: site.edges.iter().map(|edge| Piece::cell(&edge.id)).collect(),
            loaders: site.loaders.iter().map(|loader| Piece::cell(&loader.id)).collect(),
            dumps: site.dumps.iter().map(|dump| Piece::cell(&dump.id)).collect(),
            row_length: 0,
        };
        let truck = longest(printer.trucks.iter().flat_map(|truck| &truck.events));
        let load = longest(printer.trucks.iter().flat_map(|truck| truck.full.iter().chain(&truck.empty)));
        let resource = longest(printer.edges.iter().chain(&printer.loaders).chain(&printer.dumps));
        printer.row_length = truck + load + resource + 3 * longest(&printer.nodes) + NUMBERS;
        printer
    }

    /// Prints the rows of a replication to the beginning of `text`, and returns how long they are; its number counts from
    /// 0, as in `results.csv`.
    ///
    /// What `text` held is written over, and it keeps its length when that is enough: to fill a buffer with nothing
    /// first would take longer than to print into it.
    pub(crate) fn print(&self, replication: u32, rows: &[EventRow], text: &mut Vec<u8>) -> usize {
        let run = Piece::new(&format!(",{replication},{},", self.scenario));
        let room = rows.len() * (self.row_length + run.padded.len());
        if text.len() < room {
            text.resize(room, 0);
        }
        let mut line = Line { text, at: 0 };
        for row in rows {
            self.row(&run, row, &mut line);
        }
        line.at
    }

    fn row(&self, run: &Piece, row: &EventRow, line: &mut Line<'_>) {
        let truck = &self.trucks[usize::from(row.truck.0)];
        line.minutes(row.at.as_nanos());
        line.piece(run);
        line.piece(&truck.events[row.kind as usize]);
        line.piece(self.node(row.from));
        line.piece(self.node(row.to));
        line.piece(self.node(Some(row.location)));
        let loaded = usize::from(row.loaded);
        if row.payload_tonnes.to_bits() == truck.payload_tonnes.to_bits() {
            line.piece(&truck.full[loaded]);
        } else if row.payload_tonnes == 0.0 {
            line.piece(&truck.empty[loaded]);
        } else {
            // A truck carries all or nothing; kept for one that once does not.
            line.piece(&Piece::new(&format!("{},{},", row.loaded, row.payload_tonnes)));
        }
        line.piece(match row.resource {
            Resource::Road(edge) => &self.edges[usize::from(edge.0)],
            Resource::Loader(loader) => &self.loaders[usize::from(loader.0)],
            Resource::Dump(dump) => &self.dumps[usize::from(dump.0)],
        });
        line.number(row.queue_length.into());
        line.byte(b'\n');
    }

    fn node(&self, node: Option<NodeId>) -> &Piece {
        node.map_or(&self.nowhere, |node| &self.nodes[usize::from(node.0)])
    }
}

/// Text with room behind what is written.
struct Line<'t> {
    text: &'t mut [u8],
    at: usize,
}

impl Line<'_> {
    fn piece(&mut self, piece: &Piece) {
        let mut at = self.at;
        for block in piece.padded.as_chunks::<BLOCK>().0 {
            self.text[at..at + BLOCK].copy_from_slice(block);
            at += BLOCK;
        }
        self.at += piece.length;
    }

    fn byte(&mut self, byte: u8) {
        self.text[self.at] = byte;
        self.at += 1;
    }

    fn number(&mut self, number: u64) {
        match u8::try_from(number) {
            Ok(digit @ 0..10) => self.byte(b'0' + digit),
            _ => {
                let mut buffer = itoa::Buffer::new();
                let digits = buffer.format(number).as_bytes();
                self.text[self.at..self.at + digits.len()].copy_from_slice(digits);
                self.at += digits.len();
            }
        }
    }

    /// Minutes with six decimals, the last one rounded once from the exact time.
    fn minutes(&mut self, nanos: u64) {
        // Half of it up, without a sum that could overflow.
        let rest = nanos % NANOS_PER_MICROMINUTE;
        let micro = nanos / NANOS_PER_MICROMINUTE + u64::from(rest >= NANOS_PER_MICROMINUTE / 2);
        self.number(micro / 1_000_000);
        let mut part = micro % 1_000_000;
        let mut digits = *b".000000";
        for digit in digits[1..].iter_mut().rev() {
            *digit += u8::try_from(part % 10).expect("a digit");
            part /= 10;
        }
        self.text[self.at..self.at + 7].copy_from_slice(&digits);
        self.at += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_kernel::SimTime;
    use labtrust_mine_haulage::MineData;
    use labtrust_mine_haulage::site::{DumpId, EdgeId, LoaderId, TruckId};

    #[test]
    fn minutes_are_rounded_once_to_six_decimals() {
        let shown = |nanos| {
            let mut text = vec![0; 64];
            let mut line = Line { text: &mut text, at: 0 };
            line.minutes(nanos);
            let length = line.at;
            text.truncate(length);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(shown(0), "0.000000");
        assert_eq!((shown(29_999), shown(30_000)), ("0.000000".into(), "0.000001".into()));
        assert_eq!(shown(480 * 60_000_000_000), "480.000000");
        assert_eq!(shown(60_000_000_000 - 1), "1.000000");
        assert_eq!(shown(u64::MAX), "307445734.561826");
    }

    #[test]
    fn a_row_holds_what_its_event_says_however_long_the_ids_are() {
        let mut scenario = MineData::built_in().scenario("baseline", &[]).unwrap();
        let long = "a road with a name, longer than a block of thirty-two bytes".to_owned();
        scenario.site.edges[2].id.clone_from(&long);
        scenario.site.nodes[1].id = "x".repeat(100);
        scenario.id = "s,".repeat(40);
        let printer = RowPrinter::new(&scenario);
        let row = |kind, resource| EventRow {
            at: SimTime::from_nanos(90_000_000_000),
            payload_tonnes: 100.0,
            queue_length: 12,
            truck: TruckId(1),
            location: NodeId(1),
            from: Some(NodeId(1)),
            to: None,
            resource,
            kind,
            loaded: true,
        };
        let rows = [
            row(EventKind::RoadEntered, Resource::Road(EdgeId(2))),
            EventRow {
                payload_tonnes: 0.0,
                loaded: false,
                ..row(EventKind::ShiftEnded, Resource::Loader(LoaderId(0)))
            },
            EventRow { payload_tonnes: 99.5, ..row(EventKind::DumpingFinished, Resource::Dump(DumpId(0))) },
        ];
        // A buffer that was used before, for something longer.
        let mut out = vec![b'?'; 5000];
        let length = printer.print(7, &rows, &mut out);
        let text = format!("{HEADER}{}", String::from_utf8(out[..length].to_vec()).unwrap());
        let records: Vec<Vec<String>> = csv::Reader::from_reader(text.as_bytes())
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect();
        let node = "x".repeat(100);
        let begin = |kind| ["1.500000", "7", scenario.id.as_str(), "T02", kind, node.as_str(), "", node.as_str()];
        assert_eq!(records[0], [&begin("road_entered")[..], &["true", "100", &long, "12"]].concat());
        assert_eq!(records[1], [&begin("shift_ended")[..], &["false", "0", "L_N", "12"]].concat());
        assert_eq!(records[2], [&begin("dumping_finished")[..], &["true", "99.5", "D_CRUSH", "12"]].concat());
    }
}
