//! `lapse send`: events from a file or a pipe to the daemon, every line until it is answered.

mod input;
mod stream;

use std::path::PathBuf;
use std::time::Duration;

use super::progress::Progress;
use super::{Connection, Ending, escape, tell};
use stream::{Sending, Trouble};

/// How often a connection that was there is tried to be had again without one more line answered.
const TRIES: u32 = 12;
/// The first wait between two tries; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Arguments of `lapse send`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lapse send events.ndjson > acks.ndjson
  zcat yesterday.ndjson.gz | lapse send -
  lapse send --follow /var/log/leases.ndjson > /dev/null

One event a line:
  {\"kind\":\"start\",\"time\":\"2026-11-21T10:00:00Z\",\"address\":\"203.0.113.7\",\"subscriber\":\"alice@example.net\"}
docs/events.md has all fields. For each line the daemon's answer is printed, in order, once the event is durable:
  {\"line\":1,\"ok\":true}
When the daemon goes away, lines without an answer are sent again to the next; an event with a time is stored once, \
however often it is sent.

Exit codes: 0 all lines taken, 1 some refused, 2 usage or the file cannot be read, 4 the role may not send, \
69 daemon unreachable (after half a minute, if it was there), its clock in doubt or its disk full.")]
pub(super) struct Args {
    /// The file; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Go on with what is appended, also to a file that takes this one's place; wait for the daemon for ever.
    #[arg(long)]
    follow: bool,
}

/// Sends all there is, or goes on for ever.
pub(super) fn send(connection: &Connection, args: &Args) -> Ending {
    let (input, length) = match input::open(&args.file, args.follow) {
        Ok(opened) => opened,
        Err(error) => {
            tell(&format!("lapse: cannot read {}: {error}", args.file.display()));
            return Ending::Usage;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(&format!("lapse: cannot start: {error}"));
            return Ending::Fault;
        }
    };
    let progress = Progress::of(length, args.follow);
    let mut sending = Sending::new(input, progress);
    let ended = runtime.block_on(persist(connection, &mut sending, args.follow));
    sending.finish();
    match ended {
        Ok(()) if sending.refused() == 0 => Ending::Ok,
        Ok(()) => {
            tell(&format!("lapse: {} of {} lines were refused", sending.refused(), sending.answered()));
            Ending::Nobody
        }
        Err(trouble) => {
            tell(&format!("lapse: {}", escape::escape(&trouble.to_string())));
            if sending.answered() > 0 {
                tell(&format!("lapse: {} lines were answered; what follows them was not", sending.answered()));
            }
            trouble.ending()
        }
    }
}

/// Connects again and again. Whoever never had a connection gives up at once, unless told to follow.
async fn persist(connection: &Connection, sending: &mut Sending, follow: bool) -> Result<(), Trouble> {
    let (mut tries, mut wait) = (0, FIRST_WAIT);
    loop {
        let before = sending.answered();
        let Err(trouble) = sending.attempt(connection).await else { return Ok(()) };
        if sending.answered() > before {
            (tries, wait) = (0, FIRST_WAIT);
        }
        tries += 1;
        let hopeless = !follow && (tries > TRIES || !sending.was_connected());
        if !trouble.passes() || hopeless {
            return Err(trouble);
        }
        if tries == 1 {
            sending.tell(&format!("lapse: {}; trying again", escape::escape(&trouble.to_string())));
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
