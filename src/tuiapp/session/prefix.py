"""What is known of a run's beginning, added up once.

A screen that is drawn again and again asks the same of the run so far each time, and only the last
seconds of the answer are new. Here is kept what is known up to moments before the cursor; the rest
is added by whoever asks. What follows a change is dropped, so an answer follows from the session
and the cursor alone, whether anything was kept or not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

LAG_NS = 5_000_000_000
"""What is younger may still change: processes tell their events a moment later."""
STEP_NS = 5_000_000_000
_MOST = 128
"""Moments of one name at which something is kept."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prefix(Generic[T]):
    """What is known of (after, until]; None where nothing is kept and ``until`` is ``after``."""

    after_ns: int
    until_ns: int
    value: T | None


class Prefixes:
    """Kept prefixes by name."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Prefix[Any]]] = {}
        self._grown: dict[str, Prefix[Any]] = {}

    def upto(
        self,
        name: str,
        after_ns: int,
        cursor_ns: int,
        add: Callable[[T | None, int, int], T],
    ) -> Prefix[T]:
        """What is known of ``name`` from ``after_ns`` to some moment before the cursor.

        It is kept for several moments, closer to each other than a hundredth of the run, so that a
        cursor that was moved back has one before it, too.

        Args:
            add: gives what is known, with that of another stretch (after, until] added to it; None
                stands for nothing yet. It is small, and is not changed.
        """
        kept = self._kept.setdefault(name, [])
        if kept and kept[0].after_ns != after_ns:
            kept.clear()
        nothing: Prefix[T] = Prefix(after_ns, after_ns, None)
        at = bisect_right(kept, cursor_ns, key=_until)
        known = kept[at - 1] if at else nothing
        end_ns = cursor_ns - LAG_NS
        if at < len(kept) or end_ns - known.until_ns < STEP_NS:
            return known
        each_ns = max((end_ns - max(after_ns, 0)) // (_MOST // 2), STEP_NS)
        while known.until_ns < end_ns:
            until_ns = min(known.until_ns + each_ns, end_ns)
            known = Prefix(after_ns, until_ns, add(known.value, known.until_ns, until_ns))
            if len(kept) > 1 and known.until_ns - kept[-2].until_ns < each_ns:
                kept.pop()
            kept.append(known)
        if len(kept) > _MOST:
            kept[:] = [*kept[:-1:2], kept[-1]]
        return known

    def growing(
        self,
        name: str,
        after_ns: int,
        cursor_ns: int,
        add: Callable[[T | None, int, int], T],
    ) -> Prefix[T]:
        """The same of something large that only grows: a single one is kept.

        It may hold more than is asked for; whoever asks looks at what had been known at
        ``until_ns`` of the answer.

        Args:
            add: as above, but may change and return what it was given.
        """
        known: Prefix[T] = self._grown.get(name, Prefix(after_ns, after_ns, None))
        if known.after_ns != after_ns or cursor_ns < after_ns:
            known = Prefix(after_ns, after_ns, None)
        until_ns = cursor_ns - LAG_NS
        if until_ns - known.until_ns >= STEP_NS:
            value = add(known.value, known.until_ns, until_ns)
            known = self._grown[name] = Prefix(after_ns, until_ns, value)
        return Prefix(after_ns, min(known.until_ns, max(cursor_ns, after_ns)), known.value)

    def forget(self, since_ns: int) -> None:
        """Something at ``since_ns`` or later has changed."""
        for kept in self._kept.values():
            while kept and kept[-1].until_ns >= since_ns:
                kept.pop()
        late = [name for name, known in self._grown.items() if known.until_ns >= since_ns]
        for name in late:
            del self._grown[name]


def _until(prefix: Prefix[Any]) -> int:
    return prefix.until_ns
