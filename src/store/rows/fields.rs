//! The input of a keyed hash: a list of fields that can be read in one way only.

/// Bytes to be hashed. Each field stands behind its length, so that no two lists of fields make the same bytes.
pub(in crate::store) struct Fields(Vec<u8>);

impl Fields {
    /// Starts with a word that says what is hashed, so that hashes for different uses never meet.
    pub(in crate::store) fn of(domain: &str) -> Self {
        Self(Vec::with_capacity(192)).and(domain.as_bytes())
    }

    /// One more field.
    pub(in crate::store) fn and(mut self, field: &[u8]) -> Self {
        // No field comes near 4 GiB: they are attributes of packets.
        let len = u32::try_from(field.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&len.to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }

    /// A field that may be absent, which is not the same as empty: present, it follows a field `1`; absent, there is a field `0`.
    pub(in crate::store) fn and_maybe(self, field: Option<&[u8]>) -> Self {
        match field {
            Some(field) => self.and(&[1]).and(field),
            None => self.and(&[0]),
        }
    }

    /// The first `N` bytes of the BLAKE3 keyed hash.
    pub(in crate::store) fn keyed_hash<const N: usize>(&self, key: &[u8; 32]) -> [u8; N] {
        first_bytes(&blake3::keyed_hash(key, &self.0))
    }
}

/// The first `N` bytes of a hash; `N` is at most 32.
pub(in crate::store) fn first_bytes<const N: usize>(hash: &blake3::Hash) -> [u8; N] {
    const { assert!(N <= 32, "a hash has 32 bytes") };
    let mut bytes = [0; N];
    for (byte, of_hash) in bytes.iter_mut().zip(hash.as_bytes()) {
        *byte = *of_hash;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_field_ends_matters() {
        let key = [7; 32];
        let a: [u8; 12] = Fields::of("x").and(b"ab").and(b"c").keyed_hash(&key);
        let b: [u8; 12] = Fields::of("x").and(b"a").and(b"bc").keyed_hash(&key);
        assert_ne!(a, b);
    }

    #[test]
    fn absent_is_not_empty() {
        let key = [7; 32];
        let absent: [u8; 8] = Fields::of("x").and_maybe(None).keyed_hash(&key);
        let empty: [u8; 8] = Fields::of("x").and_maybe(Some(b"")).keyed_hash(&key);
        assert_ne!(absent, empty);
    }
}
