//! Canaries: made-up subscribers who are stored, and what would betray that they ever were.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use lapsed::domain::time::{BucketWidth, Timestamp};
use lapsed::wire::radius::accounting::StatusType;

use super::radius::{Nas, acknowledged, request, signed};
use super::{files_below, text};

/// How every canary's name begins, and no other text.
const NAME: &str = "zephyrine-canary-";
/// How every canary's MAC begins.
const MAC: [u8; 4] = [0x02, 0x5e, 0xc0, 0xca];
/// How many requests are on their way at once.
const AT_ONCE: usize = 64;

/// A subscriber who exists for a test.
#[derive(Clone, Copy)]
pub(crate) struct Canary(pub(crate) u16);

impl Canary {
    /// As RADIUS names it.
    pub(crate) fn name(self) -> String {
        format!("{NAME}{:05}@isp.example", self.0)
    }

    /// In the benchmarking network of RFC 2544, for the documentation networks are too small for a thousand.
    pub(crate) fn address(self) -> String {
        let [high, low] = self.0.to_be_bytes();
        Ipv4Addr::new(198, 18, high, low).to_string()
    }

    fn mac(self) -> String {
        let [high, low] = self.0.to_be_bytes();
        [&MAC[..], &[high, low]].concat().iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join("-")
    }

    /// The start of its session at this instant.
    pub(crate) fn start(self, identifier: u8, at: Timestamp) -> Vec<u8> {
        let session = format!("{:08x}", self.0);
        signed(
            request(identifier, StatusType::Start, &session, at)
                .user_name(&self.name())
                .calling_station_id(&self.mac())
                .circuit_id(format!("olt-{}", self.name()).as_bytes())
                .framed_ip(self.address().parse().unwrap()),
        )
    }
}

/// Sends the starts of so many canaries, and waits until all are acknowledged.
pub(crate) fn start_all(daemon: SocketAddr, canaries: u16, at: Timestamp) {
    let nas = Nas::at("127.0.0.1", daemon);
    let requests: Vec<_> = (0..canaries).map(|number| Canary(number).start(number.to_be_bytes()[1], at)).collect();
    for some in requests.chunks(AT_ONCE) {
        some.iter().for_each(|request| nas.send(request));
        for _ in some {
            let reply = nas.receive();
            assert!(some.iter().any(|request| acknowledged(&reply, request) == Some(reply[1])));
        }
    }
}

/// Is there anything of a canary's name or MAC in these bytes? Says what.
pub(crate) fn name_in(bytes: &[u8]) -> Option<String> {
    let hex = |bytes: &[u8], between: &str| {
        bytes.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(between).into_bytes()
    };
    let marks = [NAME.as_bytes().to_vec(), hex(NAME.as_bytes(), ""), hex(&MAC, ""), hex(&MAC, ":"), hex(&MAC, "-")];
    let lower = bytes.to_ascii_lowercase();
    if let Some(mark) = marks.iter().find(|mark| occurs(mark, &lower)) {
        return Some(text(mark).to_owned());
    }
    // Four bytes occur by chance, six do not: the last two are a small number.
    let raw = bytes.windows(6).find(|window| window.starts_with(&MAC) && window[4] < 0x10);
    raw.map(|mac| format!("{mac:02x?}"))
}

fn occurs(mark: &[u8], bytes: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark)
}

/// How many keys of rows dated to exactly this instant these bytes hold: 26 bytes whose bucket agrees with it.
pub(crate) fn keys_of(at: Timestamp, width: BucketWidth, bytes: &[u8]) -> usize {
    let (bucket, instant) = (width.bucket_of(at).0.to_be_bytes(), &at.millis().to_be_bytes()[2..]);
    bytes.windows(26).filter(|key| key[..4] == bucket && key[16..22] == *instant).count()
}

/// Every file below a directory, with its bytes; those that vanish meanwhile are gone, which is as good.
pub(crate) fn bytes_below(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let files = files_below(dir).into_iter();
    files.filter_map(|file| Some((file.display().to_string(), fs::read(&file).ok()?))).collect()
}

/// The instants of all rows in the tables of a database, as Debian's `sst_dump` reads them, oldest first.
pub(crate) fn instants_in_tables(database: &Path, width: BucketWidth) -> Vec<u64> {
    let mut instants = Vec::new();
    for table in files_below(database).iter().filter(|path| path.extension().is_some_and(|of| of == "sst")) {
        let file = format!("--file={}", table.display());
        let output = Command::new("sst_dump").args([&file, "--command=scan", "--output_hex"]).output().unwrap();
        if !table.exists() {
            continue;
        }
        assert!(output.status.success(), "{output:?}");
        instants.extend(text(&output.stdout).lines().filter_map(|line| instant(line, width)));
    }
    instants.sort_unstable();
    instants
}

/// The instant in a line of `sst_dump`, such as `'01C88E…' seq:7, type:1 => 00…`, if the key is one of a row.
fn instant(line: &str, width: BucketWidth) -> Option<u64> {
    let key = line.strip_prefix('\'')?.split('\'').next().filter(|key| key.len() == 52)?;
    let bucket = u32::from_str_radix(&key[..8], 16).ok()?;
    let at = u64::from_str_radix(&key[32..44], 16).ok()?;
    (width.bucket_of(Timestamp::from_millis(at)).0 == bucket).then_some(at)
}
