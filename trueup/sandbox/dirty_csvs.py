"""Two dirty exports of overlapping people as CSV files, and the truth about them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from trueup.sandbox import names
from trueup.sandbox.dirt import RecordView, Source, example_sources, view
from trueup.sandbox.people import Mix, generate


@dataclass(frozen=True, slots=True)
class DirtyCsvs:
    """Two exports, and the truth: for each file, the true person of each data row, in order."""

    files: tuple[Path, Path]
    people: tuple[tuple[str, ...], tuple[str, ...]]


_CRM = ("Ім'я", "Прізвище", "E-mail", "Телефон", "Моб.", "Компанія", "Місто", "Індекс", "Дата народження")
_CRM_KEYS = (
    "first_name", "last_name", "email", "phone", "mobile", "company", "city", "postcode", "birthday",
)  # fmt: skip
_NEWS = ("Name", "Email", "Phone", "City", "Street", "Subscribed", "Interests")
_NEWS_KEYS = ("full_name", "email", "phone", "city", "street", "newsletter", "interests")


def dirty_csvs(seed: int, people: int, folder: Path) -> DirtyCsvs:
    """Writes `customers.csv` and `newsletter.csv`, each of that many people and some duplicates.

    Half of each file's people are in the other one too. Semicolons, Windows-1251, CRLF, dates as
    dd.mm.yyyy; letters that this encoding lacks are replaced by plain ones, as export programs do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mix = Mix(cultures=(("uk", 60), ("ru", 15), ("en", 10), ("de", 8), ("pl", 7)))
    population = generate(seed, people + people // 2, mix)
    sources = {source.name: source for source in example_sources()}
    first = _export(view(population, _everyone(sources["sales"], native=0.8)), 0, people)
    last = _export(view(population, _everyone(sources["shop"], native=0.6)), people // 2, people)
    files = (folder / "customers.csv", folder / "newsletter.csv")
    crm = _write_csv(files[0], _CRM, _CRM_KEYS, first)
    return DirtyCsvs(files, (crm, _write_csv(files[1], _NEWS, _NEWS_KEYS, last)))


def _everyone(source: Source, native: float) -> Source:
    return Source(
        name=f"{source.name}-csv",
        known=dict.fromkeys((stage for stage, _ in Mix().stages), 1.0),
        dirt=source.dirt,
        duplicates=0.08,
        full_name=source.full_name,
        native=native,
        work=0.3,
        country="local",
    )


def _export(rows: Iterable[RecordView], start: int, people: int) -> Iterator[RecordView]:
    """The rows of `people` people, from the one after the first `start`; later duplicates lie elsewhere."""
    late: list[RecordView] = []
    for row in rows:
        if start < int(row.person[2:]) <= start + people:
            if row.duplicate_of:
                late.append(row)
            else:
                yield row
    yield from late


def _write_csv(
    path: Path, header: Sequence[str], keys: Sequence[str], rows: Iterable[RecordView]
) -> tuple[str, ...]:
    people: list[str] = []
    with path.open("w", encoding="cp1251", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(header)
        for row in rows:
            writer.writerow([_cell(key, row.values.get(key)) for key in keys])
            people.append(row.person)
    return tuple(people)


def _cell(key: str, value: Any) -> str:
    if key == "birthday" and value:
        return date.fromisoformat(value).strftime("%d.%m.%Y")
    if key == "newsletter":
        return {"opted_in": "так", "opted_out": "ні"}.get(value, "")
    text = ", ".join(value) if isinstance(value, tuple) else str(value or "")
    return "".join(_encodable(char) for char in text)


def _encodable(char: str) -> str:
    try:
        char.encode("cp1251")
        return char
    except UnicodeEncodeError:
        return names.plain(char).encode("cp1251", "replace").decode("cp1251")
