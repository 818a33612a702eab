"""The home screen: recordings in a list, and what can be done with them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.doubles.drawing import HOSTILE
from tests.doubles.scenes import screen_lines
from tests.doubles.synthetic import Load, frames
from tuiapp.errors import UsageError
from tuiapp.events import Frame, Kind
from tuiapp.session.file import SessionFile
from tuiapp.session.reader import load
from tuiapp.session.writer import SessionWriter
from tuiapp.tui.home_app import HomeApp
from tuiapp.tui.screens.ask import AskScreen, ChooseScreen, ConfirmScreen
from tuiapp.tui.screens.compare import CompareScreen
from tuiapp.tui.screens.help import HelpScreen
from tuiapp.tui.screens.home import Choice, HomeScreen

VLLM = Path(__file__).parents[1] / "fixtures" / "imports" / "vllm-rate.json"
HOST = {"hostname": "hel-07", "cpu_model": "Made-up CPU", "cores_logical": 8, "os": "Debian 12"}
CREATED_NS = 1_764_000_000_000_000_000


def record(folder: Path, name: str, seed: int = 1, **meta: object) -> Path:
    writer = SessionWriter(folder / f"{name}.tuiapp")
    for frame in frames(Load(seed=seed, duration_s=4.0 + seed, rate=10.0)):
        writer.put(frame)
    created = {"created_ns": CREATED_NS + seed * 86_400_000_000_000}
    writer.put(Frame(Kind.META, 0, 0, attrs={**created, **meta}))
    writer.close()
    return writer.path


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three recordings, the newest called gamma, and a file that is none."""
    found = tmp_path / "sessions"
    record(found, "alpha", 1, host={"hostname": "metal-1"}, note="before the upgrade")
    record(found, "beta", 2, host={"hostname": "pod-2"})
    record(found, "gamma", 3, host={"hostname": "pod-2"})
    (found / "broken.tuiapp").write_text("this is no session at all")
    return found


@dataclass
class Home:
    """The running home screen."""

    app: HomeApp
    pilot: Pilot[Choice]

    @property
    def screen(self) -> HomeScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, HomeScreen))

    @property
    def text(self) -> str:
        return "\n".join(screen_lines(self.app))

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.screen._list.entries]

    @property
    def selected(self) -> str:
        entry = self.screen._list.selected
        return entry.name if entry else ""

    async def settle(self) -> None:
        for _ in range(3):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()


def check(text: str) -> None:
    if "--bad" in text:
        raise UsageError("tuiapp does not know --bad.", "Leave it out.")


@asynccontextmanager
async def home(folder: Path, size: tuple[int, int] = (120, 35)) -> AsyncIterator[Home]:
    app = HomeApp(folder, HOST, check)
    async with app.run_test(size=size) as pilot:
        shown = Home(app, pilot)
        await shown.settle()
        yield shown


async def test_it_lists_what_there_is_newest_first(folder: Path) -> None:
    async with home(folder) as shown:
        assert shown.names == ["broken", "gamma", "beta", "alpha"]
        assert "hel-07" in shown.text
        assert "4 recordings" in shown.text
        line = next(line for line in shown.text.splitlines() if "gamma" in line)
        entry = shown.screen._list.entries[1]
        assert entry.ttft_p99_s is not None
        assert f"{entry.ttft_p99_s * 1e3:.1f}" in line
        assert "pod-2" in line
        assert "broken  " in next(line for line in shown.text.splitlines() if "broken" in line)


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (140, 45)])
async def test_what_has_no_column_stands_below(folder: Path, size: tuple[int, int]) -> None:
    async with home(folder, size) as shown:
        await shown.press("down")
        assert shown.selected == "gamma"
        file, told, _ = [line.strip() for line in shown.text.splitlines()[-6:] if line.strip()][1:4]
        assert re.match(r"2025-11-27 \d\d:\d\d · 00:\d\d · [\d.]+ kB · no end · ", file)
        assert "pod-2 · " in told
        assert "requests · TTFT p50 " in told or size[0] < 100
        assert "TTFT p99" in shown.text


async def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    async with home(tmp_path / "none") as shown:
        for line in (
            "No recordings yet. What you run is kept here.",
            "n  starts a run on this host",
            "i  imports a result of vllm bench, GuideLLM or AIPerf",
        ):
            assert line in shown.text
        await shown.press("enter", "r", "t", "x", "delete", "space", "c", "s")
        assert shown.app.return_value is None


@pytest.mark.parametrize(
    ("typed", "left"),
    [("pod", ["gamma", "beta"]), ("METAL-1", ["alpha"]), ("upgrade", ["alpha"]), ("zz", [])],
)
async def test_filter_as_one_types(folder: Path, typed: str, left: list[str]) -> None:
    async with home(folder) as shown:
        await shown.press("slash", *typed)
        assert shown.names == left
        if not left:
            assert f"nothing matches '{typed}'" in shown.text
        await shown.press("escape")
        assert len(shown.names) == 4


async def test_sorting(folder: Path) -> None:
    async with home(folder) as shown:
        await shown.press("s")
        assert shown.names == ["alpha", "beta", "broken", "gamma"]
        await shown.press("s")
        values = [entry.ttft_p99_s for entry in shown.screen._list.entries[:3]]
        assert values == sorted(values)  # type: ignore[type-var]


async def test_enter_opens_and_a_broken_one_says_why(folder: Path) -> None:
    async with home(folder) as shown:
        await shown.press("enter")
        assert shown.app.return_value is None
        await shown.press("down", "enter")
    assert shown.app.return_value == Choice("replay", path=folder / "gamma.tuiapp")


async def test_rename(folder: Path) -> None:
    async with home(folder) as shown:
        await shown.press("down", "r")
        assert isinstance(shown.app.screen, AskScreen)
        await shown.press(*["backspace"] * 5, *"beta", "enter")
        assert "beta.tuiapp exists already" in shown.text
        await shown.press(*"-2", "enter")
        assert shown.selected == "beta-2"
        assert sorted(shown.names) == ["alpha", "beta", "beta-2", "broken"]
    assert (folder / "beta-2.tuiapp").exists()
    assert not (folder / "gamma.tuiapp").exists()


async def test_a_renamed_recording_stays_chosen(folder: Path) -> None:
    async with home(folder) as shown:
        await shown.press("down", "space", "up", "r", *"-2", "enter")
        (chosen,) = shown.app.screen._list.chosen
        assert chosen.exists()
        assert chosen.stem.endswith("-2")


async def test_a_note_is_in_the_file(folder: Path) -> None:
    async with home(folder) as shown:
        await shown.press("down", "t", *"quiet", "enter")
        assert "quiet" in shown.text
    assert load(folder / "gamma.tuiapp").meta["note"] == "quiet"


async def test_delete_asks_first(folder: Path) -> None:
    async with home(folder) as shown:
        await shown.press("down", "delete")
        assert isinstance(shown.app.screen, ConfirmScreen)
        assert "gamma.tuiapp" in shown.text
        await shown.press("enter")
        assert (folder / "gamma.tuiapp").exists()
        await shown.press("delete", "y")
        assert "gamma" not in shown.names
    assert not (folder / "gamma.tuiapp").exists()


async def test_what_is_being_recorded_is_not_deleted(folder: Path) -> None:
    writer = SessionWriter(folder / "now.tuiapp")
    writer.put(Frame(Kind.META, 0, 0, attrs={"created_ns": CREATED_NS * 2}))
    try:
        async with home(folder) as shown:
            line = next(line for line in shown.text.splitlines() if line.startswith("  now"))
            assert line.rstrip().endswith("now")
            await shown.press("slash", *"now", "enter", "delete", "y")
        assert writer.path.exists()
    finally:
        writer.close()


async def test_export_writes_beside_where_one_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with home(folder) as shown:
        await shown.press("down", "x")
        assert isinstance(shown.app.screen, ChooseScreen)
        await shown.press(*["down"] * list(_formats()).index("json"), "enter")
    assert json.loads((tmp_path / "gamma.json").read_text())["requests"]["sent"] == 70


def _formats() -> dict[str, object]:
    from tuiapp.exports import EXPORTS

    return dict(EXPORTS)


async def test_a_result_of_another_program_is_imported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(VLLM.parent)
    async with home(folder) as shown:
        await shown.press("i")
        assert isinstance(shown.app.screen, AskScreen)
        await shown.press(*"/no/such/file", "enter")
        assert "There is no file /no/such/file" in shown.text
        await shown.press("ctrl+u", *VLLM.name, "enter")
        await shown.app.workers.wait_for_complete()
        await shown.pilot.pause()
        assert "vllm-rate" in shown.names
    assert (folder / "vllm-rate.tuiapp").exists()


async def test_what_is_no_result_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    async with home(folder) as shown:
        await shown.press("i", *"broken.tuiapp", "enter")
        await shown.settle()
        assert "Not imported: broken.tuiapp holds no JSON." in shown.text


async def test_two_side_by_side(folder: Path) -> None:
    async with home(folder) as shown:
        await shown.press("c")
        assert not isinstance(shown.app.screen, CompareScreen)
        await shown.press("down", "space", "space", "c")
        assert isinstance(shown.app.screen, CompareScreen)
        await shown.settle()
        assert "TTFT p99" in shown.text
        assert "tells of these recordings" in " ".join(shown.text.split())
        await shown.press("escape")
        assert shown.app.screen is shown.screen


async def test_a_new_run_is_checked_before_it_is_started(folder: Path) -> None:
    async with home(folder) as shown:
        await shown.press("n", *"--bad", "enter")
        assert "tuiapp does not know --bad." in shown.text
        await shown.press(*["backspace"] * 5, *"--rate 2", "enter")
    assert shown.app.return_value == Choice("run", "--rate 2")


async def test_d_replays_a_sample_and_help_explains(folder: Path) -> None:
    async with home(folder) as shown:
        await shown.press("question_mark")
        assert isinstance(shown.app.screen, HelpScreen)
        await shown.press("escape", "d")
    assert shown.app.return_value == Choice("demo")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 35), (200, 60)])
async def test_every_size_is_filled_and_nothing_hostile_comes_through(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    found = tmp_path / "sessions"
    for at, words in enumerate(HOSTILE):
        words = words.encode("utf-8", "replace").decode()
        told = {"host": {"hostname": words}, "model": {"name": words}, "note": words}
        record(found, f"file-{at}", at + 1, **told, workload={"name": words})
    async with home(found, size) as shown:
        for _ in HOSTILE:
            lines = screen_lines(shown.app)
            assert len(lines) == size[1]
            assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for line in lines for c in line)
            await shown.press("down")


async def test_a_click_selects_and_two_open(folder: Path) -> None:
    async with home(folder) as shown:
        left, top = shown.screen._list.content_region.offset
        await shown.pilot.click(offset=(left + 4, top + 3))
        assert shown.selected == "beta"
        await shown.pilot.click(offset=(left + 4, top + 4), times=2)
        await shown.settle()
    assert shown.app.return_value == Choice("replay", path=folder / "alpha.tuiapp")


def test_the_file_on_screen_is_closed_again(folder: Path) -> None:
    with SessionFile(folder / "alpha.tuiapp") as file:
        assert file.indexed
