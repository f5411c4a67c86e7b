//! In whose name something is given.

use std::collections::BTreeSet;

use crate::api::CustodianText;
use crate::config::Config;

/// Those of the entities that are named. Where none is, the only one that is configured, and none where there are several: which of
/// them speaks, a person must say.
pub fn custodians<'a>(config: &Config, named: impl IntoIterator<Item = &'a str>) -> Vec<CustodianText> {
    let named: BTreeSet<&str> = named.into_iter().collect();
    let known = |name: &str| config.entities.iter().find(|entity| entity.name == name);
    let text = |name: &str| {
        let entity = known(name);
        CustodianText {
            entity: name.to_owned(),
            brand: entity.map(|entity| entity.brand.clone()).unwrap_or_default(),
            custodian: entity.map(|entity| entity.custodian.clone()).unwrap_or_default(),
        }
    };
    match config.entities.as_slice() {
        [only] if named.is_empty() => vec![text(&only.name)],
        _ => named.into_iter().filter(|name| !name.is_empty() || known("").is_some()).map(text).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Entity;

    fn entity(name: &str) -> Entity {
        Entity { name: name.into(), brand: format!("{name} brand"), custodian: String::new() }
    }

    #[test]
    fn the_only_one_speaks_where_none_is_named_and_of_several_none() {
        let one = Config { entities: vec![entity("north")], ..Config::default() };
        assert_eq!(custodians(&one, [])[0].brand, "north brand");
        let two = Config { entities: vec![entity("north"), entity("south")], ..Config::default() };
        assert_eq!(custodians(&two, []), []);
        let named: Vec<String> = custodians(&two, ["south", "", "west"]).into_iter().map(|text| text.brand).collect();
        assert_eq!(named, ["south brand", ""]);
        assert_eq!(custodians(&Config::default(), [""]), []);
    }
}
