//! The one cursor over bytes that came from outside. Nobody else indexes them.

/// A cursor over a slice: it hands out fixed arrays, integers in network order and sub-slices, and never reads twice.
#[derive(Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A cursor at the first of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Has everything been read?
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `N` octets.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndedEarly`] if fewer are left; the cursor then stays where it is, as after every failed read.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or_else(|| self.ended(N))?;
        self.rest = rest;
        Ok(*head)
    }

    /// The next octet.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndedEarly`] if nothing is left.
    pub fn u8(&mut self) -> Result<u8, ReadError> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    /// The next two octets, in network order.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndedEarly`] if fewer are left.
    pub fn u16(&mut self) -> Result<u16, ReadError> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next four octets, in network order.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndedEarly`] if fewer are left.
    pub fn u32(&mut self) -> Result<u32, ReadError> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next `count` octets.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndedEarly`] if fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], ReadError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.ended(count))?;
        self.rest = rest;
        Ok(head)
    }

    /// A cursor over the next `count` octets, which this one passes over.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndedEarly`] if fewer are left.
    pub fn sub(&mut self, count: usize) -> Result<Self, ReadError> {
        self.take(count).map(Self::new)
    }

    /// All that is left.
    pub const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Ends the reading: a parser that leaves octets over has failed.
    ///
    /// # Errors
    ///
    /// [`ReadError::TrailingBytes`] if something is left.
    pub const fn finish(self) -> Result<(), ReadError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(ReadError::TrailingBytes { count }),
        }
    }

    const fn ended(&self, wanted: usize) -> ReadError {
        ReadError::EndedEarly { wanted, left: self.rest.len() }
    }
}

/// Why bytes could not be read as what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The field is longer than what is left.
    #[error("ended early: {wanted} octets wanted, {left} left")]
    EndedEarly {
        /// Octets of the field.
        wanted: usize,
        /// Octets there were.
        left: usize,
    },
    /// Octets are left after the last field.
    #[error("{count} octets too many")]
    TrailingBytes {
        /// Octets left over.
        count: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_in_network_order() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(reader.u8(), Ok(0x01));
        assert_eq!(reader.u16(), Ok(0x0203));
        assert_eq!(reader.u32(), Ok(0x0405_0607));
        assert!(reader.is_empty());
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn a_failed_read_takes_nothing() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.u32(), Err(ReadError::EndedEarly { wanted: 4, left: 3 }));
        assert_eq!(reader.take(usize::MAX), Err(ReadError::EndedEarly { wanted: usize::MAX, left: 3 }));
        assert_eq!(reader.rest(), &[1, 2, 3]);
    }

    #[test]
    fn octets_left_over_are_an_error() {
        let mut reader = Reader::new(&[1, 2, 3]);
        let mut inner = reader.sub(2).unwrap();
        assert_eq!(inner.u8(), Ok(1));
        assert_eq!(inner.finish(), Err(ReadError::TrailingBytes { count: 1 }));
        assert_eq!(reader.u8(), Ok(3));
    }
}
