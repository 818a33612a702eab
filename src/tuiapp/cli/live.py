"""``tuiapp run`` in a terminal: the live monitor."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
import termios
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from tuiapp.cli.console import say_trouble
from tuiapp.cli.interrupts import end_at_once
from tuiapp.cli.screen import check_screen, tell_faults
from tuiapp.errors import UsageError
from tuiapp.priority import give_way
from tuiapp.tui.guard import guarded_terminal

if TYPE_CHECKING:
    from tuiapp.recorder import Recorder
    from tuiapp.tui.app import MonitorApp

_STARTED_S = 2.0
_GARBAGE_EVERY = 20_000
"""Objects made and kept between two searches for cycles: some twenty redraws leave that many, and
the searches, which at Python's own 700 come several times a redraw, cost a twentieth of ours."""
_THREADS = "OPENBLAS_NUM_THREADS"


def run_live(args: argparse.Namespace) -> int:
    """Open the monitor and stay until it is left; returns the exit code."""
    try:
        check_screen(args.fps, args.theme, instead="Or add --headless, to run without a screen.")
    except UsageError:
        from tuiapp.cli.setup_run import check_load

        check_load(args)  # what is wrong in any case comes before what a larger terminal mends
        raise
    with guarded_terminal() as end_well:
        end_at_once(end_well)
        give_way()
        gc.disable()  # until _spare_the_living
        _load_numpy()
        return asyncio.run(_run(args))


def _load_numpy() -> None:
    """Without its threads for linear algebra; the engine, which inherits our variables, has its."""
    given = os.environ.get(_THREADS)
    os.environ[_THREADS] = given or "1"
    import_module("numpy")
    if given is None:
        del os.environ[_THREADS]


def _spare_the_living() -> None:
    """What the start has made lives as long as the program: looking through all of it for garbage,
    again and again, would hold the screen up for a tenth of a second."""
    gc.freeze()
    gc.set_threshold(_GARBAGE_EVERY)
    gc.enable()


async def _run(args: argparse.Namespace) -> int:
    from tuiapp.cli.setup_run import build
    from tuiapp.tui.app import MonitorApp

    asyncio.get_running_loop().call_later(_STARTED_S, _spare_the_living)
    recorder = build(args, default_duration_s=None)
    running = asyncio.create_task(recorder.run())

    app = MonitorApp(recorder, recorder.stop, fps=args.fps, theme=args.theme)
    _on_signals(app, recorder.stop)
    running.add_done_callback(lambda task: app.exit() if _failed(task) else None)
    try:
        await app.run_async()
    finally:
        if not running.done():
            await recorder.stop()
        await running
    _say_goodbye(recorder)
    tell_faults(app.faults)
    failed = bool(recorder.exit_facts) and not recorder.exit_facts.get("expected")
    return 1 if failed or app.return_code else 0


def _failed(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is not None


def _on_signals(app: MonitorApp, stop: Callable[[], Awaitable[None]]) -> None:
    """A signal ends the run like q does; when the terminal is gone, without drawing anything."""
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []

    async def leave() -> None:
        if _terminal_is_there():
            await app.action_quit()
        else:
            await stop()
            os._exit(128 + signal.SIGHUP)  # Textual would fail to restore what is not there

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: tasks.append(loop.create_task(leave())))


def _terminal_is_there() -> bool:
    try:
        termios.tcgetattr(sys.stdin.fileno())
    except termios.error:
        return False
    return True


def _say_goodbye(recorder: Recorder) -> None:
    """The result stays in the terminal after the screen is gone."""
    from tuiapp.exports import export
    from tuiapp.session.view import View

    view = View(recorder.session, recorder.session.end_ns)
    exit_facts = recorder.exit_facts
    if view.measured is not None:
        export("text")(view, sys.stdout)
    else:
        print("Nothing was measured: the run ended before its load began.")  # noqa: T201
        print(f"recording  {recorder.recording.path}")  # noqa: T201
    if exit_facts and not exit_facts.get("expected"):
        say_trouble(str(exit_facts.get("reason")), str(exit_facts.get("advice") or ""))
