"""How far an ffmpeg process is, from the key=value lines that `-progress` writes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One report. `seconds` is how much of the output is written (None: not said), `size` in bytes."""

    seconds: float | None = None
    size: int | None = None
    frames: int | None = None


class ProgressReader:
    """Puts reports together from pieces of text as they come."""

    def __init__(self) -> None:
        self._rest = ""
        self._values: dict[str, str] = {}

    def feed(self, text: str) -> list[Progress]:
        """The reports that this piece of text completes."""
        *lines, self._rest = (self._rest + text).split("\n")
        reports: list[Progress] = []
        for line in lines:
            name, _, value = line.strip().partition("=")
            self._values[name] = value.strip()
            if name == "progress":
                reports.append(self._report())
        return reports

    def _report(self) -> Progress:
        # out_time_us only: out_time_ms holds microseconds too, for the sake of old readers.
        time = _whole(self._values.get("out_time_us"))
        report = Progress(
            seconds=max(time, 0) / 1_000_000 if time is not None else None,
            size=_whole(self._values.get("total_size")),
            frames=_whole(self._values.get("frame")),
        )
        self._values.clear()
        return report


def _whole(value: str | None) -> int | None:
    """A number; None for `N/A` and for what is missing."""
    try:
        return int(value) if value is not None else None
    except ValueError:
        return None
