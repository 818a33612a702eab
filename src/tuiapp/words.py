"""Numbers of things, and moments, in words."""

from __future__ import annotations

from collections.abc import Iterable


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


HELD_BACK = (
    (0x0040, "hw thermal", "bad"),
    (0x0080, "power brake", "bad"),
    (0x0008, "hw slowdown", "bad"),
    (0x0020, "sw thermal", "warn"),
    (0x0004, "power cap", "warn"),
    (0x1000, "current cap", "warn"),
    (0x2000, "firmware", "warn"),
    (0x0002, "clocks set", "warn"),
    (0x0010, "sync boost", "dim"),
    (0x0100, "display clocks", "dim"),
    (0x0001, "idle", "dim"),
)
"""(bit, what it is called, how grave) of what holds a GPU's clocks back, the gravest first:
nvmlClocksEventReasons of nvml.h and, from 0x1000, ``collectors.throttle``."""


def held_back(mask: int) -> list[str]:
    """What holds a GPU's clocks back by the gauge ``throttle_reasons``, the gravest first."""
    return [name for bit, name, _ in HELD_BACK if mask & bit]


def counted(numbers: Iterable[int]) -> str:
    """``0-3, 5``: whole numbers in order, those that follow each other as a range."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}{'-' if b > a + 1 else ', '}{b}" for a, b in spans)


def clock_face(seconds: float) -> str:
    """``01:31``, ``1:02:14``: a moment as the screen's clock shows it, in whole seconds.

    A microsecond short of a second is that second.
    """
    minutes, rest = divmod(int(max(seconds, 0) + 1e-6), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
