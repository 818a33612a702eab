"""Numbers of things, and moments, in words."""

from __future__ import annotations


def plural(count: int, what: str) -> str:
    """``1 block``, ``2 blocks``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def clock_text(t_ns: int) -> str:
    """``1:30.0``, ``1:02:03.5``: a moment as a person writes it."""
    tenths = round(max(t_ns, 0) / 1e8)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"
