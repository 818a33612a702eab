"""The loop between sources, file and columns: what fails beside the engine must not end the run."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.synthetic import NS
from tuiapp.clock import Clock
from tuiapp.events import CLIENT_LIMITED, ENGINE_EXIT, Frame, facts_frame, mark_frame
from tuiapp.exports.summary import summary
from tuiapp.recorder import Recorder
from tuiapp.session import disk
from tuiapp.session.columns import Session
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.session.writer import SessionWriter


class Scripted:
    """A source that says ``given`` and then ends, or fails with ``error``."""

    pid = None

    def __init__(self, *given: Frame, error: Exception | None = None) -> None:
        self.given, self.error, self.closed = given, error, False

    async def frames(self) -> AsyncIterator[Frame]:
        for frame in self.given:
            yield frame
            await asyncio.sleep(0)
        if self.error is not None:
            raise self.error

    def send(self, command: Mapping[str, Any]) -> None:
        pass

    async def aclose(self) -> None:
        self.closed = True


def ended() -> Frame:
    return facts_frame(2 * NS, ENGINE_EXIT, json.dumps({"expected": True, "code": 0}))


def recorder(tmp_path: Path, engine: Scripted, *others: Scripted) -> Recorder:
    writer = SessionWriter(tmp_path / "run.tuiapp")
    return Recorder(Session(), writer, Clock(), engine, others)


async def test_a_probe_process_that_fails_is_a_fact_and_the_run_goes_on(tmp_path: Path) -> None:
    broken = Scripted(error=RuntimeError("the pipe is gone"))
    engine = Scripted(*(mark_frame(at, str(at)) for at in range(5)), ended())
    run = recorder(tmp_path, engine, broken)
    await run.run()
    assert engine.closed
    assert broken.closed
    recorded = load(run.recording.path)
    assert len(recorded.marks) == 5
    reasons = View(recorded, recorded.end_ns).probe_reasons
    assert reasons == {"Scripted": "RuntimeError: the pipe is gone"}


async def test_an_error_of_the_loop_itself_is_raised_and_the_file_closed(tmp_path: Path) -> None:
    run = recorder(tmp_path, Scripted(mark_frame(1, "before"), error=ValueError("broken")))
    with pytest.raises(ValueError, match="broken"):
        await run.run()
    assert run.finished
    assert [mark.text for mark in load(run.recording.path).marks] == ["before"]


async def test_a_last_block_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorder(tmp_path, Scripted(mark_frame(1, "lost"), ended()))

    def write(fd: int, data: memoryview, offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(disk.os, "pwrite", write)
    await run.run()
    view = View(run.session, run.session.end_ns)
    assert view.health.recording_trouble == "No space left on device"
    assert "the recording is incomplete: No space left on device" in summary(view)["caveats"]
    assert load(run.recording.path).marks == []


def test_client_limited_holds_until_it_is_taken_back() -> None:
    session = Session()
    for at, limited in ((1, True), (5, False)):
        value = json.dumps({"limited": limited, "loop_lag_p99_s": 0.007})
        session.fold(facts_frame(at * NS, CLIENT_LIMITED, value))
    assert not View(session, 0).health.client_limited
    assert View(session, 3 * NS).health.client_limited["loop_lag_p99_s"] == 0.007
    assert not View(session, 9 * NS).health.client_limited
