"""The shop's database: its tables, how it is filled with customers and what they bought, and its books."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from trueup.model.record import Json
from trueup.sandbox.dirt import RecordView, Values
from trueup.sandbox.filling import Filled
from trueup.sandbox.people import Mix

_SHOP = sa.MetaData()
CUSTOMERS = sa.Table(
    "customers",
    _SHOP,
    sa.Column("customer_id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200)),
    sa.Column("email", sa.String(254)),
    sa.Column("phone", sa.String(40)),
    sa.Column("street", sa.String(200)),
    sa.Column("city", sa.String(100)),
    sa.Column("postcode", sa.String(20)),
    sa.Column("no_mail", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("updated_at", sa.DateTime, nullable=False, index=True),
)
ORDERS = sa.Table(
    "orders",
    _SHOP,
    sa.Column("order_id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("customers.customer_id"), nullable=False, index=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("total", sa.Numeric(12, 2), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("ordered_at", sa.DateTime, nullable=False),
    sa.Column("updated_at", sa.DateTime, nullable=False, index=True),
)
SUBSCRIPTIONS = sa.Table(
    "subscriptions",
    _SHOP,
    sa.Column("subscription_id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("customers.customer_id"), nullable=False, index=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("plan", sa.String(40), nullable=False),
    sa.Column("period_end", sa.DateTime),
    sa.Column("updated_at", sa.DateTime, nullable=False, index=True),
)


def fill_shop(url: str | sa.URL, rows: Iterable[RecordView], today: date | None = None) -> Filled:
    """Makes the tables where they are missing and adds customers, their orders and subscriptions.

    Date-times are UTC without a zone. Orders lie before `today` (default: the day of `Mix`). Raises
    sqlalchemy.exc.IntegrityError when the shop has customers already.
    """
    filled, end = Filled(), datetime.combine(today or Mix().today, time(0))
    engine = sa.create_engine(url)
    try:
        _SHOP.create_all(engine)
        with engine.begin() as connection:
            numbers = {ORDERS.name: 0, SUBSCRIPTIONS.name: 0}
            for batch in _numbered(rows, 1000):
                for table, made in _shop_rows(batch, end, numbers).items():
                    if made:
                        connection.execute(table.insert(), made)
                for number, row in batch:
                    filled.records[row.key] = ("customers", str(number))
    finally:
        engine.dispose()
    return filled


def _numbered(rows: Iterable[RecordView], size: int) -> Iterator[list[tuple[int, RecordView]]]:
    batch: list[tuple[int, RecordView]] = []
    for entry in enumerate(rows, start=1):
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _shop_rows(
    batch: Sequence[tuple[int, RecordView]], end: datetime, numbers: dict[str, int]
) -> dict[sa.Table, list[Values]]:
    made: dict[sa.Table, list[Values]] = {CUSTOMERS: [], ORDERS: [], SUBSCRIPTIONS: []}
    for customer, row in batch:
        rng = Random(row.key)
        made[CUSTOMERS].append(_customer(customer, row.values))
        for table, key, cases in (
            (ORDERS, "order_id", _orders(rng, row.values["stage"], end)),
            (SUBSCRIPTIONS, "subscription_id", _subscriptions(rng, row.values["stage"], end)),
        ):
            for case in cases:
                numbers[table.name] += 1
                made[table].append({key: numbers[table.name], "customer_id": customer, **case})
    return made


def _customer(number: int, values: Mapping[str, Any]) -> Values:
    return {
        "customer_id": number,
        "name": values.get("full_name"),
        **{name: values.get(name) for name in ("email", "phone", "street", "city", "postcode")},
        "no_mail": values.get("newsletter") == "opted_out",
        "updated_at": values["updated_at"].astimezone(UTC).replace(tzinfo=None),
    }


def _orders(rng: Random, stage: str, end: datetime) -> list[Values]:
    """Customers have paid within the year, former ones before it, others have paid nothing."""
    if stage == "customer":
        first = _order(rng, rng.choice(("paid", "shipped")), end, 1, 300)
        states = ("new", "packed", "paid", "shipped", "shipped", "refunded", "cancelled")
        return [first, *(_order(rng, rng.choice(states), end, 1, 700) for _ in range(rng.randrange(6)))]
    if stage == "former":
        return [_order(rng, "shipped", end, 400, 1200) for _ in range(rng.randrange(1, 4))]
    return [_order(rng, rng.choice(("new", "cancelled")), end, 1, 60)] if rng.random() < 0.5 else []


def _order(rng: Random, status: str, end: datetime, newest: int, oldest: int) -> Values:
    ordered = end - timedelta(days=rng.randrange(newest, oldest), seconds=rng.randrange(86400))
    changed = min(ordered + timedelta(hours=rng.randrange(1, 200)), end)
    total = round(rng.lognormvariate(5.2, 1.0), 2)
    return {"status": status, "total": total, "currency": "EUR", "ordered_at": ordered, "updated_at": changed}


def _subscriptions(rng: Random, stage: str, end: datetime) -> list[Values]:
    if stage not in ("customer", "former") or rng.random() < 0.8:
        return []
    active = stage == "customer" and rng.random() < 0.8
    ends = end + timedelta(days=rng.randrange(5, 360)) * (1 if active else -1)
    status = "active" if active else rng.choice(("cancelled", "expired"))
    changed = end - timedelta(days=rng.randrange(1, 300))
    plan = rng.choice(("basic", "plus", "family"))
    return [{"status": status, "plan": plan, "period_end": ends, "updated_at": changed}]


class Shop:
    """The shop's customers as its own people see them."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)

    def customer(self, id: str) -> Mapping[str, Json] | None:
        """One customer's row, None if there is none."""
        with self._engine.connect() as connection:
            query = sa.select(CUSTOMERS).where(CUSTOMERS.c.customer_id == int(id))
            row = connection.execute(query).mappings().first()
        return dict(row) if row is not None else None

    def customers(self) -> list[str]:
        """The ids of all customers, ascending."""
        with self._engine.connect() as connection:
            query = sa.select(CUSTOMERS.c.customer_id).order_by(CUSTOMERS.c.customer_id)
            return [str(id) for (id,) in connection.execute(query)]

    def fingerprint(self) -> int:
        """Changes with any value of any customer."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(CUSTOMERS).order_by(CUSTOMERS.c.customer_id)).all()
        return hash(tuple(tuple(row) for row in rows))

    def dispose(self) -> None:
        """Let go of the database's file."""
        self._engine.dispose()
