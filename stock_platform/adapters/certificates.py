"""A certificate authority of this machine's own, for servers that stand in for a vendor's.

Its key never leaves its folder and signs nothing but names of that vendor; who does not point at its certificate by
SSL_CERT_FILE or the like does not trust it."""

import ssl
from collections.abc import Sequence
from pathlib import Path

import trustme

CERTIFICATE_NAME = "ca.pem"
_KEY_NAME = "ca.key"


def server_context(folder: Path, names: Sequence[str]) -> ssl.SSLContext:
    """What a server needs to be believed that it is those names, by who trusts the folder's authority; made if missing."""
    authority = _authority(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context


def _authority(folder: Path) -> trustme.CA:
    certificate, key = folder / CERTIFICATE_NAME, folder / _KEY_NAME
    if certificate.exists() and key.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Stock platform's simulator")
    _write_secret(key, authority.private_key_pem.bytes())
    authority.cert_pem.write_to_path(certificate)
    return authority


def _write_secret(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
