//! When did it happen? The source's account, held against the time of arrival. Pure.

use std::time::Duration;

use crate::domain::event::EventTime;
use crate::domain::record::TimeQuality;
use crate::domain::time::Timestamp;

/// How far a source's clock may be ahead of ours before its stamp is not believed.
pub const MAX_SKEW: Duration = Duration::from_secs(300);

/// A longer Acct-Delay-Time is no delay: FreeRADIUS forwards 4294967207 for a clock that is 89 s ahead.
pub const MAX_SANE_DELAY: Duration = Duration::from_secs(31 * 86_400);

/// The instant of an event and how it was found.
///
/// It is never later than the arrival, so a stamp in the future cannot make a record live longer. A delay counts only
/// where there is no stamp: forwarders that send both count it twice.
pub fn instant_of(time: EventTime, received: Timestamp) -> (Timestamp, TimeQuality) {
    match (time.stamp, time.delay) {
        (Some(stamp), _) if stamp > received.plus(MAX_SKEW) => (received, TimeQuality::SourceClockAhead),
        (Some(stamp), _) => (stamp.min(received), TimeQuality::Stamped),
        (None, Some(delay)) if delay <= MAX_SANE_DELAY => (received.minus(delay), TimeQuality::Delayed),
        (None, _) => (received, TimeQuality::Received),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVED: Timestamp = Timestamp::from_millis(1_000_000_000);

    fn stamped(stamp: Timestamp, delay: Option<u64>) -> EventTime {
        EventTime { stamp: Some(stamp), delay: delay.map(Duration::from_secs) }
    }

    #[test]
    fn a_stamp_wins_over_a_delay_and_never_lies_after_the_arrival() {
        let earlier = RECEIVED.minus(Duration::from_secs(90));
        assert_eq!(instant_of(stamped(earlier, Some(30)), RECEIVED), (earlier, TimeQuality::Stamped));
        let ahead = RECEIVED.plus(Duration::from_secs(120));
        assert_eq!(instant_of(stamped(ahead, None), RECEIVED), (RECEIVED, TimeQuality::Stamped));
    }

    #[test]
    fn a_stamp_too_far_ahead_is_replaced_and_flagged() {
        let ahead = RECEIVED.plus(MAX_SKEW).plus(Duration::from_millis(1));
        assert_eq!(instant_of(stamped(ahead, None), RECEIVED), (RECEIVED, TimeQuality::SourceClockAhead));
    }

    #[test]
    fn without_a_stamp_a_sane_delay_counts_and_an_absurd_one_does_not() {
        let delayed = |secs| EventTime { stamp: None, delay: Some(Duration::from_secs(secs)) };
        let earlier = RECEIVED.minus(Duration::from_secs(7));
        assert_eq!(instant_of(delayed(7), RECEIVED), (earlier, TimeQuality::Delayed));
        assert_eq!(instant_of(delayed(4_294_967_207), RECEIVED), (RECEIVED, TimeQuality::Received));
        assert_eq!(instant_of(EventTime::default(), RECEIVED), (RECEIVED, TimeQuality::Received));
    }
}
