//! Forms that are taken, texts that are refused, and that what is printed is read back.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]

use chrono::Weekday;
use proptest::prelude::*;

use super::*;

/// Reads a time that has its zone in it.
fn alone(text: &str) -> Result<Instant, InstantError> {
    read(text, None)
}

fn utc(text: &str) -> Timestamp {
    rfc3339::parse(text).unwrap()
}

/// What a text was refused with, or what it was taken for.
fn refusal(text: &str) -> InstantError {
    match alone(text) {
        Err(error) => error,
        Ok(instant) => panic!("`{text}` was taken: {instant}"),
    }
}

/// The readings in UTC, by their order.
fn readings(text: &str, beside: Option<&str>) -> Vec<String> {
    match read(text, beside) {
        Err(InstantError::Ambiguous { readings }) => {
            readings.iter().map(|reading| reading.at().unwrap().to_string()).collect()
        }
        other => panic!("`{text}` is not ambiguous: {other:?}"),
    }
}

#[test]
fn one_instant_in_every_form() {
    let cases = [
        ("2026-11-21T14:03:22-07:00", Form::Rfc3339),
        ("2026-11-21t21:03:22z", Form::YearFirst),
        ("2026-11-21T21:03:22Z", Form::Rfc3339),
        ("2026-11-21 21:03:22Z", Form::YearFirst),
        ("2026-11-21 21:03:22 UTC", Form::YearFirst),
        ("2026-11-21 21:03:22 gmt", Form::YearFirst),
        ("2026-11-21T21:03:22+0000", Form::YearFirst),
        ("2026-11-21T22:03:22+01", Form::YearFirst),
        ("2026-11-21 14:03:22 \u{2212}07:00", Form::YearFirst),
        ("2026-11-21 14:03:22 UTC-7", Form::YearFirst),
        ("2026-11-21 14:03:22 GMT-07:00", Form::YearFirst),
        ("20261121T210322Z", Form::YearFirst),
        ("2026/11/21 21:03:22 +00:00", Form::YearFirst),
        ("2026-11-21 14:03:22 America/Denver", Form::YearFirst),
        ("2026-11-21 14:03:22 america/denver", Form::YearFirst),
        ("2026-11-21T14:03:22-07:00[America/Denver]", Form::YearFirst),
        ("2026-11-21 14:03:22 -0700 MST", Form::YearFirst),
        ("11/21/2026 2:03:22 PM MST", Form::MonthFirst),
        ("11/21/2026 02:03:22PM MST", Form::MonthFirst),
        ("11/21/2026, 2:03:22\u{202f}p.m. MST", Form::MonthFirst),
        ("11/21/2026 21:03:22 UTC", Form::MonthFirst),
        ("21/11/2026 21:03:22 UTC", Form::DayFirst),
        ("21.11.2026 22:03:22 CET", Form::DayFirst),
        ("21 Nov 2026 21:03:22 +0000", Form::MonthName),
        ("21-Nov-2026 21:03:22 UTC", Form::MonthName),
        ("21st November 2026 21:03:22 UTC", Form::MonthName),
        ("Nov 21, 2026 4:03:22 PM EST", Form::MonthName),
        ("November 21, 2026 at 4:03:22 PM EST", Form::MonthName),
        ("Nov. 21st, 2026, 4:03:22 pm EST", Form::MonthName),
        ("Sat, 21 Nov 2026 21:03:22 +0000", Form::MonthName),
        ("Sat, 21 Nov 2026 14:03:22 -0700 (MST)", Form::MonthName),
        ("Saturday, November 21, 2026 9:03:22 PM UTC", Form::MonthName),
        ("Sat Nov 21 21:03:22 UTC 2026", Form::MonthName),
        ("Sat Nov 21 2026 14:03:22 GMT-0700", Form::MonthName),
        ("21/Nov/2026:14:03:22 -0700", Form::MonthName),
        ("  1795295002 ", Form::EpochSeconds),
        ("1795295002000", Form::EpochMilliseconds),
    ];
    for (text, form) in cases {
        let instant = alone(text).unwrap_or_else(|error| panic!("`{text}`: {error}"));
        assert_eq!((instant.at, instant.form), (utc("2026-11-21T21:03:22Z"), form), "{text}");
        assert_eq!(instant.raw, text);
    }
}

#[test]
fn a_time_stands_for_as_long_as_it_was_written_finely() {
    let minute = alone("2026-11-21 21:03 UTC").unwrap();
    assert_eq!((minute.precision, &minute.notes[..]), (Precision::Minute, &[Note::NoSeconds][..]));
    assert_eq!((minute.at, minute.until()), (utc("2026-11-21T21:03:00Z"), utc("2026-11-21T21:04:00Z")));
    let second = alone("2026-11-21 21:03:00 UTC").unwrap();
    assert_eq!(
        (second.precision, second.notes.len(), second.until()),
        (Precision::Second, 0, utc("2026-11-21T21:03:01Z"))
    );
    for text in ["2026-11-21 21:03:22,5 UTC", "2026-11-21T21:03:22.500Z", "1795295002500", "1795295002.5"] {
        let half = alone(text).unwrap();
        assert_eq!((half.precision, half.at), (Precision::Millisecond, utc("2026-11-21T21:03:22.5Z")), "{text}");
    }
    for text in ["2026-11-21T21:03:22.1239999Z", "1795295002.1239999"] {
        let fine = alone(text).unwrap();
        assert_eq!(
            (fine.at, &fine.notes[..]),
            (utc("2026-11-21T21:03:22.123Z"), &[Note::CutToMilliseconds { digits: 7 }][..])
        );
    }
}

#[test]
fn noon_and_midnight_are_read_and_said() {
    for (text, hour, half) in
        [("Nov 21, 2026 12:03:22 AM UTC", "00", Half::Am), ("Nov 21, 2026 12:03:22 PM UTC", "12", Half::Pm)]
    {
        let instant = alone(text).unwrap();
        assert_eq!(instant.at, utc(&format!("2026-11-21T{hour}:03:22Z")));
        assert_eq!(instant.notes, [Note::Twelve { half }]);
    }
    assert_eq!(alone("2026-11-21 9:03:22 UTC").unwrap().notes, [Note::NoHalf]);
}

#[test]
fn what_is_no_instant_says_why() {
    use InstantError as E;
    let text = String::from;
    let no_day = |date: &str| E::NoSuchDay { date: date.into() };
    let cases = [
        (" ", E::Empty),
        ("11/21/26 9:03 PM MST", E::TwoDigitYear { year: text("26") }),
        ("21 Nov 26 21:03 UTC", E::TwoDigitYear { year: text("26") }),
        ("26-11-21 21:03 UTC", E::TwoDigitYear { year: text("21") }),
        ("yesterday", E::NoDate { at: text("yesterday") }),
        ("21:03:22 UTC", E::NoDate { at: text("21:03:22 UTC") }),
        ("2026-13-01 21:03 UTC", no_day("2026-13-01")),
        ("2026-02-29 21:03 UTC", no_day("2026-02-29")),
        ("31/11/2026 21:03 UTC", no_day("31/11/2026")),
        ("0/11/2026 21:03 UTC", no_day("0/11/2026")),
        ("Sun, 21 Nov 2026 21:03:22 UTC", E::WrongWeekday { written: Weekday::Sun, is: Weekday::Sat }),
        ("2026-11-21", E::NoTime),
        ("2026-11-21 UTC", E::NoTime),
        ("2026-11-21 noon UTC", E::TimeShape { at: text("noon UTC") }),
        ("2026-11-21 21:3 UTC", E::TimeShape { at: text("21:3 UTC") }),
        ("2026-11-21 21:03:22. UTC", E::TimeShape { at: text("21:03:22. UTC") }),
        ("Nov 21, 2026 9 PM EST", E::NoMinutes { at: text("9 PM") }),
        ("2026-11-21 25:03 UTC", E::NoSuchTime { time: text("25:03") }),
        ("2026-11-21 21:61 UTC", E::NoSuchTime { time: text("21:61") }),
        ("11/21/2026 21:03:22 PM MST", E::NotTwelveHours { hour: 21 }),
        ("11/21/2026 0:03:22 AM MST", E::NotTwelveHours { hour: 0 }),
        ("2026-11-21T24:00:00Z", E::EndOfDay),
        ("2026-12-31T23:59:60Z", E::LeapSecond),
        ("2026-11-21 21:03:22", E::NoZone),
        ("Sat Nov 21 21:03:22 2026", E::NoZone),
        ("2026-11-21 21:03:22 XYZ", E::UnknownZone { zone: text("XYZ") }),
        ("2026-11-21 21:03:22 Cuba", E::UnknownZone { zone: text("Cuba") }),
        ("2026-11-21 21:03:22 Etc/GMT+7", E::InvertedZone { zone: text("Etc/GMT+7") }),
        ("2026-11-21 21:03:22 +15:00", E::OffsetRange { offset: text("+15:00") }),
        ("2026-11-21 21:03:22 -07:99", E::OffsetRange { offset: text("-07:99") }),
        ("2026-11-21 21:03:22 -0600 MST", E::ZonesDisagree { first: text("-0600"), second: text("MST") }),
        ("2026-11-21 21:03:22 UTC approx", E::Trailing { at: text("approx") }),
        ("2026-11-21T21:03:22Z\u{1b}[2J", E::UnknownZone { zone: text("Z\\u{1b}") }),
        ("20261121210322", E::EpochDigits { digits: 14 }),
        ("1969-12-31T23:59:59Z", E::TooEarly),
        ("0001-01-01 00:00 +14:00", E::TooEarly),
    ];
    for (text, error) in cases {
        assert_eq!(refusal(text), error, "{text}");
    }
    assert!(matches!(refusal(&"2".repeat(129)), E::TooLong { .. }));
}

#[test]
fn month_and_day_that_can_change_places_are_listed() {
    assert_eq!(readings("11/12/2026 9:03:22 PM UTC", None), ["2026-11-12T21:03:22.000Z", "2026-12-11T21:03:22.000Z"]);
    assert_eq!(alone("11/11/2026 9:03:22 PM UTC").unwrap().at, utc("2026-11-11T21:03:22Z"));
    // The weekday decides.
    assert_eq!(alone("Thu 11/12/2026 9:03:22 PM UTC").unwrap().at, utc("2026-11-12T21:03:22Z"));
    assert_eq!(alone("Fri 11/12/2026 9:03:22 PM UTC").unwrap().at, utc("2026-12-11T21:03:22Z"));
}

#[test]
fn a_month_first_without_a_half_of_the_day_is_listed_with_both() {
    assert_eq!(readings("11/21/2026 9:03:22 UTC", None), ["2026-11-21T09:03:22.000Z", "2026-11-21T21:03:22.000Z"]);
    assert_eq!(readings("11/21/2026 12:03 UTC", None), ["2026-11-21T00:03:00.000Z", "2026-11-21T12:03:00.000Z"]);
}

#[test]
fn an_abbreviation_with_several_meanings_is_listed_with_all() {
    let cases = [("CST", 3), ("CDT", 2), ("IST", 3), ("BST", 3), ("AST", 2), ("PST", 2), ("ET", 2), ("PT", 2)];
    for (zone, count) in cases {
        assert_eq!(readings(&format!("2026-11-21 21:03:22 {zone}"), None).len(), count, "{zone}");
    }
    let error = refusal("2026-11-21 21:03:22 CST");
    let lines = "it can be read in 3 ways: find out which is meant, and write that
  2026-11-21T21:03:22+08:00 if it is CST, China Standard Time
  2026-11-21T21:03:22-05:00 if it is CST, Cuba Standard Time
  2026-11-21T21:03:22-06:00 if it is CST, Central Standard Time";
    assert_eq!(error.to_string(), lines);
}

#[test]
fn a_zone_beside_the_time_counts_where_none_is_in_it_and_must_agree_otherwise() {
    let at = utc("2026-11-21T21:03:22Z");
    let beside = read("2026-11-21 14:03:22", Some("America/Denver")).unwrap();
    assert_eq!((beside.at, &beside.notes[..]), (at, &[Note::ZoneBeside][..]));
    assert_eq!(read("2026-11-21 14:03:22 MST", Some(" ")).unwrap().at, at);
    assert_eq!(read("2026-11-21 14:03:22 MST", Some("America/Denver")).unwrap().at, at);
    assert_eq!(read("2026-11-21 15:03:22 CST", Some("-06:00")).unwrap().at, at);
    assert!(matches!(read("2026-11-21 14:03:22 MST", Some("UTC")), Err(InstantError::ZonesDisagree { .. })));
    assert_eq!(readings("2026-11-21 14:03:22", Some("CST")).len(), 3);
    let epoch = read("1795295002", Some("MST")).unwrap();
    assert_eq!((epoch.at, epoch.notes), (at, vec![Note::ZoneUnused { zone: "MST".into() }]));
}

#[test]
fn local_times_that_never_were_name_the_gap() {
    let error = refusal("2026-03-08 02:30:00 America/Denver");
    let gap =
        "in America/Denver the clocks went from 2026-03-08 02:00:00 to 2026-03-08 03:00:00 and never showed this time";
    assert_eq!(error.to_string(), gap);
    assert_eq!(alone("2026-03-08 03:00:00 America/Denver").unwrap().at, utc("2026-03-08T09:00:00Z"));
    assert_eq!(alone("2026-03-08 01:59:59 America/Denver").unwrap().at, utc("2026-03-08T08:59:59Z"));
}

#[test]
fn local_times_that_were_twice_are_listed_with_both() {
    let text = "2026-11-01 01:30:00 America/Denver";
    assert_eq!(readings(text, None), ["2026-11-01T07:30:00.000Z", "2026-11-01T08:30:00.000Z"]);
    assert_eq!(read(text, Some("MST")).unwrap().at, utc("2026-11-01T08:30:00Z"));
}

#[test]
fn a_standard_time_in_summer_is_pointed_out() {
    let instant = alone("Jul 4, 2026 9:03:22 PM EST").unwrap();
    assert_eq!(instant.at, utc("2026-07-05T02:03:22Z"));
    let note = "EST was read as written, but on that day clocks showed EDT (-04:00) in America/New_York";
    assert_eq!(instant.notes.iter().map(ToString::to_string).collect::<Vec<_>>(), [note]);
    assert_eq!(alone("Jul 4, 2026 9:03:22 PM EDT").unwrap().notes, []);
}

#[test]
fn an_instant_prints_what_was_understood() {
    let instant = alone("11/21/2026 2:03:22 PM MST").unwrap();
    let line = "`11/21/2026 2:03:22 PM MST` is 2026-11-21T21:03:22.000Z, Saturday 2026-11-21 14:03:22 -07:00 in local time \
                (MST, Mountain Standard Time)";
    assert_eq!(instant.to_string(), line);
    let named = alone("2026-11-21 14:03:22 America/Denver").unwrap();
    assert!(named.to_string().ends_with(&format!("(America/Denver, by the IANA time zone database {ZONES_VERSION})")));
}

/// Texts made of the pieces that times are made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[0-9]{1,5}",
        "[-+/.:, TZ]",
        "(AM|PM|a.m.|UTC|CST|MST|America/Denver|Nov|november|Sat|at|\\[|\\(|\u{202f}|\u{2212}|é)",
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any text is read or refused, and both can be printed.
    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![any::<String>(), pieces()], beside in proptest::option::of(pieces())) {
        match read(&text, beside.as_deref()) {
            Ok(instant) => drop((instant.to_string(), instant.notes.iter().map(ToString::to_string).collect::<String>())),
            Err(error) => prop_assert!(!error.to_string().contains(char::from(27))),
        }
    }

    /// RFC 3339 of any offset is read as the instant it names, and so is what the domain's own reader takes.
    #[test]
    fn what_is_printed_is_read_back(millis in 0..253_402_214_400_000_u64, minutes in -720..=840_i32) {
        let at = Timestamp::from_millis(millis);
        prop_assert_eq!(alone(&at.to_string()).unwrap().at, at);
        let offset = FixedOffset::east_opt(minutes * 60).unwrap();
        let local = at.to_utc().with_timezone(&offset);
        let text = local.to_rfc3339();
        prop_assert_eq!(alone(&text).unwrap().at, at);
        prop_assert_eq!(rfc3339::parse(&text), Ok(at));
        // Mail has whole seconds.
        prop_assert_eq!(alone(&local.to_rfc2822()).unwrap().at, Timestamp::from_millis(millis / 1000 * 1000));
    }

    /// Of a time in any zone of the database, the instant it came from is the reading or one of the readings.
    #[test]
    fn local_time_leads_back(seconds in 0..4_102_444_800_u64, place in 0..chrono_tz::TZ_VARIANTS.len()) {
        let zone = chrono_tz::TZ_VARIANTS[place];
        prop_assume!(zone.name().contains('/') && !zone.name().starts_with("Etc/GMT"));
        let at = Timestamp::from_millis(seconds * 1000);
        let text = format!("{} {}", at.to_utc().with_timezone(&zone).format("%Y-%m-%d %H:%M:%S"), zone.name());
        match alone(&text) {
            Ok(instant) => prop_assert_eq!(instant.at, at),
            Err(InstantError::Ambiguous { readings }) => prop_assert!(readings.iter().any(|reading| reading.at() == Ok(at))),
            Err(error) => prop_assert!(false, "{}: {}", text, error),
        }
    }
}
