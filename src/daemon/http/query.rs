//! The part of a path behind `?`: plain names and values. None of ours needs escaping, so none is taken.

use crate::api::Problem;

/// The values under these names, in their order; what is named otherwise, or twice, is refused.
pub(super) fn values<'a, const N: usize>(
    query: Option<&'a str>,
    names: [&'static str; N],
) -> Result<[Option<&'a str>; N], Problem> {
    let mut values = [None; N];
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut places = names.iter().zip(&mut values);
        let Some((name, place)) = places.find(|(known, _)| **known == name) else {
            let known = names.join(", ");
            return Err(Problem::bad_field("query", format!("it may have {known} and nothing else")));
        };
        if place.replace(value).is_some() {
            return Err(Problem::bad_field("query", format!("{name} comes twice")));
        }
    }
    Ok(values)
}

/// A whole number under a name.
pub(super) fn number(name: &'static str, value: Option<&str>) -> Result<Option<u64>, Problem> {
    let read = |value: &str| value.parse().map_err(|_| Problem::bad_field(name, "a whole number was expected"));
    value.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_read_in_any_order_and_others_refused() {
        let names = ["from", "limit"];
        assert_eq!(values(Some("limit=2&from=7"), names), Ok([Some("7"), Some("2")]));
        assert_eq!(values(Some("limit=2"), names), Ok([None, Some("2")]));
        assert_eq!(values(None, names), Ok([None, None]));
        for query in ["gossip=1", "from", "from=1&from=2"] {
            let read = values(Some(query), names).and_then(|[from, _]| number("from", from));
            assert!(read.is_err_and(|problem| problem.status == 400), "{query}");
        }
    }
}
