"""The books of the shop's database, for looking into what a hub left there."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from trueup.model.record import Json
from trueup.sandbox.seed import CUSTOMERS


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
