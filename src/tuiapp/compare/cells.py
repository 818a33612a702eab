"""The words and the small picture of one row, the same in every form."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuiapp.compare.causes import Cause, Sighting
from tuiapp.compare.comparison import MARGIN, Comparison, Row
from tuiapp.compare.noise import host_key
from tuiapp.compare.quantities import LEVEL
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
_REACHES = (4.0, 8.0, 14.0)
"""How many margins the picture may reach on each side."""
_LONG_NAME = 32
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


def reach(comparison: Comparison) -> float:
    """To how many margins on both sides the pictures of all rows reach: as far as the estimates."""
    edge = math.log1p(comparison.margin)
    logs = [abs(math.log(row.ratio)) / edge for row in comparison.rows if row.ratio is not None]
    return next((far for far in _REACHES if far > max(logs, default=0.0)), _REACHES[-1])


def picture(row: Row, margin: float, width: int = 29, far: float = _REACHES[0]) -> str:
    """The interval over the ±margin band, on a logarithmic axis with 1 in the middle.

    ``·····┊──●──┊·····``; an end that lies outside is an arrow, an estimate that does a double one.

    Args:
        far: margins on each side; see ``reach``.
    """
    edge = math.log1p(margin)
    scale = (width - 1) / 2 / (far * edge)
    middle = (width - 1) // 2
    band = max(round(edge * scale), 1)
    cells = ["·"] * width
    for cell in (middle - band, middle + band):
        cells[cell] = "┊"
    if row.interval is None or row.ratio is None:
        return "".join(cells)
    low, at, high = (
        middle + round(math.log(value) * scale)
        for value in (row.interval[0], row.ratio, row.interval[1])
    )
    for cell in range(max(low, 0), min(high, width - 1) + 1):
        cells[cell] = "┼" if cells[cell] == "┊" else "─"
    if low < 0:
        cells[0] = "«" if at < 0 else "◀"
    if high >= width:
        cells[-1] = "»" if at >= width else "▶"
    if 0 <= at < width:
        cells[at] = "●"
    return "".join(cells)


def common_reason(comparison: Comparison) -> str:
    """Why there is no verdict, where all six rows say the same; empty otherwise."""
    reasons = {row.why for row in comparison.rows}
    return reasons.pop() if len(reasons) == 1 else ""


def heading(comparison: Comparison) -> tuple[str, str]:
    """What each side is: which recordings, which host, how many runs, and of how many requests."""
    a, b = comparison.a, comparison.b
    names = [_recordings(a), _recordings(b)]
    if names[0] == names[1]:
        names = [
            f"{side[0].path.parent.name}/{name}" for side, name in zip((a, b), names, strict=True)
        ]
    told = [
        f"{name} · {_machine(side)} · {plural(len(side), 'run')} of {_requests(side)}"
        for name, side in zip(names, (a, b), strict=True)
    ]
    return told[0], told[1]


def _recordings(runs: Sequence[Run]) -> str:
    """The recording's name, or of several the folder they are in, and the first and the last."""
    first = runs[0]
    if len(runs) == 1:
        return _fitted(first.name)
    folders = {run.path.parent for run in runs}
    where = f"{first.path.parent.name}/" if len(folders) == 1 else ""
    return f"{where}{_fitted(first.name)} … {_fitted(runs[-1].name)}"


def _fitted(name: str) -> str:
    """A name cut in its middle where it is long: both its ends tell."""
    return (
        name if len(name) <= _LONG_NAME else f"{name[: _LONG_NAME // 2]}…{name[-_LONG_NAME // 2 :]}"
    )


def _machine(runs: Sequence[Run]) -> str:
    """The machine of the first run, and how many others there are."""
    found = [run.meta.get("host") for run in runs]
    hosts = [host if isinstance(host, dict) else {} for host in found]
    words = [hosts[0].get(name) for name in ("hostname", "virtualization", "cpu_model")]
    name = " · ".join(str(word)[:40] for word in words if word) or "unknown host"
    others = len({host_key(run) for run in runs}) - 1
    return f"{name} and {plural(others, 'other')}" if others else name


def _requests(runs: Sequence[Run]) -> str:
    fewest, most = min(run.requests for run in runs), max(run.requests for run in runs)
    count = plural(fewest, "request") if fewest == most else f"{fewest:,}–{most:,} requests"
    failed, total = sum(run.failed for run in runs), sum(run.requests for run in runs)
    if not failed:
        return count
    return f"{count}, {'all' if failed == total else f'{failed / total:.1%}'} failed"


def method_line(comparison: Comparison) -> str:
    """How the intervals came about, and the robust estimates beside theirs; empty without one."""
    methods = dict.fromkeys(row.method for row in comparison.rows if row.method)
    if not methods:
        return ""
    robust = ", ".join(
        f"{row.quantity.title} {ratio_text(row.robust_ratio)}"
        for row in comparison.rows
        if row.robust_ratio is not None
    )
    single = max(len(comparison.a), len(comparison.b)) == 1
    told = "" if single or not robust else f"; B/A by Hodges and Lehmann: {robust}"
    return f"{', '.join(methods)}, each at {LEVEL:.1%} so that all six hold at 95 %{told}"


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
    trials = {run.trial.get("set") for run in (*comparison.a, *comparison.b)}
    for side, noise in (("This", in_a),) if one else (("A's", in_a), ("B's", in_b)):
        if noise is not None:
            told = ", ".join(
                f"{row.quantity.title} ±{noise.spread[row.quantity.name]:.1%}"
                for row in comparison.rows
                if row.quantity.name in noise.spread
            )
            made = f"the A/A trial {noise.trial}" if noise.aa else f"{noise.trial}, no A/A trial"
            made = f"{plural(noise.runs, 'run')} of {made}"
            made += ", compared here" if noise.trial in trials else ""
            made += "" if noise.digest in _digests(comparison) else ", under another load"
            lines.append(
                f"{side} host by itself: the standard deviation of a run is {told} ({made})"
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
