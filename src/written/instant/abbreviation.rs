//! Abbreviations of zones, with everything that each of them means.
//!
//! Source: the abbreviations that the IANA time zone database has in use in any zone in 2026, with their offsets; a
//! test compares the two. Besides these, meanings that the database writes as numbers, and people do not: AST and ADT
//! of Arabia, BST of Bangladesh and of Bougainville, SGT; and the `ET`, `CT`, `MT`, `PT` of the United States, which
//! leave open whether it is summer.

use super::zone::Meaning;

/// Hours and minutes east of Greenwich, in seconds.
const fn east(hours: i32, minutes: i32) -> i32 {
    hours.saturating_mul(3600).saturating_add(minutes.saturating_mul(60))
}

/// Hours west of Greenwich and minutes, in seconds.
const fn west(hours: i32, minutes: i32) -> i32 {
    east(hours, minutes).saturating_neg()
}

const fn meaning(short: &'static str, name: &'static str, offset: i32, place: &'static str) -> Meaning {
    Meaning { short, name, offset, place: Some(place) }
}

/// One that no zone of the database shows, so that no season can be checked.
const fn by_word(short: &'static str, name: &'static str, offset: i32) -> Meaning {
    Meaning { short, name, offset, place: None }
}

/// Every meaning, those of one abbreviation together. The abbreviation, its name, its offset, a zone that shows it.
pub(super) const MEANINGS: [Meaning; 65] = [
    meaning("ACDT", "Australian Central Daylight Time", east(10, 30), "Australia/Adelaide"),
    meaning("ACST", "Australian Central Standard Time", east(9, 30), "Australia/Adelaide"),
    meaning("ADT", "Atlantic Daylight Time", west(3, 0), "America/Halifax"),
    by_word("ADT", "Arabia Daylight Time", east(4, 0)),
    meaning("AEDT", "Australian Eastern Daylight Time", east(11, 0), "Australia/Sydney"),
    meaning("AEST", "Australian Eastern Standard Time", east(10, 0), "Australia/Sydney"),
    meaning("AKDT", "Alaska Daylight Time", west(8, 0), "America/Anchorage"),
    meaning("AKST", "Alaska Standard Time", west(9, 0), "America/Anchorage"),
    meaning("AST", "Atlantic Standard Time", west(4, 0), "America/Halifax"),
    by_word("AST", "Arabia Standard Time", east(3, 0)),
    meaning("AWST", "Australian Western Standard Time", east(8, 0), "Australia/Perth"),
    meaning("BST", "British Summer Time", east(1, 0), "Europe/London"),
    by_word("BST", "Bangladesh Standard Time", east(6, 0)),
    by_word("BST", "Bougainville Standard Time", east(11, 0)),
    meaning("CAT", "Central Africa Time", east(2, 0), "Africa/Maputo"),
    meaning("CDT", "Central Daylight Time", west(5, 0), "America/Chicago"),
    meaning("CDT", "Cuba Daylight Time", west(4, 0), "America/Havana"),
    meaning("CEST", "Central European Summer Time", east(2, 0), "Europe/Berlin"),
    meaning("CET", "Central European Time", east(1, 0), "Europe/Berlin"),
    meaning("CHST", "Chamorro Standard Time", east(10, 0), "Pacific/Guam"),
    meaning("CST", "Central Standard Time", west(6, 0), "America/Chicago"),
    meaning("CST", "Cuba Standard Time", west(5, 0), "America/Havana"),
    meaning("CST", "China Standard Time", east(8, 0), "Asia/Shanghai"),
    by_word("CT", "Central Standard Time", west(6, 0)),
    by_word("CT", "Central Daylight Time", west(5, 0)),
    meaning("EAT", "East Africa Time", east(3, 0), "Africa/Nairobi"),
    meaning("EDT", "Eastern Daylight Time", west(4, 0), "America/New_York"),
    meaning("EEST", "Eastern European Summer Time", east(3, 0), "Europe/Athens"),
    meaning("EET", "Eastern European Time", east(2, 0), "Europe/Athens"),
    meaning("EST", "Eastern Standard Time", west(5, 0), "America/New_York"),
    by_word("ET", "Eastern Standard Time", west(5, 0)),
    by_word("ET", "Eastern Daylight Time", west(4, 0)),
    meaning("HDT", "Hawaii-Aleutian Daylight Time", west(9, 0), "America/Adak"),
    meaning("HKT", "Hong Kong Time", east(8, 0), "Asia/Hong_Kong"),
    meaning("HST", "Hawaii Standard Time", west(10, 0), "Pacific/Honolulu"),
    meaning("IDT", "Israel Daylight Time", east(3, 0), "Asia/Jerusalem"),
    meaning("IST", "Irish Standard Time", east(1, 0), "Europe/Dublin"),
    meaning("IST", "Israel Standard Time", east(2, 0), "Asia/Jerusalem"),
    meaning("IST", "India Standard Time", east(5, 30), "Asia/Kolkata"),
    meaning("JST", "Japan Standard Time", east(9, 0), "Asia/Tokyo"),
    meaning("KST", "Korea Standard Time", east(9, 0), "Asia/Seoul"),
    meaning("MDT", "Mountain Daylight Time", west(6, 0), "America/Denver"),
    meaning("MSK", "Moscow Time", east(3, 0), "Europe/Moscow"),
    meaning("MST", "Mountain Standard Time", west(7, 0), "America/Denver"),
    by_word("MT", "Mountain Standard Time", west(7, 0)),
    by_word("MT", "Mountain Daylight Time", west(6, 0)),
    meaning("NDT", "Newfoundland Daylight Time", west(2, 30), "America/St_Johns"),
    meaning("NST", "Newfoundland Standard Time", west(3, 30), "America/St_Johns"),
    meaning("NZDT", "New Zealand Daylight Time", east(13, 0), "Pacific/Auckland"),
    meaning("NZST", "New Zealand Standard Time", east(12, 0), "Pacific/Auckland"),
    meaning("PDT", "Pacific Daylight Time", west(7, 0), "America/Los_Angeles"),
    meaning("PKT", "Pakistan Time", east(5, 0), "Asia/Karachi"),
    meaning("PST", "Pacific Standard Time", west(8, 0), "America/Los_Angeles"),
    meaning("PST", "Philippine Standard Time", east(8, 0), "Asia/Manila"),
    by_word("PT", "Pacific Standard Time", west(8, 0)),
    by_word("PT", "Pacific Daylight Time", west(7, 0)),
    meaning("SAST", "South Africa Standard Time", east(2, 0), "Africa/Johannesburg"),
    by_word("SGT", "Singapore Time", east(8, 0)),
    meaning("SST", "Samoa Standard Time", west(11, 0), "Pacific/Pago_Pago"),
    meaning("WAT", "West Africa Time", east(1, 0), "Africa/Lagos"),
    meaning("WEST", "Western European Summer Time", east(1, 0), "Europe/Lisbon"),
    meaning("WET", "Western European Time", east(0, 0), "Europe/Lisbon"),
    meaning("WIB", "Western Indonesia Time", east(7, 0), "Asia/Jakarta"),
    meaning("WIT", "Eastern Indonesia Time", east(9, 0), "Asia/Jayapura"),
    meaning("WITA", "Central Indonesia Time", east(8, 0), "Asia/Makassar"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{Offset, TimeZone, Utc};
    use chrono_tz::{OffsetName, TZ_VARIANTS};

    use super::*;

    /// What the database's zones show in the middle of each month of 2026, but for offsets that it writes as numbers.
    fn in_use() -> BTreeSet<(String, i32)> {
        let mut in_use = BTreeSet::new();
        for zone in TZ_VARIANTS {
            for month in 1..=12 {
                let at = Utc.with_ymd_and_hms(2026, month, 15, 12, 0, 0).unwrap().with_timezone(&zone);
                let short = at.offset().abbreviation().unwrap_or("+00").to_uppercase();
                if short.starts_with(char::is_alphabetic) && short != "UTC" && short != "GMT" {
                    in_use.insert((short, at.offset().fix().local_minus_utc()));
                }
            }
        }
        in_use
    }

    #[test]
    fn the_table_has_every_meaning_that_the_database_has() {
        let of_places = MEANINGS.iter().filter(|meaning| meaning.place.is_some());
        let table: BTreeSet<_> = of_places.map(|meaning| (meaning.short.to_owned(), meaning.offset)).collect();
        assert_eq!(table, in_use());
    }

    #[test]
    fn each_place_shows_what_the_table_says() {
        for meaning in MEANINGS.iter().filter(|meaning| meaning.place.is_some()) {
            let zone: chrono_tz::Tz = meaning.place.unwrap().parse().unwrap();
            let shows = (1..=12).any(|month| {
                let at = Utc.with_ymd_and_hms(2026, month, 15, 12, 0, 0).unwrap().with_timezone(&zone);
                let short = at.offset().abbreviation().unwrap_or_default().to_uppercase();
                (short.as_str(), at.offset().fix().local_minus_utc()) == (meaning.short, meaning.offset)
            });
            assert!(shows, "{meaning:?}");
        }
    }

    #[test]
    fn no_meaning_comes_twice() {
        let distinct: BTreeSet<_> = MEANINGS.iter().map(|meaning| (meaning.short, meaning.offset)).collect();
        assert_eq!(distinct.len(), MEANINGS.len());
    }
}
