//! From the outside of a NAT to its inside: outside address and port, then the inside address, then its subscriber, all at the
//! same instant.
//!
//! The first step is a record of the block that names no subscriber, or a rule of the configuration. The second is a
//! question like any other, about the inside address in its own realm. There is no third: nothing inside is outside again.

use crate::config::Config;
use crate::domain::nat::Inside;
use crate::domain::session::Edge;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Caution, Verdict};

use super::{Answer, Heard, Question};

/// Answers a question that no reason refuses, if need be by way of the inside. `ask` answers about one address, and knows
/// nothing of NATs.
pub(super) fn through_nats<E>(
    config: &Config,
    question: &Question,
    horizon: Timestamp,
    ask: impl Fn(&Question) -> Result<Answer, E>,
) -> Result<Answer, E> {
    let rule = config.deterministic_nats.iter().find(|rule| rule.translates(&question.realm, question.address));
    let sharing = rule.map_or(0, |rule| rule.sharing(question.address));
    if sharing > 0 && question.port.is_none() {
        let sharing = usize::try_from(sharing).unwrap_or(usize::MAX);
        return Ok(Answer { sharing, ..Answer::bare(Verdict::Ambiguous, horizon) });
    }
    if let Some(inside) = rule.zip(question.port).and_then(|(rule, port)| rule.inside_of(question.address, port)) {
        let found = ask(&asked_inside(question, &inside))?;
        return Ok(computed(found, inside));
    }
    let answer = ask(question)?;
    let unnamed = answer.holder.as_ref().is_some_and(|holder| holder.subscriber.is_none());
    match answer.inside.clone().filter(|_| unnamed) {
        Some(inside) => {
            let found = ask(&asked_inside(question, &inside))?;
            Ok(joined(answer, found))
        }
        None => Ok(answer),
    }
}

/// The same question about the inside. A subscriber has all ports there.
fn asked_inside(question: &Question, inside: &Inside) -> Question {
    Question { address: inside.network.address(), at: question.at, port: None, realm: inside.realm.clone() }
}

/// The answer where a rule says what the inside is: that of the inside. A rule has no beginning and cannot be in doubt.
fn computed(found: Answer, inside: Inside) -> Answer {
    // The outside address is ours. That nobody configured the inside as ours means that nothing is known of it.
    let verdict = if found.verdict == Verdict::NotOurs { Verdict::NoCoverage } else { found.verdict };
    let inside = (verdict != Verdict::Ambiguous).then_some(inside);
    Answer { verdict, inside, ..found }
}

/// The answer where records say what the inside is. The worse of the two steps counts, and the span is what they share.
fn joined(block: Answer, found: Answer) -> Answer {
    let cautions = block.cautions.union(&found.cautions).copied().collect();
    let sources = block.sources.union(&found.sources).cloned().collect();
    match found.verdict {
        Verdict::Attributed | Verdict::Uncertain => Answer {
            verdict: if found.verdict == Verdict::Uncertain { found.verdict } else { block.verdict },
            holder: found.holder,
            inside: block.inside,
            since: later(block.since, found.since),
            until: earlier(block.until, found.until),
            heard: Heard {
                before: block.heard.before.zip(found.heard.before).map(|(block, found)| block.max(found)),
                after: block.heard.after.zip(found.heard.after).map(|(block, found)| block.max(found)),
            },
            sharing: found.sharing,
            cautions,
            sources,
            horizon: found.horizon,
        },
        Verdict::Ambiguous => {
            let bare = Answer::bare(Verdict::Ambiguous, found.horizon);
            Answer { sharing: found.sharing, cautions, sources, ..bare }
        }
        // Someone had the block, and nobody is known to have had the inside address: what is known of the block stands.
        Verdict::Unassigned
        | Verdict::NoCoverage
        | Verdict::NotOurs
        | Verdict::Purged
        | Verdict::Future
        | Verdict::Refused => {
            let mut cautions = cautions;
            cautions.insert(Caution::UnnamedHolder);
            Answer { verdict: Verdict::Uncertain, cautions, sources, ..block }
        }
    }
}

fn later(a: Option<Edge>, b: Option<Edge>) -> Option<Edge> {
    [a, b].into_iter().flatten().max_by_key(|edge| edge.at)
}

fn earlier(a: Option<Edge>, b: Option<Edge>) -> Option<Edge> {
    [a, b].into_iter().flatten().min_by_key(|edge| edge.at)
}
