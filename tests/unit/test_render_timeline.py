from __future__ import annotations

import numpy as np

from tests.doubles.drawing import PALETTE, picture, style_at
from tuiapp.tui.renderables.palette import Ink
from tuiapp.tui.renderables.timeline import TokenTimeline

DELIVERIES = np.array([0.16, 0.18, 0.2, 0.22, 0.3, 0.32, 0.34, 0.4])
SAMPLE = TokenTimeline(0.1, 0.05, DELIVERIES, np.ones(8))


def test_picture() -> None:
    assert picture(SAMPLE, 60, 6) == [
        "waited 100 ms   prefill 50.0 ms   TTFT 160 ms   8 tokens",
        "╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌━━━━━━━━◆  ╷   ╷ ╷           ╷  ╷   ╷       ╷",
        "                                            █              ▂",
        "                                            █              █",
        "                          ▆   ▆ ▆           █  ▆   ▆       █",
        "0             100            200            300           ms",
    ]


def test_slow_gaps_stand_out() -> None:
    slow = TokenTimeline(0.1, 0.05, np.array([0.16, 0.18, 0.2, 0.22, 0.3]), np.ones(5))
    strips = slow.strips(60, 6, PALETTE)
    assert style_at(strips, 4, 59) == PALETTE.styles[Ink.WARN]
    assert style_at(strips, 4, 35) == PALETTE.styles[Ink.RUN]


def test_several_deliveries_in_a_cell_are_thick() -> None:
    dense = TokenTimeline(0.1, 0.05, np.linspace(0.16, 0.4, 400), np.ones(400))
    track = picture(dense, 60, 3)[1]
    assert set(track[25:]) == {"┃"}


def test_tokens_are_counted_not_deliveries() -> None:
    assert "24 tokens" in picture(TokenTimeline(0.1, 0.05, DELIVERIES, np.full(8, 3)), 70, 4)[0]


def test_not_answered_yet() -> None:
    waiting = TokenTimeline(0.1, None, np.empty(0), np.empty(0), end_s=0.2)
    head, track, *_ = picture(waiting, 60, 4)
    assert head == "waited 100 ms   prefill —   TTFT —"
    assert track == "╌" * 30


def test_seconds_for_long_requests() -> None:
    long = TokenTimeline(1.0, 2.0, np.linspace(3, 40, 200), np.ones(200))
    assert picture(long, 60, 6)[-1].endswith(" s")
