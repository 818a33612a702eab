"""ITL by time block, and the interval of its p99 for a screen that is drawn again and again.

The interval costs a few milliseconds, which a redraw cannot spare. So it is that of a moment ago:
the cursor rounded down to ten seconds, coarser in long runs. It still follows from the session and
the cursor alone, and is computed once for each such moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuiapp.session.columns import TICK_NS, Session
from tuiapp.stats.summary import p99_of_blocks

ITL_BLOCK_NS = 500_000_000
MAX_ITL_BLOCKS = 60
_STEP_NS = 10_000_000_000
_MOST_STEPS = 60


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval of p99.

    Attributes:
        ends_ns: lower and upper end; None where there is none.
        caveats: why there is none.
        until_ns: the last moment it speaks of.
    """

    ends_ns: tuple[float, float] | None
    caveats: tuple[str, ...]
    until_ns: int


def tick_range(after_ns: int, until_ns: int) -> tuple[int, int]:
    """Ticks [first, end) that hold (after, until]."""
    return max((after_ns + 1) // TICK_NS, 0), until_ns // TICK_NS + 1


def itl_blocks(session: Session, after_ns: int, until_ns: int) -> np.ndarray:
    """Counts (blocks, BINS) of ITL in (after, until]: half seconds, longer ones beyond 30 s."""
    first, end = tick_range(after_ns, until_ns)
    per_block = max(ITL_BLOCK_NS // TICK_NS, -(-(end - first) // MAX_ITL_BLOCKS))
    return session.gaps.blocks(first, end, per_block)


def itl_interval(
    session: Session, start_ns: int, cursor_ns: int, window_ns: int | None, *, whole: bool = False
) -> Interval:
    """Interval of p99 of ITL over a window, or the run, that ends shortly before the cursor.

    Args:
        start_ns: exclusive start of the run; a window never reaches before it.
        window_ns: None for the run.
        whole: up to the cursor itself.
    """
    until_ns = cursor_ns if whole else _whole_steps(start_ns, cursor_ns, window_ns)
    after_ns = start_ns if window_ns is None else max(until_ns - window_ns, start_ns)
    first, end = tick_range(after_ns, until_ns)

    def compute() -> tuple[tuple[float, float] | None, tuple[str, ...]]:
        return p99_of_blocks(itl_blocks(session, after_ns, until_ns))

    return Interval(*session.gaps.remembered(first, end, compute), until_ns)


def _whole_steps(start_ns: int, cursor_ns: int, window_ns: int | None) -> int:
    """The newest end of a step at the cursor; a step is at most a thirtieth of a long run."""
    step = _STEP_NS
    while window_ns is None and cursor_ns - start_ns > _MOST_STEPS * step:
        step *= 2
    return (cursor_ns + 1) // step * step - 1
