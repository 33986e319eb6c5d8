"""Columns as all tables have them, and the collection that the tables are in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, SmallInteger, Text, text

OPEN_WORDS = "('due', 'sent', 'doubt', 'waiting', 'gated', 'parked')"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BIG = BigInteger().with_variant(Integer(), "sqlite")


def serial() -> Column[int]:
    """An id that is never given twice, also after its row went."""
    return Column("id", BIG, primary_key=True, autoincrement=True)


def big(name: str, *refers: ForeignKey, null: bool = False, default: int | None = None) -> Column[int]:
    at_server = None if default is None else text(str(default))
    return Column(name, BIG, *refers, nullable=null, server_default=at_server)


def key(name: str, *refers: ForeignKey) -> Column[int]:
    return Column(name, BIG, *refers, primary_key=True, autoincrement=False)


def its(name: str, parent: str, *, key: bool = False) -> Column[int]:
    """The id of a row of `parent` that is no foreign key.

    A database looks every foreign key up by itself, which costs more than the row. Where both rows are
    written in one transaction, or the parent is locked, the code keeps them together; each test of a verb
    ends with a look whether it did (`tests/store/conftest.py`).
    """
    type = Integer() if parent == "streams" else BIG
    return Column(name, type, nullable=False, primary_key=key, autoincrement=False, info={"of": parent})


def small(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    """A number that stays below two thousand million."""
    at_server = None if default is None else text(str(default))
    return Column(name, Integer, nullable=null, server_default=at_server)


def flag(name: str, default: int) -> Column[int]:
    return Column(name, SmallInteger, nullable=False, server_default=text(str(default)))


def words(name: str, *, null: bool = False, default: str | None = None) -> Column[str]:
    at_server = None if default is None else text(f"'{default}'")
    return Column(name, Text, nullable=null, server_default=at_server)


def word(name: str) -> Column[str]:
    """Text that is only ever compared whole: by its bytes, which no locale slows down."""
    return Column(name, Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True)


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


AUTO: dict[str, Any] = {"sqlite_autoincrement": True}
CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
HALF_FULL: dict[str, Any] = {"postgresql_with": {"fillfactor": 50}}
"""For rows that are written again soon: the new version finds room on the same page, and takes the place of
the version before the last."""
