//! The names of a ledger's generations: of the texts that are signed, and of the key's files.
//!
//! A ledger begins with its first generation. Each time its store was put back from a copy it begins another one, with a key of its own,
//! so that no key ever signs two histories.

/// The name under which a generation of this ledger signs: `lapsed/NAME`, and from the second one on `lapsed/NAME/2` and so on.
pub fn origin(ledger: &str, generation: u32) -> String {
    match generation {
        ..=1 => format!("lapsed/{ledger}"),
        later => format!("lapsed/{ledger}/{later}"),
    }
}

/// The name of its key's files, without what follows the dot: `NAME`, and from the second one on `NAME-2` and so on.
pub fn key(ledger: &str, generation: u32) -> String {
    match generation {
        ..=1 => ledger.to_owned(),
        later => format!("{ledger}-{later}"),
    }
}

/// Which generation of this ledger signs under the name; `None` if none does.
pub fn of(origin_found: &str, ledger: &str) -> Option<u32> {
    let rest = origin_found.strip_prefix("lapsed/")?.strip_prefix(ledger)?;
    let generation = if rest.is_empty() { 1 } else { rest.strip_prefix('/')?.parse().ok()? };
    (origin(ledger, generation) == origin_found).then_some(generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_known_by_its_origin() {
        assert_eq!(
            [1, 2, 11].map(|number| origin("purge", number)),
            ["lapsed/purge", "lapsed/purge/2", "lapsed/purge/11"]
        );
        assert_eq!([1, 2].map(|number| key("purge", number)), ["purge", "purge-2"]);
        for number in [1, 2, 11] {
            assert_eq!(of(&origin("access", number), "access"), Some(number));
        }
        for other in ["lapsed/purge", "lapsed/access/", "lapsed/access/1", "lapsed/access/02", "lapsed/access2", ""] {
            assert_eq!(of(other, "access"), None, "{other}");
        }
    }
}
