//! The two checks that a packet comes from someone who knows the secret. Both compare in constant time.
//!
//! MD5 is what the protocol has. It is keyed here and guards against accident and outsiders on a trusted network; a
//! link that others can reach needs a tunnel.

use hmac::{Hmac, Mac as _};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::attribute::{Attribute, AttributeType, HEADER_LEN};
use super::packet::{Authenticator, Header, Packet};
use crate::wire::reader::{ReadError, Reader};

/// Where a digest is taken over a packet whose Authenticator field counts as zero.
pub(super) const ZERO: Authenticator = [0; 16];

/// Octets of a Message-Authenticator with its header.
pub(super) const MESSAGE_AUTHENTICATOR_LEN: u8 = 18;
/// Type and length of a Message-Authenticator.
pub(super) const MESSAGE_AUTHENTICATOR_HEADER: [u8; 2] =
    [AttributeType::MESSAGE_AUTHENTICATOR.0, MESSAGE_AUTHENTICATOR_LEN];

/// MD5 over header, authenticator, attributes and secret: with [`ZERO`] the Request Authenticator of an
/// Accounting-Request (RFC 2866, section 3), with the request's the Response Authenticator (ibid.).
pub(super) fn digest(header: Header, authenticator: &Authenticator, attributes: &[u8], secret: &[u8]) -> Authenticator {
    let mut md5 = Md5::new();
    md5.update(header.octets());
    md5.update(authenticator);
    md5.update(attributes);
    md5.update(secret);
    md5.finalize().into()
}

/// Are the two the same? Takes as long whatever the answer.
pub(super) fn equal(one: &Authenticator, other: &Authenticator) -> bool {
    one.ct_eq(other).into()
}

/// HMAC-MD5 over a packet whose Message-Authenticator stands between `before` and `after` and counts as zero (RFC 3579,
/// section 3.2).
pub(super) fn message_authenticator(
    header: Header,
    authenticator: &Authenticator,
    (before, after): (&[u8], &[u8]),
    secret: &[u8],
) -> Authenticator {
    let mut hmac: Hmac<Md5> = Hmac::new(&hmac_key(secret).into());
    hmac.update(&header.octets());
    hmac.update(authenticator);
    hmac.update(before);
    hmac.update(&MESSAGE_AUTHENTICATOR_HEADER);
    hmac.update(&ZERO);
    hmac.update(after);
    hmac.finalize().into_bytes().into()
}

/// The secret as one block: filled up with zeros, or hashed first if it is longer (RFC 2104, section 2).
fn hmac_key(secret: &[u8]) -> [u8; 64] {
    let mut block = [0; 64];
    let hashed: [u8; 16];
    let key = if secret.len() > block.len() {
        hashed = Md5::digest(secret).into();
        hashed.as_slice()
    } else {
        secret
    };
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    block
}

/// What a packet's Message-Authenticator is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    /// There is none.
    Absent,
    /// There is one, and it holds.
    Valid,
    /// It does not hold, is not 16 octets long, or is not the only one.
    Invalid,
}

/// Checks the Message-Authenticator of a packet; `authenticator` is what counts as the Authenticator field.
pub(super) fn check_signature(packet: &Packet<'_>, authenticator: &Authenticator, secret: &[u8]) -> Signature {
    let mut place = None;
    let mut offset = 0_usize;
    for attribute in packet.attributes() {
        if attribute.kind == AttributeType::MESSAGE_AUTHENTICATOR {
            // Of two, one could be signed and the other be believed by whoever reads on.
            if place.is_some() {
                return Signature::Invalid;
            }
            place = Some((offset, attribute));
        }
        offset = offset.saturating_add(attribute.length.into());
    }
    let Some((offset, attribute)) = place else { return Signature::Absent };
    match signature_holds(packet, (offset, attribute), authenticator, secret) {
        Ok(true) => Signature::Valid,
        Ok(false) | Err(_) => Signature::Invalid,
    }
}

fn signature_holds(
    packet: &Packet<'_>,
    (offset, attribute): (usize, Attribute<'_>),
    authenticator: &Authenticator,
    secret: &[u8],
) -> Result<bool, ReadError> {
    let mut reader = Reader::new(packet.attributes().octets());
    let before = reader.take(offset)?;
    reader.take(HEADER_LEN.into())?;
    reader.take(attribute.value.len())?;
    let after = reader.rest();

    let mut value = Reader::new(attribute.value);
    let claimed = value.array()?;
    value.finish()?;
    Ok(equal(&claimed, &message_authenticator(packet.header(), authenticator, (before, after), secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hmac_md5(secret: &[u8], text: &[u8]) -> [u8; 16] {
        let mut hmac: Hmac<Md5> = Hmac::new(&hmac_key(secret).into());
        hmac.update(text);
        hmac.finalize().into_bytes().into()
    }

    #[test]
    fn secrets_shorter_and_longer_than_a_block_are_keys() {
        // RFC 2202, section 2: test cases 2 and 6.
        assert_eq!(
            hmac_md5(b"Jefe", b"what do ya want for nothing?"),
            0x750c_783e_6ab0_b503_eaa8_6e31_0a5d_b738_u128.to_be_bytes()
        );
        assert_eq!(
            hmac_md5(&[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            0x6b1a_b7fe_4bd7_bf8f_0b62_e6ce_61b9_d0cd_u128.to_be_bytes()
        );
    }
}
