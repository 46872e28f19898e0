"""A real S3 on loopback, and a line to it (or to any server) that breaks off at random bytes."""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from builders_http import waits_until

KEY, SECRET = "K" * 20, "s" * 40
RCLONE = Path(sysconfig.get_path("scripts"), "rclone")


@dataclass(frozen=True)
class S3:
    """The server: its port, and the folder in which every bucket is a folder."""

    port: int
    folder: Path

    def environment(self, port=None, **more):
        """What a program needs to know to use it, through another port if that is said."""
        endpoint = f"http://127.0.0.1:{port or self.port}"
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": endpoint} | more

    def names(self, bucket="site"):
        """The names of all objects; what an upload holds before it has its name is none."""
        found = (path for path in (self.folder / bucket).rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.folder / bucket)) for path in found if ".rclone_temp" not in path.name)

    def content(self, key, bucket="site"):
        """What an object holds."""
        return (self.folder / bucket / key).read_bytes()


@contextmanager
def s3(folder: Path) -> Iterator[S3]:
    """Serve an empty bucket called `site`."""
    with _rclone(folder, "--auth-key", f"{KEY},{SECRET}") as port:
        yield S3(port, folder)


@dataclass(frozen=True)
class Google(S3):
    """A server that speaks as Google Cloud Storage does in XML, which is what S3 speaks; signatures it takes unseen."""

    account: Path = Path()

    def environment(self, port=None, **more):
        """A service account, whose key signs tokens and links, and where the server is."""
        endpoint = f"http://127.0.0.1:{port or self.port}"
        return {"GOOGLE_SERVICE_ACCOUNT": str(self.account), "GOOGLE_BASE_URL": endpoint} | more


@contextmanager
def google(folder: Path) -> Iterator[Google]:
    """Serve an empty bucket called `site`; skips where openssl, which makes the account's key, is missing."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the key of the account")
    with _rclone(folder) as port:
        making = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        key = subprocess.run(making, check=True, capture_output=True, text=True).stdout
        said = {"type": "service_account", "client_email": "r@test.iam.gserviceaccount.com", "private_key_id": "1"}
        account = folder.parent / "account.json"
        account.write_text(json.dumps({**said, "private_key": key}))
        yield Google(port, folder, account)


@contextmanager
def _rclone(folder, *options):
    """Serve the folders in a folder as buckets, one of them called `site`; gives the port."""
    (folder / "site").mkdir(parents=True)
    port = free_port()
    command = [str(RCLONE), "serve", "s3", "--config", "/dev/null", *options]
    command += ["--addr", f"127.0.0.1:{port}", "--vfs-cache-mode", "off", str(folder)]
    with (folder.parent / "rclone.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        assert waits_until(lambda: answers(port), 60), "rclone does not serve"
        yield port
    finally:
        process.terminate()
        process.wait()


def free_port():
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def answers(port):
    """Whether somebody listens."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@dataclass
class Line:
    """A line to a server. While `cuts` are left, each connection is cut after `least` to `most` bytes, either way."""

    port: int
    dice: random.Random
    least: int
    most: int
    cuts: int = 0
    cut: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def allowance(self):
        """After how many bytes the next connection is cut; None: it is not."""
        with self.lock:
            if self.cuts <= 0:
                return None
            self.cuts -= 1
            return self.dice.randint(self.least, self.most)


@contextmanager
def breaking(server_port, *, seed, least=1, most=4_000_000) -> Iterator[Line]:
    """A line to a server on loopback, whole until somebody sets `cuts`."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        line = Line(listening.getsockname()[1], random.Random(seed), least, most)

        def accept():
            while True:
                try:
                    near, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=_join, args=(near, server_port, line), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield line
        listening.shutdown(socket.SHUT_RDWR)


def _join(near, server_port, line):
    """Carry bytes both ways until one side ends, or enough of them have passed."""
    allowance = line.allowance()
    passed, ended = [0], threading.Event()
    with near, suppress(OSError), socket.create_connection(("127.0.0.1", server_port)) as far:

        def carry(source, target):
            with suppress(OSError):
                while data := source.recv(65_536):
                    passed[0] += len(data)
                    if allowance is not None and passed[0] >= allowance:
                        line.cut += 1
                        break
                    target.sendall(data)
            ended.set()

        for pair in ((near, far), (far, near)):
            threading.Thread(target=carry, args=pair, daemon=True).start()
        ended.wait()
        for side in (near, far):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
