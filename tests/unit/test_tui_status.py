"""The top line: what goes first where there is no room."""

from __future__ import annotations

import pytest

from tests.doubles.drawing import picture
from tuiapp.tui.panes.status import Item, ItemLine

LEFT = (Item("● serving 01:06", keep=9), Item("vLLM 0.32.0 cpu", short="vLLM 0.32.0"))
RIGHT = (Item("rec", keep=8),)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (40, "● serving 01:06   vLLM 0.32.0 cpu    rec"),
        (37, "● serving 01:06  vLLM 0.32.0 cpu  rec"),
        (36, "● serving 01:06  vLLM 0.32.0     rec"),
        (32, "● serving 01:06              rec"),
        (16, "● serving 01:06"),
        (9, "● servin…"),
    ],
)
def test_less_is_said_of_what_matters_less(width: int, expected: str) -> None:
    assert picture(ItemLine(LEFT, RIGHT), width, 1) == [expected]
