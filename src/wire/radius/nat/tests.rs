use super::super::attribute::{FramingError, framed};
use super::*;
use crate::wire::reader::ReadError;

/// A block as one line: `192.0.2.1 1024-2047 allocated`.
fn lines(blocks: &Blocks) -> Vec<String> {
    let line = |block: &Block| {
        let change = match block.change {
            BlockChange::Listed => "listed",
            BlockChange::Allocated => "allocated",
            BlockChange::Freed => "freed",
        };
        format!("{} {}-{} {change}", block.outside, block.ports.first(), block.ports.last())
    };
    blocks.whole.iter().map(line).collect()
}

fn vendor(vendor: u32, inner: &[&[(u8, &[u8])]]) -> Result<Vec<String>, BlockError> {
    let mut blocks = Blocks::default();
    for attributes in inner {
        blocks.take_vendor_specific(vendor, &framed(attributes))?;
    }
    blocks.put_together()?;
    Ok(lines(&blocks))
}

fn nokia(text: &[u8]) -> Result<Vec<String>, BlockError> {
    vendor(NOKIA, &[&[(121, text)]])
}

fn extended(value: &[u8]) -> Result<Vec<String>, BlockError> {
    let mut blocks = Blocks::default();
    blocks.take_extended(value)?;
    blocks.put_together()?;
    Ok(lines(&blocks))
}

const ADDRESS: &[u8] = &[192, 0, 2, 1];

fn number(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

#[test]
fn nokia_writes_an_address_with_ranges_and_one_reason_for_all() {
    let text = b"192.0.2.1 37674-37723,35807-38556 router base";
    assert_eq!(nokia(text).unwrap(), ["192.0.2.1 37674-37723 listed", "192.0.2.1 35807-38556 listed"]);
    for (reason, change) in [(19, "freed"), (20, "allocated"), (21, "listed"), (1, "listed")] {
        let read = vendor(NOKIA, &[&[(163, &number(reason))], &[(121, b"192.0.2.1 1024-1055 vprn 7 nat-1")]]);
        assert_eq!(read.unwrap(), [format!("192.0.2.1 1024-1055 {change}")]);
    }
    let two = vendor(NOKIA, &[&[(121, b"192.0.2.1 1024-1055")], &[(121, b"192.0.2.2 7")]]);
    assert_eq!(two.unwrap(), ["192.0.2.1 1024-1055 listed", "192.0.2.2 7-7 listed"]);
    // Of the first reason alone there is nothing to say.
    assert_eq!(vendor(NOKIA, &[&[(163, &number(19))]]), Ok(vec![]));
}

#[test]
fn every_way_that_a_text_is_no_block_is_told_apart() {
    assert_eq!(nokia(&[0xff]), Err(BlockError::NotText));
    assert_eq!(nokia(b""), Err(BlockError::NoAddress));
    assert_eq!(nokia(b"2001:db8::1 1-2"), Err(BlockError::NoAddress));
    assert_eq!(nokia(b"0.0.0.0 1-2"), Err(BlockError::Unspecified));
    assert_eq!(nokia(b"192.0.2.1"), Err(BlockError::NoPorts));
    for ranges in ["-", "1-", "-1", "1-2,", "1-2-3", "+1-2", "router", "99999999999-1"] {
        assert_eq!(nokia(format!("192.0.2.1 {ranges}").as_bytes()), Err(BlockError::NoRange), "{ranges}");
    }
    assert_eq!(nokia(b"192.0.2.1 1-65536"), Err(BlockError::PortTooLarge { number: 65536 }));
    assert_eq!(nokia(b"192.0.2.1 2-1"), Err(BlockError::Backwards { first: 2, last: 1 }));
    assert_eq!(vendor(NOKIA, &[&[(163, &[19])]]), Err(BlockError::Value(ReadError::EndedEarly { wanted: 4, left: 1 })));
    let cut = Blocks::default().take_vendor_specific(NOKIA, &[121]);
    assert_eq!(cut, Err(BlockError::Framing(FramingError::HeaderCutShort)));
}

#[test]
fn huawei_writes_the_parts_of_a_block_one_by_one() {
    let (first, last) = (number(4096), number(8191));
    let one: &[(u8, &[u8])] = &[(161, ADDRESS), (162, &first), (163, &last)];
    assert_eq!(vendor(HUAWEI, &[one]).unwrap(), ["192.0.2.1 4096-8191 listed"]);
    // Each in a Vendor-Specific of its own, in whatever order.
    let apart: Vec<&[(u8, &[u8])]> = one.iter().rev().map(std::slice::from_ref).collect();
    assert_eq!(vendor(HUAWEI, &apart).unwrap(), ["192.0.2.1 4096-8191 listed"]);
    for (update, change) in [(0, "allocated"), (1, "freed"), (3, "listed")] {
        let with_update = [one, &[(165, &number(update))]];
        assert_eq!(vendor(HUAWEI, &with_update).unwrap(), [format!("192.0.2.1 4096-8191 {change}")]);
    }
    let next: &[(u8, &[u8])] = &[(162, &number(10000)), (163, &number(10001))];
    assert_eq!(
        vendor(HUAWEI, &[one, next]).unwrap(),
        ["192.0.2.1 4096-8191 listed", "192.0.2.1 10000-10001 listed"],
        "one address for both"
    );
    assert_eq!(
        vendor(HUAWEI, &[one, &[(161, &[192, 0, 2, 2])], next]).unwrap(),
        ["192.0.2.1 4096-8191 listed", "192.0.2.2 10000-10001 listed"]
    );
}

#[test]
fn parts_that_do_not_add_up_are_no_blocks() {
    let unpaired = |addresses, firsts, lasts| Err(BlockError::Unpaired { addresses, firsts, lasts });
    assert_eq!(vendor(HUAWEI, &[&[(161, ADDRESS)]]), unpaired(1, 0, 0));
    assert_eq!(vendor(HUAWEI, &[&[(162, &number(1)), (163, &number(2))]]), unpaired(0, 1, 1));
    assert_eq!(vendor(HUAWEI, &[&[(161, ADDRESS), (162, &number(1))]]), unpaired(1, 1, 0));
    assert_eq!(
        vendor(HUAWEI, &[&[(161, ADDRESS), (162, &number(2)), (163, &number(1))]]),
        Err(BlockError::Backwards { first: 2, last: 1 })
    );
    assert_eq!(vendor(HUAWEI, &[&[(162, &number(70_000))]]), Err(BlockError::PortTooLarge { number: 70_000 }));
    assert_eq!(vendor(HUAWEI, &[&[(161, &[0; 4])]]), Err(BlockError::Unspecified));
    assert_eq!(vendor(HUAWEI, &[&[(165, &number(1))]]), Ok(vec![]));
}

/// An IP-Port-Range as RFC 8045 draws it: the Extended-Type, then TLVs.
const RFC_8045: [u8; 36] = [
    6, // IP-Port-Range
    1, 6, 0, 0, 0, 1, // IP-Port-Type: not read
    11, 5, b'v', b'l', b'7', // IP-Port-Local-Id: not read
    8, 6, 0, 0, 0, 1, // IP-Port-Alloc: allocation
    3, 6, 192, 0, 2, 1, // IP-Port-Ext-IPv4-Addr
    9, 6, 0, 0, 0x90, 0, // IP-Port-Range-Start: 36864
    10, 6, 0, 0, 0x9f, 0xff, // IP-Port-Range-End: 40959
];

#[test]
fn rfc_8045_has_a_block_in_every_attribute() {
    assert_eq!(extended(&RFC_8045).unwrap(), ["192.0.2.1 36864-40959 allocated"]);
    let mut freed = RFC_8045;
    freed[17] = 2;
    assert_eq!(extended(&freed).unwrap(), ["192.0.2.1 36864-40959 freed"]);
    // Limits of ports and port forwardings are other Extended-Types.
    assert_eq!(extended(&[5, 1]), Ok(vec![]));

    let without = |range: std::ops::Range<usize>| {
        let mut octets = RFC_8045.to_vec();
        octets.drain(range);
        extended(&octets).unwrap_err()
    };
    assert_eq!(without(12..18), BlockError::MissingAlloc);
    assert_eq!(without(18..24), BlockError::MissingAddress);
    assert_eq!(without(24..30), BlockError::MissingStart);
    assert_eq!(without(30..36), BlockError::MissingEnd);
    freed[17] = 0;
    assert_eq!(extended(&freed), Err(BlockError::UnknownAlloc { alloc: 0 }));
    assert_eq!(extended(&[]), Err(BlockError::Value(ReadError::EndedEarly { wanted: 1, left: 0 })));
    assert_eq!(without(35..36), BlockError::Framing(FramingError::PastEnd { kind: 10, length: 6, left: 5 }));
}

#[test]
fn a_made_up_name_is_an_inside_address() {
    let named = |name: &[u8]| inside_named(name).map(|network| network.to_string());
    assert_eq!(named(b"LSN44@10.0.0.9"), Some("10.0.0.9".into()));
    assert_eq!(named(b"DS-lite@2001:db8::9"), Some("2001:db8::9".into()));
    for name in [b"alice@isp.example".as_slice(), b"LSN44@", b"LSN44@alice", b"10.0.0.9", &[0xff]] {
        assert_eq!(named(name), None);
    }
}

mod packets {
    use crate::domain::event::{Event, Quarantine};
    use crate::domain::selection::Selection;

    use super::super::super::accounting;
    use super::*;

    const INTERIM: (u8, &[u8]) = (40, &[0, 0, 0, 3]);
    const SESSION: (u8, &[u8]) = (44, b"s1");
    const FRAMED: (u8, &[u8]) = (8, &[10, 0, 0, 9]);
    /// Alc-Nat-Port-Range with a length that goes past its end.
    const CUT_SHORT: (u8, &[u8]) = (26, b"\0\0\x19\x7f\x79\x16192.0.2.1 1024-2047");
    /// Vendor 6527; type 121, length 21.
    const BY_NOKIA: (u8, &[u8]) = (26, b"\0\0\x19\x7f\x79\x15192.0.2.1 1024-2047");
    /// Vendor 2011; types 161, 162, 163 and 165, each of length 6.
    const BY_HUAWEI: (u8, &[u8]) = (
        26,
        &[
            0, 0, 0x07, 0xdb, // vendor
            0xa1, 6, 192, 0, 2, 1, // address
            0xa2, 6, 0, 0, 0x10, 0x00, // first port
            0xa3, 6, 0, 0, 0x1f, 0xff, // last port
            0xa5, 6, 0, 0, 0, 1, // deleted
        ],
    );

    fn event(attributes: &[(u8, &[u8])]) -> Result<(Event, u16), Quarantine> {
        let octets = framed(attributes);
        let peer = "203.0.113.9".parse().unwrap();
        accounting::event(Attributes::parse(&octets).unwrap(), peer, &Selection::default())
            .map(|(event, flaws)| (event, flaws.count()))
    }

    /// Alc-Nat-Port-Range as a Vendor-Specific.
    fn block() -> Vec<u8> {
        let inner = framed(&[(121, b"192.0.2.1 1024-2047 router base")]);
        [&NOKIA.to_be_bytes(), inner.as_slice()].concat()
    }

    fn outside(event: &Event) -> Vec<(String, Option<String>)> {
        let text = |network: Network| network.to_string();
        event.assigned.iter().map(|one| (text(one.network), one.outside.and_then(|out| out.inside).map(text))).collect()
    }

    #[test]
    fn attributes_as_they_lie_on_the_wire_are_read() {
        let (read, flaws) = event(&[INTERIM, SESSION, BY_NOKIA, BY_HUAWEI, (241, &RFC_8045)]).unwrap();
        let block = |one: &Assigned| (one.ports.first(), one.ports.last(), one.outside.map(|outside| outside.change));
        let blocks: Vec<_> = read.assigned.iter().map(block).collect();
        let expected = [
            (36864, 40959, Some(BlockChange::Allocated)),
            (1024, 2047, Some(BlockChange::Listed)),
            (4096, 8191, Some(BlockChange::Freed)),
        ];
        assert_eq!((blocks.as_slice(), flaws), (expected.as_slice(), 0));
    }

    #[test]
    fn where_a_subscriber_is_named_the_inside_address_is_an_assignment() {
        let (read, flaws) = event(&[INTERIM, SESSION, FRAMED, (1, b"alice"), (26, &block())]).unwrap();
        assert_eq!(outside(&read), [("10.0.0.9".into(), None), ("192.0.2.1".into(), None)]);
        let [inside, block] = read.assigned[..] else { unreachable!("two are assigned") };
        assert_eq!((inside.outside, block.outside.map(|block| block.change)), (None, Some(BlockChange::Listed)));
        assert_eq!(block.ports, Ports::new(1024, 2047).unwrap());
        assert_eq!(flaws, 0);
    }

    #[test]
    fn where_none_is_named_the_inside_address_stands_beside_the_block() {
        let expected = [("192.0.2.1".to_owned(), Some("10.0.0.9".to_owned()))];
        assert_eq!(outside(&event(&[INTERIM, SESSION, FRAMED, (26, &block())]).unwrap().0), expected);
        let (read, _) = event(&[INTERIM, SESSION, (1, b"LSN44@10.0.0.9"), (26, &block())]).unwrap();
        assert_eq!((outside(&read), read.subscriber), (expected.to_vec(), None));
        // And without a block, a NAT's packet assigns nothing.
        let (read, _) = event(&[INTERIM, SESSION, FRAMED, (1, b"LSN44@10.0.0.9")]).unwrap();
        assert_eq!(read.assigned, []);
    }

    #[test]
    fn a_malformed_block_is_counted_and_the_rest_stands() {
        let attributes = [INTERIM, SESSION, FRAMED, (1, b"alice"), CUT_SHORT, (241, &[6, 9]), (26, &block())];
        let (read, flaws) = event(&attributes).unwrap();
        assert_eq!((read.assigned.len(), flaws), (2, 2));
        let unpaired = [&HUAWEI.to_be_bytes(), framed(&[(161, ADDRESS)]).as_slice()].concat();
        let (read, flaws) = event(&[INTERIM, SESSION, FRAMED, (1, b"alice"), (26, &unpaired)]).unwrap();
        assert_eq!((read.assigned.len(), flaws), (1, 1));
    }
}
