//! One line on standard error that says how far the show has got.

use std::io::{IsTerminal as _, Write as _, stderr};

use super::simulator::play::Progress;

/// Between two plain lines, in milliseconds; a terminal's line is drawn again more often.
const PLAIN_INTERVAL: u64 = 4_000;
const TERMINAL_INTERVAL: u64 = 100;
/// The evening begins at six o'clock, and a second of the show is a quarter of an hour of it.
const BEGINS_AT: u64 = 18 * 60;
const MINUTES_A_SECOND: u64 = 15;

/// A line that replaces itself on a terminal; elsewhere, a few lines.
pub(crate) struct Line {
    terminal: bool,
    next: u64,
}

impl Line {
    /// A line that shows nothing yet.
    pub(crate) fn new() -> Self {
        Self { terminal: stderr().is_terminal(), next: 0 }
    }

    /// Shows `text`, unless something was shown a moment before `at` (milliseconds).
    pub(crate) fn show(&mut self, at: u64, text: &str) {
        if at < self.next {
            return;
        }
        self.next = at + if self.terminal { TERMINAL_INTERVAL } else { PLAIN_INTERVAL };
        // Whoever closed standard error does not want to know.
        let _ = if self.terminal { write!(stderr(), "\r\x1b[K{text}") } else { writeln!(stderr(), "{text}") };
    }

    /// Removes the line from a terminal.
    pub(crate) fn end(&mut self) {
        if self.terminal {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// A terminal is left with a clean line whatever ended the show.
impl Drop for Line {
    fn drop(&mut self) {
        self.end();
    }
}

/// How far the evening has got, in its own time.
pub(crate) fn of_evening(progress: &Progress) -> String {
    let minute = BEGINS_AT + progress.at * MINUTES_A_SECOND / 1000;
    let (hour, minute) = (minute / 60, minute % 60);
    let tally = progress.tally;
    format!(
        "{hour:02}:{minute:02}  {:3} online  {:4} statements  {:4} acknowledged  {:3} lost  {:3} sent again",
        progress.online, tally.said, tally.acknowledged, tally.lost, tally.repeated
    )
}

/// Says something on standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
