"""Everything of one server, opened in its order and closed in the other."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep

from reconciler.core.ports import Provider
from reconciler.ffmpeg import work_files
from reconciler.server import states
from reconciler.server.attempt import Tools
from reconciler.server.clock import moment
from reconciler.server.database import Database
from reconciler.server.desk import Desk
from reconciler.server.files import Files
from reconciler.server.folder import Folder
from reconciler.server.links import Links
from reconciler.server.ports import Sources
from reconciler.server.retention import Retention
from reconciler.server.runner import Runner
from reconciler.server.settings import Settings
from reconciler.server.tokens import Tokens
from reconciler.server.wallet import Wallet


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def random_id() -> str:
    """An id that nobody has."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class House:
    """What routes work with. `account` is the id of the one account, whose all keys are."""

    settings: Settings
    database: Database
    files: Files
    tokens: Tokens
    links: Links
    wallet: Wallet
    desk: Desk
    runner: Runner
    retention: Retention
    clock: Callable[[], datetime]
    account: str
    account_since: str


@contextmanager
def opened(
    settings: Settings,
    provider: Provider,
    sources: Sources,
    *,
    clock: Callable[[], datetime] = utc_now,
    new_id: Callable[[], str] = random_id,
) -> Iterator[House]:
    """A server whose jobs run, until the end of the block.

    Raises LockedError if the data folder is in use, StateError if it cannot be used.
    """
    folder = Folder(settings.data)
    try:
        database = Database(settings.data / "jobs.sqlite3")
        try:
            house = _house(
                settings, folder.key(), database, provider=provider, sources=sources, clock=clock, new_id=new_id
            )
            _sweep(house)
            house.runner.start()
            house.retention.start()
            try:
                yield house
            finally:
                house.retention.stop()
                house.runner.stop()
        finally:
            database.close()
    finally:
        folder.release()


def _house(
    settings: Settings,
    key: bytes,
    database: Database,
    *,
    provider: Provider,
    sources: Sources,
    clock: Callable[[], datetime],
    new_id: Callable[[], str],
) -> House:
    files = Files(settings.data)
    wallet = Wallet(database, rate=settings.rate, given=settings.balance)
    tools = Tools(database, files, wallet, provider, sources, clock, monotonic, new_id)
    runner = Runner(tools, sleep=sleep)
    account, since = _account(database, clock, new_id)
    return House(
        settings=settings,
        database=database,
        files=files,
        tokens=Tokens(settings.keys, key, database, seconds=settings.token_seconds, clock=clock, new_id=new_id),
        links=Links(key, seconds=settings.link_seconds, clock=clock),
        wallet=wallet,
        desk=Desk(settings, database, files, wallet, runner, sources, clock, monotonic, new_id),
        runner=runner,
        retention=Retention(database, files, seconds=settings.retention, clock=clock),
        clock=clock,
        account=account,
        account_since=since,
    )


def _account(database: Database, clock: Callable[[], datetime], new_id: Callable[[], str]) -> tuple[str, str]:
    with database.transaction():
        if not database.rows("SELECT 1 FROM account"):
            database.execute("INSERT INTO account VALUES (?, ?)", (new_id(), moment(clock())))
        ((account, since),) = database.rows("SELECT id, created_at FROM account")
    return str(account), str(since)


def _sweep(house: House) -> None:
    """End and remove what a killed server left, before any job is run."""
    work_files.end_strays(house.settings.data)
    uploads = {job.id for job in house.database.jobs("WHERE state NOT IN (?, ?)", states.ENDED) if job.uploaded}
    results = {job.id for job in house.database.jobs("WHERE files")}
    house.files.sweep(uploads, results)
