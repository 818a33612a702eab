"""Numbers in words: formats with fixed widths, and lines of fields that never jump."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from textual.strip import Strip

from tuiapp.tui.renderables.canvas import Canvas, cells, clean
from tuiapp.tui.renderables.palette import Ink, Palette
from tuiapp.words import clock_face

UNKNOWN = "—"
_NS_PER_MS = 1e6
INTERVAL_CELLS = 16
_SI = ("", "k", "M", "G", "T", "P")
_IEC = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB")


def _special(value: float | None) -> str | None:
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return None


def format_count(value: float | None, width: int = 0) -> str:
    """A whole number in groups of three, ``1,204``; shortened (``123k``) beyond ``width``."""
    special = _special(value)
    if special is not None or value is None:
        return (special or UNKNOWN).rjust(width)
    text = f"{value:,.0f}"
    if width and len(text) > width:
        text = text.replace(",", "")
    if width and len(text) > width:
        text = format_si(value)
    return text.rjust(width)


def format_ms(value_ns: float | None, width: int = 5) -> str:
    """Nanoseconds in milliseconds, right-aligned in ``width`` (at least 4) cells, without unit.

    Two decimals below 1 ms, one below 100 ms, none above; what does not fit becomes seconds or
    hours, with their ``s`` or ``h``. Unknown is ``—``, a request that never answered ``∞``.
    """
    special = _special(value_ns)
    if special is not None or value_ns is None:
        return (special or UNKNOWN).rjust(width)
    ms = value_ns / _NS_PER_MS
    if abs(ms) < 0.995:
        text = f"{ms:.2f}"
    elif abs(ms) < 99.95:
        text = f"{ms:.1f}"
    else:
        text = format_count(ms)
    if len(text) > width:
        text = text.replace(",", "")
    if len(text) > width:
        text = _long(ms / 1e3, width)
    return text.rjust(width)


def _long(seconds: float, width: int) -> str:
    """Seconds, else hours, as precise as ``width`` allows."""
    for size, unit in ((1, "s"), (3600, "h")):
        for decimals in (1, 0):
            text = f"{seconds / size:.{decimals}f}{unit}"
            if len(text) <= width:
                return text
    return "…"


def format_si(value: float | None, width: int = 0) -> str:
    """Three significant digits and a decimal prefix: ``384``, ``1.2k``, ``12.3M``."""
    special = _special(value)
    if special is not None or value is None:
        return (special or UNKNOWN).rjust(width)
    return _scaled(value, 1000.0, _SI).rjust(width)


def format_unit(value: float | None, unit: str, width: int = 0) -> str:
    """A value with its unit, and the decimal prefix where that belongs: ``384 W``, ``4.2 kW``."""
    special = _special(value)
    if special is not None or value is None:
        return (special or UNKNOWN).rjust(width)
    return _scaled(value, 1000.0, tuple(f" {prefix}{unit}" for prefix in _SI)).rjust(width)


def format_bytes(value: float | None, width: int = 0, *, binary: bool = False) -> str:
    """Bytes with their unit: ``1.2 MB``, or ``1.1 MiB`` where memory is meant (``binary``)."""
    special = _special(value)
    if special is not None or value is None:
        return (special or UNKNOWN).rjust(width)
    step, units = (1024.0, _IEC) if binary else (1000.0, _DECIMAL)
    return _scaled(value, step, tuple(f" {unit}" for unit in units)).rjust(width)


def _scaled(value: float, step: float, units: Sequence[str]) -> str:
    index = 0
    while abs(value) >= step - 0.5 and index < len(units) - 1:
        value /= step
        index += 1
    decimals = 1 if index and abs(value) < 99.95 else 0
    if not index and value != round(value):
        decimals = 2 if abs(value) < 9.995 else 1
    return f"{value:.{decimals}f}{units[index]}"


def format_duration(seconds: float | None, width: int = 0) -> str:
    """How long something took: ``7.1 ms``, ``8.1 s``, ``02:14``."""
    special = _special(seconds)
    if special is not None or seconds is None:
        return (special or UNKNOWN).rjust(width)
    if abs(seconds) < 0.095:
        return f"{seconds * 1e3:.1f} ms".rjust(width)
    if abs(seconds) < 99.95:
        return f"{seconds:.1f} s".rjust(width)
    return format_clock(seconds).rjust(width)


def format_clock(seconds: float | None, width: int = 0) -> str:
    """A time in the run: ``02:14``, ``1:02:14``; a microsecond short of a second is that second."""
    special = _special(seconds)
    if special is not None or seconds is None:
        return (special or UNKNOWN).rjust(width)
    return clock_face(seconds).rjust(width)


@dataclass(frozen=True, slots=True)
class Field:
    """A labelled number of fixed width.

    Attributes:
        label: in front, dim.
        value: the number; longer than ``width`` it shows as ``…``, never cut to a wrong number.
        unit: behind, dim.
        keep: when the line is too narrow, fields with the largest stay.
        caveat: a dim ``†`` behind the value, in the next gap: it is explained one key away.
        gap: blanks before the field; ``tight`` where the line has no room for that.
    """

    label: str
    value: str
    width: int = 5
    unit: str = ""
    ink: Ink = Ink.STRONG
    keep: int = 5
    caveat: bool = False
    gap: int = 3
    tight: int = 1
    align: Literal["left", "right"] = "right"
    label_ink: Ink = Ink.DIM

    @property
    def cells(self) -> int:
        """Width of the whole field without its gap."""
        label, unit = (cells(clean(part)) for part in (self.label, self.unit))
        return label + bool(label) + self.width + unit + bool(unit)

    def draw(self, canvas: Canvas, row: int, col: int) -> None:
        """Write the field from ``col`` on."""
        if self.label:
            col = canvas.text(row, col, self.label, self.label_ink) + 1
        value = clean(self.value)
        value = value if cells(value) <= self.width else "…"
        indent = self.width - cells(value) if self.align == "right" else 0
        known = value.strip() != UNKNOWN
        canvas.text(row, col + indent, value, self.ink if known else Ink.DIM)
        col += self.width
        if self.unit:
            col = canvas.text(row, col + 1, self.unit, Ink.DIM)
        if self.caveat:
            canvas.text(row, col, "†", Ink.DIM)


def fit_fields(fields: Sequence[Field], width: int) -> list[Field]:
    """The fields that fit ``width``, in their order: gaps shrink, then the most important stay."""
    sizes = [field.cells for field in fields]
    if not fields or sum(sizes) + sum(field.gap for field in fields[1:]) <= width:
        return list(fields)
    kept = [replace(field, gap=min(field.gap, field.tight)) for field in fields]
    chosen: list[int] = []
    for at in sorted(range(len(kept)), key=lambda at: -kept[at].keep):
        tried = sorted([*chosen, at])
        if sum(sizes[i] for i in tried) + sum(kept[i].gap for i in tried[1:]) <= width:
            chosen = tried
    shown = [fields[at] for at in chosen]
    if sum(sizes[at] for at in chosen) + sum(field.gap for field in shown[1:]) <= width:
        return shown  # without the others there is room for the gaps, too
    return [kept[at] for at in chosen]


@dataclass(frozen=True, slots=True)
class NumberLines:
    """Lines of fields, one a row; when ``None`` of a line's fields fits, it shows ``…``."""

    lines: tuple[tuple[Field, ...], ...]

    def strips(self, width: int, height: int, palette: Palette) -> list[Strip]:
        """Exactly ``height`` strips of ``width`` cells."""
        canvas = Canvas(width, height, palette)
        for row, fields in enumerate(self.lines[: max(height, 0)]):
            kept = fit_fields(fields, width)
            if fields and not kept:
                canvas.text(row, 0, "…", Ink.DIM)
            col = 0
            for index, field in enumerate(kept):
                col += field.gap if index else 0
                field.draw(canvas, row, col)
                col += field.cells
        return canvas.strips()


def quantile_fields(
    p50_ns: float | None,
    p90_ns: float | None,
    p99_ns: float | None,
    n: int,
    *,
    interval_ns: tuple[float, float] | None = None,
    caveat: str = "",
    age: str = "",
    doubtful: bool = False,
) -> tuple[Field, ...]:
    """The number line of a distribution.

    ``p50  23.1  p90  41.0  p99    86 (71–118)  n 1,204``, whole from 55 cells on; too narrow,
    quantiles stay first, then the interval, then n.

    Args:
        p50_ns, p90_ns, p99_ns: quantiles in ns; None or nan unknown, inf never answered.
        n: samples they rest on.
        interval_ns: 95 % interval of p99.
        caveat: stands in the interval's place when there is none: ``too few (61/368)``.
        age: how much older than the rest the interval is: ``−8s``.
        doubtful: mark p99 with ``†`` although the interval is there.
    """
    interval = caveat
    if interval_ns is not None:
        low, high = (format_ms(bound).strip() for bound in interval_ns)
        interval = f"({low}–{high})"
        if age:
            interval += f" {age}" if len(interval) + len(age) < INTERVAL_CELLS else age
    ink = Ink.DIM if interval_ns is not None else Ink.WARN
    doubt = doubtful or (bool(caveat) and interval_ns is None)
    return (
        Field("p50", format_ms(p50_ns), keep=9, gap=2, label_ink=Ink.P50),
        Field("p90", format_ms(p90_ns), keep=3, gap=2, label_ink=Ink.P90),
        Field("p99", format_ms(p99_ns), keep=8, gap=2, caveat=doubt, label_ink=Ink.P99),
        Field("", interval, width=INTERVAL_CELLS, ink=ink, keep=2, gap=2, tight=2, align="left"),
        Field("n", format_count(n, 5), 5, keep=1, gap=2, tight=1 + doubt, ink=Ink.TEXT),
    )
