//! Sealing on one thread, committing on another, with a bounded queue between them: as the daemon does it.

use std::thread;

use lapsed::domain::identity::Entity;
use lapsed::domain::record::Record;
use lapsed::store::{Batch, Sealed, Sealer, Store};
use tokio::sync::mpsc;

use super::figures::{Took, took};

/// How many pieces of work may wait for the writer, and how many records are in one at most.
const QUEUE: usize = 128;
const PIECE: usize = 50;

/// What each of the two threads took.
#[derive(Clone, Copy)]
pub(crate) struct BothTook {
    pub(crate) sealing: Took,
    pub(crate) committing: Took,
}

/// Seals records on a thread of its own and commits them on this one, `batch` at a time, each batch synced. Of what it took,
/// the start of the sealing thread is a part.
pub(crate) fn seal_and_commit<R>(store: &Store, records: impl Iterator<Item = R> + Send, batch: usize) -> BothTook
where
    R: std::borrow::Borrow<Record>,
{
    let (queue, mut incoming) = mpsc::channel::<Vec<Sealed>>(QUEUE);
    let sealer = store.sealer();
    thread::scope(|scope| {
        let mut sealing = None;
        let committing = took(|| {
            sealing = Some(scope.spawn(move || took(|| seal(&sealer, records, batch.min(PIECE), &queue))));
            commit(store, &mut incoming, batch);
        });
        BothTook { sealing: sealing.unwrap().join().unwrap(), committing }
    })
}

fn seal<R>(sealer: &Sealer, records: impl Iterator<Item = R>, piece: usize, queue: &mpsc::Sender<Vec<Sealed>>)
where
    R: std::borrow::Borrow<Record>,
{
    let entity = Entity::default();
    let mut sealed = records.map(|record| sealer.seal(record.borrow(), &entity).unwrap());
    loop {
        let piece: Vec<Sealed> = sealed.by_ref().take(piece).collect();
        if piece.is_empty() {
            break;
        }
        queue.blocking_send(piece).unwrap();
    }
}

fn commit(store: &Store, incoming: &mut mpsc::Receiver<Vec<Sealed>>, batch: usize) {
    let mut rows = Batch::new();
    while let Some(piece) = incoming.blocking_recv() {
        piece.into_iter().for_each(|sealed| rows.record(sealed));
        if rows.records() >= batch {
            store.commit(std::mem::take(&mut rows)).unwrap();
        }
    }
    store.commit(rows).unwrap();
}
