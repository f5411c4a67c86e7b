//! The last act: what the daemon reports of the forgetting, and what its files say to somebody who does not ask it.

use anyhow::{Context as _, ensure};
use lapsed::api::{PurgeReports, ReportLine};

use super::reading;
use super::simulator::daemon::Daemon;

/// Shows a report of the purge and an inspection of the files, and fails unless both say that everything due is gone.
pub(crate) fn show(daemon: &Daemon) -> anyhow::Result<()> {
    println!(
        "\nWhat left the window is not only hidden. An auditor reads what the purge reported of it, with a token of his own:\n"
    );
    let token = daemon.token("demo-auditor", "auditor")?;
    let (count, report) = newest_report(daemon, &token)?;
    let arguments = ["purge", "report", "show", &report.sequence.to_string()].map(str::to_owned);
    let said = daemon.lapse(&token, &arguments)?;
    reading::print(&format!("lapse {}", reading::as_typed(&arguments)), &said);
    ensure!(said.status.success(), "lapse purge report show ended with {}", said.status);
    ensure!(report.result == "clean", "purge report {} is not clean: {}", report.sequence, report.result);
    let words = String::from_utf8_lossy(&said.stdout);
    ensure!(words.contains(": clean: "), "the report's words do not say that it is clean");
    println!(
        "   It is the newest of {count} reports in which something was due; none of them says that a purge failed.\n"
    );

    println!(
        "And somebody who believes no report looks into every file himself, without a key and without the daemon:\n"
    );
    let state = daemon.state_dir();
    let verified = daemon.verify_store()?;
    reading::print(&format!("lapsed verify-store {}", state.display()), &verified);
    ensure!(verified.status.success(), "lapsed verify-store ended with {}", verified.status);
    ensure!(verified.stdout.starts_with(b"CLEAN: "), "lapsed verify-store does not say CLEAN");
    Ok(())
}

/// How many reports there are, and the newest that has rows unlinked and keys destroyed.
fn newest_report(daemon: &Daemon, token: &str) -> anyhow::Result<(usize, ReportLine)> {
    let arguments = ["purge", "report", "list", "--from", "0", "--limit", "1000", "-o", "json"].map(str::to_owned);
    let listed = daemon.lapse(token, &arguments)?;
    let said = String::from_utf8_lossy(&listed.stderr);
    let reports: PurgeReports = serde_json::from_slice(&listed.stdout)
        .with_context(|| format!("lapse ended with {} and said: {said}", listed.status))?;
    let failed = reports.reports.iter().find(|report| report.result == "failed");
    ensure!(failed.is_none(), "a purge report says that it failed: {failed:?}");
    let did = |report: &&ReportLine| report.unlinked > 0 && report.keys_destroyed > 0;
    let newest = reports.reports.iter().rfind(did).context("no purge report has anything that was destroyed")?;
    Ok((reports.reports.len(), newest.clone()))
}
