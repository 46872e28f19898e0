"""Headless Chromium, and players of the npm registry, for tests; what is missing is told with how to get it."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

HERE = Path(__file__).with_name("browser")

# `name@version`, as `npm pack` takes them, and the script of each that a page loads.
PLAYERS = (HERE / "players.txt").read_text(encoding="utf-8").split()
SCRIPTS = {"hls.js": "package/dist/hls.min.js", "dashjs": "package/dist/modern/umd/dash.all.min.js"}

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# No window, no calls home, no questions; films may begin by themselves.
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
)


def archives() -> Path:
    """Where `npm pack` has put the players: `PLAYER_ARCHIVES`, or a folder of the user's cache."""
    return Path(os.environ.get("PLAYER_ARCHIVES") or user_cache_path("reconciler-tests") / "players")


def missing() -> list[str]:
    """What the tests need and is not here, each with how to get it."""
    said = []
    if _selenium() is None:
        said.append("selenium: pip install '.[browser]'")
    if _program(BROWSERS) is None or _program(["chromedriver"]) is None:
        said.append("a browser: apt-get install --no-install-recommends chromium chromium-driver")
    folder = archives()
    lost = [player for player in PLAYERS if not _archive(player).is_file()]
    if lost:
        said.append(f"players: mkdir -p {folder} && npm pack --pack-destination {folder} {' '.join(lost)}")
    return said


def script(player: str) -> bytes:
    """The script of a player, out of its archive."""
    (wanted,) = (each for each in PLAYERS if each.startswith(f"{player}@"))
    with tarfile.open(_archive(wanted)) as packed:
        file = packed.extractfile(SCRIPTS[player])
        assert file is not None, f"{wanted} holds no {SCRIPTS[player]}"
        return file.read()


@contextmanager
def chromium(profile: Path, *, width: int = 800, height: int = 600) -> Iterator[object]:
    """A browser that knows nothing yet and ends with the block, as selenium drives it."""
    webdriver = _selenium()
    assert webdriver is not None, missing()
    options = webdriver.ChromeOptions()
    options.binary_location = _program(BROWSERS)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Its sandbox does not work for root, which runs the tests in containers.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    for flag in [*FLAGS, *root, f"--user-data-dir={profile}", f"--window-size={width},{height}"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(_program(["chromedriver"])))
    try:
        yield driver
    finally:
        driver.quit()


def _archive(player):
    return archives() / f"{player.replace('@', '-')}.tgz"


def _selenium():
    try:
        from selenium import webdriver
    except ImportError:
        return None
    return webdriver


def _program(names):
    return next((path for path in map(shutil.which, names) if path), None)
