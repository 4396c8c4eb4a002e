"""The signature of alerts: enveloped XML Signature with ECDSA on P-256, and the certificate that it is checked with.

The key is derived from the secret key file, so nothing else has to be kept. The certificate is signed by itself: whoever takes our alerts
fetches it once at `/cap/certificate.pem` and asks the town by telephone whether its fingerprint is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from content.key_ring import KeyPurpose
from content.keys import Keys
from content.town import Town

# The same at every start: it is the key that is trusted, and a new file would ask for that again.
VALID = datetime(2026, 1, 1, tzinfo=UTC), datetime(2056, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Signer:
    key: EllipticCurvePrivateKey
    town: str
    serial_number: int = 1

    @cached_property
    def certificate(self) -> x509.Certificate:
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.town),
                x509.NameAttribute(NameOID.COMMON_NAME, "CAP alerts"),
            ]
        )
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(self.serial_number)
            .not_valid_before(VALID[0])
            .not_valid_after(VALID[1])
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self.key, SHA256(), ecdsa_deterministic=True)
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sign(self, document: bytes) -> bytes:
        """The same document with its signature at the end."""
        return _signed(self, document)


def signer(keys: Keys, town: Town) -> Signer:
    """With the key of now: it may be rotated while the service runs."""
    key = keys.of_purpose(KeyPurpose.ALERTS)[0]
    return _signer(keys.alert_secret, town.name, key.generation + 1)


# To whoever asks for the same document again its bytes are to be the same.
@lru_cache(maxsize=4)
def _signer(secret: int, town: str, serial_number: int) -> Signer:
    return Signer(derive_private_key(secret, SECP256R1()), town, serial_number)


# A signature is another one each time; who asks again is to get the same bytes.
@lru_cache(maxsize=256)
def _signed(by: Signer, document: bytes) -> bytes:
    # They take a third of a second to import, and most towns never send an alert in a process's life.
    from lxml import etree
    from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod, SignatureMethod
    from signxml.signer import XMLSigner

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=False)
    made = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    ).sign(etree.fromstring(document, parser), key=by.key, cert=[by.certificate])
    return bytes(etree.tostring(made, encoding="UTF-8", xml_declaration=True))
