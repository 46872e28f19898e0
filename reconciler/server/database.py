"""The jobs on disk: SQLite with a write-ahead log, one connection, one writer at a time.

A job is kept whole as JSON; beside it stand the columns that people filter and sort by. Whoever changes a job
does so inside one transaction, so that two requests for one job come one after the other.

A password that a job forgets is forgotten by the disk, too: what is deleted is overwritten, and the log is emptied.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from reconciler.core.errors import StateError
from reconciler.server import states
from reconciler.server.errors import missing
from reconciler.server.jobs import Job

VERSION = 1

_SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    template_id TEXT NOT NULL,
    description TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    payment REAL NOT NULL,
    files INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX jobs_by_state ON jobs (state, started_at);
CREATE INDEX jobs_by_time ON jobs (created_at);
CREATE TABLE starts (number INTEGER PRIMARY KEY, job_id TEXT NOT NULL, started_at TEXT NOT NULL);
CREATE INDEX starts_by_job ON starts (job_id);
CREATE TABLE payments (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL,
    job_name TEXT NOT NULL,
    template_id TEXT NOT NULL,
    amount INTEGER NOT NULL, -- in 10^-8 ByteChips
    created_at TEXT NOT NULL
);
CREATE TABLE secrets (
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    body BLOB NOT NULL,
    secret_key TEXT NOT NULL,
    PRIMARY KEY (type, id)
);
CREATE TABLE signed_out (token_id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL);
CREATE TABLE logs (
    number INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL,
    service TEXT NOT NULL,
    level TEXT NOT NULL,
    at TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX logs_by_job ON logs (job_id);
CREATE TABLE account (id TEXT NOT NULL, created_at TEXT NOT NULL);
"""

Values = Sequence[str | int | float | bytes | None]


class Database:
    """The file of one server. Safe to be used from any thread."""

    def __init__(self, path: Path) -> None:
        """Open it, and make it if it is not there. Raises StateError for one of a version that is not known."""
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        # Whether this transaction takes a password away, of which the log must keep nothing.
        self._forgetting = False
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A start that was confirmed survives a power cut.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA secure_delete = ON")
            self._prepare(path)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise StateError(f"{path} cannot be read as the database of a server: {error}") from error
        except StateError:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is done inside, or none of it; nobody else writes meanwhile."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
                self._empty_log()
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _empty_log(self) -> None:
        """Empty the log, if something in it is to be forgotten."""
        if self._forgetting:
            self._forgetting = False
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, query: str, values: Values = ()) -> list[tuple[object, ...]]:
        """What a query gives."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def execute(self, statement: str, values: Values = ()) -> int:
        """Change rows; how many."""
        with self.transaction() as connection:
            return connection.execute(statement, values).rowcount

    def forget(self, statement: str, values: Values = ()) -> int:
        """As `execute`, where what the rows held is a secret."""
        with self.transaction() as connection:
            self._forgetting = True
            return connection.execute(statement, values).rowcount

    def find(self, job_id: str) -> Job | None:
        """The job of an id, if there is one."""
        found = self.jobs("WHERE id = ?", (job_id,))
        return found[0] if found else None

    def job(self, job_id: str) -> Job:
        """The job of an id. Raises ApiError if there is none."""
        found = self.find(job_id)
        if found is None:
            raise missing(f"job {job_id[:80]} not found")
        return found

    def jobs(self, where: str, values: Values = ()) -> list[Job]:
        """The jobs that a condition (with order and limit) chooses."""
        return [_job(body) for (body,) in self.rows(f"SELECT body FROM jobs {where}", values)]  # noqa: S608 - of ours

    def count(self, where: str, values: Values = ()) -> int:
        """How many jobs a condition chooses."""
        ((number,),) = self.rows(f"SELECT COUNT(*) FROM jobs {where}", values)  # noqa: S608 - of ours
        return int(str(number))

    def put(self, job: Job) -> None:
        """Keep a job; one of its id that is there is replaced and keeps its place."""
        with self.transaction():
            self._forgets(job.id, job.password)
            self._put(job)

    def _forgets(self, job_id: str, password: str = "") -> None:
        known = self.find(job_id)
        self._forgetting = self._forgetting or (known is not None and known.password not in {"", password})

    def _put(self, job: Job) -> None:
        files = bool(job.results) and not job.files_gone
        columns = (
            *(job.id, job.name, job.template_id, job.description, job.state),
            *(job.created_at, job.started_at, job.ended_at, float(job.payment), files, msgspec.json.encode(job)),
        )
        self.execute(
            "INSERT INTO jobs (id, name, template_id, description, state, created_at, started_at, ended_at, payment,"
            " files, body) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
            " template_id = excluded.template_id, description = excluded.description, state = excluded.state,"
            " created_at = excluded.created_at, started_at = excluded.started_at, ended_at = excluded.ended_at,"
            " payment = excluded.payment, files = excluded.files, body = excluded.body",
            columns,
        )

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """A job as `change` makes it. Raises ApiError if there is none, and whatever `change` raises."""
        with self.transaction():
            job = change(self.job(job_id))
            self.put(job)
        return job

    def remove(self, job_id: str) -> None:
        """Forget a job with its logs; that it was started is not forgotten."""
        with self.transaction() as connection:
            self._forgets(job_id)
            connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
            connection.execute("DELETE FROM logs WHERE job_id = ?", (job_id,))

    def note_start(self, job_id: str, at: str) -> None:
        """Keep that a job was started: once more than that is a fault."""
        self.execute("INSERT INTO starts (job_id, started_at) VALUES (?, ?)", (job_id, at))

    def starts(self, job_id: str) -> int:
        """How often a job of this id was started."""
        ((number,),) = self.rows("SELECT COUNT(*) FROM starts WHERE job_id = ?", (job_id,))
        return int(str(number))

    def active(self) -> list[Job]:
        """The jobs that were started and have not ended, the first first."""
        return self.jobs(f"WHERE state IN ({marks(states.ACTIVE)}) ORDER BY started_at, number", states.ACTIVE)

    def log(self, job_id: str, service: str, level: str, at: str, texts: Iterable[str]) -> None:
        """Keep what was said about a job."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO logs (job_id, service, level, at, text) VALUES (?, ?, ?, ?, ?)",
                [(job_id, service, level, at, text) for text in texts],
            )

    def _prepare(self, path: Path) -> None:
        ((version,),) = self._connection.execute("PRAGMA user_version").fetchall()
        if version == VERSION:
            return
        if version or self._connection.execute("SELECT 1 FROM sqlite_master").fetchall():
            raise StateError(
                f"{path} has version {version}, this reconciler knows {VERSION}.\n"
                "Serve it with the reconciler that wrote it, or give another folder to --data. Nothing was changed."
            )
        self._connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


def marks(values: Sequence[object]) -> str:
    """As many question marks as there are values."""
    return ", ".join("?" * len(values))


def _job(body: object) -> Job:
    assert isinstance(body, bytes), "the column is a blob"
    return msgspec.json.decode(body, type=Job)
