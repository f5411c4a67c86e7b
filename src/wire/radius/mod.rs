//! RADIUS accounting as far as addresses are concerned: RFC 2865, 2866, 2869, 3162, 4679, 4818, 5080, 5997, 6911,
//! 8045.
//!
//! The way in is [`request::Request::authenticate`]: nothing of a datagram is interpreted before its authenticator
//! holds. Counters, routes, the called station and all else that no record can hold are passed over unread.

pub mod accounting;
mod address;
pub mod attribute;
mod authenticator;
pub mod client;
pub mod nat;
pub mod packet;
pub mod request;
mod statement;
