"""What the columns of a frame may leave out."""

from __future__ import annotations

import pytest

from tuiapp.events import Frame, Kind
from tuiapp.session.columns import Session


@pytest.mark.parametrize("column", ["output_tokens", "of a later version"])
def test_requests_may_come_without_a_time(column: str) -> None:
    session = Session()
    session.fold(Frame(Kind.REQUESTS, 0, 1, {"req": [0], column: [1]}))
    assert (session.rejected, len(session.requests)) == (0, 1)
