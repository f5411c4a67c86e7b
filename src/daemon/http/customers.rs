//! Customers and those who consent are told of their own data and of nothing else.
//!
//! What is not theirs gets one answer, whoever held the address, or nobody, and whatever is readable: any difference would tell
//! about others.

use crate::api::Problem;
use crate::config::Config;
use crate::desk::{CUSTOMER_ENTITY, Papers, Request};
use crate::domain::identity::Entity;
use crate::domain::process::Need;
use crate::domain::verdict::Verdict;
use crate::lookup::{Answer, Question};

use super::{App, subscribers};

/// What is said of all that is not the customer's.
pub(super) const NOT_OWN: &str = "not the customer's own data";

/// Whose data is asked for.
struct Customer<'p> {
    name: &'p str,
    entities: Vec<Entity>,
}

/// The customer of these papers, who must be named, and whose customer it is where there are several entities.
fn customer<'p>(papers: &'p Papers, config: &Config) -> Result<Customer<'p>, Problem> {
    let entity = Some(papers.field(CUSTOMER_ENTITY).trim()).filter(|entity| !entity.is_empty());
    let meant = subscribers::entities(entity, config);
    let (entities, _) = meant.map_err(|detail| Problem::not_on_file(format!("{CUSTOMER_ENTITY}: {detail}")))?;
    let name = subscribers::checked(papers.field(Need::Customer.name()).trim())?;
    Ok(Customer { name, entities })
}

/// Can these papers be answered, as far as it matters whose customer it is?
pub(super) fn is_known(papers: &Papers, config: &Config) -> Result<(), Problem> {
    if papers.process.is_own_data_only() { customer(papers, config).map(drop) } else { Ok(()) }
}

impl App {
    /// May the asker be told this? Under every other kind of process, the table decides what is in it.
    pub(super) fn is_told(&self, request: &Request, question: &Question, answer: &Answer) -> bool {
        if !request.papers.process.is_own_data_only() {
            return true;
        }
        let Ok(Customer { name, entities }) = customer(&request.papers, &self.config) else { return false };
        let holder = answer.holder.as_ref().and_then(|holder| holder.subscriber.as_ref());
        holder.is_some_and(|holder| holder.as_str() == name) && entities.contains(&self.entity_of(question, answer))
    }

    /// Of an answer, what the asker may be told: all of it or nothing.
    pub(super) fn told(&self, request: &Request, question: &Question, answer: Answer) -> Answer {
        let is_told = self.is_told(request, question, &answer);
        if is_told { answer } else { Answer::bare(Verdict::Refused, answer.horizon) }
    }

    /// Whose subscriber the holder is: of the network in which the address is theirs, which behind a NAT is the inner one.
    pub(super) fn entity_of(&self, question: &Question, answer: &Answer) -> Entity {
        let address = answer.inside.as_ref().map_or(question.address, |inside| inside.network.address());
        Entity(self.config.network_of(address).map(|network| network.entity.clone()).unwrap_or_default())
    }
}
