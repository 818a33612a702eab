"""Panes of the live screen; one a file, one line here. The order is that of keys 1 to 9, 0."""

from __future__ import annotations

from importlib import import_module
from typing import Any

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
}


def pane_class(name: str) -> Any:
    """The class registered under ``name``."""
    module, _, attribute = PANES[name].partition(":")
    return getattr(import_module(module), attribute)
