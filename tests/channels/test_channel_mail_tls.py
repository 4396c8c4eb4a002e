"""Mail over TLS: with a certificate that we trust, and with one that we don't. In both event loops."""

import asyncio
import datetime
import ipaddress
import ssl

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from channels.channel import Part, TemporaryFailure
from sandbox.mail.server import SmtpSandbox
from tests.channels.announcements import RETRY_KEY, collect_until_error, mail_readers, notice
from tests.channels.channel_settings import make_mail


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


def run_once(certificate, scheme, *, trusted, loop_factory):
    async def transport():
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        server = SmtpSandbox(tls=context, tls_from_start=scheme == "smtps", login=("town", "password"))
        trust = ssl.create_default_context(cafile=certificate) if trusted else None
        session = make_mail(await server.start(), scheme=scheme, login="town:password@", tls=trust)
        sending = session.send(session.channel.prepare(notice(), "ja"), mail_readers(3), RETRY_KEY)
        outcome = await collect_until_error(sending)
        await session.close()
        await server.stop()
        return *outcome, server.mailroom.stats()["messages"]

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(transport())


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_trusted_server_gets_the_mail(certificate, scheme, loop_factory):
    parts, error, arrived = run_once(certificate, scheme, trusted=True, loop_factory=loop_factory)
    assert (parts, error, arrived) == ([Part(3)], None, 3)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_server_with_a_foreign_certificate_gets_no_mail(certificate, scheme, loop_factory):
    parts, error, arrived = run_once(certificate, scheme, trusted=False, loop_factory=loop_factory)
    assert parts == []
    assert isinstance(error, TemporaryFailure)
    assert error.reason == "tls"
    assert arrived == 0
