"""The tap in the shape vLLM loads: ``stat_loggers=[TapLogger]``, or as a plug-in by name."""

from __future__ import annotations

from typing import Any

from vllm.v1.metrics.loggers import StatLoggerBase

from tuiapp.engine.tap import Tap


class TapLogger(Tap, StatLoggerBase):  # type: ignore[misc]  # vLLM may not be installed
    """One a data-parallel rank."""

    def __init__(self, vllm_config: Any, engine_index: int = 0) -> None:
        Tap.__init__(self, vllm_config, engine_index)


def without_exporter(engine: Any) -> None:
    """Take vLLM's Prometheus logger out: nobody scrapes this engine, so its work is needless."""
    manager = getattr(engine, "logger_manager", None)
    loggers = getattr(manager, "stat_loggers", None)
    if isinstance(loggers, list):
        loggers[:] = [item for item in loggers if type(item).__name__ != "PrometheusStatLogger"]
