//! How what is stored comes to its end: the steps of a purge while the store is open, the sweep that destroys keys while the
//! daemon is dead, and the winding up of a whole store.
//!
//! Nothing here decides what is due or when: each is told a cutoff or an instant. How a key is overwritten is the
//! business of `keyring`, and which rows a compaction drops that of `engine`.

mod directory;
mod room;
mod steps;
mod sweep;
pub(super) mod sweep_notes;
mod wind_up;

pub use directory::{Dead, Leftovers, Listing, ListingError};
pub use steps::{Bounds, Doomed, Expired};
pub use sweep::{SweepError, Sweeper, Swept};
pub use sweep_notes::{NotesError, SweepNote};
pub use wind_up::{Inventory, WindUp, WindUpError};
