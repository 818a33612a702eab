"""``tuiapp run --headless``: progress on stderr, the result on stdout."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tuiapp.cli.console import PREFIX, drop_stdout, say, say_trouble
from tuiapp.cli.interrupts import end_at_once
from tuiapp.cli.run import HEADLESS_DURATION_S
from tuiapp.cli.setup_run import build
from tuiapp.errors import TuiappError
from tuiapp.exports import export
from tuiapp.exports.summary import judge
from tuiapp.priority import give_way
from tuiapp.recorder import Recorder
from tuiapp.session.health import DEAD
from tuiapp.session.view import View
from tuiapp.sources.engine_log import LOOK_AT_LOG

_S = 1_000_000_000
_TTY_PERIOD_S, _LOG_PERIOD_S = 0.5, 5.0


def run_headless(args: argparse.Namespace) -> int:
    """Run to the end and print the result; returns the exit code."""
    view = record(args)
    if args.json or view.measured is not None:
        _write("json" if args.json else "text", view)
    say_what_failed(view)
    return exit_code(view)


def record(args: argparse.Namespace, about: Mapping[str, Any] | None = None) -> View:
    """Run to the end, with progress on stderr; returns the run seen from there.

    Args:
        about: what else the session's header says.
    """
    end_at_once()
    give_way()
    return asyncio.run(_record(args, about or {}))


async def _record(args: argparse.Namespace, about: Mapping[str, Any]) -> View:
    recorder = build(args, default_duration_s=HEADLESS_DURATION_S)
    if about:
        recorder.describe(about)
    running = asyncio.create_task(recorder.run())
    _on_signals(recorder)
    progress = asyncio.create_task(_Progress(recorder).run())
    try:
        await running
    finally:
        progress.cancel()
        await asyncio.gather(progress, return_exceptions=True)
    return View(recorder.session, recorder.session.end_ns)


def _write(form: str, view: View) -> None:
    try:
        export(form)(view, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_stdout()
        raise TuiappError(
            f"The result cannot be written: {error.strerror}.",
            f"It can be computed again from {view.meta['session']}.",
        ) from error


def _on_signals(recorder: Recorder) -> None:
    """Ctrl-C ends the load and lets requests finish; again, before any, or SIGTERM ends everything.

    A signal that whoever started us chose to ignore, as nohup does, stays ignored.
    """
    loop = asyncio.get_running_loop()
    seen: list[object] = []

    def stop(number: signal.Signals) -> None:
        loading = bool(len(recorder.session.sent))
        if not seen and number == signal.SIGINT and loading:
            say("stopping; requests in flight may finish (Ctrl-C again ends at once)")
            recorder.command("stop")
            seen.append(number)
        else:
            seen.append(asyncio.create_task(recorder.stop()))

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number)


def exit_code(view: View) -> int:
    """1 when the engine failed or nothing was measured, 3 when an objective was missed, else 0."""
    if view.health.state == DEAD or view.measured is None:
        return 1
    return 3 if any(judge(view, slo)["met"] is False for slo in view.slos) else 0


def say_what_failed(view: View) -> None:
    """What the numbers alone do not tell, on standard error."""
    if view.health.recording_trouble:
        say_trouble(
            f"The recording is incomplete: {view.health.recording_trouble}.",
            "The result above was computed from memory and is whole.",
        )
    if view.health.state == DEAD:
        path = shlex.quote(str(view.meta["session"]))
        log = f"See the engine's log with `tuiapp sessions show {path} --log`."
        say_trouble(view.health.reason, view.health.advice.replace(LOOK_AT_LOG, log))
    elif view.measured is None:
        say_trouble("Nothing was measured: the run ended before its load began.")


class _Progress:
    """One line, rewritten on a terminal; every phase and every few seconds a line in a log."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._tty = sys.stderr.isatty()
        self._phases = 0

    async def run(self) -> None:
        say(f"recording to {self._recorder.recording.path}")
        period = _TTY_PERIOD_S if self._tty else _LOG_PERIOD_S
        next_s = 0.0
        try:
            while True:
                await asyncio.sleep(_TTY_PERIOD_S)
                now_s = self._recorder.clock.now_ns() / _S
                view = View(self._recorder.session, self._recorder.clock.now_ns(), 10 * _S)
                self._say_phases(view)
                ready = any(span.name == "ready" for span in view.cold_start)
                if ready and now_s >= next_s:  # the warm-up may take a while
                    next_s = now_s + period
                    self._show(_line(view))
        finally:
            if self._tty:
                print(file=sys.stderr)  # noqa: T201

    def _say_phases(self, view: View) -> None:
        for span in view.cold_start[self._phases :]:
            self._show(f"{span.start_ns / _S:6.1f} s  engine: {span.label}")
        self._phases = len(view.cold_start)

    def _show(self, text: str) -> None:
        start, end = ("\r\x1b[K", "") if self._tty else ("", "\n")
        if self._tty:  # a line that wraps cannot be written over
            with suppress(OSError):
                text = text[: os.get_terminal_size(2).columns - len(PREFIX) - 1]
        print(f"{start}{PREFIX}{text}", end=end, file=sys.stderr, flush=True)  # noqa: T201


def _line(view: View) -> str:
    now, ttft = view.traffic, view.recent("ttft").summary
    rate = now.output_tokens_per_s or 0.0
    p50, p99 = (f"{ns / 1e6:.1f}" if ns is not None else "—" for ns in (ttft.p50, ttft.p99))
    return (
        f"{view.cursor_ns / _S:6.1f} s  {view.health.state}  {now.ok} done, {now.failed} failed, "
        f"{now.in_flight} in flight  {rate:.0f} tok/s  TTFT p50 {p50} p99 {p99} ms (last 10 s)"
    )
