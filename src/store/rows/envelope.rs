//! The envelope of a stored value: a version byte in clear, then AES-256-GCM-SIV (RFC 8452) over the record.

use aes_gcm_siv::aead::AeadInPlace as _;
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};

use super::keys::KEY_BYTES;

/// Version of the envelope and of the record in it.
pub(super) const VERSION: u8 = 1;

const AUTHENTICATED_BYTES: usize = 1 + KEY_BYTES;

/// The value does not open: other bytes, another key, another place or another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct NotOpened;

/// Seals a record for the place `key`: moved elsewhere, it does not open.
pub(in crate::store) fn seal(cipher: &Aes256GcmSiv, key: &[u8; KEY_BYTES], plain: &[u8]) -> Result<Vec<u8>, NotOpened> {
    let mut value = Vec::with_capacity(plain.len().saturating_add(1 + 16));
    value.push(VERSION);
    value.extend_from_slice(plain);
    let (_, body) = value.split_first_mut().ok_or(NotOpened)?;
    let tag =
        cipher.encrypt_in_place_detached(&nonce(key), &authenticated(VERSION, key), body).map_err(|_| NotOpened)?;
    value.extend_from_slice(&tag);
    Ok(value)
}

/// Opens what [`seal`] made for the same place.
pub(in crate::store) fn open(cipher: &Aes256GcmSiv, key: &[u8; KEY_BYTES], value: &[u8]) -> Result<Vec<u8>, NotOpened> {
    let (version, rest) = value.split_first().ok_or(NotOpened)?;
    if *version != VERSION {
        return Err(NotOpened);
    }
    let (body, tag) = rest.split_last_chunk::<16>().ok_or(NotOpened)?;
    let mut plain = body.to_vec();
    cipher
        .decrypt_in_place_detached(&nonce(key), &authenticated(*version, key), &mut plain, Tag::from_slice(tag))
        .map_err(|_| NotOpened)?;
    Ok(plain)
}

/// The last 12 bytes of the key: the end of the tag, the time and the id. Two rows may share them, and one row is written
/// again with another value when it is re-kinded: under GCM-SIV a repeated nonce shows at most that two sealed texts with the
/// same key and the same text are equal, which the key already says.
fn nonce(key: &[u8; KEY_BYTES]) -> Nonce {
    let mut nonce = Nonce::default();
    for (byte, of_key) in nonce.iter_mut().zip(key.iter().skip(KEY_BYTES - 12)) {
        *byte = *of_key;
    }
    nonce
}

fn authenticated(version: u8, key: &[u8; KEY_BYTES]) -> [u8; AUTHENTICATED_BYTES] {
    let mut bytes = [version; AUTHENTICATED_BYTES];
    for (byte, of_key) in bytes.iter_mut().skip(1).zip(key) {
        *byte = *of_key;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use aes_gcm_siv::KeyInit as _;

    use super::*;

    fn cipher() -> Aes256GcmSiv {
        Aes256GcmSiv::new(&[7; 32].into())
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let key = [3; KEY_BYTES];
        let value = seal(&cipher(), &key, b"record").unwrap();
        assert_eq!(value.len(), 1 + 6 + 16);
        assert_eq!(open(&cipher(), &key, &value), Ok(b"record".to_vec()));

        let mut elsewhere = key;
        elsewhere[0] = 4;
        assert_eq!(open(&cipher(), &elsewhere, &value), Err(NotOpened));
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let key = [3; KEY_BYTES];
        let value = seal(&cipher(), &key, b"record").unwrap();
        for at in 0..value.len() {
            let mut changed = value.clone();
            changed[at] ^= 1;
            assert_eq!(open(&cipher(), &key, &changed), Err(NotOpened), "byte {at}");
        }
        for len in 0..value.len() {
            assert_eq!(open(&cipher(), &key, &value[..len]), Err(NotOpened));
        }
    }
}
