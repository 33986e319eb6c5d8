"""How a file is written: its encoding, its delimiter, the names of its columns. Guessed by stated rules.

Encoding, the first that fits:
1. a byte order mark (UTF-8, UTF-16, UTF-32);
2. NULs (over 1 % of the bytes) almost only in even or only in odd places: UTF-16 without a mark;
3. every byte fits UTF-8;
4. at least four of five sequences beyond ASCII fit UTF-8: UTF-8 with damaged rows, which are rejected;
5. most letters beyond ASCII stand in words of two or more such letters and no Latin one, as Cyrillic
   does: Windows-1251; else Windows-1252.
Rule 5 is a guess between two: a file in any other eight-bit encoding needs the option `encoding`.

Delimiter: of comma, semicolon, tab and bar the one with which most rows are as wide as the first, and the
widest among equals. A first line `sep=;`, as spreadsheets write it, decides.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from trueup.connectors.csv.settings import AUTO

SAMPLE = 1 << 20
_CANDIDATES = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WORD = re.compile(rb"[A-Za-z\xa8\xb8\xc0-\xff]+")
_HIGH = re.compile(rb"[\xa8\xb8\xc0-\xff]")

csv.field_size_limit(2**31 - 1)  # a cell may hold more than the module's 128 KiB


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec and the mark that stands before the text. `errors`: what the codec does with odd bytes;
    where it can keep them, only their row is rejected and they are written back as they were."""

    codec: str
    mark: bytes = b""

    @property
    def errors(self) -> str:
        return "strict" if self.codec.startswith(("utf-16", "utf-32")) else "surrogateescape"

    @property
    def limits(self) -> str:
        """The codec where it has not every character; else nothing."""
        return "" if self.codec.lower().replace("_", "-").startswith(("utf", "u8")) else self.codec


def encoding_of(file: BinaryIO, wanted: str) -> Encoding:
    """The encoding of an open file, by the rules above; `wanted` overrides all but a fitting mark."""
    file.seek(0)
    head = file.read(SAMPLE)
    for mark, codec in _MARKS:
        if head.startswith(mark) and wanted in (AUTO, codec, codec[:6], f"{codec}-sig"):
            return Encoding(codec, mark)
    if wanted != AUTO:
        return Encoding(_exact(wanted, head))
    if wide := _without_mark(head):
        return Encoding(wide)
    if _is_utf8(file) or _nearly_utf8(head):
        return Encoding("utf-8")
    return Encoding(_eight_bit(head))


def delimiter_of(sample: str, wanted: str) -> str:
    """The delimiter, by the rule above."""
    if wanted != AUTO:
        return wanted
    told = re.match(r"sep=(.)\r?\n", sample)
    return told[1] if told else max(_CANDIDATES, key=lambda delimiter: _score(sample, delimiter))


def names_of(header: Sequence[str]) -> list[str]:
    """The header's cells as names: blanks of all kinds tidied, empty ones counted, repeated ones numbered."""
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(header, 1):
        legible = cell.encode("utf-8", "replace").decode().replace("\ufeff", "")
        plain = " ".join(legible.split()) or f"column {place}"
        name, number = plain, 1
        while name in taken:
            number += 1
            name = f"{plain} ({number})"
        taken.add(name)
        names.append(name)
    return names


def _exact(wanted: str, head: bytes) -> str:
    """A named encoding as it is without a mark: Python's `utf-8-sig`, `utf-16` and `utf-32` put one before
    every piece that they encode, and rows are encoded one by one."""
    match wanted:
        case "utf-8-sig":
            return "utf-8"
        case "utf-16":
            return _without_mark(head) or "utf-16-le"
        case "utf-32":
            return "utf-32-be" if head[0::4].count(0) > head[3::4].count(0) else "utf-32-le"
    return wanted


def _without_mark(head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = len(head) * 0.01
    if odd > most and even < odd / 10:
        return "utf-16-le"
    return "utf-16-be" if even > most and odd < even / 10 else ""


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while chunk := file.read(SAMPLE):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _nearly_utf8(head: bytes) -> bool:
    text = head.decode("utf-8", "surrogateescape")
    bad = sum(1 for letter in text if "\udc80" <= letter <= "\udcff")
    good = sum(1 for letter in text if letter > "\x7f") - bad
    return good > 0 and good >= 4 * bad


def _eight_bit(head: bytes) -> str:
    apart = total = 0
    for word in _WORD.findall(head):
        high = len(_HIGH.findall(word))
        total += high
        apart += high if high == len(word) > 1 else 0
    return "windows-1251" if apart * 2 > total else "windows-1252"


def _score(sample: str, delimiter: str) -> tuple[float, int]:
    rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
    if len(rows) > 1 and not sample.endswith(("\n", "\r")):
        rows.pop()  # the sample may have cut it
    width = len(rows[0]) if rows else 0
    if width < 2:
        return 0.0, 0
    return round(sum(len(row) == width for row in rows) / len(rows), 1), width
