//! Who may do what: `[[principal]]`.

use super::Principal;
use super::check::{inner, unique};
use super::fault::Faults;
use super::file::{ClientTable, LeasesTable, PrincipalTable};
use super::problem::Problem;
use super::reader::At;
use crate::domain::actor::Role;

/// What the tables mean. One name, one user, one group and one certificate each are one principal, and so have
/// one role.
pub(super) fn check(
    tables: Vec<PrincipalTable>,
    clients: &[ClientTable],
    leases: &[LeasesTable],
    faults: &Faults<'_>,
) -> Vec<Principal> {
    let names = tables.iter().filter_map(|table| table.name.as_ref());
    unique(names, |name, line| Problem::NameTwice { name, line }, faults);
    let uids = tables.iter().filter_map(|table| table.uid.as_ref());
    unique(uids, |uid, line| Problem::UidTwice { uid, line }, faults);
    let groups = tables.iter().filter_map(|table| table.group.as_ref());
    unique(groups, |group, line| Problem::GroupTwice { group, line }, faults);
    let certificates = tables.iter().filter_map(|table| table.certificate.as_ref());
    unique(certificates, |name, line| Problem::CertificateTwice { name, line }, faults);
    for table in &tables {
        mark(table, faults);
        name_of_client(table, clients, faults);
        name_of_leases(table, leases, faults);
    }
    let checked = |table: PrincipalTable| {
        Some(Principal {
            name: inner(table.name)?,
            uid: inner(table.uid).and_then(|uid| u32::try_from(uid).ok()),
            group: inner(table.group),
            certificate: inner(table.certificate),
            role: inner(table.role)?,
        })
    };
    tables.into_iter().filter_map(checked).collect()
}

/// A uid, a group or a certificate; a uid and a group are not one person.
fn mark(table: &PrincipalTable, faults: &Faults<'_>) {
    if !table.has_mark {
        faults.add(table.place.clone(), Problem::PrincipalOfNobody);
    }
    if let (Some(uid), Some(group)) = (&table.uid, &table.group) {
        let later = if uid.span().start < group.span().start { group.span() } else { uid.span() };
        faults.add(later, Problem::PrincipalOfBoth);
    }
}

/// The same machine may send RADIUS and events; nobody else may go by its name.
fn name_of_client(table: &PrincipalTable, clients: &[ClientTable], faults: &Faults<'_>) {
    let Some(name) = &table.name else { return };
    let is_source = table.role.as_ref().is_none_or(|role| *role.get_ref() == Role::Source);
    let client = clients.iter().filter_map(|client| client.name.as_ref()).find(|other| *other == name).map(At::span);
    if let Some(first) = client.filter(|_| !is_source) {
        let problem = Problem::NameOfClient { name: name.get_ref().clone(), line: faults.line_of(&first) };
        faults.add(name.span(), problem);
    }
}

/// The same, of the lease files and of their pairs.
fn name_of_leases(table: &PrincipalTable, leases: &[LeasesTable], faults: &Faults<'_>) {
    let Some(name) =
        table.name.as_ref().filter(|_| table.role.as_ref().is_some_and(|role| *role.get_ref() != Role::Source))
    else {
        return;
    };
    let taken = leases.iter().flat_map(|leases| [&leases.name, &leases.pair]).flatten().find(|other| *other == name);
    if let Some(first) = taken {
        let problem = Problem::NameOfLeases { name: name.get_ref().clone(), line: faults.line_of(&first.span()) };
        faults.add(name.span(), problem);
    }
}
