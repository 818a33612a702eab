"""How old a gauge may be and still say something of now."""

from __future__ import annotations

from tuiapp.events import PERIODS_S

_LEAST_S = 5.0
_PERIODS = 2
_S = 1_000_000_000


def stale_ns(group: str) -> int:
    """Age beyond which a group's gauges show nothing: two periods of it, and at least 5 s."""
    return round(max(_LEAST_S, _PERIODS * PERIODS_S.get(group.rpartition(".")[2], 0.0)) * _S)


LONGEST_NS = max(stale_ns(name) for name in PERIODS_S)
"""Of all groups."""
