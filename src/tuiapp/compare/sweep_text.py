"""One sweep, or two beside each other, as a table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tuiapp.compare.sweep import UNITS, Point, Sweep

UNKNOWN = "—"
_COLUMNS = ("TTFT p50", "TTFT p99", "ITL p50", "ITL p99", "tokens/s", "p99/p50", "objectives")


def text(sweeps: list[Sweep]) -> str:
    """The whole table; levels of several sweeps stand under each other."""
    unit = UNITS.get(sweeps[0].over, sweeps[0].over)
    lines = [f"{unit:<14}   {'runs':>4} " + "".join(f"{name:>11}" for name in _COLUMNS)]
    levels = sorted({point.level for found in sweeps for point in found.points})
    for level in levels:
        for side, found in zip("AB", sweeps, strict=False):
            point = next((point for point in found.points if point.level == level), None)
            name = f"{level:g}" if side == "A" else ""
            mark = side if len(sweeps) > 1 else ""
            lines.append(_line(name, mark, point))
    lines.append("")
    for side, found in zip("AB", sweeps, strict=False):
        who = f"{side} {found.name}: " if len(sweeps) > 1 else ""
        lines += [f"{who}{words}" for words in _findings(found, unit)]
    if len({found.digest for found in sweeps}) > 1:
        lines.append("NOT COMPARABLE: the loads differ in more than what is stepped")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def as_json(sweeps: list[Sweep]) -> dict[str, Any]:
    """The same as values."""
    return {"schema": "tuiapp.sweep/1", "sweeps": [asdict(found) for found in sweeps]}


def _line(name: str, mark: str, point: Point | None) -> str:
    if point is None:
        return f"{name:<14} {mark:1}  not measured"
    times = (point.ttft_p50_s, point.ttft_p99_s, point.itl_p50_s, point.itl_p99_s)
    cells = [*map(_ms, times), _number(point.output_tokens_per_s), _number(point.predictability)]
    cells.append({True: "met", False: "MISSED", None: UNKNOWN}[point.meets])
    return f"{name:<14} {mark:1} {point.runs:>4} " + "".join(f"{cell:>11}" for cell in cells)


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    return "∞" if seconds == float("inf") else f"{seconds * 1e3:,.1f} ms"


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.1f}"


def _findings(found: Sweep, unit: str) -> list[str]:
    lines = []
    if found.knee is None:
        lines.append("no knee inside the sweep: step further")
    else:
        lines.append(f"knee at {found.knee:g} {unit}: most tokens for the response time")
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
