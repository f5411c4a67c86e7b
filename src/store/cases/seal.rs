//! The key of one case, and the seal of its rows: a version byte and a nonce in clear, then AES-256-GCM-SIV (RFC 8452).

use aes_gcm_siv::aead::AeadInPlace as _;
use aes_gcm_siv::{Aes256GcmSiv, Key, KeyInit, Nonce, Tag};
use zeroize::Zeroizing;

use super::{CaseRow, NotOpened, ROW_KEY_BYTES};

const VERSION: u8 = 1;

/// What one slot opens. The cipher wipes its round keys when it is dropped.
pub(super) struct CaseKeys {
    cipher: Aes256GcmSiv,
    pub(super) commitment: [u8; 32],
}

impl CaseKeys {
    /// Derives the key from the whole slot, so that overwriting any part of it destroys it.
    pub(super) fn of_slot(slot: &[u8]) -> Self {
        let case = Zeroizing::new(blake3::derive_key("lapsed 2026-11 store v1: case key of a slot", slot));
        let sealing = Zeroizing::new(blake3::derive_key("lapsed 2026-11 store v1: sealing of cases", &*case));
        let commitment = blake3::derive_key("lapsed 2026-11 store v1: commitment to a case's slot", &*case);
        Self { cipher: Aes256GcmSiv::new(Key::<Aes256GcmSiv>::from_slice(&*sealing)), commitment }
    }

    /// Seals bytes for a row. The nonce is random, as a row is written again with other bytes.
    pub(super) fn seal(&self, row: &CaseRow, nonce: &[u8; 12], plain: &[u8]) -> Option<Vec<u8>> {
        let mut value = vec![VERSION];
        value.extend_from_slice(nonce);
        let mut body = plain.to_vec();
        let tag = self
            .cipher
            .encrypt_in_place_detached(Nonce::from_slice(nonce), &authenticated(VERSION, row), &mut body)
            .ok()?;
        value.extend_from_slice(&body);
        value.extend_from_slice(&tag);
        Some(value)
    }

    /// Opens what [`CaseKeys::seal`] made for the same row.
    pub(super) fn open(&self, row: &CaseRow, value: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let (version, rest) = value.split_first().ok_or(NotOpened)?;
        let (nonce, rest) = rest.split_first_chunk::<12>().ok_or(NotOpened)?;
        let (body, tag) = rest.split_last_chunk::<16>().ok_or(NotOpened)?;
        if *version != VERSION {
            return Err(NotOpened);
        }
        let mut plain = body.to_vec();
        let (nonce, tag) = (Nonce::from_slice(nonce), Tag::from_slice(tag));
        let opened = self.cipher.decrypt_in_place_detached(nonce, &authenticated(*version, row), &mut plain, tag);
        opened.map_err(|_| NotOpened)?;
        Ok(plain)
    }
}

fn authenticated(version: u8, row: &CaseRow) -> [u8; 1 + ROW_KEY_BYTES] {
    let mut bytes = [version; 1 + ROW_KEY_BYTES];
    for (byte, of_key) in bytes.iter_mut().skip(1).zip(row.to_bytes()) {
        *byte = of_key;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::CaseId;
    use super::*;

    #[test]
    fn what_is_sealed_opens_under_its_key_in_its_row_only() {
        let keys = CaseKeys::of_slot(&[7; 4096]);
        let row = CaseRow { case: CaseId([1; 16]), kind: b'p', number: 3 };
        let value = keys.seal(&row, &[5; 12], b"papers").unwrap();
        assert_eq!(value.len(), 1 + 12 + 6 + 16);
        assert_eq!(keys.open(&row, &value), Ok(b"papers".to_vec()));
        assert_eq!(keys.open(&CaseRow { number: 4, ..row }, &value), Err(NotOpened));
        assert_eq!(CaseKeys::of_slot(&[8; 4096]).open(&row, &value), Err(NotOpened));
        for at in 0..value.len() {
            let mut changed = value.clone();
            changed[at] ^= 1;
            assert_eq!(keys.open(&row, &changed), Err(NotOpened), "byte {at}");
        }
    }
}
