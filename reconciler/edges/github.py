"""GitHub: the comments of pull requests, through the REST API.

The token comes from the environment, goes to the API's own host and nowhere else, and stands in no message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import requests.auth
from pydantic import SecretStr

from reconciler import __version__
from reconciler.core.errors import ReconcilerError
from reconciler.edges.actions import Run

BOT = "github-actions[bot]"

# The status by which GitHub refuses what it cannot take, such as a body that is too long.
TOO_LONG = 422

_TIMEOUT = (5, 20)  # seconds to connect, and between two bytes
_PAGE, _PAGES = 100, 50
_WAITS = (1.0, 3.0)  # seconds before the second and third try of a call that may be repeated
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class GithubError(ReconcilerError):
    """GitHub did not do what it was asked. `status` is its answer's, None if there was none."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a pull request."""

    identifier: int
    body: str
    url: str


class _Bearer(requests.auth.AuthBase):
    """The token of a request; as `auth`, so that no .netrc takes its place."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return request


class PullRequests:
    """The pull requests of one repository."""

    def __init__(self, run: Run, *, sleep: Callable[[float], None]) -> None:
        """Raises GithubError if the run names no repository, holds no token, or would send it in the clear."""
        if not run.repository or not run.token.get_secret_value():
            raise GithubError("GITHUB_REPOSITORY and GITHUB_TOKEN are not both set, so GitHub cannot be asked")
        address = urlsplit(run.api_url)
        if address.scheme != "https" and address.hostname not in _LOOPBACK:
            raise GithubError("GITHUB_API_URL is not https, and a token is sent nowhere else")
        self._url = f"{run.api_url.rstrip('/')}/repos/{quote(run.repository)}"
        self._token = run.token
        self._sleep = sleep
        self._session = requests.Session()

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def comment(self, number: int, marker: str, author: str) -> Comment | None:
        """The first comment of `author` that begins with the line `marker`; None if there is none."""
        for each in self._pages(f"/issues/{number}/comments"):
            body = each.get("body") or ""
            if each.get("user", {}).get("login") == author and body.partition("\n")[0].strip() == marker:
                return _comment(each)
        return None

    def put_comment(self, number: int, marker: str, author: str, body: str, *, begin: bool) -> Comment | None:
        """Write the comment of a marker: updated in place if there is one, else made, where it may `begin`."""
        known = self.comment(number, marker, author)
        if known is None:
            return self._create(number, marker, author, body) if begin else None
        if known.body.replace("\r\n", "\n") == body:
            return known
        return _comment(self._ask("PATCH", f"/issues/comments/{known.identifier}", {"body": body}))

    def merged_as(self, commit: str) -> int | None:
        """The pull request that was merged as this commit; None if the commit came otherwise."""
        found = self._pages(f"/commits/{quote(commit, safe='')}/pulls")
        merged = (each for each in found if each.get("merged_at") and each.get("merge_commit_sha") == commit)
        return next((int(each["number"]) for each in merged), None)

    def _create(self, number: int, marker: str, author: str, body: str) -> Comment:
        """Making one is not repeatable: after an answer that says nothing, look first whether it is there."""
        path = f"/issues/{number}/comments"
        try:
            return _comment(self._once("POST", path, {"body": body}))
        except GithubError as error:
            if error.status is not None and error.status < 500:
                raise
        self._sleep(_WAITS[0])
        made = self.comment(number, marker, author)
        return made or _comment(self._once("POST", path, {"body": body}))

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        for page in range(1, _PAGES + 1):
            answer = self._ask("GET", f"{path}?per_page={_PAGE}&page={page}")
            found = [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []
            yield from found
            if len(found) < _PAGE:
                return

    def _ask(self, method: str, path: str, content: object = None) -> Any:  # noqa: ANN401 - GitHub's JSON
        """A call that may be repeated, tried again while GitHub has trouble of its own."""
        for wait in _WAITS:
            try:
                return self._once(method, path, content)
            except GithubError as error:
                if error.status is not None and error.status < 500:
                    raise
                self._sleep(wait)
        return self._once(method, path, content)

    def _once(self, method: str, path: str, content: object = None) -> Any:  # noqa: ANN401 - GitHub's JSON
        what = f"{method} {path.partition('?')[0]}"
        headers = {
            "Accept": "application/vnd.github+json",
            "User-Agent": f"reconciler/{__version__}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            answer = self._session.request(
                method,
                self._url + path,
                json=content,
                headers=headers,
                timeout=_TIMEOUT,
                allow_redirects=False,
                auth=_Bearer(self._token),
            )
        except requests.RequestException as error:
            raise GithubError(f"GitHub did not answer {what} ({type(error).__name__})") from None
        if not 200 <= answer.status_code < 300:
            raise GithubError(_refusal(what, answer), answer.status_code)
        try:
            return answer.json()
        except ValueError:
            raise GithubError(f"GitHub answered {what} with what is no JSON", 502) from None


def _refusal(what: str, answer: requests.Response) -> str:
    """What GitHub said, and what may be done about it."""
    try:
        said = answer.json().get("message", "")
    except (ValueError, AttributeError):
        said = ""
    words = (
        f"GitHub answered {what} with {answer.status_code}{f': {said[:200]}' if isinstance(said, str) and said else ''}"
    )
    if answer.status_code in {401, 403}:
        return (
            f"{words}\nThe job needs  permissions: {{pull-requests: write}}  and  GITHUB_TOKEN: ${{{{ github.token }}}}"
        )
    return words


def _comment(found: Any) -> Comment:  # noqa: ANN401 - GitHub's JSON
    try:
        return Comment(int(found["id"]), str(found.get("body") or ""), str(found.get("html_url") or ""))
    except (KeyError, TypeError, ValueError):
        raise GithubError("GitHub answered with what is no comment", 502) from None
