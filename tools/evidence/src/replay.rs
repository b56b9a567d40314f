//! Playing the steps of a log again, on all cores: episodes do not know each other.
//!
//! Who plays is a [`Player`]; this says when. Whole episodes wait until there is enough of them, and are then played
//! together; one that is too long to wait is played while it is read. Which difference is told does not depend on that: it
//! is always the first one in the log.

use crate::lines::Line;
use rayon::prelude::*;
use std::sync::Arc;

/// Text of episodes that wait to be played together, at most [bytes].
const WAITING: usize = 16 << 20;

/// Plays the steps of a log again. Lines may be played some time after they were taken in, and several episodes at once.
pub trait Replay {
    /// Takes in the next line.
    fn take(&mut self, line: Arc<Line>);

    /// Whether a line was found that is not what comes out: more of them need not be shown.
    fn has_failed(&self) -> bool;

    /// Plays what was not played yet, and says how the log is not what comes out.
    ///
    /// # Errors
    /// [`Unlike`], of all differences the one that comes first in the log.
    fn finish(&mut self) -> Result<(), Unlike>;
}

/// How a log is not what the engine does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlike {
    /// The line where it shows, from 1; at the end of the log there is none.
    pub line: Option<u64>,
    /// In words.
    pub problem: String,
}

/// Plays episodes. Problems are in words.
pub trait Player: Sync {
    /// An episode under way.
    type Now;

    /// Begins an episode of the run.
    ///
    /// # Errors
    /// When the run has no such episode.
    fn begin(&self, episode: u64) -> Result<Self::Now, String>;

    /// Plays the next line of an episode and compares it.
    ///
    /// # Errors
    /// How the line is not what comes out.
    fn play(&self, now: &mut Self::Now, line: &Line) -> Result<(), String>;

    /// Compares what still comes after the last line of an episode.
    ///
    /// # Errors
    /// What is missing in the log.
    fn end(&self, now: Self::Now) -> Result<(), String>;
}

/// A replay by a player.
pub struct Batched<P: Player> {
    player: P,
    /// Text that may wait [bytes].
    most: usize,
    /// Episodes in the order of the log; the last one may go on.
    waiting: Vec<Waiting>,
    /// Text of all that wait [bytes].
    bytes: usize,
    /// The number and the state of a long episode, which is played as it comes.
    now: Option<(u64, P::Now)>,
    /// Lines taken in [count].
    taken: u64,
    failure: Option<Unlike>,
}

/// The lines of an episode that waits.
struct Waiting {
    episode: u64,
    /// Number of its first line in the log, from 1.
    first: u64,
    lines: Vec<Arc<Line>>,
}

impl Waiting {
    /// Plays the lines from the beginning of the episode.
    fn play<P: Player>(&self, player: &P) -> Result<P::Now, Unlike> {
        let unlike = |line: u64| move |problem| Unlike { line: Some(line), problem };
        let mut now = player.begin(self.episode).map_err(unlike(self.first))?;
        for (line, number) in self.lines.iter().zip(self.first..) {
            player.play(&mut now, line).map_err(unlike(number))?;
        }
        Ok(now)
    }

    /// Plays an episode that is here as a whole. What is missing at its end shows in the line after it.
    fn play_whole<P: Player>(&self, player: &P) -> Result<(), Unlike> {
        let after = self.first + self.lines.len() as u64;
        player.end(self.play(player)?).map_err(|problem| Unlike { line: Some(after), problem })
    }
}

impl<P: Player> Batched<P> {
    /// A replay from the first line on.
    #[must_use]
    pub fn new(player: P) -> Self {
        Self { player, most: WAITING, waiting: Vec::new(), bytes: 0, now: None, taken: 0, failure: None }
    }

    /// Plays episodes that are here as a whole.
    fn play_all(&self, whole: Vec<Waiting>) -> Result<(), Unlike> {
        let player = &self.player;
        let played: Vec<_> = whole.into_par_iter().map(|episode| episode.play_whole(player)).collect();
        // The first of them in the log, whichever was found first.
        played.into_iter().collect()
    }

    fn try_take(&mut self, line: Arc<Line>) -> Result<(), Unlike> {
        self.taken += 1;
        let (episode, first) = (line.entry.episode(), self.taken);
        let unlike = |problem| Unlike { line: Some(first), problem };
        if let Some((_, now)) = self.now.as_mut().filter(|(now, _)| *now == episode) {
            return self.player.play(now, &line).map_err(unlike);
        }
        if let Some((_, now)) = self.now.take() {
            self.player.end(now).map_err(unlike)?;
        }
        self.bytes += line.entry.bytes().len();
        match self.waiting.last_mut().filter(|last| last.episode == episode) {
            Some(last) => last.lines.push(line),
            None => self.waiting.push(Waiting { episode, first, lines: vec![line] }),
        }
        if self.bytes > self.most {
            let mut whole = std::mem::take(&mut self.waiting);
            self.bytes = 0;
            let last = whole.pop();
            self.play_all(whole)?;
            self.now = last.map(|last| last.play(&self.player).map(|now| (last.episode, now))).transpose()?;
        }
        Ok(())
    }
}

impl<P: Player> Replay for Batched<P> {
    fn take(&mut self, line: Arc<Line>) {
        if self.failure.is_none() {
            self.failure = self.try_take(line).err();
        }
    }

    fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    fn finish(&mut self) -> Result<(), Unlike> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.play_all(waiting).map_err(|Unlike { line, problem }| {
            // After the last line there is none.
            Unlike { line: line.filter(|line| *line <= self.taken), problem }
        })?;
        let end = self.now.take().map_or(Ok(()), |(_, now)| self.player.end(now));
        end.map_err(|problem| Unlike { line: None, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::{Form, read};

    /// Episodes of three lines that count up.
    struct Counting;

    impl Player for Counting {
        type Now = u64;

        fn begin(&self, episode: u64) -> Result<u64, String> {
            if episode < 9 { Ok(0) } else { Err("no such episode".to_owned()) }
        }

        fn play(&self, now: &mut u64, line: &Line) -> Result<(), String> {
            let said = line.entry.get("n").and_then(serde_json::Value::as_u64);
            *now += 1;
            if said == Some(*now) { Ok(()) } else { Err(format!("{now} was expected")) }
        }

        fn end(&self, now: u64) -> Result<(), String> {
            if now == 3 { Ok(()) } else { Err(format!("{} are missing", 3 - now)) }
        }
    }

    /// What a log of these (episode, n) comes to when so much may wait.
    fn replayed(log: &[(u64, u64)], most: usize) -> Result<(), (Option<u64>, String)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let text: String = log.iter().map(|(episode, n)| format!("{{\"episode\":{episode},\"n\":{n}}}\n")).collect();
        std::fs::write(&path, text).unwrap();
        let mut replay = Batched { most, ..Batched::new(Counting) };
        read(&path, Form::Canonical, |line| replay.take(Arc::clone(line))).unwrap();
        replay.finish().map_err(|unlike| (unlike.line, unlike.problem))
    }

    #[test]
    fn what_is_told_does_not_depend_on_how_much_may_wait() {
        let whole: Vec<(u64, u64)> = (0..8).flat_map(|episode| (1..=3).map(move |n| (episode, n))).collect();
        let changed = |at: &[usize]| {
            let mut log = whole.clone();
            for at in at {
                log[*at].1 = 7;
            }
            log
        };
        let without = |at: usize| [&whole[..at], &whole[at + 1..]].concat();
        let first = |line: u64, problem: &str| Err((Some(line), problem.to_owned()));
        let cases = [
            (whole.clone(), Ok(())),
            (changed(&[4]), first(5, "2 was expected")),
            // Of two differences the first one, though the second is found as soon.
            (changed(&[13, 7]), first(8, "2 was expected")),
            // The end of an episode is missing: that shows in the line after it, and in none after the last.
            (without(5), first(6, "1 are missing")),
            (without(23), Err((None, "1 are missing".to_owned()))),
            ([&whole[..3], &[(9, 1)]].concat(), first(4, "no such episode")),
            (Vec::new(), Ok(())),
        ];
        for (log, expected) in cases {
            for most in [0, 1, 30, 50, 100, 200, usize::MAX] {
                assert_eq!(replayed(&log, most), expected, "{log:?} with {most} bytes");
            }
        }
    }
}
