"""What the list of recordings has no room for, of the one that is selected."""

from __future__ import annotations

from collections.abc import Iterable

from tuiapp.clock import local_from_ns
from tuiapp.session.entry import Entry
from tuiapp.tui.renderables.canvas import clean
from tuiapp.tui.renderables.numbers import format_bytes, format_clock, format_ms
from tuiapp.words import plural


def _joined(words: Iterable[str | None]) -> str:
    return " · ".join(filter(None, words))


def _ms(seconds: float) -> str:
    return format_ms(seconds * 1e9, 7).strip()


def about(entry: Entry) -> str:
    """What else is known of a recording, in up to three lines."""
    requests = None if entry.requests is None else plural(entry.requests, "request")
    made = None if entry.created_ns is None else local_from_ns(entry.created_ns)
    length = None if entry.duration_s is None else format_clock(entry.duration_s)
    file = (
        f"{made:%Y-%m-%d %H:%M}" if made else "",
        length,
        format_bytes(entry.size),
        entry.condition,
        str(entry.path),
    )
    p50s = (("TTFT", entry.ttft_p50_s), ("TPOT", entry.tpot_p50_s))
    medians = (f"{name} p50 {_ms(p50)} ms" for name, p50 in p50s if p50 is not None)
    told = (entry.host, entry.virtualization, entry.model, entry.load, requests, *medians)
    noted = (entry.note, entry.reason, entry.engine)
    lines = (_joined(file), _joined(told), _joined(noted))
    return "\n".join(clean(line) for line in lines if line)
