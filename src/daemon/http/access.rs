//! What every question about people needs: papers, and an entry in the ledger that is durable before the answer leaves.

use std::collections::BTreeSet;

use crate::api::{LedgerText, Problem};
use crate::audit::{Access, Entry, Papers, Salt, hex};
use crate::domain::actor::Principal;
use crate::domain::process::{Need, ProcessType, Ruling, Terms};
use crate::domain::verdict::Caution;
use crate::store::SealedRow;

use super::App;

/// Longest case number or authority, in bytes.
const MAX_PAPER: usize = 1000;

/// What is on file of a question that comes alone: the authority that it names stands for the statute.
pub(super) const ON_FILE: [Need; 1] = [Need::Statute];

/// What a kind of process needs and what is not on file. Nobody has decided anything by that, so nothing is answered and nothing
/// goes on record.
pub(super) struct Lacking {
    kind: ProcessType,
    needs: BTreeSet<Need>,
}

impl Lacking {
    /// 400: a question that comes alone has no place for it.
    pub(super) fn to_a_question(&self) -> Problem {
        let Self { kind, needs } = self;
        let detail =
            format!("{kind} needs on file what a single question cannot give: {}", Need::names(needs).join(", "));
        Problem::bad_field("process", detail)
    }

    /// 400: a request on file can still get it.
    pub(super) fn to_a_request(&self) -> Problem {
        let Self { kind, needs } = self;
        Problem::not_on_file(format!("{kind} needs on file {}", Need::names(needs).join(", ")))
    }
}

/// The terms under which a question is answered, or why it is refused.
///
/// # Errors
///
/// What it needs and has not got.
pub(super) fn terms(kind: ProcessType, ruling: Ruling<'_>) -> Result<Result<&Terms, String>, Lacking> {
    match ruling {
        Ruling::Released(terms) => Ok(Ok(terms)),
        Ruling::Refused(reason) => Ok(Err(format!("{kind} is not answered: {reason}"))),
        Ruling::Missing(needs) => Err(Lacking { kind, needs }),
    }
}

/// Why to be careful with an answer under these terms, whatever it says.
pub(super) fn caution(terms: &Terms) -> Option<Caution> {
    terms.needs.contains(&Need::Statute).then_some(Caution::StatuteMissing)
}

/// Reads the papers; says which field is wrong.
pub(super) fn papers(process: &str, case: &str, authority: &str) -> Result<Papers, Problem> {
    let process: ProcessType = process.parse().map_err(|error| {
        let known = ProcessType::ALL.map(ProcessType::name).join(", ");
        Problem::bad_field("process", format!("{error}; there are {known}"))
    })?;
    for (field, text) in [("case", case), ("authority", authority)] {
        if text.trim().is_empty() {
            return Err(Problem::bad_field(field, "it is empty; nothing is answered without a process on file"));
        }
        if text.len() > MAX_PAPER {
            return Err(Problem::bad_field(field, format!("it is longer than {MAX_PAPER} bytes")));
        }
    }
    Ok(Papers { process, case: case.to_owned(), authority: authority.to_owned() })
}

/// What ties an answer to its entry: a random number, and the salt that opens the entry's commitment to the papers.
#[derive(Clone, Copy)]
pub(super) struct Ties {
    pub(super) request: [u8; 16],
    pub(super) salt: Salt,
}

impl Ties {
    /// Fresh ones, for an access that stands alone.
    pub(super) fn random() -> Result<Self, Problem> {
        let mut ties = Self { request: [0; 16], salt: Salt([0; 32]) };
        let random = getrandom::fill(&mut ties.salt.0).and_then(|()| getrandom::fill(&mut ties.request));
        random.map_err(|error| Problem::internal(format!("no random bytes: {error}")))?;
        Ok(ties)
    }

    /// As an answer has them.
    pub(super) fn text(&self, index: u64) -> LedgerText {
        LedgerText { index, request: hex(&self.request), salt: hex(&self.salt.0) }
    }
}

impl App {
    /// The access of somebody, under these papers.
    pub(super) fn access(&self, asker: &Principal, papers: &Papers, ties: &Ties) -> Access {
        let actor = self.sealer.actor_pseudonym(&asker.name);
        Access::new(self.time.believed(), actor, asker, ties.request, papers, &ties.salt, &self.config.process_types)
    }

    /// Makes an entry durable in the ledger, together with what is sealed. Without it, no answer leaves.
    pub(super) async fn file(&self, entry: &Entry, sealed: Vec<SealedRow>) -> Result<u64, Problem> {
        self.has_room_for(&sealed).await?;
        let filed = self.queue.file(entry.to_bytes(), sealed).await;
        filed.map_err(|_| Problem::unavailable("the access could not be recorded, so nothing is answered"))
    }

    /// Makes sealed rows durable that have no entry of their own.
    pub(super) async fn seal(&self, sealed: Vec<SealedRow>) -> Result<(), Problem> {
        self.has_room_for(&sealed).await?;
        self.queue.seal(sealed).await.map_err(|_| Problem::unavailable("the store takes no writes"))
    }

    /// Makes the access durable in the ledger. Without it, no answer leaves.
    pub(super) async fn record(
        &self,
        asker: &Principal,
        papers: &Papers,
        entry: impl FnOnce(Access) -> Entry,
    ) -> Result<LedgerText, Problem> {
        let ties = Ties::random()?;
        let index = self.file(&entry(self.access(asker, papers, &ties)), Vec::new()).await?;
        Ok(ties.text(index))
    }
}
