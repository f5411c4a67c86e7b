//! Runs of the purge, timed step by step.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lapsed::domain::time::Cutoff;
use lapsed::purge::{Order, Purger, Step, Terms, Trigger};
use nix::time::{ClockId, clock_gettime};

use crate::BUCKET;
use crate::stock::{Stock, horizon};
use crate::support::figures::percentile;
use crate::support::place::{NOW, retention};

/// The steps that take time, under the names they have in the table.
const STEPS: [Step; 7] =
    [Step::Flush, Step::Count, Step::Keys, Step::Compact, Step::Verify, Step::Record, Step::Directory];

/// One run.
#[derive(Clone)]
pub(crate) struct Timing {
    wall: Duration,
    /// Of the whole process: compactions are on threads of RocksDB's.
    processor: Duration,
    steps: Vec<(Step, Duration)>,
    /// Rows that went.
    due: u64,
    /// Rows in the buckets that the run touched, before it.
    read: u64,
}

/// Makes runs on a store, with a cutoff that moves by hand.
pub(crate) struct Runs<'a> {
    stock: &'a Stock,
    purger: Purger,
    /// The minute of the last cutoff.
    purged: u64,
}

impl<'a> Runs<'a> {
    pub(crate) fn of(stock: &'a Stock) -> Self {
        Self { stock, purger: Purger::resume(Arc::clone(&stock.store), NOW).unwrap(), purged: 0 }
    }

    /// A run with its cutoff at this minute of the window.
    #[expect(clippy::disallowed_methods, reason = "a bench measures")]
    pub(crate) fn run(&mut self, minute: u64) -> Timing {
        let cutoff = Cutoff::at(horizon().plus(Duration::from_secs(60 * minute)));
        let now = cutoff.horizon().plus(retention().window);
        let read = self.stock.rows(self.purged, (minute / BUCKET + 1) * BUCKET);
        self.purged = minute;
        let mut begun = Vec::new();
        let (started, at_first) = (Instant::now(), processor_time());
        let order = Order { cutoff, trigger: Trigger::Interval };
        let mut watch = |step| begun.push((step, Instant::now()));
        let run = self.purger.run(order, &Terms::of(&retention()), &|| now, &mut watch).unwrap();
        let (ended, processor) = (Instant::now(), processor_time().saturating_sub(at_first));
        assert!(!run.failed(), "{run:?}");
        let counted = [run.classes.assignments, run.classes.logons, run.listings];
        let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([ended]);
        let steps = begun.iter().zip(ends).map(|((step, from), until)| (*step, until - *from)).collect();
        let due = counted.iter().map(|class| class.scanned).sum();
        Timing { wall: ended - started, processor, steps, due, read }
    }
}

/// The processor time that this process has had.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap().into()
}

/// Runs of one kind, summed up.
pub(crate) struct Summary<'a> {
    name: String,
    runs: &'a [Timing],
}

impl<'a> Summary<'a> {
    pub(crate) fn of(name: &str, runs: &'a [Timing]) -> Self {
        Self { name: name.to_owned(), runs }
    }

    /// The line above the others.
    pub(crate) fn head() {
        print!("{:<24} {:>4} {:>9} {:>9} {:<19}", "medians", "runs", "rows due", "run", "  longest, mostly");
        STEPS.iter().for_each(|step| print!(" {:>9}", name(*step)));
        println!("   milliseconds");
    }

    /// A line of the table.
    pub(crate) fn print(&self) {
        let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
        let longest = self.runs.iter().max_by_key(|run| run.wall).unwrap();
        let (slowest, _) = longest.steps.iter().max_by_key(|(_, took)| *took).unwrap();
        let (due, wall) = (self.median(|run| run.due), self.median(|run| run.wall));
        print!(
            "{:<24} {:>4} {due:>9} {:>9.1} {:>9.1} {:<9}",
            self.name,
            self.runs.len(),
            millis(wall),
            millis(longest.wall),
            name(*slowest)
        );
        for step in STEPS {
            print!(" {:>9.1}", millis(self.median(|run| run.taken_by(step))));
        }
        println!();
    }

    /// What that means for a row.
    pub(crate) fn print_by_rows(&self) {
        let rate = |rows: u64, time: Duration| millions(rows) / time.as_secs_f64();
        println!(
            "{:>24}  {:.2} million rows gone a second, {:.2} a second of processor; {:.0} ms for each million rows of the buckets touched",
            "",
            self.median(|run| rate(run.due, run.wall)),
            self.median(|run| rate(run.due, run.processor)),
            self.median(|run| run.wall.as_secs_f64() * 1e3 / millions(run.read)),
        );
    }

    fn median<T: Copy + PartialOrd>(&self, of: impl Fn(&Timing) -> T) -> T {
        percentile(&self.runs.iter().map(of).collect::<Vec<_>>(), 50).unwrap()
    }
}

impl Timing {
    /// What all turns of a step took.
    fn taken_by(&self, step: Step) -> Duration {
        self.steps.iter().filter(|(of, _)| *of == step).map(|(_, took)| *took).sum()
    }
}

fn millions(rows: u64) -> f64 {
    f64::from(u32::try_from(rows).unwrap()) / 1e6
}

fn name(step: Step) -> String {
    format!("{step:?}").to_lowercase()
}
