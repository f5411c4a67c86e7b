//! Emergencies: a legal process must follow, and until it is named the emergency is not over, closed or not.

use super::Request;
use crate::domain::process::ProcessType;
use crate::domain::time::Timestamp;

impl Request {
    /// Must a legal process still follow? Of a closed one only if something was answered: what told nobody anything owes nothing.
    pub fn owes_follow_up(&self) -> bool {
        let is_over = self.state.closed.is_some() && self.state.given.is_empty();
        self.papers.process == ProcessType::Emergency && self.state.follow_up.is_none() && !is_over
    }

    /// Before when it must follow; `None` if nothing must, or nobody has said when.
    pub fn follow_up_due(&self) -> Option<Timestamp> {
        self.papers.follow_up_due.filter(|_| self.owes_follow_up()).map(Timestamp::from_millis)
    }

    /// Should it have followed by now?
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.follow_up_due().is_some_and(|due| due <= now)
    }

    /// Is it an emergency that waits for its second person?
    pub fn is_unapproved_emergency(&self) -> bool {
        self.papers.process == ProcessType::Emergency && self.state.closed.is_none() && !self.is_approved()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::desk::{FollowUp, Given, Papers, State};
    use crate::domain::verdict::Verdict;

    #[test]
    fn it_is_overdue_until_a_process_is_named_also_when_it_is_closed() {
        let papers = Papers {
            process: ProcessType::Emergency,
            fields: BTreeMap::new(),
            received: 1_000,
            issued: None,
            follow_up_due: Some(5_000),
        };
        let state = State::opened(Timestamp::from_millis(1_000), vec!["desk-1".into()], [0; 32]);
        let mut request = Request { papers, items: Vec::new(), state };
        let late = Timestamp::from_millis(5_000);
        assert!(request.is_overdue(late) && !request.is_overdue(Timestamp::from_millis(4_999)));
        assert!(request.is_unapproved_emergency());
        request.state.closed = Some(2_000);
        assert!(!request.is_overdue(late), "nothing was told");
        let given = Given { at: 1_500, verdict: Verdict::Attributed, ledger: 1, digest: String::new() };
        request.state.given.insert(1, given);
        assert!(request.is_overdue(late));
        request.state.follow_up = Some(FollowUp { request: "ab".into(), by: vec!["desk-1".into()], at: 6_000 });
        assert!(!request.is_overdue(late) && !request.owes_follow_up());
    }
}
