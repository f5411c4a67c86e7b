//! What every source has, however it speaks: its name, and how far it is believed.

use std::time::Duration;

use super::Resets;
use crate::domain::retention::Retention;

/// A server that sends events, or several that count as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name. No two have the same.
    pub name: String,
    /// The realm of the addresses it speaks of. Empty: the public one.
    pub realm: String,
    /// The realm of the outside addresses of its NAT. Empty: the public one.
    pub outside_realm: String,
    /// Does it report its open sessions regularly?
    pub interims: bool,
    /// How long after an instant it is still believed about it. At most the window.
    pub max_delay: Duration,
    /// After how much silence an open session of it counts as ended; `None`: never.
    pub max_silence: Option<Duration>,
    /// What its resets mean.
    pub resets: Resets,
}

impl Source {
    /// A source of which nothing but the name is configured.
    pub fn named(name: &str, retention: &Retention) -> Self {
        Self {
            name: name.to_owned(),
            realm: String::new(),
            outside_realm: String::new(),
            interims: false,
            max_delay: retention.window,
            max_silence: retention.max_silence,
            resets: Resets::Honour,
        }
    }

    /// Another window is in force: nothing is believed for longer than it is kept.
    pub(super) fn follow_window(&mut self, window: Duration) {
        self.max_delay = self.max_delay.min(window);
        self.max_silence = self.max_silence.map(|silence| silence.min(window));
    }
}
