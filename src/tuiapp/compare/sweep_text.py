"""One sweep, or two beside each other, as a table; 76 cells wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tuiapp.compare import report_json, report_text
from tuiapp.compare.reading import Compared
from tuiapp.compare.sweep import UNITS, Point, Sweep

UNKNOWN = "—"
COLUMNS = {
    "TTFT p50": 9, "TTFT p99": 9, "ITL p50": 8, "ITL p99": 8, "tok/s": 8, "p99/p50": 8, "SLO": 7,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One level of one sweep.

    Attributes:
        level: as text; empty under the same level of another sweep.
        side: ``A`` or ``B``; empty where there is one sweep.
        cells: runs, requests, and what ``COLUMNS`` names.
        trouble: why there are no cells; else empty.
    """

    level: str
    side: str
    cells: tuple[str, ...] = ()
    trouble: str = ""


def table(sweeps: Sequence[Sweep]) -> list[Line]:
    """Every level of every sweep; those of several sweeps stand under each other."""
    measured = {point.level for found in sweeps for point in found.points}
    levels = sorted(measured.union(*(found.failed for found in sweeps)))
    lines = []
    for level in levels:
        for side, found in zip("AB", sweeps, strict=False):
            point = next((point for point in found.points if point.level == level), None)
            name = f"{level:g}" if side == "A" else ""
            mark = side if len(sweeps) > 1 else ""
            if point is None:
                made = "no run was made" if level in found.failed else "not in this sweep"
                lines.append(Line(name, mark, trouble=made))
            else:
                lines.append(Line(name, mark, _cells(point)))
    return lines


def findings(sweeps: Sequence[Sweep]) -> list[str]:
    """Knee and highest load of each, and whether they may be compared."""
    said = []
    for side, found in zip("AB", sweeps, strict=False):
        who = f"{side} {found.name}: " if len(sweeps) > 1 else ""
        said += [f"{who}{words}" for words in _findings(found, unit(sweeps))]
    said += _beside(sweeps)
    if len({found.digest for found in sweeps}) > 1:
        said.append("NOT COMPARABLE: the loads differ in more than what is stepped")
    return said


def _beside(sweeps: Sequence[Sweep]) -> list[str]:
    """How much more load B carries than A, where both ends of both are known."""
    if len(sweeps) < 2 or any(found.capacity is None for found in sweeps):
        return []
    (meets_a, misses_a), (meets_b, misses_b) = (found.capacity_span for found in sweeps)
    if not (meets_a and misses_a and meets_b and misses_b):
        return []
    about = sweeps[1].capacity / sweeps[0].capacity  # type: ignore[operator]
    low, high = meets_b / misses_a, misses_b / meets_a
    return [f"highest load, B/A: about {about:.2f} (surely {low:.2f} to {high:.2f})"]


def unit(sweeps: Sequence[Sweep]) -> str:
    """What is stepped, in words."""
    return UNITS.get(sweeps[0].over, sweeps[0].over)


def text(sweeps: Sequence[Sweep]) -> str:
    """The whole table and what it says."""
    head = "".join(name.rjust(width) for name, width in COLUMNS.items())
    lines = [f"by {unit(sweeps)}; n requests; times in ms", f"{'':7} {'runs':>4} {'n':>6}{head}"]
    lines += [_line(line) for line in table(sweeps)]
    lines += ["", *findings(sweeps)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def compared_text(compared: Compared) -> str:
    """Two sweeps, and the comparison at a level both have."""
    sweeps = compared.sweeps
    at = f"Both at {compared.level:g} {unit(sweeps)}:"
    return f"{text(sweeps)}\n{at}\n\n{report_text.text(compared.answer)}"


def as_json(sweeps: Sequence[Sweep], compared: Compared | None = None) -> dict[str, Any]:
    """The same as values."""
    told: dict[str, Any] = {
        "schema": "tuiapp.sweep/1",
        "sweeps": [asdict(found) for found in sweeps],
    }
    if compared is not None:
        told |= {"level": compared.level, "comparison": report_json.as_json(compared.answer)}
    return told


def _line(line: Line) -> str:
    start = f"{line.level:<5} {line.side:1}"
    if line.trouble:
        return f"{start}  {line.trouble}"
    runs, requests, *cells = line.cells
    told = "".join(cell.rjust(width) for cell, width in zip(cells, COLUMNS.values(), strict=True))
    return f"{start} {runs:>4} {requests:>6}{told}"


def _cells(point: Point) -> tuple[str, ...]:
    times = (point.ttft_p50_s, point.ttft_p99_s, point.itl_p50_s, point.itl_p99_s)
    rates = (point.output_tokens_per_s, point.predictability)
    met = {True: "met", False: "MISSED", None: UNKNOWN}[point.meets]
    counts = f"{point.runs}", f"{point.requests:,}"
    return (*counts, *map(_ms, times), *map(_number, rates), met)


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    return "∞" if seconds == float("inf") else _number(seconds * 1e3)


def _number(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:,.1f}" if value < 999.95 else f"{value:,.0f}"


def _span(found: Sweep) -> str:
    if found.knee_span is None:
        return "(no interval from one run a level)"
    low, high = found.knee_span
    return f"({low:g} to {high:g})" if high > low else "(surely)"


def _findings(found: Sweep, unit: str) -> list[str]:
    lines = []
    if found.knee is None:
        lines.append("no knee inside the sweep: step further")
    else:
        lines.append(f"knee at {found.knee:g} {unit} {_span(found)}: most tokens for the wait")
    meets, misses = found.capacity_span
    if all(point.worst is None for point in found.points):
        lines.append("no objectives, so no highest load: give --slo")
    elif misses is None and meets is not None:
        lines.append(f"objectives are met up to {meets:g} {unit} at least")
    elif meets is None:
        lines.append("objectives are surely met at no level")
    else:
        about = UNKNOWN if found.capacity is None else f"{found.capacity:.3g}"
        lines.append(
            f"highest load within the objectives: about {about} {unit} (surely {meets:g}, "
            f"surely not {misses:g})"
        )
    return lines
