//! The last words of a stream, however much it says before them.

use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Reads a stream to its end in a thread of its own, so that the writer never waits, and keeps the last characters.
#[derive(Debug)]
pub struct Tail {
    kept: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
    characters: usize,
}

impl Tail {
    /// Begins to read. A stream that is not there has said nothing.
    #[must_use]
    pub fn of(stream: Option<impl Read + Send + 'static>, characters: usize) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (tell, ended) = channel();
        if let Some(mut stream) = stream {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                // A character is four bytes at most; half as much again is collected before the front is cut off.
                let most = characters * 4;
                let mut part = vec![0; 1 << 16];
                loop {
                    let count = match stream.read(&mut part) {
                        Ok(0) => break,
                        Ok(count) => count,
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                        Err(_) => break,
                    };
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    let new = &part[count.saturating_sub(most)..count];
                    kept.extend_from_slice(new);
                    if kept.len() > most * 3 / 2 {
                        let surplus = kept.len() - most;
                        kept.drain(..surplus);
                    }
                }
                let _ = tell.send(());
            });
        }
        Self { kept, ended, characters }
    }

    /// The last characters of the stream. Bytes that are no UTF-8 become U+FFFD. A stream that somebody holds open is
    /// waited for no longer than `patience`.
    #[must_use]
    pub fn last_words(self, patience: Duration) -> String {
        let _ = self.ended.recv_timeout(patience);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        let surplus = text.chars().count().saturating_sub(self.characters);
        text.chars().skip(surplus).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn tail(bytes: Vec<u8>, characters: usize) -> String {
        Tail::of(Some(Cursor::new(bytes)), characters).last_words(Duration::from_secs(10))
    }

    #[test]
    fn the_last_characters_are_kept_whole() {
        assert_eq!(tail(b"abc".to_vec(), 10), "abc");
        assert_eq!(tail(b"abcdef".to_vec(), 3), "def");
        // 2, 3 and 4 bytes a character: a cut never goes through one.
        for one in ["é", "€", "🚚"] {
            assert_eq!(tail(format!("x{}", one.repeat(500_000)).into_bytes(), 4000), one.repeat(4000));
        }
        assert_eq!(tail(vec![b'a', 0xff, b'b'], 10), "a\u{fffd}b");
        assert_eq!(Tail::of(None::<Cursor<Vec<u8>>>, 10).last_words(Duration::ZERO), "");
    }

    #[test]
    fn memory_does_not_grow_with_the_stream() {
        let stream = std::io::repeat(b'x').take(200_000_000);
        let tail = Tail::of(Some(stream), 4000);
        assert!(tail.ended.recv_timeout(Duration::from_secs(60)).is_ok());
        assert!(tail.kept.lock().unwrap().capacity() <= 1 << 17);
        assert_eq!(tail.last_words(Duration::ZERO).len(), 4000);
    }
}
