"""One sweep, or two beside each other, as a table; 76 cells wide."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tuiapp.compare import report_json, report_text
from tuiapp.compare.reading import Compared
from tuiapp.compare.sweep import UNITS, Point, Sweep

UNKNOWN = "—"
_COLUMNS = {
    "TTFT p50": 9, "TTFT p99": 9, "ITL p50": 8, "ITL p99": 8, "tok/s": 8, "p99/p50": 8, "SLO": 7,
}  # fmt: skip


def text(sweeps: list[Sweep]) -> str:
    """The whole table; levels of several sweeps stand under each other."""
    unit = UNITS.get(sweeps[0].over, sweeps[0].over)
    head = "".join(name.rjust(width) for name, width in _COLUMNS.items())
    lines = [f"by {unit}; n requests; times in ms", f"{'':7} {'runs':>4} {'n':>6}{head}"]
    measured = {point.level for found in sweeps for point in found.points}
    levels = sorted(measured.union(*(found.failed for found in sweeps)))
    for level in levels:
        for side, found in zip("AB", sweeps, strict=False):
            point = next((point for point in found.points if point.level == level), None)
            name = f"{level:g}" if side == "A" else ""
            mark = side if len(sweeps) > 1 else ""
            lines.append(_line(name, mark, point, failed=level in found.failed))
    lines.append("")
    for side, found in zip("AB", sweeps, strict=False):
        who = f"{side} {found.name}: " if len(sweeps) > 1 else ""
        lines += [f"{who}{words}" for words in _findings(found, unit)]
    if len({found.digest for found in sweeps}) > 1:
        lines.append("NOT COMPARABLE: the loads differ in more than what is stepped")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def compared_text(compared: Compared) -> str:
    """Two sweeps, and the comparison at a level both have."""
    sweeps = list(compared.sweeps)
    unit = UNITS.get(sweeps[0].over, sweeps[0].over)
    return (
        f"{text(sweeps)}\nBoth at {compared.level:g} {unit}:\n\n{report_text.text(compared.answer)}"
    )


def as_json(sweeps: list[Sweep], compared: Compared | None = None) -> dict[str, Any]:
    """The same as values."""
    told: dict[str, Any] = {
        "schema": "tuiapp.sweep/1",
        "sweeps": [asdict(found) for found in sweeps],
    }
    if compared is not None:
        told |= {"level": compared.level, "comparison": report_json.as_json(compared.answer)}
    return told


def _line(name: str, mark: str, point: Point | None, *, failed: bool) -> str:
    start = f"{name:<5} {mark:1}"
    if point is None:
        return f"{start}  {'no run was made' if failed else 'not in this sweep'}"
    times = (point.ttft_p50_s, point.ttft_p99_s, point.itl_p50_s, point.itl_p99_s)
    cells = [*map(_ms, times), _number(point.output_tokens_per_s), _number(point.predictability)]
    cells.append({True: "met", False: "MISSED", None: UNKNOWN}[point.meets])
    told = zip(cells, _COLUMNS.values(), strict=True)
    start += f" {point.runs:>4} {point.requests:>6,}"
    return start + "".join(cell.rjust(width) for cell, width in told)


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
