"""The engine child's boundary: checks, runs, and says why it ends."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence

from tuiapp.engine import preflight
from tuiapp.engine.control import Control
from tuiapp.engine.report import report
from tuiapp.errors import EngineError, TuiappError
from tuiapp.sources import VLLM
from tuiapp.sources.process import child_fds

_IN_THE_LOG = ("See root cause above", "ended with exit code")
"""Words that mean: another process has said in the log what went wrong."""


def main(argv: Sequence[str], started_ns: int) -> int:
    """Run the child.

    Args:
        argv: ends with the numbers of the control and frames pipes.
        started_ns: CLOCK_MONOTONIC when Python began to run.
    """
    control_fd, frames_fd = child_fds(argv)
    control = Control(control_fd, os.environ.get("VLLM_RPC_BASE_PATH", ""))
    config = control.config()
    code = 1
    try:
        if config["engine"] == VLLM:
            preflight.check(config["model"], config["engine_args"])
        # Only now is numpy known to be there.
        from tuiapp.engine.run import Run

        died = Run(control, config, frames_fd, started_ns).serve()
        if died is None:
            code = 0
        else:
            _report(died)
    except TuiappError as error:
        report(error)
    except Exception as error:  # noqa: BLE001 - the process's boundary: the reason is reported
        traceback.print_exc()
        _report(f"{type(error).__name__}: {error}")
    finally:
        control.end(code)


def _report(reason: str) -> None:
    report(EngineError(reason), see_log=any(words in reason for words in _IN_THE_LOG))
