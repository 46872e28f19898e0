"""The second of two passes, made again for outputs whose averages it has missed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.ffmpeg import pass_logs, work_files
from reconciler.ffmpeg.arguments import Target, arguments
from reconciler.ffmpeg.averages import Tries, rates_of, tries_for
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.facts import video_track, wanted_span
from reconciler.ffmpeg.findings import Findings
from reconciler.ffmpeg.packages import folders
from reconciler.ffmpeg.passes import Passes
from reconciler.io import trees


@dataclass(frozen=True, slots=True)
class SecondPass:
    """What second passes of one job are made again with; new tries lie in `folder` until they are found nearer."""

    passes: Passes
    findings: Findings
    folder: Path
    threads: int | None
    say: Callable[[str], None]

    def meet(self, targets: Mapping[str, Target]) -> None:
        """Bring the averages of outputs that are there, by their names, as near as they come. Raises OSError."""
        known = {name: self._known(target) for name, target in targets.items()}
        for _ in range(tries_for(self._seconds())):
            wanted = {name: tries.next() for name, tries in known.items()}
            again = {
                name: replace(targets[name], parameters=parameters, path=str(self.folder / f"again-{number}"))
                for number, (name, parameters) in enumerate(wanted.items())
                if parameters is not None
            }
            if not again or not self._made(list(again.values())):
                return
            for name, target in again.items():
                self._keep(name, targets[name], target, known[name])

    def _seconds(self) -> float:
        track = video_track(self.passes.facts)
        return wanted_span(self.passes.facts, track, self.passes.source.trim)[1] if track is not None else 0.0

    def _known(self, target: Target) -> Tries:
        tries = Tries(target.parameters)
        tries.add(target.parameters, rates_of(Path(target.path), target.parameters, self.passes.facts))
        return tries

    def _made(self, targets: Sequence[Target]) -> bool:
        """Whether all of them could be encoded, from one decode."""
        passes = self.passes
        for target in targets:
            work_files.make_room(Path(target.path), folders(target.parameters, passes.facts))
        command = arguments(
            passes.source,
            passes.path,
            targets,
            facts=passes.facts,
            threads=self.threads,
            findings=self.findings,
            inserts=passes.inserts,
        )
        pass_logs.lay_out(command)
        return passes.run(command, Path(targets[0].path), Complaints()).succeeded

    def _keep(self, name: str, before: Target, target: Target, tries: Tries) -> None:
        """Let a try take the place of the one before if it is nearer."""
        part, made = Path(before.path), Path(target.path)
        missed = tries.missed
        if tries.add(target.parameters, rates_of(made, target.parameters, self.passes.facts)):
            self.say(f"{name}: two passes missed the average by {missed:+.1%}, once more by {tries.missed:+.1%}")
            trees.remove(part)
            made.replace(part)
        trees.remove(made)
