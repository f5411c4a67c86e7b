//! A small ISP that speaks RADIUS accounting (RFC 2866), for the examples: made-up subscribers, NAS that lose packets and
//! reboot, and the truth of who really held what. The same seed plays the same evening.
//!
//! It knows nothing of how the daemon stores or answers: it sends datagrams and waits for acknowledgements.

pub(crate) mod clock;
pub(crate) mod daemon;
pub(crate) mod evening;
pub(crate) mod interrupt;
pub(crate) mod life;
pub(crate) mod nas;
pub(crate) mod play;
pub(crate) mod rng;
pub(crate) mod statement;
pub(crate) mod subscriber;
