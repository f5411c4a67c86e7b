//! The event stream: newline-delimited JSON, one event a line. What a line may say is in `docs/events.md`.
//!
//! [`lines`] cuts bytes into lines of bounded length, [`mod@line`] reads one, and [`error`] is why one cannot be read. Who
//! may say it, and what is kept of it, is decided above.

pub mod error;
mod json;
pub mod line;
pub mod lines;

pub use error::{Field, LineError};
pub use line::read;
pub use lines::{Line, Lines, MAX_LINE};
