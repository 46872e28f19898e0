"""A real S3 protocol on loopback that keeps conditions: moto's server, one request after the other."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from werkzeug.serving import make_server

from builders_stores import KEY, SECRET


@dataclass(frozen=True)
class Moto:
    """The server, with an empty bucket called `site`. `requests` are those that came, as (method, path)."""

    port: int
    requests: list

    def environment(self, port=None, **more):
        """What a program needs to know to use it, through another port if that is said."""
        endpoint = f"http://127.0.0.1:{port or self.port}"
        place = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1"}
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET} | place | more


@contextmanager
def moto() -> Iterator[Moto]:
    """Serve it in this process.

    Without threads: each request is whole before the next begins, as a store's conditions are. moto itself checks
    and writes in two steps.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        app = DomainDispatcherApplication(create_backend_app)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    came = []

    def counted(environ, start_response):
        came.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, counted, threaded=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        requests.put(f"{url}/site", timeout=10).raise_for_status()
        came.clear()
        yield Moto(server.server_port, came)
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
