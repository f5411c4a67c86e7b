//! Rows as Kea and ISC dhcpd write them, and what they mean; and that nothing they could hold stops the reader.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use lapsed::domain::event::{Event, EventKind};
use lapsed::domain::lease::LeaseFormat;
use lapsed::domain::time::Timestamp;
use lapsed::sources::{Flaw, Memory, Naming, Reader};
use proptest::prelude::*;

const HEADER4: &str =
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context";
const HEADER6: &str = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,\
                       fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source";

/// Everything is read at this instant.
fn latest() -> Timestamp {
    Timestamp::from_secs(1_795_300_000)
}

fn read(format: LeaseFormat, text: &str) -> Vec<Result<Event, Flaw>> {
    let (mut reader, mut memory, naming) = (Reader::new(format), Memory::default(), Naming::plain("dhcp-1"));
    let read = text.lines().filter_map(|line| reader.line(line.as_bytes()));
    read.filter_map(|read| read.map(|lease| memory.event(lease, latest(), &naming)).transpose()).collect()
}

fn kea4(row: &str) -> Result<Event, Flaw> {
    read(LeaseFormat::Kea4, &format!("{HEADER4}\n{row}\n")).remove(0)
}

fn kea6(row: &str) -> Result<Event, Flaw> {
    read(LeaseFormat::Kea6, &format!("{HEADER6}\n{row}\n")).remove(0)
}

fn at(event: &Event) -> u64 {
    event.time.stamp.unwrap().millis() / 1000
}

#[test]
fn a_row_of_kea_has_its_client_its_line_and_its_end() {
    let context = r#"{ "ISC": { "relay-agent-info": "0x01046F6C7437020201FF" }&#x2c "note": 1 }"#;
    let row = format!("192.0.2.10,02:00:00:00:00:01,01:02:00:00:00:00:01,3600,1795288623,1,0,0,cpe&#x2c1,0,{context}");
    let event = kea4(&row).unwrap();
    assert_eq!((event.kind, at(&event)), (EventKind::Update, 1_795_285_023));
    assert_eq!(event.lease_end.unwrap().millis(), 1_795_288_623_000);
    assert_eq!(event.assigned[0].network.to_string(), "192.0.2.10");
    assert_eq!(event.subscriber.unwrap().as_str(), "0x01ff", "the remote-id comes first");
    assert_eq!(event.line.circuit_id.unwrap().as_str(), "olt7");
    assert_eq!(event.line.mac.unwrap().to_string(), "02:00:00:00:00:01");
    assert_eq!(event.nas.0, "dhcp-1");
}

#[test]
fn leases_without_end_and_rows_of_later_versions_are_read() {
    let event = kea4("192.0.2.10,02:00:00:00:00:01,,4294967295,6090252318,1,0,0,,0,").unwrap();
    assert_eq!((at(&event), event.lease_end), (1_795_285_023, None));
    assert_eq!(event.subscriber.unwrap().as_str(), "02:00:00:00:00:01");
    let later = format!("{HEADER4},pool_id\n192.0.2.10,02:00:00:00:00:01,,3600,1795288623,1,0,0,,0,,0\n");
    assert!(read(LeaseFormat::Kea4, &later)[0].is_ok());
}

#[test]
fn releases_declines_and_expiries_are_told_apart() {
    let rows = "192.0.2.10,02:00:00:00:00:01,,3600,1795288623,1,0,0,,0,\n\
                192.0.2.10,02:00:00:00:00:01,,0,1795285023,1,0,0,,0,\n\
                192.0.2.11,02:00:00:00:00:02,,3600,1795288623,1,0,0,,0,\n\
                192.0.2.11,,,86400,1795371424,1,0,0,,1,\n\
                192.0.2.12,02:00:00:00:00:03,,3600,1795288623,1,0,0,,0,\n\
                192.0.2.12,02:00:00:00:00:03,,3600,1795288623,1,0,0,,2,\n";
    let events = read(LeaseFormat::Kea4, &format!("{HEADER4}\n{rows}"));
    let told: Vec<_> =
        events.iter().map(|event| event.as_ref().unwrap()).map(|event| (event.kind, at(event))).collect();
    use EventKind::{Stop, Update, Vacated};
    let (grant, end) = (1_795_285_023, 1_795_288_623);
    assert_eq!(told, [(Update, grant), (Stop, end), (Update, grant), (Vacated, grant + 1), (Update, grant)]);
    let declined = events[3].as_ref().unwrap();
    assert!(declined.session.is_none() && declined.subscriber.is_none() && declined.line.mac.is_none());
}

#[test]
fn a_declined_address_is_nobody_s_before_its_end_and_when_kea_gives_it_free() {
    let (duid, other) = ("00:03:00:01:02:00:00:00:00:01", "00:03:00:01:02:00:00:00:00:02");
    // A grant, its decline for a day, the day's end, and the next grant: as Kea 2.2 writes them, its empty DUID being one octet.
    let six = format!(
        "2001:db8::10,{duid},3600,1795288623,1,1800,0,7,128,0,0,,02:00:00:00:00:01,0,,1,2\n\
         2001:db8::10,00,86400,1795371424,1,0,0,7,128,0,0,,,1,,,\n\
         2001:db8::10,00,0,1795285024,1,0,0,7,128,0,0,,,1,,,\n\
         2001:db8::10,{other},3600,1795375030,1,1800,0,7,128,0,0,,02:00:00:00:00:02,0,,1,2\n"
    );
    let four = "192.0.2.10,02:00:00:00:00:01,,3600,1795288623,1,0,0,,0,\n\
                192.0.2.10,,,86400,1795371424,1,0,0,,1,\n\
                192.0.2.10,,,0,1795285024,1,0,0,,1,\n\
                192.0.2.10,02:00:00:00:00:02,,3600,1795375030,1,0,0,,0,\n";
    for (format, text) in
        [(LeaseFormat::Kea6, format!("{HEADER6}\n{six}")), (LeaseFormat::Kea4, format!("{HEADER4}\n{four}"))]
    {
        let events: Vec<_> = read(format, &text).into_iter().map(Result::unwrap).collect();
        let told: Vec<_> = events.iter().map(|event| (event.kind, at(event), event.subscriber.is_some())).collect();
        use EventKind::{Start, Update, Vacated};
        let (grant, again) = (1_795_285_023, 1_795_371_430);
        assert_eq!(told, [(Update, grant, true), (Vacated, grant + 1, false), (Start, again, true)], "{format:?}");
    }
}

#[test]
fn dhcpv6_addresses_and_prefixes_of_one_client_are_two_leases() {
    let relays = r#"{ "ISC": { "relays": [ { "hop": 0&#x2c "options": "0x0025000600000009636d" } ] } }"#;
    let duid = "00:03:00:01:02:00:00:00:00:01";
    let address = kea6(&format!("2001:db8::10,{duid},3600,1795288623,1,1800,0,7,128,0,0,,,0,{relays},,")).unwrap();
    let prefix = kea6(&format!("2001:db8:100::,{duid},3600,1795288623,1,1800,2,7,56,0,0,,,0,,,")).unwrap();
    assert_eq!(address.assigned[0].network.to_string(), "2001:db8::10");
    assert_eq!(prefix.assigned[0].network.to_string(), "2001:db8:100::/56");
    assert_eq!(address.subscriber.unwrap().as_str(), "cm");
    assert_eq!(prefix.subscriber.unwrap().as_str(), "0x00030001020000000001");
    assert_ne!(address.session, prefix.session);
}

#[test]
fn each_malformed_row_is_a_flaw_of_its_own_kind() {
    let cases = [
        ("198.51.100.1,02:00:00:00:00:01,,3600,x,1,0,0,,0,", Flaw::Time),
        ("2001:db8::1,02:00:00:00:00:01,,3600,1795288623,1,0,0,,0,", Flaw::Address),
        ("192.0.2.1,02:00:00:00:00:01,,3600,1795288623,1,0,0,,7,", Flaw::State),
        ("192.0.2.1,02:00:00:00:00:01,zz,3600,1795288623,1,0,0,,0,", Flaw::Identity),
        ("192.0.2.1,,,3600,1795288623,1,0,0,,0,", Flaw::NoClient),
        ("192.0.2.1,,,3600,1795288623,1,0,0,,0,,,", Flaw::Columns),
        ("192.0.2.1", Flaw::Time),
    ];
    for (row, flaw) in cases {
        assert_eq!(kea4(row), Err(flaw), "{row}");
    }
    assert_eq!(read(LeaseFormat::Kea4, "192.0.2.1,a,b"), [Err(Flaw::NoHeader)]);
    assert_eq!(Reader::new(LeaseFormat::Kea4).line(b"\xff").unwrap().unwrap_err(), Flaw::NoText);
    assert_eq!(kea6("2001:db8::,01,3600,1795288623,1,1800,2,7,129,0,0,,,0,,,"), Err(Flaw::Address));
}

#[test]
fn blocks_of_dhcpd_are_read_with_their_escapes_and_their_states() {
    let text = r#"# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\000\001";

lease 192.0.2.10 {
  starts 6 2026/11/21 18:17:03;
  ends 6 2026/11/21 19:17:03;
  cltt 6 2026/11/21 18:18:03;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet 2:0:0:0:0:1;
  uid "\001\002\000\000\000\000\001";
  option agent.circuit-id "olt7;}";
  option agent.remote-id 1:ff;
  set vendor-class-identifier = "x";
  on expiry {
    execute ("/bin/true");
  }
  client-hostname "cpe";
}
lease 192.0.2.10 {
  starts 6 2026/11/21 18:17:03;
  ends epoch 1795286000; # Sat Nov 21 18:33:20 2026
  binding state free;
  hardware ethernet 02:00:00:00:00:01;
  uid "\001\002\000\000\000\000\001";
}
lease 192.0.2.11 {
  starts 6 2026/11/21 18:17:03;
  binding state abandoned;
}
lease 192.0.2.12 {
  binding state free;
}
lease 192.0.2.13 {
  starts 6 2026/11/21 18:17:03;
lease 192.0.2.14 {
  starts 6 2026/11/21 18:17:03;
  ends never;
  binding state active;
  hardware ethernet 02:00:00:00:00:04;
}
"#;
    let events = read(LeaseFormat::Dhcpd, text);
    let active = events[0].as_ref().unwrap();
    assert_eq!((active.kind, at(active)), (EventKind::Update, 1_795_285_083));
    assert_eq!(active.lease_end.unwrap().millis(), 1_795_288_623_000);
    assert_eq!(active.line.circuit_id.as_ref().unwrap().as_str(), "olt7;}");
    assert_eq!(active.subscriber.as_ref().unwrap().as_str(), "0x01ff");
    let free = events[1].as_ref().unwrap();
    assert_eq!((free.kind, at(free), &free.session), (EventKind::Stop, 1_795_286_000, &active.session));
    assert_eq!(events[2].as_ref().unwrap().kind, EventKind::Vacated);
    assert_eq!(events[3], Err(Flaw::Torn));
    assert_eq!(events[4].as_ref().unwrap().lease_end, None);
    assert_eq!(events.len(), 5);
}

proptest! {
    #[test]
    fn no_bytes_stop_a_reader(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..20)) {
        for format in LeaseFormat::ALL {
            let (mut reader, mut memory, naming) = (Reader::new(format), Memory::default(), Naming::plain("x"));
            for line in &lines {
                if let Some(Ok(lease)) = reader.line(line) {
                    let _ = memory.event(lease, latest(), &naming);
                }
            }
        }
    }

    #[test]
    fn no_damaged_row_stops_a_reader(at in 0..150_usize, junk in "[ -~\u{e9}]{0,6}", cut in 0..150_usize) {
        let kea = "192.0.2.10,02:00:00:00:00:01,01:02,3600,1795288623,1,0,0,,0,{ \"ISC\": { \"relay-agent-info\": \"0x01021\" } }";
        let six = "2001:db8::10,00:03:02,3600,1795288623,1,1800,2,7,56,0,0,,,0,{ \"ISC\": { \"relays\": [ { \"hop\": 0 } ] } },,";
        let block = "lease 192.0.2.10 {\n  starts 6 2026/11/21 18:17:03;\n  binding state active;\n  uid \"\\001\";\n}\n";
        for (format, header, text) in
            [(LeaseFormat::Kea4, HEADER4, kea), (LeaseFormat::Kea6, HEADER6, six), (LeaseFormat::Dhcpd, "", block)]
        {
            let mut damaged: String = text.chars().take(cut.max(at)).collect();
            damaged.insert_str(at.min(damaged.len()), &junk);
            let _ = read(format, &format!("{header}\n{damaged}\n{text}\n"));
        }
    }

    #[test]
    fn every_statement_lies_at_or_before_its_reading(rows in prop::collection::vec((0..3_u8, 0..3_u8, 0..100_u32, 0..3_u8), 1..40)) {
        let mut text = format!("{HEADER4}\n");
        for (address, client, second, said) in rows {
            let cltt = 1_795_285_000 + second;
            let (lifetime, state) = match said { 0 => (0, 0), 1 => (600, 0), _ => (600, 1) };
            text += &format!("192.0.2.{address},02:00:00:00:00:{client:02x},,{lifetime},{},1,0,0,,{state},\n", cltt + lifetime);
        }
        for event in read(LeaseFormat::Kea4, &text) {
            prop_assert!(event.unwrap().time.stamp.unwrap() <= latest());
        }
    }
}
