"""The dialog of one request, when memory has let go of its deliveries and the file has not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest

from tests.doubles.scenes import FakeRun, serving
from tests.doubles.synthetic import NS, Load, frames
from tests.doubles.terminal import Shown, shown
from tuiapp.clock import FakeClock
from tuiapp.session import deliveries
from tuiapp.session.columns import TokenRing
from tuiapp.session.reader import load
from tuiapp.session.writer import SessionWriter
from tuiapp.tui.screens.live import LiveScreen
from tuiapp.tui.screens.request import RequestScreen

READING = "reading the recording …"
UNTIL_S = 30
REQ = 3
Gate = Callable[[], None]


@pytest.fixture
def run(tmp_path: Path) -> FakeRun:
    """Half a minute, recorded; memory holds the last hundred deliveries."""
    writer = SessionWriter(tmp_path / "run.tuiapp")
    for frame in frames(Load(duration_s=60.0)):
        if frame.t1_ns <= UNTIL_S * NS:
            writer.put(frame)
    writer.close()
    session = load(writer.path)
    small = TokenRing(100)
    small.append(*session.ring.held())
    session.ring = small
    return FakeRun(session, FakeClock(UNTIL_S * NS))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The file is read only once this is called."""
    opened, read = Event(), deliveries.of_request

    def wait_and_read(*args: object) -> object:
        assert opened.wait(30)
        return read(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(deliveries, "of_request", wait_and_read)
    return opened.set


@asynccontextmanager
async def opened(run: FakeRun, req: int = REQ) -> AsyncIterator[Shown]:
    async with shown(run) as monitor:
        monitor.live.open_request(req)
        await monitor.settle()
        assert isinstance(monitor.screen, RequestScreen)
        yield monitor


async def read(monitor: Shown) -> None:
    """Wait for the thread that reads."""
    await monitor.app.workers.wait_for_complete()
    await monitor.settle()


def tokens(run: FakeRun) -> int:
    return int(run.session.requests["output_tokens"][REQ])


async def test_it_opens_at_once_and_fills_in(run: FakeRun, gate: Gate) -> None:
    async with opened(run) as monitor:
        assert READING in monitor.text
        assert f"out {tokens(run)} of {tokens(run)}" in monitor.text
        assert f"{tokens(run)} tokens" not in monitor.text
        gate()
        await read(monitor)
        assert READING not in monitor.text
        assert f"{tokens(run)} tokens" in monitor.text
        assert "longest gap" in monitor.text


async def test_what_memory_holds_needs_no_file() -> None:
    async with opened(serving()) as monitor:
        assert READING not in monitor.text
        assert "longest gap" in monitor.text
        assert not list(monitor.app.workers)


async def test_a_file_that_cannot_be_read_is_one_sentence(run: FakeRun) -> None:
    assert run.session.path is not None
    run.session.path.write_bytes(b"something else")
    async with opened(run) as monitor:
        await read(monitor)
        assert "is no tuiapp session." in monitor.text.replace("│\n│", "")
        assert READING not in monitor.text
        assert f"out {tokens(run)} of {tokens(run)}" in monitor.text


async def test_a_file_that_is_gone_is_one_sentence(run: FakeRun) -> None:
    assert run.session.path is not None
    run.session.path.unlink()
    async with opened(run) as monitor:
        await read(monitor)
        assert f"{tokens(run)} of its tokens can no longer be read." in monitor.text


async def test_it_may_be_closed_while_the_file_is_read(run: FakeRun, gate: Gate) -> None:
    async with opened(run) as monitor:
        reader = next(iter(monitor.app.workers))
        await monitor.press("escape")
        gate()
        await monitor.settle()
        assert reader.is_cancelled
        assert isinstance(monitor.screen, LiveScreen)
        monitor.live.open_request(REQ)
        await read(monitor)
        assert f"{tokens(run)} tokens" in monitor.text


async def test_the_program_may_be_left_while_the_file_is_read(run: FakeRun, gate: Gate) -> None:
    async with opened(run) as monitor:
        await monitor.press("q")
        gate()
    assert run.finished
    assert monitor.app.return_code == 0
