//! How far it is, for a person at a terminal who does not see the answers themselves.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr, or nothing.
pub(in crate::cli) struct Progress(ProgressBar);

impl Progress {
    /// Over so many bytes, if they are known.
    pub(in crate::cli) fn of(length: Option<u64>, follow: bool) -> Self {
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

    /// Over so many pieces.
    pub(in crate::cli) fn over(pieces: u64, what: &'static str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(pieces), ProgressDrawTarget::stderr()).with_message(what);
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg} {eta}");
        Self(style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)))
    }

    /// A piece is done.
    pub(in crate::cli) fn step(&self) {
        self.0.inc(1);
    }

    /// A line of so many bytes was answered.
    pub(in crate::cli) fn answered(&self, bytes: usize, lines: u64) {
        self.0.inc(u64::try_from(bytes).unwrap_or(0));
        self.0.set_message(format!("{lines} lines"));
    }

    /// Does something on the terminal without tearing the bar.
    pub(in crate::cli) fn suspend(&self, act: impl FnOnce()) {
        self.0.suspend(act);
    }

    /// Takes the bar away.
    pub(in crate::cli) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
