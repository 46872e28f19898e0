"""Certificates for servers of the tests, made by openssl."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def certificate(folder, name):
    """A self-signed certificate for a host name, as files of certificate and key; skips where openssl is missing."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    crt, key = folder / "crt.pem", folder / "key.pem"
    making = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days", "2"]
    subprocess.run([*making, *names, "-keyout", str(key), "-out", str(crt)], check=True, capture_output=True)
    return crt, key
