"""What the comparison's screen draws: two sessions on one time and one axis.

A new tab is one module with a function ``content`` and one line in ``TABS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuiapp.registry import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuiapp.tui.pairs.scene import Content, PairScene

TABS: dict[str, str] = {
    "verdicts": "tuiapp.tui.pairs.verdicts:content",
    "shift": "tuiapp.tui.pairs.shift:content",
    "hosts": "tuiapp.tui.pairs.hosts:content",
    "why": "tuiapp.tui.pairs.why:content",
    "scaling": "tuiapp.tui.pairs.scaling:content",
    "cost": "tuiapp.tui.pairs.cost:content",
    "advice": "tuiapp.tui.pairs.advice:content",
    "time": "tuiapp.tui.pairs.courses:content",
}
"""Name to ``"module:function"``, in the order of their keys, 1 and up."""


def tab(name: str) -> Callable[[PairScene, int, int], Content]:
    """What draws the tab ``name``; KeyError when there is none."""
    found: Callable[[PairScene, int, int], Content] = resolve(TABS[name])
    return found
