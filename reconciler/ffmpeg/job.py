"""One job from source to results: fetch, look, encode, judge.

It runs in a thread of its own. Everything that is expected to go wrong ends as the result of an output, or as
the failure of the whole job.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from reconciler.core.encode import Output
from reconciler.core.errors import NotReadyError, ProviderError
from reconciler.core.packages import singles
from reconciler.core.pins import uncropped, unresolved
from reconciler.core.ports import (
    Done,
    Failed,
    JobRequest,
    NotMade,
    OutputResult,
    Running,
    SourceSeen,
    Verified,
)
from reconciler.ffmpeg import inserts, mistakes, pass_logs, work_files
from reconciler.ffmpeg.arguments import Target, arguments
from reconciler.ffmpeg.checked import Checking
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.encode import CANCELLED, Encode
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.feasible import impossible
from reconciler.ffmpeg.findings import Findings
from reconciler.ffmpeg.generated import generated_facts
from reconciler.ffmpeg.inserting import Inserting
from reconciler.ffmpeg.inserts import Inserts
from reconciler.ffmpeg.material import Material, Shop, unlike_its_pin
from reconciler.ffmpeg.notes import notes, source_line
from reconciler.ffmpeg.packages import folders
from reconciler.ffmpeg.passes import Passes, Verdict
from reconciler.ffmpeg.probe import probe
from reconciler.ffmpeg.process import Ended
from reconciler.ffmpeg.quality import Checker
from reconciler.ffmpeg.reading import Reading
from reconciler.ffmpeg.resolving import resolved, searched
from reconciler.ffmpeg.second_pass import SecondPass
from reconciler.ffmpeg.status import Status
from reconciler.ffmpeg.verdict import Part, judged
from reconciler.ffmpeg.verify import Wish
from reconciler.io import trees


class CancelledError(Exception):
    """The job was told to end."""


class Job:
    """One job. `run` is what its thread does."""

    def __init__(self, request: JobRequest, shop: Shop) -> None:
        self.request = request
        self.status = Status()
        # A plain truth, not an event with a lock: it is also set by the handler of a signal.
        self._cancelled = False
        self._shop = shop
        self._encode_now: Encode | None = None
        self._seconds: float | None = None
        self._number = 0

    def line_up(self) -> None:
        """Take a place in the order of jobs; what needs no download stands in the queue at once."""
        self.status.become(Running("waiting"))
        self._number = self._shop.slots.number()
        if self.request.source.kind not in {"http", "store"}:
            self._shop.slots.stand(self._number)

    def run(self) -> None:
        """Do it all; how it went is in the status."""
        try:
            self.status.become(self._work())
        except CancelledError:
            self._leave()
            self.status.become(Failed(CANCELLED))
        except (ProviderError, OSError) as error:
            self._leave()
            told = CANCELLED if self._cancelled else mistakes.words(error)
            self.status.become(Failed(told, tried=not isinstance(error, NotReadyError)))
        except Exception as error:  # noqa: BLE001 - a mistake in here must fail this job, not hang it for ever
            self._leave()
            self.status.become(Failed(f"internal error, please report it: {mistakes.where(error)}"))
        finally:
            self._shop.slots.leave(self._number)

    def cancel(self) -> None:
        """Tell the job to end; its thread does so soon."""
        self._cancelled = True

    def kill(self) -> None:
        """Tell the job to end, and kill what encodes. May be called by the handler of a signal."""
        self._cancelled = True
        if self._encode_now is not None:
            self._encode_now.kill()

    def clear(self) -> None:
        """Remove the parts of this job, and folders that held nothing else. Raises OSError."""
        trees.remove(self._logs())
        trees.remove(self._beside())
        for output in self.request.outputs:
            part = self._part(output).file
            trees.remove(part)
            with suppress(OSError):
                part.parent.rmdir()

    def _leave(self) -> None:
        """Clear up after a failure, which is what is told, whatever the disk says."""
        with suppress(OSError):
            self.clear()

    def _work(self) -> Done:
        material = self._material()
        with Reading(Path(material.path) if material.path else None, material.seen.sha256) as reading:
            results = self._results(material, unlike_its_pin(self.request.source, reading, self._stop_if_cancelled))
            seen = replace(material.seen, sha256=reading.digest(self._stop_if_cancelled))
        return Done(results, seen, self._shop.build.version, seconds=self._seconds)

    def _results(self, material: Material, wrong_digest: str | None) -> dict[str, OutputResult]:
        results: dict[str, OutputResult] = {}
        possible: list[Output] = []
        for output in self.request.outputs:
            reason = wrong_digest or self._impossible(output, material.facts)
            if reason is None:
                possible.append(output)
            else:
                results[output.name] = NotMade(reason)
        if possible:
            self._tell_notes(possible, material.facts)
            self.status.become(Running("waiting"))
            with self._shop.slots.place(self._number, self._stop_if_cancelled):
                results.update(self._make(possible, material))
        return results

    def _material(self) -> Material:
        source, machine = self.request.source, self._shop.machine
        if source.kind == "lavfi":
            facts = generated_facts(source, machine.program, machine.environment)
            return Material("", SourceSeen(source.identity), facts)
        self.status.become(Running("fetching"))
        fetched = self._shop.fetch(source, self._report_fetch, self._is_cancelled)
        self._stop_if_cancelled()
        self._shop.slots.stand(self._number)
        facts = probe(fetched.path)
        self.status.say(source_line(source, fetched, facts))
        return Material(fetched.path, fetched.seen, facts)

    def _report_fetch(self, done: int, total: int | None) -> None:
        self.status.become(Running("fetching", fraction=done / total if total else None))

    def _impossible(self, output: Output, facts: MediaFacts) -> str | None:
        return impossible(output.parameters, facts, self.request.source.trim, self._shop.build.encoders)

    def _tell_notes(self, outputs: Sequence[Output], facts: MediaFacts) -> None:
        """Say once what is odd about the source, however many outputs it concerns."""
        found = [note for output in outputs for note in self._notes(output, facts)]
        for note in dict.fromkeys(found):
            self.status.say(note)

    def _notes(self, output: Output, facts: MediaFacts) -> list[str]:
        return notes(output.parameters, facts, self.request.source.trim)

    def _make(self, outputs: Sequence[Output], material: Material) -> dict[str, OutputResult]:
        """All outputs in one process. If it fails, those that are not whole get one of their own each."""
        try:
            ready, refused = self._inserts(outputs, material)
            passes = Passes(self.request.source, material.path, material.facts, self._pass, ready)
            possible = [output for output in outputs if output.name not in refused]
            not_made: dict[str, OutputResult] = {name: NotMade(reason) for name, reason in refused.items()}
            return {**not_made, **self._made(possible, material, passes)}
        finally:
            trees.remove(self._logs())
            trees.remove(self._beside())

    def _inserts(self, outputs: Sequence[Output], material: Material) -> tuple[Inserts, dict[str, str]]:
        """What becomes part of pictures, made ready; and why some outputs cannot have it."""
        if not any(inserts.needed(output.parameters) for output in outputs):
            return inserts.AS_WRITTEN, {}
        work_files.make_room(self._beside(), [""])
        work = Inserting(self._shop.project, self._beside(), material.path, material.facts, self._pass, self.status.say)
        return work.gathered(outputs)

    def _made(self, outputs: Sequence[Output], material: Material, passes: Passes) -> dict[str, OutputResult]:
        found = {output.name: self._resolved(output, passes) for output in outputs}
        missed: dict[str, OutputResult] = {name: each for name, each in found.items() if isinstance(each, NotMade)}
        outputs = [each for each in found.values() if isinstance(each, Output)]
        return {**missed, **(self._encoded(outputs, material, passes) if outputs else {})}

    def _resolved(self, output: Output, passes: Passes) -> Output | NotMade:
        """The output with settings for each wish that has to be looked into."""
        if not unresolved(output.parameters, output.pins) and not uncropped(output.parameters, output.pins):
            return resolved(output, output.pins)
        work_files.make_room(self._logs(), [""])
        return searched(
            output, passes, self._checker(), self._part(output).file, folder=self._logs(), say=self.status.say
        )

    def _encoded(self, outputs: Sequence[Output], material: Material, passes: Passes) -> dict[str, OutputResult]:
        found = passes.find([(output, self._part(output).file) for output in outputs])
        for note in dict.fromkeys(note for output in outputs for note in passes.notes(output, found)):
            self.status.say(note)
        results = self._first_pass(outputs, passes)
        outputs = [output for output in outputs if output.name not in results]
        if not outputs:
            return results
        ended = self._encode(outputs, material, passes, found)
        results |= {output.name: self._judge(output, ended, material, passes, found) for output in outputs}
        if ended.succeeded or len(outputs) == 1:
            return results
        for output in outputs:
            if not isinstance(results[output.name], Verified):
                alone = self._encode([output], material, passes, found)
                results[output.name] = self._judge(output, alone, material, passes, found)
        return results

    def _first_pass(self, outputs: Sequence[Output], passes: Passes) -> dict[str, OutputResult]:
        """Look at the pictures of those in two passes, all at once. If that fails, each alone: those that fail."""
        first = [output for output in outputs if any(target.in_two_passes for target in self._singles(output))]
        if not first:
            return {}
        work_files.make_room(self._logs(), [""])
        threads, part = self._shop.threads, self._part(first[0]).file
        if passes.first(self._targets(first), part, threads) is None:
            return {}
        reasons = {output.name: passes.first(self._targets([output]), part, threads) for output in first}
        return {name: NotMade(reason) for name, reason in reasons.items() if reason is not None}

    def _targets(self, outputs: Sequence[Output]) -> list[Target]:
        numbers = {output.name: number for number, output in enumerate(self.request.outputs)}
        return [
            Target(output.parameters, str(self._part(output).file), f"{self._logs()}/{numbers[output.name]}")
            for output in outputs
        ]

    def _singles(self, output: Output) -> list[Target]:
        return [Target(single, "") for single in singles(output.parameters).values()]

    def _logs(self) -> Path:
        """The folder in which passes leave what they saw."""
        return self._shop.project / work_files.logs_of(self.request.outputs[0], self.request.job_id)

    def _beside(self) -> Path:
        """The folder of what becomes part of pictures."""
        return self._shop.project / work_files.inserts_of(self.request.outputs[0], self.request.job_id)

    def _pass(self, command: Sequence[str], part: Path, complaints: Complaints) -> Ended:
        """Run ffmpeg for what is no encode: it tells how far it is nowhere, but is watched and counted."""
        self._stop_if_cancelled()
        machine = self._shop.machine
        self._encode_now = Encode(machine, self.status, self._is_cancelled, 0)
        began = machine.clock()
        ended = self._encode_now.run(command, [part], complaints)
        self._seconds = round((self._seconds or 0) + machine.clock() - began, 3)
        self._stop_if_cancelled()
        return ended

    def _encode(self, outputs: Sequence[Output], material: Material, passes: Passes, found: Findings) -> Ended:
        self._stop_if_cancelled()
        source, machine = self.request.source, self._shop.machine
        files = [self._part(output).file for output in outputs]
        for output, file in zip(outputs, files, strict=True):
            work_files.make_room(file, folders(output.parameters, material.facts))
        command = arguments(
            source,
            material.path,
            self._targets(outputs),
            facts=material.facts,
            threads=self._shop.threads,
            findings=found,
            inserts=passes.inserts,
        )
        pass_logs.lay_out(command)
        end = material.facts.end if source.trim.end is None else min(source.trim.end, material.facts.end)
        self._encode_now = Encode(machine, self.status, self._is_cancelled, end - source.trim.start)
        began = machine.clock()
        ended = self._encode_now.run(command, files)
        self._seconds = round((self._seconds or 0) + machine.clock() - began, 3)
        self._stop_if_cancelled()
        if ended.succeeded:
            second = SecondPass(passes, found, self._logs(), self._shop.threads, self.status.say)
            second.meet(dict(zip([output.name for output in outputs], self._targets(outputs), strict=True)))
        return ended

    def _judge(self, output: Output, ended: Ended, material: Material, passes: Passes, found: Findings) -> OutputResult:
        self._stop_if_cancelled()
        self.status.become(Running("verifying"))
        wish = Wish(output.parameters, self.request.source.trim, material.facts)
        part = self._part(output)
        looked = passes.look(output, part.file, found, self._logs()) if ended.succeeded else Verdict()
        notes = [*self._notes(output, material.facts), *passes.notes(output, found), *looked.notes]
        result = self._checking(material, passes.inserts).checked(
            part, judged(part, wish, ended, tuple(notes), looked.wrong)
        )
        self._stop_if_cancelled()
        return replace(result, pins=output.pins) if isinstance(result, Verified) else result

    def _checker(self) -> Checker:
        machine, shop = self._shop.machine, self._shop
        return Checker(machine.program, machine.environment, machine.clock, threads=shop.threads or shop.cpus)

    def _checking(self, material: Material, ready: Inserts) -> Checking:
        watched = self._report_check, self._is_cancelled
        return Checking(self._checker(), self.request.source, material.path, *watched, ready)

    def _report_check(self, fraction: float) -> None:
        self.status.become(Running("verifying", fraction=fraction))

    def _part(self, output: Output) -> Part:
        return Part(self._shop.project, self.request.job_id, output)

    def _stop_if_cancelled(self) -> None:
        if self._cancelled:
            raise CancelledError

    def _is_cancelled(self) -> bool:
        return self._cancelled
