//! The draft of a declaration, for a qualified person to read, correct and sign.

use super::manifest::digest;
use super::{File, Response};
use crate::api::CustodianText;
use crate::shown::escape::escape;

/// What a person fills in.
const BLANK: &str = "______________________________";

/// One draft for each custodian, at least one; it names the digests of these files.
pub(super) fn text(response: &Response<'_>, files: &[File]) -> String {
    let nobody = || CustodianText { entity: String::new(), brand: String::new(), custodian: String::new() };
    let drafts = response.custodians.iter().map(|custodian| one(response, custodian, files));
    let mut drafts: Vec<String> = drafts.collect();
    if drafts.is_empty() {
        drafts.push(one(response, &nobody(), files));
    }
    drafts.join("\n\n------------------------------------------------------------------------\n\n")
}

fn one(response: &Response<'_>, custodian: &CustodianText, files: &[File]) -> String {
    let or_blank = |text: &str| if text.is_empty() { BLANK.to_owned() } else { escape(text) };
    let CustodianText { entity, brand, custodian } = custodian;
    let company = or_blank(if brand.is_empty() { entity } else { brand });
    let custodian = or_blank(custodian);
    let field = |name: &str| or_blank(response.papers.field(name));
    let (case, authority, agency) = (field("case"), field("authority"), field("agency"));
    let attached: String = files.iter().map(|file| format!("   {}  {}\n", digest(file), file.name)).collect();
    let (request, software) = (&response.request, &response.software);
    format!(
        "DRAFT, NOT SIGNED

A program has prepared this text. It says nothing until a qualified person has read it, struck out what they cannot say of their own
knowledge, and signed it.

DECLARATION OF A CUSTODIAN OR ANOTHER QUALIFIED PERSON
Federal Rules of Evidence 902(11), 902(13) and 803(6)

Records of:  {company}
Custodian:   {custodian}
Request:     {request}
Case:        {case}
Authority:   {authority}
Agency:      {agency}

I, {BLANK}, declare:

1. I am a custodian of the records named above, or otherwise qualified to speak of them. My title is
   {BLANK}.

2. The records of address assignments on which the attached answers rest were made at or near the time of what they record, from what
   the servers of the network that assign addresses reported of it. They are kept in the course of a regularly conducted activity, and
   making them is a regular practice of that activity.

3. The answers come from an electronic process: the servers report assignments, the software ({software}) records the reports, and
   answers each question by fixed rules from what is readable when it is asked. It produces an accurate result, within the cautions
   that each answer states. I know this because
   {BLANK}{BLANK}.

4. Attached to this declaration, with their SHA-256 digests, are:

{attached}
5. An answer names an account, and an account is not a person. Where an answer says that nothing is readable, it does not say that
   nothing existed.

I declare under penalty of perjury under the laws of the United States of America that the foregoing is true and correct (28 USC 1746).

Signature:  {BLANK}
Name:       {BLANK}
Title:      {BLANK}
Date:       {BLANK}
"
    )
}
