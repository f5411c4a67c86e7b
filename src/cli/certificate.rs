//! `lapse request certificate`: that nothing is readable, as a sheet to be signed by a person.

use clap::ValueEnum;

use crate::api::{Certificate, CertifiedItem};

use super::page::{Look, Page};
use super::{Connection, Ending, client, tell};

/// What a person fills in.
const BLANK: &str = "______________________________";

/// How a certificate is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Asks for the certificate and returns it as it is printed.
pub(super) fn certificate(connection: &Connection, path: &str, form: Form) -> Result<String, Ending> {
    let nothing = std::collections::BTreeMap::<String, String>::new();
    let certificate: Certificate = client::ask(connection, path, Some(&nothing))?;
    match form {
        Form::Text => Ok(sheet(&certificate, Look::here())),
        Form::Json => serde_json::to_string(&certificate).map(|json| json + "\n").map_err(|error| {
            tell(&format!("lapse: cannot write the answer: {error}"));
            Ending::Fault
        }),
    }
}

fn sheet(certificate: &Certificate, look: Look) -> String {
    let mut page = Page::new(look);
    page.head("NO-RECORDS CERTIFICATE: a draft until somebody who may has signed it below");
    for custodian in &certificate.custodians {
        page.maybe("entity", Some(custodian.entity.as_str()).filter(|text| !text.is_empty()));
        page.maybe("brand", Some(custodian.brand.as_str()).filter(|text| !text.is_empty()));
        page.maybe("custodian", Some(custodian.custodian.as_str()).filter(|text| !text.is_empty()));
    }
    page.whole("request", &certificate.request, "");
    page.whole("case", &certificate.case, "");
    page.line("agency", &certificate.agency);
    page.line("received", &certificate.received);
    page.line("made", &certificate.made);
    page.whole("policy", &certificate.policy, "");
    page.whole("networks", &certificate.networks, "");
    page.line("software", &certificate.software);
    page.line("ledger", &format!("access entry {}", certificate.ledger));
    page.head("");
    for row in table(&certificate.items) {
        page.row(&row);
    }
    for item in &certificate.items {
        page.head("");
        page.line(&format!("item {}", item.item), &item.statement);
    }
    page.head("");
    for name in ["signature", "name", "title", "date"] {
        page.line(name, BLANK);
    }
    page.text()
}

/// The items in columns, each as wide as its widest cell.
fn table(items: &[CertifiedItem]) -> Vec<String> {
    let head =
        ["item", "address", "port", "time in UTC", "outcome", "purge report", "time as written"].map(str::to_owned);
    let rows = items.iter().map(|item| {
        let dash = || "-".to_owned();
        [
            item.item.to_string(),
            item.address.clone(),
            item.port.map_or_else(dash, |port| port.to_string()),
            item.at.utc.clone(),
            item.verdict.name().to_owned(),
            item.report.map_or_else(dash, |report| report.to_string()),
            super::escape::escape(&item.at.written),
        ]
    });
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(rows).collect();
    let widest = rows.iter().fold([0; 7], |mut widest: [usize; 7], row| {
        widest.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.chars().count()));
        widest
    });
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widest).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<String>>().join("  ")
    };
    rows.iter().map(line).collect()
}
