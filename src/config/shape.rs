//! Every table and key there is, and guesses at what a misspelt one was meant to be.

use std::fmt;

/// A table of the file and the keys it knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its header as it is written; empty for the top of the file.
    pub heading: &'static str,
    /// Its keys, with those of the tables in it.
    pub keys: &'static [&'static str],
}

pub(super) static ROOT: Shape = Shape {
    heading: "",
    keys: &[
        "version",
        "state-dir",
        "keyring-dir",
        "ledger-keys-dir",
        "store",
        "retention",
        "lookup",
        "disclosure",
        "listen",
        "api",
        "radius",
        "dhcp",
        "stream",
        "spool",
        "ingest",
        "clock",
        "watch",
        "network",
        "nat",
        "entity",
        "fees",
        "fee",
        "principal",
    ],
};
pub(super) static STORE: Shape = Shape { heading: "[store]", keys: &["ballast"] };
pub(super) static RETENTION: Shape = Shape {
    heading: "[retention]",
    keys: &["window", "bucket", "purge-interval", "carry-interval", "max-silence", "require-erasure-class"],
};
pub(super) static LOOKUP: Shape = Shape { heading: "[lookup]", keys: &["margin", "shared-margin"] };
pub(super) static DISCLOSURE: Shape = Shape {
    heading: "[disclosure]",
    keys: &["process-types", "capture-expiry", "unapproved-expiry", "keep-open", "keep-closed", "zone"],
};
pub(super) static LISTEN: Shape = Shape { heading: "[listen]", keys: &["api-socket", "api-socket-mode"] };
pub(super) static API: Shape = Shape {
    heading: "[api]",
    keys: &["tls-listen", "tls-certificate", "tls-key", "tls-client-ca", "requests-per-second"],
};
pub(super) static RADIUS: Shape = Shape { heading: "[radius]", keys: &["receive-buffer", "listen", "client"] };
pub(super) static RADIUS_LISTEN: Shape = Shape { heading: "[[radius.listen]]", keys: &["address"] };
pub(super) static RADIUS_CLIENT: Shape = Shape {
    heading: "[[radius.client]]",
    keys: &[
        "network",
        "name",
        "secret-file",
        "realm",
        "outside-realm",
        "subscriber",
        "keep",
        "interims",
        "max-delay",
        "max-silence",
        "resets",
    ],
};
pub(super) static DHCP: Shape = Shape { heading: "[dhcp]", keys: &["leases"] };
pub(super) static DHCP_LEASES: Shape = Shape {
    heading: "[[dhcp.leases]]",
    keys: &[
        "name",
        "pair",
        "format",
        "path",
        "realm",
        "subscriber",
        "mapping",
        "keep",
        "interims",
        "max-delay",
        "max-silence",
    ],
};
pub(super) static STREAM: Shape =
    Shape { heading: "[[stream]]", keys: &["name", "realm", "interims", "max-delay", "max-silence", "resets"] };
pub(super) static SPOOL: Shape =
    Shape { heading: "[[spool]]", keys: &["path", "name", "realm", "interims", "max-delay", "max-silence", "resets"] };
pub(super) static INGEST: Shape = Shape { heading: "[ingest]", keys: &["queue", "batch"] };
pub(super) static CLOCK: Shape = Shape { heading: "[clock]", keys: &["max-step"] };
pub(super) static WATCH: Shape = Shape {
    heading: "[watch]",
    keys: &["sweep", "many-items", "same-subscriber", "purged-probes", "emergency-overdue", "failed-approvals"],
};
pub(super) static NETWORK: Shape = Shape { heading: "[[network]]", keys: &["prefix", "entity", "sources", "shared"] };
pub(super) static NAT: Shape = Shape { heading: "[nat]", keys: &["deterministic"] };
pub(super) static NAT_DETERMINISTIC: Shape = Shape {
    heading: "[[nat.deterministic]]",
    keys: &["outside", "outside-realm", "inside", "inside-realm", "first-port", "last-port", "ports"],
};
pub(super) static ENTITY: Shape = Shape { heading: "[[entity]]", keys: &["name", "brand", "custodian"] };
pub(super) static FEES: Shape = Shape { heading: "[fees]", keys: &["request", "item"] };
pub(super) static FEE: Shape = Shape { heading: "[[fee]]", keys: &["type", "request", "item"] };
pub(super) static PRINCIPAL: Shape =
    Shape { heading: "[[principal]]", keys: &["name", "uid", "group", "certificate", "role"] };

/// Every table of the configuration, the top of the file first.
pub static SHAPES: [&Shape; 24] = [
    &ROOT,
    &STORE,
    &RETENTION,
    &LOOKUP,
    &DISCLOSURE,
    &LISTEN,
    &API,
    &RADIUS,
    &RADIUS_LISTEN,
    &RADIUS_CLIENT,
    &DHCP,
    &DHCP_LEASES,
    &STREAM,
    &SPOOL,
    &INGEST,
    &CLOCK,
    &WATCH,
    &NETWORK,
    &NAT,
    &NAT_DETERMINISTIC,
    &ENTITY,
    &FEES,
    &FEE,
    &PRINCIPAL,
];

/// The top of the file of process types.
pub(super) static PROCESS_TYPES: Shape = Shape { heading: "", keys: &["version", "type"] };
/// One of its types.
pub(super) static PROCESS_TYPE: Shape = Shape {
    heading: "[[type]]",
    keys: &[
        "name",
        "statute",
        "class",
        "releases",
        "reverse",
        "needs",
        "hold-days",
        "renewals",
        "renewal-days",
        "counted-in-bands",
        "refused",
    ],
};

/// What an unknown key may have been meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A key of the same table is spelt much like it.
    Spelling(&'static str),
    /// Just one other table has such a key: a header stands above it, or below it, that should not.
    OtherTable(&'static str),
    /// A key of the top of the file, below a table's header.
    Top,
    /// No idea.
    None,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spelling(key) => write!(f, ", did you mean `{key}`?"),
            Self::OtherTable(heading) => write!(f, ", did you mean the one in {heading}?"),
            Self::Top => f.write_str(", which belongs above the first table"),
            Self::None => Ok(()),
        }
    }
}

impl Shape {
    /// What `key`, which this table does not know, may have been meant to be.
    pub(super) fn hint(&self, key: &str) -> Hint {
        let plain = key.to_lowercase().replace('_', "-");
        let tolerated = (plain.chars().count() / 3).max(1);
        let nearest = self.keys.iter().map(|known| (distance(&plain, known), *known)).min();
        if let Some((_, known)) = nearest.filter(|(edits, _)| *edits <= tolerated) {
            return Hint::Spelling(known);
        }
        // Another file's tables are no place for it.
        if !SHAPES.contains(&self) {
            return Hint::None;
        }
        let mut owners = SHAPES.iter().filter(|shape| shape.keys.contains(&plain.as_str()));
        match (owners.next(), owners.next()) {
            (Some(shape), None) if shape.heading.is_empty() => Hint::Top,
            (Some(shape), None) => Hint::OtherTable(shape.heading),
            _ => Hint::None,
        }
    }
}

/// Levenshtein's distance: how many characters must be put in, taken out or exchanged.
fn distance(from: &str, to: &str) -> usize {
    let mut above: Vec<usize> = (0..=to.chars().count()).collect();
    for (row, a) in from.chars().enumerate() {
        let mut left = row.saturating_add(1);
        let mut line = vec![left];
        for (pair, b) in above.windows(2).zip(to.chars()) {
            let &[corner, up] = pair else { continue };
            left = corner.saturating_add(usize::from(a != b)).min(up.saturating_add(1)).min(left.saturating_add(1));
            line.push(left);
        }
        above = line;
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        for (from, to, edits) in [("", "", 0), ("window", "windoww", 1), ("kitten", "sitting", 3), ("", "abc", 3)] {
            assert_eq!(distance(from, to), edits);
            assert_eq!(distance(to, from), edits);
        }
    }

    #[test]
    fn hints_prefer_the_same_table() {
        assert_eq!(RETENTION.hint("windoww"), Hint::Spelling("window"));
        assert_eq!(ROOT.hint("state_dir"), Hint::Spelling("state-dir"));
        assert_eq!(ROOT.hint("window"), Hint::OtherTable("[retention]"));
        assert_eq!(LOOKUP.hint("state-dir"), Hint::Top);
        assert_eq!(LOOKUP.hint("colour"), Hint::None);
        assert_eq!(LOOKUP.hint("name"), Hint::None);
    }

    #[test]
    fn no_table_has_a_key_twice() {
        for shape in SHAPES {
            let mut keys = shape.keys.to_vec();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), shape.keys.len(), "{}", shape.heading);
        }
    }
}
