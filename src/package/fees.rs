//! The bill: what is configured, times what was asked.

use crate::api::FeeLine;
use crate::config::Fees;
use crate::domain::money::Money;
use crate::domain::process::ProcessType;
use crate::shown::cells;

/// What a request costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// A line for everything that costs something.
    pub lines: Vec<FeeLine>,
    /// All of them together; `None` if there is none.
    pub total: Option<Money>,
}

impl Bill {
    /// The bill of a request of this kind with so many items.
    pub fn of(fees: &Fees, process: ProcessType, items: usize) -> Self {
        let fee = fees.of(process);
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        let mut bill = Self::default();
        for (what, count, each) in [("request", 1, fee.request), ("item", items, fee.item)] {
            let Some(each) = each.filter(|_| count > 0) else { continue };
            let total = each.times(count);
            bill.total = Some(bill.total.map_or(total, |sum| sum.plus(total)));
            let (each, total) = (each.to_string(), total.to_string());
            bill.lines.push(FeeLine { what: what.to_owned(), count, each, total });
        }
        bill
    }

    /// As `fees.csv` has it: a header, its lines, and the total where there is one.
    pub(super) fn csv(&self) -> String {
        let mut csv = cells::row(["what", "count", "each", "total"]);
        for FeeLine { what, count, each, total } in &self.lines {
            csv.push_str(&cells::row([what, &count.to_string(), each, total]));
        }
        if let Some(total) = self.total {
            csv.push_str(&cells::row(["total", "", "", &total.to_string()]));
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Fee;

    #[test]
    fn a_kind_with_a_fee_of_its_own_is_billed_by_it() {
        let money = |text: &str| Some(text.parse::<Money>().unwrap());
        let general = Fee { request: money("25.00 USD"), item: money("0.35 USD") };
        let civil = Fee { request: money("40.10 USD"), item: None };
        let fees = Fees { general, of_types: [(ProcessType::CivilOrder, civil)].into() };
        let csv = Bill::of(&fees, ProcessType::Subpoena, 3).csv();
        let expected = "what,count,each,total\r\nrequest,1,25.00 USD,25.00 USD\r\nitem,3,0.35 USD,1.05 USD\r\ntotal,,,26.05 USD\r\n";
        assert_eq!(csv, expected);
        assert_eq!(Bill::of(&fees, ProcessType::CivilOrder, 3).total, money("40.10 USD"));
        assert_eq!(Bill::of(&Fees::default(), ProcessType::Subpoena, 3).csv(), "what,count,each,total\r\n");
    }
}
