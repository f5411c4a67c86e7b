//! The names of sources: one each, however they speak, and nobody else's.

use super::check::unique;
use super::fault::Faults;
use super::file::File;
use super::problem::Problem;
use super::reader::At;
use crate::domain::actor::Role;

/// Leaves a fault where two sources have one name, or somebody who is no source has that of a stream or a spool.
pub(super) fn told_apart(file: &File, faults: &Faults<'_>) {
    let streams = || file.streams.iter().filter_map(|stream| stream.name.as_ref());
    let spools = || file.spools.iter().filter_map(|spool| spool.source.name.as_ref());
    let clients = file.radius.clients.iter().filter_map(|client| client.name.as_ref());
    let leases = file.leases.iter().filter_map(|leases| leases.name.as_ref());
    let names: Vec<&At<String>> = clients.chain(leases).chain(streams()).chain(spools()).collect();
    unique(names.iter().copied(), |name, line| Problem::NameTwice { name, line }, faults);
    // Two lease files may name one pair, which is a source of its own.
    for pair in file.leases.iter().filter_map(|leases| leases.pair.as_ref()) {
        if let Some(first) = names.iter().find(|name| **name == pair) {
            let line = faults.line_of(&first.span());
            faults.add(pair.span(), Problem::NameTwice { name: pair.get_ref().clone(), line });
        }
    }
    for principal in &file.principals {
        let Some(name) = &principal.name else { continue };
        let is_source = principal.role.as_ref().is_none_or(|role| *role.get_ref() == Role::Source);
        let source = streams().chain(spools()).find(|source| source.get_ref() == name.get_ref());
        if let Some(source) = source.filter(|_| !is_source) {
            let line = faults.line_of(&source.span());
            faults.add(name.span(), Problem::NameOfSource { name: name.get_ref().clone(), line });
        }
    }
}
