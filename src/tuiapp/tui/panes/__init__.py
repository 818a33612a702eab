"""Panes of the live screen; one a file, one line here. The order is that of ``PANE_KEYS``."""

from __future__ import annotations

from typing import Any

from tuiapp.registry import resolve

PANES = {
    "ttft": "tuiapp.tui.panes.latency:TtftPane",
    "tpot": "tuiapp.tui.panes.latency:TpotPane",
    "itl": "tuiapp.tui.panes.latency:ItlPane",
    "heatmap": "tuiapp.tui.panes.heatmap:HeatmapPane",
    "requests": "tuiapp.tui.panes.requests:RequestsPane",
    "traffic": "tuiapp.tui.panes.traffic:TrafficPane",
    "host": "tuiapp.tui.panes.host:HostPane",
    "gpu": "tuiapp.tui.panes.gpu:GpuPane",
    "start": "tuiapp.tui.panes.start:StartPane",
    "log": "tuiapp.tui.panes.log:LogPane",
    "findings": "tuiapp.tui.panes.findings:FindingsPane",
}
PANE_KEYS = dict(zip(PANES, "1234567890w", strict=True))
"""The key that gives a pane the whole screen."""


def pane_class(name: str) -> Any:
    """The class registered under ``name``."""
    return resolve(PANES[name])
