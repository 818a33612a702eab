"""What is known of a run's beginning, added up once.

A screen that is drawn again and again asks the same of the run so far each time, and only the last
seconds of the answer are new. Here is kept what is known up to a moment shortly before the cursor;
the rest is added by whoever asks. It is dropped as soon as something before that moment changes,
so an answer follows from the session and the cursor alone, whether it was kept or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

LAG_NS = 5_000_000_000
"""What is younger may still change: processes tell their events a moment later."""
STEP_NS = 5_000_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prefix(Generic[T]):
    """What is known of (after, until]; None where nothing is kept and ``until`` is ``after``."""

    after_ns: int
    until_ns: int
    value: T | None


class Prefixes:
    """Kept prefixes by name, one of each."""

    def __init__(self) -> None:
        self._kept: dict[str, Prefix[Any]] = {}

    def upto(
        self,
        name: str,
        after_ns: int,
        cursor_ns: int,
        add: Callable[[T | None, int, int], T],
    ) -> Prefix[T]:
        """What is known of ``name`` from ``after_ns`` to shortly before the cursor.

        Nothing is kept for a cursor that has been moved back: its prefix is empty.

        Args:
            add: gives what is known, with that of another stretch (after, until] added to it; None
                stands for nothing yet. It may change and return what it was given.
        """
        known: Prefix[T] = self._kept.get(name, Prefix(after_ns, after_ns, None))
        if known.after_ns != after_ns:
            known = Prefix(after_ns, after_ns, None)
        if known.until_ns > cursor_ns:
            return Prefix(after_ns, after_ns, None)
        until_ns = cursor_ns - LAG_NS
        if until_ns - known.until_ns >= STEP_NS:
            value = add(known.value, known.until_ns, until_ns)
            known = self._kept[name] = Prefix(after_ns, until_ns, value)
        return known

    def forget(self, since_ns: int) -> None:
        """Something at ``since_ns`` or later has changed."""
        if self._kept:
            self._kept = {n: kept for n, kept in self._kept.items() if kept.until_ns < since_ns}
