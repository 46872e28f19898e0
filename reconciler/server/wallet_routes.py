"""`/v1/wallet`: what the account holds, and what was paid."""

from __future__ import annotations

import csv
import io
from decimal import Decimal, InvalidOperation

from fastapi import APIRouter, Request

from reconciler.server.bodies import field, mapping, whole
from reconciler.server.errors import invalid
from reconciler.server.job_json import money
from reconciler.server.listing import LARGEST_PAGE, PAGE, pagination
from reconciler.server.requests import Body, Claims, Server
from reconciler.server.settings import Dialect
from reconciler.server.wallet import EXCHANGE_RATE, Payment

router = APIRouter(prefix="/v1/wallet", tags=["wallet"])


def balance_of(house: Server, *, legacy: bool) -> dict[str, object]:
    """The account, with texts in 2023 and numbers since."""
    dialect: Dialect = "legacy" if legacy else "current"
    told: dict[str, object] = {
        "accountId": house.account,
        "totalBalance": money(house.wallet.total(), dialect),
        "availableBalance": money(house.wallet.available(), dialect),
    }
    return told if legacy else {**told, "amountDue": 0.0}


@router.get("/balance")
def balance(_: Claims, house: Server) -> dict[str, object]:
    """What the account holds, in ByteChips."""
    return balance_of(house, legacy=house.settings.dialect == "legacy")


@router.get("/exchange_rate")
def exchange_rate(
    _: Claims,
    currency: str = "USD",
    currencyAmount: str = "",  # noqa: N803 - the name on the wire
    amount: str = "",
) -> dict[str, object]:
    """What ByteChips are worth."""
    if currency.upper() != "USD":
        raise invalid("currency: only USD is known here")
    paid, chips = _decimal(currencyAmount, "currencyAmount"), _decimal(amount, "amount")
    if chips is None:
        chips = Decimal(1) if paid is None else paid / EXCHANGE_RATE
    return {
        "currency": "USD",
        "currencyAmount": float(chips * EXCHANGE_RATE),
        "exchangeRate": float(EXCHANGE_RATE),
        "amount": float(chips),
    }


@router.get("/transactions")
def transactions(request: Request, _: Claims, house: Server) -> dict[str, object]:
    """A page of payments, the newest first."""
    query = request.query_params
    return _page(
        house,
        query.get("pagination.limit", query.get("limit")),
        query.get("pagination.offset", query.get("offset")),
    )


@router.post("/transactions/filter")
def transactions_filter(body: Body, _: Claims, house: Server) -> dict[str, object]:
    """A page of payments, asked for with a body. Filters are refused: there is one type of transaction."""
    if field(body, "filters"):
        raise invalid("filters: payments cannot be filtered here")
    paging = mapping(field(body, "pagination"), "pagination")
    return _page(house, field(paging, "limit"), field(paging, "offset"))


@router.get("/transactions/csv")
def transactions_csv(_: Claims, house: Server) -> dict[str, str]:
    """All payments as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "createdAt", "transactionType", "amount", "jobId", "jobName", "balance"])
    for each in house.wallet.payments(-1, 0)[0]:
        # A name that begins like a formula must not be one to whoever opens this.
        name = f"'{each.job_name}" if each.job_name[:1] in "=+-@" else each.job_name
        writer.writerow(
            [each.id, each.created_at, "payment", f"{each.amount:f}", each.job_id, name, f"{each.balance:f}"]
        )
    return {"csv": text.getvalue()}


def _page(house: Server, limit: object, offset: object) -> dict[str, object]:
    size = min(whole(limit, "pagination.limit") or PAGE, LARGEST_PAGE)
    start = whole(offset, "pagination.offset")
    found, total = house.wallet.payments(size, start)
    return {"pagination": pagination(total, start, len(found)), "data": [_told(each, house.account) for each in found]}


def _told(payment: Payment, account: str) -> dict[str, object]:
    return {
        "id": payment.id,
        "createdAt": payment.created_at,
        "accountFrom": account,
        "accountTo": "reconciler",
        "amount": float(payment.amount),
        "transactionType": "payment",
        "relatedEntity": {"type": "job", "id": payment.job_id, "name": payment.job_name},
        "notes": "",
        "transactionData": "",
        "hash": "",
        "relatedEntityData": {
            "type": "payment",
            "id": payment.job_id,
            "name": "",
            "jobName": payment.job_name,
            "jobId": payment.job_id,
            "jobTemplate": payment.template_id,
        },
        "description": f"Job {payment.job_id}",
        "balance": float(payment.balance),
    }


def _decimal(text: str, name: str) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0:
        raise invalid(f"{name} must be a number, 0 or more")
    return value
