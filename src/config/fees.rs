//! What is on a response besides its answers: in whose name it is given (`[[entity]]`), and what it costs (`[fees]`, `[[fee]]`).

use std::collections::BTreeMap;

use super::check::{inner, unique};
use super::fault::Faults;
use super::file::A_TEXT;
use super::problem::Problem;
use super::reader::{At, Reader};
use super::value;
use crate::domain::money::Money;
use crate::domain::process::ProcessType;

/// What an amount's key expects.
const AN_AMOUNT: &str = "an amount in quotation marks, such as \"25.00 USD\", or \"none\"";

/// `[[entity]]`: in whose name the subscribers of its networks are answered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The name, as networks have it. Empty: the only one.
    pub name: String,
    /// The name that customers know; empty if none is configured.
    pub brand: String,
    /// Who keeps its records and signs for them; empty if none is configured.
    pub custodian: String,
}

/// What an answer costs. All amounts are of one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// Where the kind of process has no fee of its own.
    pub general: Fee,
    /// By kind of process, with what is general filled in.
    pub of_types: BTreeMap<ProcessType, Fee>,
}

/// What one kind of process costs; `None`: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fee {
    /// A request.
    pub request: Option<Money>,
    /// Each of its items.
    pub item: Option<Money>,
}

impl Fees {
    /// What this kind of process costs.
    pub fn of(&self, process: ProcessType) -> Fee {
        self.of_types.get(&process).copied().unwrap_or(self.general)
    }
}

/// `[[entity]]` as typed.
pub(super) struct EntityTable {
    name: Option<At<String>>,
    brand: Option<At<String>>,
    custodian: Option<At<String>>,
}

/// `[fees]` or `[[fee]]` as typed.
pub(super) struct FeeTable {
    process: Option<At<ProcessType>>,
    request: Option<At<Option<Money>>>,
    item: Option<At<Option<Money>>>,
}

impl EntityTable {
    pub(super) fn read(table: &Reader<'_, '_, '_>) -> Self {
        let line = |key: &'static str| table.text(key, A_TEXT, move |text| value::line(key, text));
        Self { name: table.required("name", line("name")), brand: line("brand"), custodian: line("custodian") }
    }
}

impl FeeTable {
    pub(super) fn read(table: &Reader<'_, '_, '_>) -> Self {
        let amount = |key: &'static str| table.text(key, AN_AMOUNT, value::money_or_none);
        Self { process: None, request: amount("request"), item: amount("item") }
    }

    pub(super) fn of_type(table: &Reader<'_, '_, '_>) -> Self {
        let process =
            table.text("type", A_TEXT, |text| value::choice("type", text, ProcessType::ALL.map(ProcessType::name)));
        Self { process: table.required("type", process), ..Self::read(table) }
    }

    fn fee(&self, general: Fee) -> Fee {
        let or =
            |amount: &Option<At<Option<Money>>>, general| amount.as_ref().map_or(general, |amount| *amount.get_ref());
        Fee { request: or(&self.request, general.request), item: or(&self.item, general.item) }
    }
}

/// What the `[[entity]]` tables mean.
pub(super) fn entities(tables: Vec<EntityTable>, faults: &Faults<'_>) -> Vec<Entity> {
    let names = tables.iter().filter_map(|table| table.name.as_ref());
    unique(names, |name, line| Problem::NameTwice { name, line }, faults);
    let checked = |table: EntityTable| {
        Some(Entity {
            name: inner(table.name)?,
            brand: inner(table.brand).unwrap_or_default(),
            custodian: inner(table.custodian).unwrap_or_default(),
        })
    };
    tables.into_iter().filter_map(checked).collect()
}

/// What `[fees]` and the `[[fee]]` tables mean.
pub(super) fn check(general: FeeTable, of_types: Vec<FeeTable>, faults: &Faults<'_>) -> Fees {
    let kinds = of_types.iter().filter_map(|table| table.process.as_ref());
    unique(kinds, |process, line| Problem::FeeTwice { process, line }, faults);
    let tables = std::iter::once(&general).chain(&of_types);
    one_currency(tables.flat_map(|table| [&table.request, &table.item]).flatten(), faults);
    let general = general.fee(Fee::default());
    let of_types = of_types.into_iter().filter_map(|table| {
        let fee = table.fee(general);
        Some((inner(table.process)?, fee))
    });
    Fees { general, of_types: of_types.collect() }
}

/// Leaves a fault at every amount of another currency than the first.
fn one_currency<'a>(amounts: impl Iterator<Item = &'a At<Option<Money>>>, faults: &Faults<'_>) {
    let mut first: Option<(Money, usize)> = None;
    for amount in amounts {
        let Some(found) = *amount.get_ref() else { continue };
        match first {
            None => first = Some((found, faults.line_of(&amount.span()))),
            Some((other, line)) if !found.is_like(other) => {
                faults.add(amount.span(), Problem::OtherCurrency { found, other, line });
            }
            Some(_) => {}
        }
    }
}
