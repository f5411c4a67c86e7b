//! What a rule came upon, and the check that comes of it.

use super::{Check, Outcome};

/// How many findings a check tells; the others are counted.
const TOLD: usize = 8;

/// The findings of one rule.
#[derive(Default)]
pub(super) struct Found {
    proven: Vec<String>,
    unclear: Vec<String>,
}

impl Found {
    /// The rule is proven not to hold.
    pub(super) fn fail(&mut self, detail: String) {
        self.proven.push(detail);
    }

    /// What is there does not tell whether it holds.
    pub(super) fn unknown(&mut self, detail: String) {
        self.unclear.push(detail);
    }

    /// The check; `held` says what it held for, if it did.
    pub(super) fn check(self, name: &'static str, held: impl Into<String>) -> Check {
        let (result, detail) = match (&self.proven[..], &self.unclear[..]) {
            ([], []) => (Outcome::Pass, held.into()),
            ([], unclear) => (Outcome::Unknown, listed(unclear)),
            (proven, _) => (Outcome::Fail, listed(proven)),
        };
        Check { name, result, detail, counts: true }
    }

    /// The same, of a check on which the verdict does not depend.
    pub(super) fn told(self, name: &'static str, held: impl Into<String>) -> Check {
        Check { counts: false, ..self.check(name, held) }
    }
}

pub(super) fn listed(findings: &[String]) -> String {
    let mut told: Vec<String> = findings.iter().take(TOLD).cloned().collect();
    let more = findings.len().saturating_sub(TOLD);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join("; ")
}
