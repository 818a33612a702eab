"""The words and the small picture of one row, the same in every form."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuiapp.compare.causes import Cause, Sighting
from tuiapp.compare.comparison import MARGIN, Comparison, Row
from tuiapp.compare.runs import Run
from tuiapp.compare.verdict import (
    EQUIVALENT,
    FASTER,
    FASTER_BY_SOME,
    INCONCLUSIVE,
    SLOWER,
    SLOWER_BY_SOME,
)
from tuiapp.words import plural

UNKNOWN = "—"
_MOST_CAUSES = 5
_REACH = 4.0
"""The picture reaches to four times the margin on both sides."""
_FAR = 1000.0
"""A ratio beyond which nobody asks how large it is."""


def value_text(row: Row, value: float | None) -> str:
    """Milliseconds with three digits, or tokens a second."""
    if value is None:
        return UNKNOWN
    if math.isinf(value):
        return "∞"
    if row.quantity.metric:
        ms = value * 1e3
        if 0 < ms < 0.095:
            return f"{ms:.2g}"
        return f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:,.0f}"
    return f"{value:,.1f}"


def unit(row: Row) -> str:
    """Of ``value_text``."""
    return "ms" if row.quantity.metric else ""


def ratio_text(value: float | None) -> str:
    """With as many digits as a few per cent need; at most six cells."""
    if value is None:
        return UNKNOWN
    if value >= _FAR:
        return f">{_FAR:.0f}"
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def interval_text(row: Row) -> str:
    """The interval of B / A."""
    if row.interval is None:
        return UNKNOWN
    low, high = row.interval
    return f"{ratio_text(low)} – {ratio_text(high)}"


def verdict_text(row: Row, margin: float = MARGIN) -> str:
    """The outcome in words, about B; and what would settle it."""
    size = f"{margin * 100:g} %"
    words = {
        SLOWER: f"B SLOWER by ≥ {size}",
        FASTER: f"B FASTER by ≥ {size}",
        SLOWER_BY_SOME: "B slower, by how much is uncertain",
        FASTER_BY_SOME: "B faster, by how much is uncertain",
        EQUIVALENT: f"EQUIVALENT within ±{size}",
    }
    if row.verdict in words:
        return words[row.verdict]
    if row.verdict == INCONCLUSIVE:
        if row.why:
            return f"inconclusive: {row.why}"
        if row.runs_needed is None:
            return "inconclusive: not settled by 1,000 runs a side"
        return f"inconclusive: about {row.runs_needed} runs a side may settle it"
    return f"no verdict: {row.why}"


def picture(row: Row, margin: float, width: int = 29) -> str:
    """The interval over the ±margin band, on a logarithmic axis with 1 in the middle.

    ``·····┊──●──┊·····``; an end that lies outside is an arrow.
    """
    edge = math.log1p(margin)
    scale = (width - 1) / 2 / (_REACH * edge)
    middle = (width - 1) // 2
    band = round(edge * scale)
    cells = ["·"] * width
    if row.interval is not None and row.ratio is not None:
        low, at, high = (
            middle + round(math.log(value) * scale)
            for value in (row.interval[0], row.ratio, row.interval[1])
        )
        for cell in range(max(low, 0), min(high, width - 1) + 1):
            cells[cell] = "─"
        if 0 <= at < width:
            cells[at] = "●"
    for cell in (middle - band, middle + band):
        if cells[cell] != "●":
            cells[cell] = "┼" if cells[cell] == "─" else "┊"
    if row.interval is not None and row.ratio is not None:
        if low < 0:
            cells[0] = "◀"
        if high >= width:
            cells[-1] = "▶"
    return "".join(cells)


def common_reason(comparison: Comparison) -> str:
    """Why there is no verdict, where all six rows say the same; empty otherwise."""
    reasons = {row.why for row in comparison.rows}
    return reasons.pop() if len(reasons) == 1 else ""


def heading(comparison: Comparison) -> tuple[str, str]:
    """What each side is: which host, how many runs, and of how many requests."""
    sides = []
    for runs in (comparison.a, comparison.b):
        host = runs[0].meta.get("host")
        host = host if isinstance(host, dict) else {}
        words = [host.get("hostname"), host.get("virtualization"), host.get("cpu_model")]
        name = " · ".join(str(word)[:40] for word in words if word) or "unknown host"
        sides.append(f"{name} · {plural(len(runs), 'run')} of {_requests(runs)}")
    return sides[0], sides[1]


def _requests(runs: Sequence[Run]) -> str:
    fewest, most = min(run.requests for run in runs), max(run.requests for run in runs)
    if fewest == most:
        return plural(fewest, "request")
    return f"{fewest:,}–{most:,} requests"


def gate_lines(comparison: Comparison) -> list[str]:
    """The gate in words."""
    found = comparison.gate
    lines = [
        f"{'confounder' if d in found.confounders else d.kind}: {d.field}: {d.a} → {d.b}"
        for d in found.differences
    ]
    lines += [f"confounder: {text}" for text in found.mixed]
    lines += [f"unknown: {text}" for text in found.missing]
    if found.open:
        lines.insert(0, "same model, engine settings and load, as far as the recordings tell")
    else:
        lines.insert(0, f"NOT COMPARABLE: {found.reason}, so nothing is conclusive")
    return lines


def noise_lines(comparison: Comparison) -> list[str]:
    """What is known of each host's own noise, a line a side."""
    lines = []
    in_a, in_b = comparison.noise
    one = in_a is not None and in_a == in_b  # kept by host: it is the same one
    for side, noise in (("This", in_a),) if one else (("A's", in_a), ("B's", in_b)):
        if noise is not None:
            told = ", ".join(
                f"{row.quantity.title} ±{noise.spread[row.quantity.name]:.1%}"
                for row in comparison.rows
                if row.quantity.name in noise.spread
            )
            made = f"{plural(noise.runs, 'run')}, {'A/A trial' if noise.aa else 'no A/A trial'}"
            other = "" if noise.digest in _digests(comparison) else ", under another load"
            lines.append(
                f"{side} host by itself, standard deviation of a run: {told} "
                f"({made} {noise.trial}{other})"
            )
    return lines


def _digests(comparison: Comparison) -> set[object]:
    """Of the loads that are compared."""
    loads = [run.meta.get("workload") for run in (*comparison.a, *comparison.b)]
    return {load.get("digest") for load in loads if isinstance(load, dict)}


def cause_line(cause: Cause) -> str:
    """What may be why the sides differ, in how many runs, and what to do about it."""
    other = "B" if cause.side == "A" else "A"
    seen = f"{cause.side}: {_seen(cause.here)}; {other}: {_seen(cause.there)}"
    return f"{seen}. {cause.here.finding.advice}".rstrip()


def _seen(sighting: Sighting) -> str:
    if sighting.runs == 1:
        return sighting.finding.title
    return f"{sighting.finding.title}, a cause in {sighting.causes} of {sighting.runs} runs"


def cause_lines(causes: Sequence[Cause]) -> list[str]:
    """The most telling ones; a sentence where there is none."""
    if not causes:
        return ["no factor that was looked at is graver on one side than on the other"]
    return [cause_line(cause) for cause in causes[:_MOST_CAUSES]]
