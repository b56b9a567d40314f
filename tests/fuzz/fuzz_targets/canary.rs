//! A planted bug. If fuzzing does not find it at once, fuzzing is broken, and what the other targets do not find says
//! nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Nobody guesses five bytes; whoever is told about every right one finds them in a moment.
    let right = |at: usize, byte: u8| data.get(at) == Some(&byte);
    if right(0, b'f') && right(1, b'e') && right(2, b'v') && right(3, b'e') && right(4, b'r') {
        panic!("the canary was found");
    }
});
