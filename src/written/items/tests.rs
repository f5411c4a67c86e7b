//! Lists that are taken, and every fault of those that are not.

use proptest::prelude::*;

use super::*;

/// What a list prints when it is refused.
fn refusal(list: &str) -> String {
    match read(list.as_bytes()) {
        Err(faults) => faults.to_string(),
        Ok(items) => panic!("taken: {items:?}"),
    }
}

#[test]
fn a_list_is_read_with_all_its_columns() {
    let list = "line,address,port,protocol,at,zone,uncertainty,realm\n\
                a-1,203.0.113.7,4711,TCP,2026-11-21 14:03:22,America/Denver,30s,cgn-1\n";
    let items = read(list.as_bytes()).unwrap();
    let [item] = &items.items[..] else { panic!("{items:?}") };
    assert_eq!((item.file_line, item.line.as_deref(), item.port), (2, Some("a-1"), Some(4711)));
    assert_eq!((item.protocol, item.uncertainty), (Some(Protocol::Tcp), Some(Duration::from_secs(30))));
    assert_eq!((item.realm.0.as_str(), item.at.at.to_string().as_str()), ("cgn-1", "2026-11-21T21:03:22.000Z"));
    assert_eq!(item.address.to_string(), "203.0.113.7");
}

#[test]
fn address_and_time_suffice_in_any_order_and_with_any_separator() {
    let lists = [
        "at,address\n2026-11-21T21:03:22Z,203.0.113.7:4711\n",
        "\u{feff}Address;At\r\n203.0.113.7:4711;\"Nov 21, 2026 9:03:22 PM UTC\"\r\n;\r\n\r\n",
        "\"address\"\t\"at\"\t\"uncertainty\"\n203[.]0[.]113[.]7:4711\t1795295002\t120",
        "\n address , at , port \n 203.0.113.7 ,\"Nov 21, 2026 9:03:22 PM UTC\" , 4711 \n,,,,,\n",
    ];
    for list in lists {
        let items = read(list.as_bytes()).unwrap_or_else(|faults| panic!("{list}: {faults}"));
        let [item] = &items.items[..] else { panic!("{items:?}") };
        assert_eq!((item.port, item.at.at.to_string().as_str()), (Some(4711), "2026-11-21T21:03:22.000Z"), "{list}");
    }
}

#[test]
fn all_faults_come_at_once_and_nothing_is_taken() {
    let list = "address,port,protocol,at,uncertainty\n\
                203.0.113.7,4711,tcp,2026-11-21T21:03:22Z,\n\
                203.0.113.07,0,icmp,2026-11-21 21:03:22,30x\n\
                ,,,,30\n\
                203.0.113.7,1,tcp,Nov 21, 2026 9:03 PM UTC,\n\
                203.0.113.7,1,tcp,\"2026-11-21T21:03:22Z,\n\
                203.0.113.7:80,81,tcp,2026-11-21 21:03 CDT,\n\
                203.0.113.0/24,81,tcp,2026-11-21T21:03:22Z,2m\n";
    let expected = "\
line 3, address: `07` in `203.0.113.07` begins with a zero: write the address without
line 3, port: port 0 is used by nobody: leave it out if none is known
line 3, protocol: `icmp` is no protocol with ports: write tcp or udp
line 3, at: it has no zone: end it with Z, an offset such as -07:00, or a name such as America/Denver
line 3, uncertainty: unknown unit `x`: the units are d, h, m, s and ms
line 4, address: there is no address: write it as 203.0.113.7 or 2001:db8::7
line 4, at: there is no time: write it as 2026-11-21T14:03:22-07:00
line 5: it has 6 fields, and the header 5: put a field in quotes if the separator is part of it
line 6: a quotation mark is missing: a field that begins with one ends with one on the same line
line 7, port: port 81 contradicts port 80, which stands with the address
line 7, at: it can be read in 2 ways: find out which is meant, and write that
  2026-11-21T21:03:00-04:00 if it is CDT, Cuba Daylight Time
  2026-11-21T21:03:00-05:00 if it is CDT, Central Daylight Time
line 8, port: a whole network has no port: ask for one address, or leave the port out
12 faults: nothing was taken";
    assert_eq!(refusal(list), expected);
}

#[test]
fn a_header_that_is_wrong_says_all_that_is() {
    let cases = [
        ("", "the list is empty: its first line names the columns, such as address,at"),
        ("\n \r\n", "the list is empty: its first line names the columns, such as address,at"),
        ("address,at\n,\n", "the list has a header and no items"),
        ("address,at;port\n", "line 1: the header has more than one of comma, semicolon and tab: use one of them"),
        (
            "address,\"at\n",
            "line 1: a quotation mark is missing: a field that begins with one ends with one on the same line",
        ),
        (
            "203.0.113.7",
            "line 1: unknown column `203.0.113.7`: the columns are line, address, port, protocol, at, zone, \
                         uncertainty and realm\nline 1, address: the header lacks this column\nline 1, at: the header lacks this column",
        ),
        ("at,at,address", "line 1, at: the header has this column twice"),
    ];
    for (list, expected) in cases {
        let refusal = refusal(list);
        assert_eq!(refusal.rsplit_once('\n').unwrap().0, expected, "{list}");
    }
}

#[test]
fn files_that_are_no_utf8_say_so() {
    let problem = |bytes: &[u8]| read(bytes).unwrap_err().0[0].clone();
    assert_eq!(problem(b"\xff\xfea\0d\0").problem, Problem::Utf16);
    let latin = problem(b"address,at,realm\n203.0.113.7,1795295002,Z\xfcrich\n");
    assert_eq!((latin.line, latin.problem), (Some(2), Problem::NotUtf8));
    assert_eq!(problem(&vec![b' '; MAX_BYTES + 1]).problem, Problem::TooLong);
}

#[test]
fn a_list_has_an_end() {
    let row = "203.0.113.7,1795295002\n";
    let full = format!("address,at\n{}", row.repeat(MAX_ITEMS));
    assert_eq!(read(full.as_bytes()).unwrap().items.len(), MAX_ITEMS);
    let faults = read((full + row).as_bytes()).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "line 10002: there are more than 10000 items: divide the list\n1 fault: nothing was taken"
    );
}

#[test]
fn items_that_come_twice_are_pointed_out_and_kept() {
    let list =
        "address,at\n203.0.113.7:80,1795295002\n203.0.113.7,1795295002\n::ffff:203.0.113.7,2026-11-21 21:03:22 UTC\n";
    let items = read(list.as_bytes()).unwrap();
    assert_eq!(items.items.len(), 3);
    let lines: Vec<_> = items.repeated.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["line 4 asks for the same address, port and time as line 3"]);
}

#[test]
fn names_can_be_printed() {
    let long = "x".repeat(65);
    for name in ["a\u{1b}[2Jb", long.as_str()] {
        let list = format!("address,at,realm,line\n203.0.113.7,1795295002,{name},{name}\n");
        let faults = read(list.as_bytes()).unwrap_err().0;
        let columns: Vec<_> = faults.iter().map(|fault| fault.column).collect();
        assert_eq!(columns, [Some(Column::Line), Some(Column::Realm)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any file is read or refused; every line that is not blank is an item, or has a fault that says so.
    #[test]
    fn no_file_makes_it_panic(
        noise in any::<Vec<u8>>(),
        rows in proptest::collection::vec("[0-9a-f:.,;\" ]{0,24}|203\\.0\\.113\\.7,1795295002", 0..8),
    ) {
        drop(read(&noise).map_err(|faults| faults.to_string()));
        let list = format!("address,at\n{}", rows.join("\n"));
        let said: Vec<usize> = match read(list.as_bytes()) {
            Ok(items) => items.items.iter().map(|item| item.file_line).collect(),
            Err(faults) => faults.0.iter().filter_map(|fault| fault.line).collect(),
        };
        let is_item = |row: &str| row == "203.0.113.7,1795295002";
        let is_blank = |row: &str| row.chars().all(|c| matches!(c, ',' | '"' | ' '));
        for (row, line) in rows.iter().zip(2..) {
            prop_assert!(is_item(row) || is_blank(row) || said.contains(&line), "{:?}", row);
        }
    }
}

#[test]
fn what_is_sifted_has_the_good_rows_beside_the_faults() {
    let list = "\u{feff}address,at\n203.0.113.7,2026-11-21T21:03:22Z\n203.0.113.07,2026-11-21T21:03:22Z\n";
    let Sifted { items, faults } = sift(list);
    assert_eq!((items.len(), items[0].file_line), (1, 2));
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, ["line 3, address: `07` in `203.0.113.07` begins with a zero: write the address without"]);
    for nothing in ["", "address,at\n", "address\n203.0.113.7\n"] {
        let Sifted { items, faults } = sift(nothing);
        assert_eq!((items.len(), faults.len()), (0, 1), "{nothing}");
    }
}
