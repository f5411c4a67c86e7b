//! Questions to a world, and a reference that forgets nothing.

mod reference;

use lapsed::domain::address::{Network, Realm};
use lapsed::domain::coverage::Coverage;
use lapsed::domain::identity::SourceName;
use lapsed::domain::record::Record;
use lapsed::domain::time::Bucket;
use lapsed::domain::verdict::Verdict;
use lapsed::lookup::{Answer, Question, Reach, look_up};
use lapsed::store::Place;

use crate::settle_world::{BASE, WINDOW, World, instant};
use reference::holders;

/// Asks a question as random as any, in each of the three reaches.
pub(crate) fn ask(world: &mut World, now: u64) {
    let index = usize::try_from(world.random.below(world.sites.len() as u64)).unwrap();
    let (address, around) = world.sites[index].address(&mut world.random);
    let oldest = now.saturating_sub(WINDOW);
    let at = match world.random.below(4) {
        0 => now - world.random.below(60).min(now),
        // Where evidence is going.
        1 => (oldest + world.random.below(35)).min(now),
        _ => oldest + world.random.below(now - oldest + 1),
    };
    let port = [None, Some(80), Some(1500), Some(3000)][usize::try_from(world.random.below(4)).unwrap()];
    let question = Question { address, at: instant(at), port, realm: Realm::default() };
    let expected: Vec<String> = holders(&world.heard[index], &around, port, instant(at)).into_iter().collect();
    let mut coverage = Coverage::new(world.config.retention.bucket);
    coverage.hear(&SourceName("bng-1".into()), instant(now));
    for reach in [Reach::Verdict, Reach::Evidence, Reach::Everything] {
        let answer =
            look_up(&world.store, &world.config, &coverage, &question, reach, world.cutoff(now), instant(now)).unwrap();
        assert!(agrees(&answer, &expected), "{}", {
            let site = format!(
                "site {}: port {port:?} of {address} at {at}, now {now}, by {reach:?}",
                world.sites[index].number
            );
            format!("{site}\nexpected {expected:?}, not {answer:?}\n{}", story(world, index, &around, now))
        });
        world.answers += 1;
    }
}

/// What was heard of a site, and what stands of it in the store.
fn story(world: &World, index: usize, around: &[Network], now: u64) -> String {
    let line = |record: &Record| {
        let (at, end) = (record.at.millis() / 1000 - BASE, record.lease_end.map(|end| end.millis() / 1000 - BASE));
        let name = record.subscriber.as_ref().map(|name| &name.0);
        format!("{at} {:?} {} {:?} until {end:?} {name:?}", record.kind, record.session, record.subject)
    };
    let mut lines = vec![format!("settled through {:?}; heard:", world.store.settled_through())];
    lines.extend(world.heard[index].iter().map(line));
    lines.push("stands:".to_owned());
    let mut observations = world.store.observations(world.cutoff(now));
    let width = world.config.retention.bucket;
    let first = width.bucket_of(observations.cutoff().horizon());
    for bucket in (first.0..=width.bucket_of(instant(now)).0).map(Bucket) {
        for network in around {
            let place = Place::Address { realm: &Realm::default(), network: *network };
            lines.extend(observations.in_bucket(&place, bucket).unwrap().iter().map(line));
        }
    }
    lines.join("\n")
}
/// Does an answer name whom it should? Who was not named by then is named by what followed, where that was read.
fn agrees(answer: &Answer, expected: &[String]) -> bool {
    let nobody = matches!(answer.verdict, Verdict::Unassigned | Verdict::NoCoverage);
    if nobody != expected.is_empty() || expected.iter().any(|name| name.starts_with('(')) {
        return nobody == expected.is_empty();
    }
    let named = answer.holder.as_ref().and_then(|holder| holder.subscriber.as_ref()).map(|name| &name.0);
    let names = expected.len() != 1 || answer.verdict == Verdict::Ambiguous || named == expected.first();
    answer.sharing == expected.len() && names
}
