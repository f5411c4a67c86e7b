//! The law's minimum: the most that each kind of process may release, and the least that it needs.
//!
//! An installation may ask for more and release less. What is here, no file can change.

use super::terms::{Class, Group, Hold, Need, Terms};
use super::{Breach, ProcessType};

/// The minimum for one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Law {
    /// Its class.
    pub class: Class,
    /// The most that it releases.
    pub releases: &'static [Group],
    /// May it give the right to ask for everything that one subscriber had?
    pub reverse: bool,
    /// The least that it needs.
    pub needs: &'static [Need],
    /// The hold that it places.
    pub hold: HoldByLaw,
    /// Must it be published in bands only?
    pub counted_in_bands: bool,
    /// Why nothing here can answer it.
    pub refused: Option<&'static str>,
}

/// Which hold a kind places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldByLaw {
    /// None.
    None,
    /// This one, no longer and no shorter.
    Fixed(Hold),
    /// One, for as long as the installation says.
    Open,
}

const BASIC: &[Group] = &[Group::Subscriber, Group::SessionTimes, Group::Addresses];
const ALL: &[Group] = &Group::ALL;
const SUBSCRIBER: &[Group] = &[Group::Subscriber];

/// The minimum for `kind`.
pub const fn of(kind: ProcessType) -> Law {
    use Class::{Compelled, Customer, Voluntary};
    match kind {
        ProcessType::Subpoena => releasing(Compelled, BASIC, &[Need::Statute]).and_reverse(),
        ProcessType::CourtOrder | ProcessType::Warrant => {
            releasing(Compelled, ALL, &[Need::Judge, Need::OrderNumber]).and_reverse()
        }
        ProcessType::DefenceSubpoena => releasing(Compelled, BASIC, &[Need::LegalReview, Need::Court]).and_reverse(),
        ProcessType::CivilOrder => releasing(Compelled, SUBSCRIBER, &[Need::ServiceDate, Need::ObjectionDate]),
        ProcessType::Nsl => releasing(Compelled, SUBSCRIBER, &[Need::Certification]).in_bands(),
        ProcessType::Fisa => releasing(Compelled, ALL, &[Need::OrderNumber, Need::Scope]).and_reverse().in_bands(),
        ProcessType::Consent => {
            const NEEDS: &[Need] = &[Need::ProofOfConsent, Need::ProofOfIdentity, Need::Customer];
            releasing(Voluntary, ALL, NEEDS).and_reverse()
        }
        ProcessType::ProviderProtection => releasing(Voluntary, BASIC, &[Need::Approver, Need::Incident, Need::Reason]),
        ProcessType::Emergency => {
            const NEEDS: &[Need] = &[Need::CallBackProof, Need::NatureOfHarm, Need::SecondPerson, Need::FollowUpDue];
            releasing(Voluntary, ALL, NEEDS).and_reverse()
        }
        ProcessType::Cybertip => releasing(Voluntary, BASIC, &[Need::ReportId]).holding(365, 0, 0),
        ProcessType::Customer => releasing(Customer, ALL, &[Need::Authentication, Need::Customer]).and_reverse(),
        ProcessType::Preservation => releasing(Compelled, &[], &[Need::Scope]).holding(90, 1, 90),
        ProcessType::CivilPreservation => {
            Law { hold: HoldByLaw::Open, ..releasing(Compelled, &[], &[Need::Court, Need::Matter]) }
        }
        ProcessType::EuPreservation => {
            releasing(Compelled, &[], &[Need::IssuingAuthority, Need::ValidatingAuthority]).holding(60, 1, 30)
        }
        ProcessType::PenRegister | ProcessType::TitleIii => refused("this store has the past only"),
        ProcessType::Dmca512h => refused("it releases nothing; refer it to counsel"),
    }
}

const fn releasing(class: Class, releases: &'static [Group], needs: &'static [Need]) -> Law {
    let hold = HoldByLaw::None;
    Law { class, releases, reverse: false, needs, hold, counted_in_bands: false, refused: None }
}

const fn refused(reason: &'static str) -> Law {
    Law { refused: Some(reason), ..releasing(Class::Compelled, &[], &[]) }
}

impl Law {
    const fn and_reverse(self) -> Self {
        Self { reverse: true, ..self }
    }

    const fn in_bands(self) -> Self {
        Self { counted_in_bands: true, ..self }
    }

    const fn holding(self, days: u16, renewals: u16, renewal_days: u16) -> Self {
        Self { hold: HoldByLaw::Fixed(Hold { days, renewals, renewal_days }), ..self }
    }
}

/// Every way in which `terms` stand below the minimum for `kind`, or contradict themselves.
pub fn breaches(kind: ProcessType, terms: &Terms) -> Vec<Breach> {
    let law = of(kind);
    let mut found = Vec::new();
    if terms.class != law.class {
        found.push(Breach::Class { is: law.class });
    }
    if terms.refused.is_some() {
        let answered = !terms.releases.is_empty() || terms.reverse || terms.hold.is_some();
        found.extend(answered.then_some(Breach::RefusedAndAnswered));
        return found;
    }
    if let Some(reason) = law.refused {
        found.push(Breach::MustRefuse { reason });
        return found;
    }
    let beyond = terms.releases.iter().filter(|group| !law.releases.contains(group));
    found.extend(beyond.map(|group| Breach::ReleasesMore { group: *group, most: law.releases }));
    if terms.reverse && !law.reverse {
        found.push(Breach::Reverse);
    } else if terms.reverse && BASIC.iter().any(|group| !terms.releases.contains(group)) {
        found.push(Breach::ReverseOfWhat);
    }
    let lacking = law.needs.iter().filter(|need| !terms.needs.contains(need));
    found.extend(lacking.map(|need| Breach::NeedsLess { need: *need }));
    found.extend(wrong_hold(law.hold, terms.hold));
    if law.counted_in_bands && !terms.counted_in_bands {
        found.push(Breach::Bands);
    }
    found
}

fn wrong_hold(law: HoldByLaw, hold: Option<Hold>) -> Option<Breach> {
    match (law, hold) {
        (HoldByLaw::None, None) | (HoldByLaw::Open, Some(_)) => None,
        (HoldByLaw::Fixed(fixed), Some(hold)) if fixed == hold => None,
        (HoldByLaw::None, Some(_)) => Some(Breach::NoHold),
        (HoldByLaw::Open, None) => Some(Breach::HoldOpen),
        (HoldByLaw::Fixed(fixed), _) => Some(Breach::HoldFixed { fixed }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row that stands at the minimum.
    fn minimal(kind: ProcessType) -> Terms {
        let law = of(kind);
        let hold = match law.hold {
            HoldByLaw::None => None,
            HoldByLaw::Fixed(hold) => Some(hold),
            HoldByLaw::Open => Some(Hold { days: 30, renewals: 0, renewal_days: 0 }),
        };
        Terms {
            statute: String::new(),
            class: law.class,
            releases: law.releases.iter().copied().collect(),
            reverse: law.reverse,
            needs: law.needs.iter().copied().collect(),
            hold,
            counted_in_bands: law.counted_in_bands,
            refused: law.refused.map(str::to_owned),
        }
    }

    #[test]
    fn the_minimum_and_everything_stricter_is_no_breach() {
        for kind in ProcessType::ALL {
            let least = minimal(kind);
            let silent = Terms { releases: [].into(), reverse: false, ..least.clone() };
            let demanding = Terms { needs: Need::ALL.into(), ..least.clone() };
            let refused = Terms { hold: None, refused: Some("ask counsel".to_owned()), ..silent.clone() };
            for terms in [least, silent, demanding, refused] {
                assert_eq!(breaches(kind, &terms), [], "{kind}: {terms:?}");
            }
        }
    }

    #[test]
    fn nothing_below_the_minimum_passes() {
        for kind in ProcessType::ALL {
            let (law, least) = (of(kind), minimal(kind));
            for need in law.needs {
                let needs = least.needs.iter().filter(|kept| *kept != need).copied().collect();
                assert_eq!(breaches(kind, &Terms { needs, ..least.clone() }), [Breach::NeedsLess { need: *need }]);
            }
            for group in Group::ALL.into_iter().filter(|group| !law.releases.contains(group)) {
                let releases = least.releases.iter().copied().chain([group]).collect();
                let found = breaches(kind, &Terms { releases, ..least.clone() });
                let more = Breach::ReleasesMore { group, most: law.releases };
                let either = if law.refused.is_some() { Breach::RefusedAndAnswered } else { more };
                assert_eq!(found, [either], "{kind}");
            }
            for class in Class::ALL.into_iter().filter(|class| *class != law.class) {
                assert_eq!(breaches(kind, &Terms { class, ..least.clone() }), [Breach::Class { is: law.class }]);
            }
            if let Some(reason) = law.refused {
                assert_eq!(breaches(kind, &Terms { refused: None, ..least }), [Breach::MustRefuse { reason }]);
            } else {
                if !law.reverse {
                    assert_eq!(breaches(kind, &Terms { reverse: true, ..least.clone() }), [Breach::Reverse]);
                }
                let bands = breaches(kind, &Terms { counted_in_bands: false, ..least.clone() });
                assert_eq!(bands.contains(&Breach::Bands), law.counted_in_bands);
                let other = Some(Hold { days: 1, renewals: 9, renewal_days: 9 });
                let held = breaches(kind, &Terms { hold: other, ..least });
                assert_eq!(held.is_empty(), law.hold == HoldByLaw::Open, "{kind}: {held:?}");
            }
        }
    }

    #[test]
    fn a_list_of_assignments_says_what_was_assigned_to_whom_and_when() {
        let terms = Terms { releases: [Group::Subscriber].into(), ..minimal(ProcessType::Warrant) };
        assert_eq!(breaches(ProcessType::Warrant, &terms), [Breach::ReverseOfWhat]);
    }
}
