//! The words of a no-records certificate. They say what is known and no more: not that nothing existed, not that a drive is clean.

use crate::domain::time::Timestamp;

/// What is said of a time that has passed the window.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The time that was asked for.
    pub at: Timestamp,
    /// When the process was received.
    pub received: Timestamp,
    /// The digest of the policy in force.
    pub policy: &'a str,
    /// The purge report that covers the time, if one does yet.
    pub report: Option<u64>,
}

/// The statement about an address in none of our networks; `digest` is that of the configured ones.
pub fn not_ours(digest: &str) -> String {
    format!("not in our configured networks, digest {digest}")
}

/// The statement about a time of which nothing is readable.
pub fn purged(facts: &Facts<'_>) -> String {
    let Facts { at, received, policy, report } = facts;
    let age = if received < at {
        format!("before {at} had come")
    } else {
        let hours = received.since(*at).as_secs().div_euclid(3600);
        let unit = if hours == 1 { "hour" } else { "hours" };
        format!("when {at} was {hours} {unit} old")
    };
    // Reports are not signed yet, and it says so.
    let covered = match report {
        Some(number) => format!(
            "Purge report {number}, our own statement, which is not signed, covers {at}; it does not prove physical erasure, and it does \
             not speak of material preserved under other process."
        ),
        None => format!(
            "No purge report covers {at} yet. This does not prove physical erasure, and it does not speak of material preserved under \
             other process."
        ),
    };
    format!(
        "We hold no readable record for {at}. We cannot say whether one ever existed. Records of this age are destroyed in the ordinary \
         course under policy {policy}. This process was received at {received}, {age}. {covered}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    fn facts(received: u64, report: Option<u64>) -> Facts<'static> {
        let at = Timestamp::from_millis(20_000 * DAY);
        Facts { at, received: Timestamp::from_millis(received), policy: "ab12", report }
    }

    #[test]
    fn it_says_what_is_known_and_no_more() {
        let said = purged(&facts(20_003 * DAY + 3_599_999, Some(7)));
        let expected = "We hold no readable record for 2024-10-04T00:00:00.000Z. We cannot say whether one ever existed. Records of this age \
            are destroyed in the ordinary course under policy ab12. This process was received at 2024-10-07T00:59:59.999Z, when \
            2024-10-04T00:00:00.000Z was 72 hours old. Purge report 7, our own statement, which is not signed, covers \
            2024-10-04T00:00:00.000Z; it does not prove physical erasure, and it does not speak of material preserved under other process.";
        assert_eq!(said, expected);
    }

    #[test]
    fn what_is_not_so_is_not_said() {
        let said = purged(&facts(20_000 * DAY - 1, None));
        assert!(said.contains("before 2024-10-04T00:00:00.000Z had come"), "{said}");
        assert!(said.contains("No purge report covers 2024-10-04T00:00:00.000Z yet."), "{said}");
        assert!(said.ends_with("it does not speak of material preserved under other process."), "{said}");
        assert!(purged(&facts(20_000 * DAY + 3_600_000, None)).contains("was 1 hour old"));
    }
}
