"""The engine's processes, each with what it takes from the machine."""

from __future__ import annotations

import math
from itertools import count
from typing import Any

from tuiapp.session.view import View
from tuiapp.tui.renderables.canvas import clean
from tuiapp.tui.renderables.numbers import format_bytes
from tuiapp.tui.renderables.palette import Ink
from tuiapp.tui.renderables.table import Cell, Column, Table

GROUP = "process.tree"
_COLUMNS = (
    Column("pid", "pid", 8, priority=6),
    Column("name", "engine's process", 24, "left", priority=9),
    Column("cores", "cores", 6, priority=8),
    Column("rss", "rss", 9, priority=8),
    Column("threads", "threads", 7, priority=4),
)
_MOST_DEPTH = 6


def process_table(view: View) -> Table | None:
    """The largest of the engine's process tree, children below their parents; None without any."""
    found = _found(view)
    if not found:
        return None
    names = (view.meta.get("host") or {}).get("engine_processes")
    known = names if isinstance(names, dict) else {}
    return Table(_COLUMNS, [_row(view, slot, depth, known) for slot, depth in _tree(view, found)])


def _found(view: View) -> dict[int, int]:
    """Slots by pid."""
    found: dict[int, int] = {}
    for slot in count():
        pid = _number(view, f"p{slot}_pid")
        if pid is None:
            return found
        found[pid] = slot
    return found


def _number(view: View, name: str) -> int | None:
    value = view.gauge(GROUP, name)
    return int(value) if value is not None and math.isfinite(value) else None


def _tree(view: View, found: dict[int, int]) -> list[tuple[int, int]]:
    """(slot, depth), each below its parent; what has no parent here stands at the left."""
    children: dict[int | None, list[int]] = {}
    for pid, slot in found.items():
        parent = _number(view, f"p{slot}_parent")
        children.setdefault(parent if parent in found and parent != pid else None, []).append(pid)
    rows: list[tuple[int, int]] = []
    waiting = [(pid, 0) for pid in reversed(children.get(None, []))]
    while waiting:
        pid, depth = waiting.pop()
        rows.append((found[pid], depth))
        waiting += [(child, depth + 1) for child in reversed(children.get(pid, []))]
    return rows


def _row(view: View, slot: int, depth: int, names: dict[str, Any]) -> list[Cell]:
    def gauge(name: str) -> float | None:
        return view.gauge(GROUP, f"p{slot}_{name}")

    pid, cores, threads = f"{gauge('pid'):.0f}", gauge("cpu_cores"), gauge("threads")
    indent = "  " * (min(depth, _MOST_DEPTH) - 1) + "└ " if depth else ""
    return [
        (pid, Ink.DIM),
        f"{indent}{clean(str(names.get(pid, '')))}",
        ("—" if cores is None else f"{cores:.2f}", Ink.STRONG),
        format_bytes(gauge("rss_bytes"), binary=True),
        ("—" if threads is None else f"{threads:.0f}", Ink.DIM),
    ]
