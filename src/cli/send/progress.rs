//! How far it is, for a person at a terminal who does not see the answers themselves.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr, or nothing.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Over so many bytes, if they are known.
    pub(super) fn of(length: Option<u64>, follow: bool) -> Self {
        let is_seen = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal() && !follow;
        if !is_seen {
            return Self(ProgressBar::hidden());
        }
        let template = match length {
            Some(_) => "{wide_bar} {bytes}/{total_bytes} {msg} {eta}",
            None => "{spinner} {bytes} {msg}",
        };
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        // The template is ours; if it were wrong, the bar would be a plain one.
        Self(ProgressStyle::with_template(template).map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)))
    }

    /// A line of so many bytes was answered.
    pub(super) fn answered(&self, bytes: usize, lines: u64) {
        self.0.inc(u64::try_from(bytes).unwrap_or(0));
        self.0.set_message(format!("{lines} lines"));
    }

    /// Does something on the terminal without tearing the bar.
    pub(super) fn suspend(&self, act: impl FnOnce()) {
        self.0.suspend(act);
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
