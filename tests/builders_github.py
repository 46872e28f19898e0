"""A stand-in for GitHub's REST API that keeps comments and merged pull requests, and a runner's environment."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

BOT = "github-actions[bot]"
TOKEN = "ghs_secretsecretsecret"


@dataclass
class Github:
    """What it knows, what it was asked, and what it answers instead of doing its work."""

    url: str = ""
    comments: list = field(default_factory=list)
    pulls: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    tokens: set = field(default_factory=set)
    troubles: list = field(default_factory=list)
    longest: int = 65_536
    page: int = 100

    def add(self, body, *, login=BOT, number=7):
        """A comment that is there already."""
        identifier = len(self.comments) + 1
        url = f"https://github.example/o/r/pull/{number}#issuecomment-{identifier}"
        self.comments.append(
            {"id": identifier, "body": body, "user": {"login": login}, "html_url": url, "number": number}
        )
        return self.comments[-1]

    def answer(self, method, path, content):
        """Status and JSON of one request."""
        self.asked.append(f"{method} {urlsplit(path).path}")
        if self.troubles:
            trouble = self.troubles.pop(0)
            if trouble is not None:
                return trouble, {"message": "trouble of its own"}
        if content is not None and len(content["body"]) > self.longest:
            return 422, {"message": f"body is too long (maximum is {self.longest} characters)"}
        return self._answer(method, path, content)

    def _answer(self, method, path, content):
        query = {name: int(value[0]) for name, value in parse_qs(urlsplit(path).query).items()}
        where = urlsplit(path).path
        begin = (query.get("page", 1) - 1) * query.get("per_page", 30)
        if match := re.fullmatch(r"/repos/o/r/issues/(\d+)/comments", where):
            if method == "POST":
                return 201, self.add(content["body"], number=int(match[1]))
            own = [each for each in self.comments if each["number"] == int(match[1])]
            return 200, own[begin : begin + query["per_page"]]
        if (match := re.fullmatch(r"/repos/o/r/issues/comments/(\d+)", where)) and method == "PATCH":
            self.comments[int(match[1]) - 1]["body"] = content["body"]
            return 200, self.comments[int(match[1]) - 1]
        if match := re.fullmatch(r"/repos/o/r/commits/(\w+)/pulls", where):
            return 200, self.pulls.get(match[1], [])
        return 404, {"message": "Not Found"}


@contextlib.contextmanager
def github():
    """The stand-in on loopback."""
    known = Github()

    class Handler(http.server.BaseHTTPRequestHandler):
        def respond(self):
            length = int(self.headers.get("Content-Length") or 0)
            content = json.loads(self.rfile.read(length)) if length else None
            known.tokens.add(self.headers.get("Authorization"))
            status, value = known.answer(self.command, self.path, content)
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = respond  # noqa: N815 - http.server's names

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield known
        finally:
            server.shutdown()
            thread.join()


def runner(folder, known, *, number=7, fork=False, merged=False, sha="a" * 40, token=TOKEN):
    """The environment of a run about a pull request, with the files that a runner lays out."""
    event = folder / "event.json"
    head = {"sha": "b" * 40, "repo": {"full_name": "stranger/r" if fork else "o/r"}}
    pull = {"number": number, "head": head, "base": {"repo": {"full_name": "o/r"}}, "merged": merged}
    event.write_text(json.dumps({"pull_request": pull} if number is not None else {"ref": "refs/heads/main"}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": known.url,
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_SHA": sha,
        "GITHUB_WORKSPACE": str(folder),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_TOKEN": token,
    }


def outputs(folder):
    """What later steps read, as the runner reads it."""
    lines = iter((folder / "output").read_text().splitlines())
    found = {}
    for line in lines:
        name, _, end = line.partition("<<")
        value = []
        for each in lines:
            if each == end:
                break
            value.append(each)
        found[name] = "\n".join(value)
    return found
