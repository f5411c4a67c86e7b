//! The policy in words that a customer's lawyer can read.

use std::time::Duration;

use crate::api::{PolicyAnswer, PolicySource, ProcessTypeText, RetentionText, SourceKind};
use crate::config::Written;
use crate::domain::actor::Role;
use crate::domain::process::{Class, Group};

use super::escape::escape;

/// What the groups of facts are, for whoever has not read the table.
const GROUPS: [(Group, &str); 4] = [
    (Group::Subscriber, "our reference for the subscriber; Lapsed has no names and no postal addresses of its own"),
    (Group::SessionTimes, "the session, when it began and ended, and when it was last heard of"),
    (Group::Addresses, "what was assigned: address, prefix or ports, and what stood behind a shared address"),
    (Group::Line, "where it entered the network: access server and port, circuit-id, remote-id, MAC address"),
];

/// Names and values in two columns, the first of which is as wide as the longest name of a process.
struct Sheet(String);

impl Sheet {
    fn line(&mut self, name: &str, value: &str) {
        self.0 += &format!("  {name:<19} {}\n", escape(value));
    }

    fn head(&mut self, title: &str) {
        self.0 += &format!("{title}\n");
    }
}

/// The whole of it.
pub(super) fn text(answer: &PolicyAnswer) -> String {
    let policy = &answer.policy;
    let mut sheet = Sheet("POLICY: what is kept here, for how long, and who may ask\n".to_owned());
    sheet.line("digest", &answer.digest);
    sheet.head("what is kept");
    sheet.line("assignments", "that a subscriber had an address, or ports of one, and when that was said");
    sheet.line("logons", "that a subscriber logged on or off, and when");
    sheet.line("nothing else", "no pages, no searches, no mail, no messages, no destinations of any traffic");
    sheet.head("for how long");
    durations(&mut sheet, &policy.retention);
    sheet.head("from which sources");
    for source in &policy.sources {
        sheet.line(&source.name, &of_source(source));
    }
    sheet.line("any other", "only a principal or a token with the role source");
    sheet.head("who may ask");
    sheet.line("an address", &format!("who had it at one instant: {}", roles(&policy.askers.address)));
    sheet.line("a subscriber", &format!("what they had over a span: {}", roles(&policy.askers.subscriber)));
    sheet.line(
        "always",
        "under a kind of process from below, with case and authority, and once the access is on record",
    );
    sheet.line("nobody else", "no other role reads a record, and nothing is handed out for any other purpose");
    sheet.head("what can be released, in groups");
    for (group, meaning) in GROUPS {
        sheet.line(group.name(), meaning);
    }
    sheet.head("under which process");
    for kind in &policy.process_types {
        of_process(&mut sheet, kind);
    }
    sheet.line("no other", "is known: neither marketing nor analytics nor another division can ask");
    sheet.line("table", &format!("SHA-256 {} (in every access entry)", policy.process_types_digest));
    sheet.0
}

fn durations(sheet: &mut Sheet, retention: &RetentionText) {
    let RetentionText { window_ms, bucket_ms, purge_interval_ms, carry_interval_ms, max_silence_ms } = *retention;
    let written = |ms: u64| Written(Duration::from_millis(ms));
    let unlinked = purge_interval_ms.saturating_add(5000);
    sheet.line("window", &format!("{}: no one is answered from anything older", written(window_ms)));
    sheet.line(
        "then",
        &format!(
            "in no file at most {} later (it is destroyed every {})",
            written(unlinked),
            written(purge_interval_ms)
        ),
    );
    sheet.line(
        "keys",
        &format!("one for every {} of time, overwritten at most that much later still", written(bucket_ms)),
    );
    sheet.line(
        "carry",
        &format!("a report that an address is held counts for {} if nothing follows it", written(carry_interval_ms)),
    );
    let silence = match max_silence_ms {
        Some(silence) => format!("after {} without a word, a session counts as ended", written(silence)),
        None => "however long a session says nothing, it counts as going on".to_owned(),
    };
    sheet.line("silence", &silence);
}

fn of_source(source: &PolicySource) -> String {
    let speaks = match source.kind {
        SourceKind::Radius => "RADIUS accounting",
        SourceKind::LeaseFile => "lease file of a DHCP server",
        SourceKind::Stream => "events over the API",
        SourceKind::Spool => "events in files",
    };
    let keeps = if source.keeps.is_empty() { "nothing".to_owned() } else { source.keeps.join(", ") };
    format!("{speaks}; of the line it keeps {keeps}")
}

fn of_process(sheet: &mut Sheet, kind: &ProcessTypeText) {
    let class = match kind.class {
        Class::Compelled => "compelled by law",
        Class::Voluntary => "permitted by law",
        Class::Customer => "the customer's own request",
    };
    let statute = kind.statute.as_deref().unwrap_or("not in the table");
    let bands = if kind.counted_in_bands { "; counted in bands" } else { "" };
    sheet.line(kind.name.name(), &format!("{statute} ({class}{bands})"));
    if let Some(reason) = &kind.refused {
        sheet.line("", &format!("releases nothing: {reason}"));
        return;
    }
    let releases: Vec<&str> = kind.releases.iter().map(|group| group.name()).collect();
    let reverse = if kind.reverse { "; may ask for all that one subscriber had" } else { "" };
    sheet.line("", &format!("releases {}{reverse}", releases.join(", ")));
    let needs: Vec<&str> = kind.needs.iter().map(|need| need.name()).collect();
    if !needs.is_empty() {
        sheet.line("", &format!("needs {}", needs.join(", ")));
    }
}

fn roles(roles: &[Role]) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AskersText, PolicyText};
    use crate::domain::process::{Need, ProcessType};

    fn kind(name: ProcessType, statute: &str, releases: &[Group], refused: Option<&str>) -> ProcessTypeText {
        ProcessTypeText {
            name,
            statute: Some(statute.to_owned()),
            class: Class::Compelled,
            releases: releases.to_vec(),
            reverse: name == ProcessType::Subpoena,
            needs: if refused.is_none() { vec![Need::Statute] } else { Vec::new() },
            counted_in_bands: name == ProcessType::Nsl,
            refused: refused.map(str::to_owned),
        }
    }

    #[test]
    fn the_policy_is_told_in_words() {
        let policy = PolicyText {
            retention: RetentionText {
                window_ms: 172_800_000,
                bucket_ms: 600_000,
                purge_interval_ms: 60_000,
                carry_interval_ms: 14_400_000,
                max_silence_ms: None,
            },
            sources: vec![PolicySource {
                name: "bng-1".to_owned(),
                kind: SourceKind::Radius,
                keeps: vec!["mac".to_owned(), "circuit-id".to_owned()],
                max_silence_ms: None,
            }],
            askers: AskersText { address: vec![Role::Analyst, Role::Approver], subscriber: vec![Role::Approver] },
            process_types: vec![
                kind(ProcessType::Subpoena, "18 USC 2703(c)(2)", &[Group::Subscriber, Group::SessionTimes], None),
                kind(ProcessType::Nsl, "18 USC 2709", &[], Some("to counsel")),
            ],
            process_types_digest: "06".repeat(32),
        };
        let digest = "07".repeat(32);
        let told = text(&PolicyAnswer { version: 1, digest: digest.clone(), policy });
        let expected = format!(
            "\
POLICY: what is kept here, for how long, and who may ask
  digest              {digest}
what is kept
  assignments         that a subscriber had an address, or ports of one, and when that was said
  logons              that a subscriber logged on or off, and when
  nothing else        no pages, no searches, no mail, no messages, no destinations of any traffic
for how long
  window              48h: no one is answered from anything older
  then                in no file at most 1m5s later (it is destroyed every 1m)
  keys                one for every 10m of time, overwritten at most that much later still
  carry               a report that an address is held counts for 4h if nothing follows it
  silence             however long a session says nothing, it counts as going on
from which sources
  bng-1               RADIUS accounting; of the line it keeps mac, circuit-id
  any other           only a principal or a token with the role source
who may ask
  an address          who had it at one instant: analyst, approver
  a subscriber        what they had over a span: approver
  always              under a kind of process from below, with case and authority, and once the access is on record
  nobody else         no other role reads a record, and nothing is handed out for any other purpose
what can be released, in groups
  subscriber          our reference for the subscriber; Lapsed has no names and no postal addresses of its own
  session-times       the session, when it began and ended, and when it was last heard of
  addresses           what was assigned: address, prefix or ports, and what stood behind a shared address
  line                where it entered the network: access server and port, circuit-id, remote-id, MAC address
under which process
  subpoena            18 USC 2703(c)(2) (compelled by law)
                      releases subscriber, session-times; may ask for all that one subscriber had
                      needs statute
  nsl                 18 USC 2709 (compelled by law; counted in bands)
                      releases nothing: to counsel
  no other            is known: neither marketing nor analytics nor another division can ask
  table               SHA-256 {} (in every access entry)
",
            "06".repeat(32)
        );
        assert_eq!(told, expected);
    }
}
