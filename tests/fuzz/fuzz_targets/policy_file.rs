//! What reads a policy that was learned: it never panics and never believes a length that is not there, and what it accepts can
//! be played.

#![no_main]

use labtrust_learned::{Eyes, file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    match file::read(data) {
        Ok(policy) => {
            let (mut eyes, mut again) = (Eyes::default(), Eyes::default());
            let numbers: Vec<f32> = (0..policy.inputs()).map(|place| (place % 1000) as f32).collect();
            for mask in [u32::MAX, 1, 0, 0b1010] {
                let chosen = policy.choose(&mut eyes, &numbers, mask);
                assert!(chosen < 29 && (mask == 0 || mask >> chosen & 1 == 1), "{chosen} is not allowed");
                assert!(policy.values(&mut again, &numbers).iter().all(|value| value.is_finite()));
            }
        }
        Err(flaw) => assert!(!flaw.place.is_empty() && !flaw.problem.is_empty(), "a flaw says where and what"),
    }
});
