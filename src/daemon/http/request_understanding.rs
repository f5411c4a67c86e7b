//! What papers and items are understood as, before they are filed: every fault that keeps them from it, and what looks like a mistake.

use std::collections::BTreeSet;

use crate::api::{ItemsPaper, Problem, RequestPaper, Warning};
use crate::desk::remarks::{Context, Remark, remarks};
use crate::desk::{self, Item, Papers};
use crate::domain::process::Need;
use crate::domain::time::Timestamp;

use super::App;

/// Papers as they are understood.
pub(super) struct Understood {
    pub(super) papers: Papers,
    pub(super) items: Vec<Item>,
    pub(super) warnings: Vec<Warning>,
}

impl App {
    /// Reads papers and items; says everything that is wrong with them.
    pub(super) fn understand(&self, paper: RequestPaper, now: Timestamp) -> Result<Understood, Problem> {
        let read = Papers::read(paper.process.as_deref(), &paper.fields, now);
        let (papers, mut warnings) =
            read.map_err(|faults| Problem::of_faults("bad-field", "the papers cannot be filed", &faults))?;
        let terms = self.terms_on_file(&papers)?;
        let items = understood(&ItemsPaper { items: paper.items, items_csv: paper.items_csv })?;
        // That somebody approves is taken for granted.
        warnings.extend(lacking(&terms.missing(&papers.given(true))));
        warnings.extend(self.remarks(&papers, &items, 1, now));
        Ok(Understood { papers, items, warnings })
    }

    /// What looks like a mistake in the items from number `first` on.
    pub(super) fn remarks(&self, papers: &Papers, items: &[Item], first: u32, now: Timestamp) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let read: Vec<_> = (1_usize..).zip(items).filter_map(|(number, item)| item.read_again(number)).collect();
        let context = Context {
            config: &self.config,
            now,
            window: self.store.window(),
            issued: papers.issued.map(Timestamp::from_millis),
            received: Some(papers.received()),
        };
        for (item, remarks) in read.iter().zip(remarks(&read, &context)) {
            let number = u32::try_from(item.file_line).unwrap_or(u32::MAX);
            warnings.extend(remarks.iter().filter(|_| number >= first).map(|remark| warning(number, remark)));
        }
        warnings
    }
}

/// Reads items, all of them or none; says everything that is wrong with them.
pub(super) fn understood(paper: &ItemsPaper) -> Result<Vec<Item>, Problem> {
    let taken = desk::items(paper);
    taken.map_err(|faults| {
        Problem::of_faults("bad-items", "the items cannot be understood, and none was taken", &faults)
    })
}

/// That papers lack something.
pub(super) fn lacking(missing: &BTreeSet<Need>) -> Vec<Warning> {
    let of_need = |need: &Need| Warning {
        item: None,
        code: "missing".into(),
        text: format!("`{}` is not on file: nothing is answered without it", need.name()),
    };
    missing.iter().map(of_need).collect()
}

fn warning(item: u32, remark: &Remark) -> Warning {
    let text = match remark {
        Remark::Repeated { first } => format!("item {first} asks for the same address, port and time"),
        other => other.to_string(),
    };
    Warning { item: Some(item), code: remark.code().into(), text }
}
