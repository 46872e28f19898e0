"""The page that documents the server's API, as a browser shows it."""

from __future__ import annotations

import time

from builders_server import serving_api

SEEN = """
const own = new URL(location).origin;
const fetched = performance.getEntriesByType("resource").map((entry) => entry.name);
return {
  calls: document.querySelectorAll(".opblock").length,
  title: document.querySelector(".title")?.innerText ?? "",
  strange: fetched.filter((name) => !name.startsWith(own) && !name.startsWith("data:")),
};
"""


def test_the_documentation_shows_in_a_closed_network(browser, tmp_path, clips):
    """All calls are listed, and nothing is asked of another host."""
    with serving_api(tmp_path, instant=clips.plain()) as api:
        browser.get_log("browser")
        browser.get(f"{api.url}/docs")
        until = time.monotonic() + 20
        while not (seen := browser.execute_script(SEEN))["calls"] and time.monotonic() < until:
            time.sleep(0.05)
        severe = [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    assert seen["calls"] > 20
    assert seen["title"].startswith("reconciler serve")
    assert ([], []) == (seen["strange"], severe)
