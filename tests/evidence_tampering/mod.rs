//! What somebody may do to ledgers, with the check that must find it and what it must say.

mod bytes;
mod resealed;

use lapsed::evidence::Outcome;

use crate::evidence_rig::{Files, Ledgers, Signers};
use crate::random::Random;

/// What must come of it.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) valid: Option<bool>,
    pub(crate) check: &'static str,
    pub(crate) result: Outcome,
    /// Part of what the check says.
    pub(crate) detail: String,
}

impl Expected {
    fn fails(check: &'static str, detail: impl Into<String>) -> Self {
        Self { valid: Some(false), check, result: Outcome::Fail, detail: detail.into() }
    }

    /// Nobody can tell, and so it must not be said that it was found.
    fn unseen(check: &'static str, detail: impl Into<String>) -> Self {
        Self { valid: Some(true), check, result: Outcome::Unknown, detail: detail.into() }
    }
}

/// Ledgers to which nothing was done.
pub(crate) struct Honest<'a> {
    pub(crate) ledgers: Ledgers,
    pub(crate) files: Files,
    pub(crate) signers: &'a Signers,
}

/// The files after it, the checkpoints that the auditor kept of before, and what must come of it.
pub(crate) type Tampered = (Files, Vec<Vec<u8>>, Expected);

/// One way to do it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tampering {
    /// One bit of a file is another.
    FlipBit,
    /// An entry is taken out of its bundle.
    DropUnsealed,
    /// Two entries change places in their bundle.
    Reorder,
    /// A file ends too early.
    CutShort,
    /// A file is gone.
    DeleteFile,
    /// There is a file more.
    AddFile,
    /// The partial tile of an earlier size was left.
    StalePartial,
    /// The bundles of the two ledgers change places.
    SwapBundles,
    /// The root is written in another form of the same bytes.
    OtherBase64,
    /// Another key of the same name has signed.
    OtherKey,
    /// An older checkpoint beside the newer files.
    OlderCheckpoint,
    /// Everything is as it was earlier, and a later checkpoint was kept.
    OlderDirectory,
    /// The same, and none was kept: that is an honest ledger.
    OlderDirectoryUnseen,
    /// An entry is left out, and all is signed again.
    DropSealed,
    /// Two are left out, and the others numbered anew.
    DropTwoSealed,
    /// A period is left out, and the next begins where it began.
    OmitPeriod,
    /// An access is left out, and all is signed again.
    DropAccess,
    /// A count is another, all is signed again, and a checkpoint was kept.
    AlterCount,
    /// The same, and none was kept.
    AlterCountUnseen,
    /// The key signed two ledgers, of which the auditor kept the shorter.
    Fork,
    /// A cutoff falls.
    LowerCutoff,
    /// A key that is live is not counted.
    MiscountKeys,
    /// A key is opened twice.
    OpenTwice,
    /// A report of another store stands among the others.
    OtherStore,
    /// An old entry with bytes that mean nothing.
    Garble,
}

impl Tampering {
    pub(crate) const ALL: [Self; 25] = [
        Self::FlipBit,
        Self::DropUnsealed,
        Self::Reorder,
        Self::CutShort,
        Self::DeleteFile,
        Self::AddFile,
        Self::StalePartial,
        Self::SwapBundles,
        Self::OtherBase64,
        Self::OtherKey,
        Self::OlderCheckpoint,
        Self::OlderDirectory,
        Self::OlderDirectoryUnseen,
        Self::DropSealed,
        Self::DropTwoSealed,
        Self::OmitPeriod,
        Self::DropAccess,
        Self::AlterCount,
        Self::AlterCountUnseen,
        Self::Fork,
        Self::LowerCutoff,
        Self::MiscountKeys,
        Self::OpenTwice,
        Self::OtherStore,
        Self::Garble,
    ];

    /// Does it at a random place; none if there is no place for it.
    pub(crate) fn apply(self, honest: &Honest<'_>, random: &mut Random) -> Option<Tampered> {
        let files = || honest.files.clone();
        match self {
            Self::FlipBit => bytes::flip_bit(files(), random),
            Self::DropUnsealed => bytes::drop_entry(files(), random),
            Self::Reorder => bytes::reorder(files(), random),
            Self::CutShort => bytes::cut_short(files(), random),
            Self::DeleteFile => bytes::delete(files(), random),
            Self::AddFile => bytes::add(files(), random),
            Self::StalePartial => bytes::stale(files()),
            Self::SwapBundles => bytes::swap(files()),
            Self::OtherBase64 => bytes::other_base64(files()),
            Self::OtherKey => resealed::other_key(honest),
            Self::OlderCheckpoint => resealed::older_checkpoint(honest, random),
            Self::OlderDirectory => resealed::older(honest, random, true),
            Self::OlderDirectoryUnseen => resealed::older(honest, random, false),
            Self::DropSealed => resealed::drop_one(honest, random),
            Self::DropTwoSealed => resealed::drop_two(honest, random),
            Self::OmitPeriod => resealed::omit(honest, random),
            Self::DropAccess => resealed::drop_access(honest, random),
            Self::AlterCount => resealed::alter(honest, random, true),
            Self::AlterCountUnseen => resealed::alter(honest, random, false),
            Self::Fork => resealed::fork(honest, random),
            Self::LowerCutoff => resealed::lower_cutoff(honest, random),
            Self::MiscountKeys => resealed::miscount(honest, random),
            Self::OpenTwice => resealed::open_twice(honest, random),
            Self::OtherStore => resealed::other_store(honest, random),
            Self::Garble => resealed::garble(honest, random),
        }
    }
}

/// A random place below a bound.
fn place(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(u64::try_from(bound).unwrap())).unwrap()
}
