"""Certificates made on the spot, for TLS over real sockets."""

import datetime
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


class Authority:
    """A certificate authority, and the files it gives out."""

    def __init__(self, folder: Path, name: str) -> None:
        """Args: folder: for the files; name: theirs begin with it."""
        self._folder, self._name = folder, name
        self._ca = trustme.CA(organization_name=name)
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def server(self) -> tuple[str, str]:
        """Certificate and key of `localhost`, as files."""
        issued = self._ca.issue_cert("localhost", "127.0.0.1")
        files = self._folder / f"{self._name}-server.crt", self._folder / f"{self._name}-server.key"
        for file, blobs in zip(files, (issued.cert_chain_pems, [issued.private_key_pem]), strict=True):
            file.write_bytes(b"".join(blob.bytes() for blob in blobs))
        return str(files[0]), str(files[1])

    def trust(self) -> ssl.SSLContext:
        """A sender that shows no certificate and expects one of this authority."""
        return ssl.create_default_context(cafile=str(self.file))

    def sender(
        self, server: "Authority", *names: str, common: str | None = None, expired: bool = False
    ) -> ssl.SSLContext:
        """A sender that shows a certificate of this authority.

        Args:
            server: The authority of the port's certificate.
            names: Its DNS names.
            common: Its common name.
            expired: Whether it has ended.
        """
        issued = self._ca.issue_cert(*names, common_name=common, not_after=LONG_AGO if expired else None)
        context = server.trust()
        issued.configure_cert(context)
        return context


def self_signed(folder: Path, name: str, server: Authority) -> ssl.SSLContext:
    """A sender that shows a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    itself = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(
        issuer_name=itself,
        subject_name=itself,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=LONG_AGO,
        not_valid_after=LONG_AGO + datetime.timedelta(days=36_500),
    ).sign(key, hashes.SHA256())
    file = folder / "self-signed.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    context = server.trust()
    context.load_cert_chain(file)
    return context
