"""An authority of one's own, and the certificate of one server, made by openssl as operators make them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files: the authority, and what it has signed for a server of the name `localhost`, not for its address."""

    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Valid for a day. The key can be read by its owner only, as PostgreSQL insists."""
    made = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    authority_key, request, extension = folder / "authority.key", folder / "server.csr", folder / "names"
    extension.write_text("subjectAltName=DNS:localhost\n")
    _openssl("req", "-x509", *_NEW_KEY, "-days", "1", "-subj", "/CN=Test authority",
             "-keyout", authority_key, "-out", made.authority)  # fmt: skip
    _openssl("req", *_NEW_KEY, "-subj", "/CN=localhost", "-keyout", made.key, "-out", request)
    _openssl("x509", "-req", "-days", "1", "-in", request, "-CA", made.authority, "-CAkey", authority_key,
             "-CAcreateserial", "-extfile", extension, "-out", made.certificate)  # fmt: skip
    made.key.chmod(0o600)
    return made


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
