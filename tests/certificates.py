"""A certificate authority of the tests' own, and what it signs, made with ``openssl``."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Signed:
    """PEM files: who signed, and what a server shows."""

    ca: Path
    certificate: Path
    key: Path


def signed_for(address: str, folder: Path) -> Signed:
    """An authority that nobody knows, and a certificate for an address signed by it."""
    made = Signed(
        ca=folder / "ca.pem", certificate=folder / "server.pem", key=folder / "server.key"
    )
    ca_key, request, names = folder / "ca.key", folder / "server.csr", folder / "names.txt"
    names.write_text(f"subjectAltName=IP:{address}\nbasicConstraints=CA:FALSE\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl(
        "req", "-x509", *new_key, "-keyout", ca_key, "-out", made.ca, "-days", "2",
        "-subj", "/CN=the tests' own authority", "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    _openssl("req", *new_key, "-keyout", made.key, "-out", request, "-subj", "/CN=aerostat")
    _openssl(
        "x509", "-req", "-in", request, "-CA", made.ca, "-CAkey", ca_key, "-CAcreateserial",
        "-days", "2", "-extfile", names, "-out", made.certificate,
    )  # fmt: skip
    return made


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(
        ["openssl", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
