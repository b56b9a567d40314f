//! What reads evidence: it never panics, and accepts only what is written again byte by byte.

#![no_main]

use labtrust_evidence::checkpoint::Checkpoint;
use labtrust_evidence::dsse::Envelope;
use labtrust_evidence::frames::{self, Frames};
use labtrust_evidence::note::{Note, Signer, Verifier};
use labtrust_evidence::recover::{Tail, recover};
use labtrust_evidence::strict;
use labtrust_trust::canonical::to_canonical_vec;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    if strict::check(data).is_ok() {
        let value: Value = serde_json::from_slice(data).expect("canonical JSON is JSON");
        assert_eq!(to_canonical_vec(&value).expect("it was read"), data, "one text for one value");
    }
    let found = recover(data);
    let length = usize::try_from(found.length).expect("it is a part of what is in memory");
    assert!(length <= data.len());
    assert_eq!(recover(&data[..length]).tail, Tail::None, "what holds holds alone");
    if frames::is_framed(data)
        && let Ok(lines) = frames::lines(data.to_vec())
    {
        let mut again = frames::MAGIC.to_vec();
        Frames::default().append_lines(&mut again, &lines);
        assert!(data.starts_with(&again) || data.len() < frames::MAGIC.len(), "frames are written again as they were");
    }
    let _ = Envelope::parse(data);
    if let Ok(note) = Note::parse(data) {
        assert!(data.starts_with(note.text().as_bytes()), "the text is the beginning of the note");
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(checkpoint) = Checkpoint::parse_text(text) {
        assert_eq!(checkpoint.text(), text);
    }
    if let Ok(key) = Verifier::parse(text) {
        assert_eq!(key.to_string(), text.trim_end_matches('\n'));
    }
    let _ = Signer::parse(text);
});
