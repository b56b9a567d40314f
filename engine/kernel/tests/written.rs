//! What is written and read back goes on as what was written would have.

use labtrust_kernel::{Calendar, EventClass, Memory, Remembered, SimTime, Streams, Symbol, SymbolMap, Symbols};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

fn again<T: Serialize + DeserializeOwned>(value: &T) -> T {
    postcard::from_bytes(&postcard::to_allocvec(value).expect("it can be written")).expect("it can be read")
}

fn memory_of(value: &impl Remembered) -> Memory {
    let mut memory = Memory::new();
    value.recall(&mut memory);
    memory
}

#[derive(Clone, Debug)]
enum Doing {
    Schedule { after_s: u64, class: u8 },
    Cancel(usize),
    Postpone(usize, u64),
    Pop,
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        4 => (0..50_u64, 0..3_u8).prop_map(|(after_s, class)| Doing::Schedule { after_s, class }),
        2 => any::<usize>().prop_map(Doing::Cancel),
        1 => (any::<usize>(), 0..50_u64).prop_map(|(which, after_s)| Doing::Postpone(which, after_s)),
        2 => Just(Doing::Pop),
    ]
}

/// Does something to a calendar, and says what could be seen of it.
fn carry_out(
    calendar: &mut Calendar<u32>,
    handles: &mut Vec<labtrust_kernel::Handle>,
    number: u32,
    doing: &Doing,
) -> String {
    let later = |after_s| SimTime::from_nanos(calendar.now().as_nanos() + after_s * 1_000_000_000);
    match *doing {
        Doing::Schedule { after_s, class } => {
            let handle = calendar.schedule(later(after_s), EventClass(class), number).unwrap();
            handles.push(handle);
            format!("{handle:?}")
        }
        Doing::Cancel(which) if !handles.is_empty() => format!("{:?}", calendar.cancel(handles[which % handles.len()])),
        Doing::Postpone(which, after_s) if !handles.is_empty() => {
            let at = later(after_s);
            format!("{:?}", calendar.reschedule(handles[which % handles.len()], at))
        }
        Doing::Cancel(_) | Doing::Postpone(..) => String::new(),
        Doing::Pop => format!("{:?}", calendar.pop()),
    }
}

proptest! {
    #[test]
    fn a_calendar_that_is_read_back_goes_on_as_before(
        doings in prop::collection::vec(doing(), 1..200),
        again_at in prop::collection::vec(any::<bool>(), 200),
    ) {
        let (mut one, mut other) = (Calendar::new(), Calendar::new());
        let (mut handles, mut others) = (Vec::new(), Vec::new());
        for ((number, doing), is_again) in (0..).zip(&doings).zip(again_at) {
            let (a, b) = (
                carry_out(&mut one, &mut handles, number, doing),
                carry_out(&mut other, &mut others, number, doing),
            );
            prop_assert_eq!(a, b);
            if is_again {
                other = again(&other);
            }
            prop_assert_eq!(memory_of(&one), memory_of(&other));
        }
        while let Some(due) = one.pop() {
            prop_assert_eq!(Some(due), other.pop());
        }
        prop_assert!(other.is_empty());
    }

    #[test]
    fn a_stream_goes_on_with_the_same_numbers(seed: u64, drawn in 0..200_usize) {
        let mut one = Streams::new(seed).stream("test", "one");
        for draw in 0..drawn {
            // Whole and half words of it.
            if draw % 3 == 0 { one.exponential(1.0); } else { one.uniform(); }
        }
        let mut other = again(&one);
        for _ in 0..40 {
            prop_assert_eq!(one.uniform().to_bits(), other.uniform().to_bits());
        }
    }
}

#[test]
fn a_table_and_ids_are_the_same() {
    let mut below = Symbols::default();
    below.intern("policy");
    let mut symbols = Symbols::over(&Arc::new(below));
    let ids: Vec<Symbol> = ["b", "a", "policy", "c"].map(|text| symbols.intern(text)).into();
    let mut map = SymbolMap::default();
    map.insert(ids[3], 3_u64);
    map.insert(ids[0], 0);
    assert_eq!(memory_of(&map), memory_of(&again(&map)));
    let own: Vec<String> = symbols.own().map(str::to_owned).collect();
    assert_eq!(own, ["b", "a", "c"]);
    symbols.forget_own();
    assert_eq!((symbols.len(), symbols.get("a"), symbols.get("policy")), (1, None, Some(ids[2])));
    symbols.reserve(own.len(), 3);
    for text in &own {
        symbols.intern(text);
    }
    assert_eq!((symbols.get("a"), symbols.get("c"), symbols.text(ids[0])), (Some(ids[1]), Some(ids[3]), "b"));
}
