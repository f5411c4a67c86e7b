//! What a requester is given: the files of a response package, and the words of a no-records certificate.
//!
//! A package is made from the answers as they were sealed when they were given, never from what somebody sends back. It says what it is:
//! answers, a draft that a qualified person may sign, and digests under a key. Nothing in it is certified by a program.
//!
//! Two packages of the same answers, under the same configuration, differ in `created` of the manifest and in its signature alone.

#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

mod certificate;
mod custodians;
mod declaration;
mod fees;
mod html;
mod manifest;
mod page;

use chrono_tz::Tz;

use crate::api::{CustodianText, LookupAnswer};
use crate::desk::{Item, Papers};
use crate::domain::time::Timestamp;
use crate::shown::{answer, cells};

pub use certificate::{Facts, not_ours, purged};
pub use custodians::custodians;
pub use fees::Bill;

/// How its receiver checks a package; the words of `VERIFY.txt`.
const VERIFY: &str = include_str!("verify.txt");

/// What a package is made of.
pub struct Response<'a> {
    /// The request.
    pub request: String,
    /// Its papers.
    pub papers: &'a Papers,
    /// The answers, in the order of the items.
    pub answers: Vec<Answered<'a>>,
    /// In whose name they are given.
    pub custodians: Vec<CustodianText>,
    /// What they cost.
    pub bill: Bill,
    /// The zone of local times.
    pub zone: Tz,
    /// The name and version of the software.
    pub software: String,
    /// The digest of the policy in force.
    pub policy: String,
    /// The digest of the table of process types.
    pub process_types: String,
}

/// An item and the answer that was given.
pub struct Answered<'a> {
    /// Its number.
    pub number: u32,
    /// The item.
    pub item: &'a Item,
    /// The answer, byte for byte.
    pub bytes: Vec<u8>,
    /// The same, understood.
    pub answer: LookupAnswer,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl File {
    fn text(name: &'static str, text: String) -> Self {
        Self { name, bytes: text.into_bytes() }
    }
}

/// The key that signs packages.
pub struct Key<'a> {
    /// The public key.
    pub public: [u8; 32],
    /// The same in PEM.
    pub pem: String,
    /// Signs with it (Ed25519, RFC 8032).
    pub sign: &'a dyn Fn(&[u8]) -> [u8; 64],
}

impl Response<'_> {
    /// The files of the package, made at `created`; the manifest and its signature come last.
    ///
    /// # Errors
    ///
    /// If the manifest cannot be written as JSON, which is a fault of ours.
    pub fn files(&self, created: Timestamp, key: &Key<'_>) -> Result<Vec<File>, serde_json::Error> {
        let mut files = vec![
            File { name: "answers.json", bytes: self.json() },
            File::text("answers.csv", self.csv()),
            File::text("answers.html", page::page(self)),
            File::text("fees.csv", self.bill.csv()),
        ];
        files.push(File::text("declaration.txt", declaration::text(self, &files)));
        files.push(File::text("public-key.pem", key.pem.clone()));
        files.push(File::text("VERIFY.txt", VERIFY.to_owned()));
        files.push(File::text("SHA256SUMS", manifest::sums(&files)));
        let manifest = manifest::json(self, &files, created, &key.public)?;
        let signature = (key.sign)(&manifest);
        files.push(File { name: "manifest.json", bytes: manifest });
        files.push(File { name: "manifest.sig", bytes: signature.to_vec() });
        Ok(files)
    }

    /// The answers as an array, each with the bytes that were given.
    fn json(&self) -> Vec<u8> {
        let answers: Vec<&[u8]> = self.answers.iter().map(|answered| answered.bytes.as_slice()).collect();
        [b"[".as_slice(), &answers.join(b",\n".as_slice()), b"]\n"].concat()
    }

    /// The table that `lapse lookup -o csv` prints.
    fn csv(&self) -> String {
        let rows = self.answers.iter().map(|answered| cells::row(answer::row(&answered.answer)));
        std::iter::once(cells::row(answer::COLUMNS)).chain(rows).collect()
    }
}
