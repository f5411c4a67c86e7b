//! What `Debug` shows of what is on file: how much there is of it and no word, name, instant or kind, so that no log line can
//! carry it.

use std::fmt;

use super::{Addition, Approval, FollowUp, Given, Hold, Item, Papers, Request, State};

macro_rules! show_the_name_alone {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

show_the_name_alone!(Item Addition FollowUp Approval Given);

impl fmt::Debug for Papers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Papers({} fields)", self.fields.len())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({:?}, {} items, {:?})", self.papers, self.items.len(), self.state)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({} approvals, {} answers)", self.approvals.len(), self.given.len())
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hold({} records, {} spans)", self.records, self.spans.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fmt::Debug;

    use serde::Serialize;
    use serde_json::Value;

    use super::*;
    use crate::api::ItemText;
    use crate::domain::process::ProcessType;
    use crate::domain::verdict::Verdict;

    const AT: u64 = 1_795_295_002_000;

    fn text(text: &str) -> String {
        text.to_owned()
    }

    fn approval() -> Approval {
        Approval { by: vec![text("lead-1")], at: AT }
    }

    fn item() -> Item {
        let written = ItemText {
            line: Some(text("exhibit 3")),
            address: text("203[.]0[.]113[.]7"),
            port: Some(51_515),
            protocol: Some(text("tcp")),
            at: text("2026-11-21 21:03:22"),
            zone: Some(text("UTC")),
            uncertainty: Some(text("30s")),
            realm: Some(text("cgn-1")),
        };
        Item {
            written,
            network: text("203.0.113.7"),
            port: Some(51_515),
            at: AT,
            uncertainty: Some(30),
            realm: text("cgn-1"),
        }
    }

    fn papers() -> Papers {
        let fields = [("case", "24-CR-1022"), ("officer", "Det. R. Example"), ("customer", "alice@isp.example")];
        Papers {
            process: ProcessType::Nsl,
            fields: fields.map(|(name, written)| (text(name), text(written))).into(),
            received: AT,
            issued: Some(AT),
            follow_up_due: Some(AT),
        }
    }

    fn state() -> State {
        State {
            opened: AT,
            opened_by: vec![text("desk-1")],
            salt: [237; 32],
            capture: Some(text("7b3c")),
            added: vec![Addition { field: text("judge"), by: vec![text("desk-1")], at: AT, after: 0 }],
            approvals: vec![approval()],
            given: BTreeMap::from([(
                1,
                Given { at: AT, verdict: Verdict::Attributed, ledger: 51_516, digest: text("e3b0c442") },
            )]),
            changed: BTreeSet::from([2]),
            holds: BTreeSet::from([text("51de")]),
            follow_up: Some(FollowUp { request: text("90af"), by: vec![text("desk-2")], at: AT }),
            packaged: Some(AT),
            closed: Some(AT),
        }
    }

    fn hold() -> Hold {
        Hold {
            request: text("7b3c"),
            placed: AT,
            placed_by: vec![text("desk-1")],
            approved: Some(approval()),
            records: 2,
            spans: vec![(AT, AT)],
            days: 90,
            renewals: 1,
            renewal_days: 90,
            renewed: 0,
            attached: BTreeMap::from([(text("51de"), approval())]),
        }
    }

    /// Every word that is sealed, also the names of fields, and every number that could be an instant, a port or a salt.
    fn words(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => found.extend(Some(number.to_string()).filter(|digits| digits.len() >= 3)),
            Value::String(word) => found.push(word.clone()),
            Value::Array(values) => values.iter().for_each(|value| words(value, found)),
            Value::Object(fields) => fields.values().for_each(|value| words(value, found)),
        }
    }

    fn assert_silent(what: &(impl Serialize + Debug), shown: &str) {
        assert_eq!(format!("{what:?}"), shown);
        let mut sealed = Vec::new();
        words(&serde_json::to_value(what).unwrap(), &mut sealed);
        assert!(sealed.len() >= 2, "{shown}: hardly anything was looked for");
        for word in sealed {
            assert!(!format!("{what:#?}").contains(&word), "{shown} has `{word}`");
        }
    }

    #[test]
    fn debug_shows_how_much_there_is_and_no_word_of_it() {
        assert_silent(&papers(), "Papers(3 fields)");
        assert_silent(&item(), "Item(..)");
        assert_silent(&state(), "State(1 approvals, 1 answers)");
        assert_silent(&hold(), "Hold(2 records, 1 spans)");
        let State { added, approvals, given, follow_up, .. } = state();
        assert_silent(&added[0], "Addition(..)");
        assert_silent(&approvals[0], "Approval(..)");
        assert_silent(&given[&1], "Given(..)");
        assert_silent(&follow_up.unwrap(), "FollowUp(..)");
        let request = Request { papers: papers(), items: vec![item(), item()], state: state() };
        let shown = "Request(Papers(3 fields), 2 items, State(1 approvals, 1 answers))";
        assert_eq!(format!("{request:?}"), shown);
    }
}
