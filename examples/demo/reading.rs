//! Reads what `lapse` printed, and prints what it was given.

use std::process::Output;

use anyhow::Context as _;

/// What a program reads from an answer.
#[derive(serde::Deserialize)]
pub(crate) struct Reading {
    /// The verdict's name.
    pub(crate) verdict: String,
    /// The subscriber, if the answer names one.
    pub(crate) subscriber: Option<String>,
    /// The names of the cautions.
    #[serde(default)]
    pub(crate) cautions: Vec<String>,
}

impl Reading {
    /// Reads an answer that was asked for as JSON.
    pub(crate) fn of(output: &Output) -> anyhow::Result<Self> {
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("lapse ended with {} and said: {said}", output.status))
    }
}

/// The arguments as they would be typed into a shell.
pub(crate) fn as_typed(arguments: &[String]) -> String {
    let quoted = |argument: &String| {
        if argument.contains(' ') { format!("\"{argument}\"") } else { argument.clone() }
    };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// A command and what it printed.
pub(crate) fn print(typed: &str, output: &Output) {
    println!("   $ {typed}");
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    for line in said.lines().chain(complained.lines()) {
        println!("   {line}");
    }
    println!("   (exit code {})\n", output.status.code().unwrap_or(-1));
}
