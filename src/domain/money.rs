//! Amounts of money: whole cents of one currency, never a fraction that a computer rounds.

use std::fmt;
use std::str::FromStr;

/// The most digits before the point: no sum of a request then overflows.
const DIGITS: usize = 7;

/// An amount, such as `25.00 USD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    cents: u64,
    currency: [u8; 3],
}

/// The text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an amount such as 25.00 USD")]
pub struct NoMoney;

impl FromStr for Money {
    type Err = NoMoney;

    /// One to seven digits, a point, two digits, a blank and three capital letters (ISO 4217).
    fn from_str(text: &str) -> Result<Self, NoMoney> {
        let (amount, currency) = text.split_once(' ').ok_or(NoMoney)?;
        let (whole, cents) = amount.split_once('.').ok_or(NoMoney)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = (1..=DIGITS).contains(&whole.len()) && cents.len() == 2;
        if !fits || !digits(whole) || !digits(cents) || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(NoMoney);
        }
        let cents = format!("{whole}{cents}").parse().map_err(|_| NoMoney)?;
        Ok(Self { cents, currency: currency.as_bytes().try_into().map_err(|_| NoMoney)? })
    }
}

impl Money {
    /// So many of it.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { cents: self.cents.saturating_mul(count.into()), ..self }
    }

    /// Both together; the currency is that of the first.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { cents: self.cents.saturating_add(other.cents), ..self }
    }

    /// Are both of one currency?
    pub fn is_like(self, other: Self) -> bool {
        self.currency == other.currency
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, cents) = (self.cents.div_euclid(100), self.cents.rem_euclid(100));
        write!(f, "{whole}.{cents:02} ")?;
        self.currency.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_cents() {
        let each: Money = "0.10 USD".parse().unwrap();
        assert_eq!(each.times(3).to_string(), "0.30 USD");
        assert_eq!(each.plus("25.05 USD".parse().unwrap()).to_string(), "25.15 USD");
        let most: Money = "9999999.99 EUR".parse().unwrap();
        assert_eq!(most.times(u32::MAX).plus(most).to_string(), "42949672917050327.04 EUR");
        assert!(!each.is_like(most));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in
            ["", "25", "25 USD", "25.0 USD", "25.000 USD", "-1.00 USD", "+1.00 USD", "1.00 usd", "1.00 US", "1.00  USD"]
        {
            assert_eq!(text.parse::<Money>(), Err(NoMoney), "{text}");
        }
        assert!("12345678.00 USD".parse::<Money>().is_err());
    }
}
