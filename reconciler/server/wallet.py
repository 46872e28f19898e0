"""What jobs cost, in ByteChips. A job pays when it is complete; one that failed pays nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from reconciler.server.database import Database
from reconciler.server.errors import unmet
from reconciler.server.jobs import Job

# US dollars a ByteChip, as ByteNite's console showed them in 2025.
EXCHANGE_RATE = Decimal("0.03311")

_PARTS = 10**8
_SIXTY = Decimal(60)


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that was booked, and what the account held after it."""

    id: str
    job_id: str
    job_name: str
    template_id: str
    amount: Decimal
    created_at: str
    balance: Decimal


class Wallet:
    """The account. `rate` is the price of a minute of output, `given` what was paid in, from the first start on."""

    def __init__(self, database: Database, *, rate: Decimal, given: Decimal) -> None:
        self._database = database
        self.rate, self._given = rate, given

    def price(self, seconds: Iterable[float]) -> Decimal:
        """What outputs of these lengths cost."""
        minutes = sum((Decimal(str(round(each, 3))) for each in seconds), Decimal(0)) / _SIXTY
        return (minutes * self.rate).quantize(Decimal(1) / _PARTS).normalize()

    def total(self) -> Decimal:
        """What the account holds."""
        ((spent,),) = self._database.rows("SELECT COALESCE(SUM(amount), 0) FROM payments")
        return self._given - _chips(spent)

    def available(self) -> Decimal:
        """What is not set aside for jobs that run."""
        reserved = (Decimal(job.estimate) for job in self._database.active() if job.estimate is not None)
        return self.total() - sum(reserved, Decimal(0))

    def check(self, job: Job) -> None:
        """Raise ApiError if the account cannot pay for a job. Without an estimate it must not be empty."""
        if not self.rate:
            return
        available = self.available()
        needed = Decimal(job.estimate) if job.estimate is not None else Decimal(0)
        if available <= 0 or needed > available:
            words = f", the job is estimated at {needed:f}" if needed else ""
            raise unmet(f"insufficient balance: {available:f} ByteChips are available{words}")

    def book(self, job: Job, payment_id: str, at: str) -> None:
        """Take what a finished job costs; to be called once, in the transaction that finishes it."""
        amount = int(Decimal(job.payment) * _PARTS)
        if amount:
            self._database.execute(
                "INSERT INTO payments (id, job_id, job_name, template_id, amount, created_at) VALUES (?,?,?,?,?,?)",
                (payment_id, job.id, job.name, job.template_id, amount, at),
            )

    def payments(self, limit: int, offset: int) -> tuple[list[Payment], int]:
        """A page of payments, the newest first, and how many there are."""
        ((total,),) = self._database.rows("SELECT COUNT(*) FROM payments")
        rows = self._database.rows(
            "SELECT id, job_id, job_name, template_id, amount, created_at, SUM(amount) OVER (ORDER BY number)"
            " FROM payments ORDER BY number DESC LIMIT ? OFFSET ?",
            (limit, offset),
        )
        return [self._payment(*row) for row in rows], int(str(total))

    def _payment(self, *row: object) -> Payment:
        payment, job, name, template, amount, at, spent = row
        balance = self._given - _chips(spent)
        return Payment(str(payment), str(job), str(name), str(template), _chips(amount), str(at), balance)


def _chips(amount: object) -> Decimal:
    return Decimal(str(amount)) / _PARTS
