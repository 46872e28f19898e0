"""The page that documents the API."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import requests

from builders_server import serving_api


def test_the_documentation_needs_no_other_server(tmp_path, clips):
    """`/` leads to it; all scripts, styles and pictures that it names are served here."""
    with serving_api(tmp_path, instant=clips.plain()) as api:
        page = requests.get(api.url, timeout=10)
        assert (200, f"{api.url}/docs") == (page.status_code, page.url)
        named = [
            urljoin(page.url, each) for each in re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page.text)
        ]
        assert {".js", ".css", ".png", ".json"} <= {each[each.rindex(".") :] for each in named}
        assert [] == [each for each in named if urlsplit(each).netloc != urlsplit(api.url).netloc]
        assert {200} == {requests.get(each, timeout=10).status_code for each in named}
