"""One job from source to results: fetch, look, encode, judge.

It runs in a thread of its own. Everything that is expected to go wrong ends as a result of an output, or as
the failure of the whole job.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.encode import Output, Source
from reconciler.core.errors import ProviderError, RejectedError
from reconciler.core.ports import Done, Failed, Fetch, Fetched, JobRequest, NotMade, OutputResult, Running
from reconciler.core.ports import SourceSeen, Suspect, Verified
from reconciler.ffmpeg import work_files
from reconciler.ffmpeg.arguments import Target, arguments
from reconciler.ffmpeg.binary import Build
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.feasible import impossible
from reconciler.ffmpeg.generated import generated_facts
from reconciler.ffmpeg.notes import notes, output_summary, source_line
from reconciler.ffmpeg.probe import probe
from reconciler.ffmpeg.process import Ended, Process
from reconciler.ffmpeg.progress import Progress
from reconciler.ffmpeg.status import Status
from reconciler.ffmpeg.verify import Wish, verify
