"""A recording is read bit by bit and says the same as the run it was made of."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.doubles.synthetic import NS, Load, frames
from tests.property.test_session_prefix import shown
from tuiapp import player as player_module
from tuiapp.errors import SessionError
from tuiapp.player import Player
from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.session.writer import SessionWriter

LOAD = Load(seed=12, duration_s=12.0, rate=9.0, failed_share=0.05)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """As a recorder leaves it: a block a second."""
    writer = SessionWriter(tmp_path / "run.tuiapp")
    block = 0
    for frame in frames(LOAD):
        if frame.t1_ns // NS > block:
            block = frame.t1_ns // NS
            writer.flush()
        writer.put(frame)
    writer.close()
    return writer.path


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading may take next to no time in one go."""
    monkeypatch.setattr(player_module, "_FIRST_NS", 1)
    monkeypatch.setattr(player_module, "_TURN_NS", 1)


def test_a_small_recording_is_read_at_once(recording: Path) -> None:
    player = Player(recording)
    assert player.read_ns == player.end_ns == load(recording).end_ns
    assert player.load_start_ns == 5 * NS
    player.clock.seek(player.opening_ns)
    assert player.clock.now_ns() == 5 * NS + TICK_NS - 1
    player.close()


@pytest.mark.usefixtures("slowly")
@pytest.mark.parametrize("together", [1, 7, 40])
def test_what_is_read_so_far_is_shown_as_it_was_wherever_blocks_end(
    tmp_path: Path, together: int
) -> None:
    """A block behind may reach further back than one before it."""
    writer = SessionWriter(tmp_path / "run.tuiapp")
    for at, frame in enumerate(frames(LOAD)):
        writer.put(frame)
        if at % together == 0:
            writer.flush()
    writer.close()
    _shows_what_is_read(writer.path)


@pytest.mark.usefixtures("slowly")
def test_what_is_read_so_far_is_shown_as_it_was(recording: Path) -> None:
    _shows_what_is_read(recording)


def _shows_what_is_read(recording: Path) -> None:
    player, live = Player(recording), Session()
    for frame in frames(LOAD):
        live.fold(frame)
    assert player.read_ns < 1 * NS
    compared, cursor = 0, 0
    while player.read_ns < player.end_ns:
        player._read_for(1)
        before, cursor = cursor, player.read_ns // TICK_NS * TICK_NS - 1
        if cursor > before:
            compared += 1
            assert shown(View(player.session, cursor, 5 * NS)) == shown(View(live, cursor, 5 * NS))
    assert compared > 10
    for cursor in range(TICK_NS - 1, live.end_ns, 7 * TICK_NS):
        assert shown(View(player.session, cursor, 5 * NS)) == shown(View(live, cursor, 5 * NS))


@pytest.mark.usefixtures("slowly")
async def test_reading_goes_on_beside_everything_else(recording: Path) -> None:
    player = Player(recording)
    await player.read()
    assert player.read_ns == player.end_ns
    assert int(player.session.ticks["output_tokens"].sum()) == load(recording).ring.total


@pytest.mark.usefixtures("slowly")
def test_a_note_is_in_the_file_and_on_the_screen(recording: Path) -> None:
    player = Player(recording)
    player.clock.seek(7 * NS)
    player.mark("here")
    player.mark("there", 9 * NS)
    assert [(mark.t_ns, mark.text) for mark in player.session.marks] == [
        (7 * NS, "here"), (9 * NS, "there"),
    ]  # fmt: skip
    player.close()
    assert [mark.text for mark in load(recording).marks] == ["here", "there"]


def test_a_recording_that_may_not_be_changed_says_so(recording: Path) -> None:
    player = Player(recording)
    recording.unlink()
    with pytest.raises(SessionError, match="Cannot write"):
        player.mark("lost")
    assert not player.session.marks


def test_damage_is_counted(recording: Path) -> None:
    data = bytearray(recording.read_bytes())
    data[len(data) // 2] ^= 0xFF
    recording.write_bytes(data)
    player = Player(recording)
    assert player.damaged == 1


async def test_a_recording_that_grows_is_followed_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player_module, "_LOOK_S", 0.01)
    writer = SessionWriter(tmp_path / "run.tuiapp")
    told = list(frames(LOAD))
    player = None
    for at, frame in enumerate(told):
        writer.put(frame)
        if at == len(told) // 2:
            writer.flush()
            player = Player(writer.path)
            reading = asyncio.create_task(player.read())
            player.clock.seek(player.end_ns)
            player.clock.play()
            half_ns = player.clock.now_ns()
        if player is not None and at % 50 == 0:
            writer.flush()
            await asyncio.sleep(0.02)
            assert player.clock.playing, "it waits for what comes"
            with pytest.raises(SessionError, match="being recorded"):
                player.mark("not now")
    assert player is not None
    assert player.growing
    writer.close()
    await asyncio.wait_for(reading, 10)
    whole = load(writer.path)
    assert not player.growing
    assert player.damaged == 0
    assert player.end_ns == whole.end_ns > half_ns
    for cursor in range(TICK_NS - 1, whole.end_ns, 7 * TICK_NS):
        assert shown(View(player.session, cursor, 5 * NS)) == shown(View(whole, cursor, 5 * NS))
    player.mark("now", 3 * NS)
    player.close()
    assert [mark.text for mark in load(writer.path).marks] == ["now"]
