"""A driver that stops answering, in a real terminal: nothing else waits for it, and it is said.

No GPU is needed: a scripted library stands in for NVIDIA's (``tests/doubles/nvml``).
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles import nvml
from tests.integration.program import TUIAPP, WATCHED, Surroundings
from tests.integration.terminal import Terminal
from tuiapp.session.view import View

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc) is installed"),
]

HANGS = """
    count = 2
    gpu*.util = 40 60
    gpu1.power_mw = hang after 6
"""


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    """Two GPUs, one of which stops answering three seconds into the run."""
    found = Surroundings()
    found.env |= nvml.environment(nvml.build(tmp_path), HANGS)
    yield found
    found.close()


def test_a_hung_driver_delays_nobody_and_is_told(around: Surroundings) -> None:
    terminal = Terminal(around.folder, around.env, 140, 45)
    try:
        mark = shlex.quote(around.env[WATCHED])
        terminal.type(f"clear; {WATCHED}={mark} {TUIAPP} run --rate 10 --warmup 0; echo code=$?")
        terminal.wait_for("GPU · 2 × Test double GPU")
        told = terminal.wait_for("NVML has not answered for", 30)
        assert "serving" in told
        later = terminal.wait_until(lambda screen: hung_for_s(screen) >= hung_for_s(told) + 3)
        assert seconds_run(later) >= seconds_run(told) + 3, "the clock and the screen go on"
        terminal.press("?")
        terminal.wait_for("honest")
        terminal.press("Escape")
        terminal.wait_until(lambda screen: "honest" not in screen)
        terminal.press("q")
        assert "code=0" in terminal.wait_for("code=")
    finally:
        terminal.close()
    around.assert_clean()
    session = around.load()
    view = View(session, session.end_ns)
    assert view.probe_reasons["nvml"] == "the driver does not answer"
    last = {group: view.last_row(group)[0] for group in ("gpu0", "cpu", "hiccup")}
    assert last["cpu"] - last["gpu0"] > 5e9, "the others were read to the end"
    assert last["hiccup"] - last["gpu0"] > 5e9
    lag_s = view.series("agent", "tick_lag_s", -1)[1]
    assert lag_s[2:].max() < 1.0, "and in time"


def hung_for_s(screen: str) -> int:
    found = re.search(r"has not answered for (\d+)", screen)
    return int(found[1]) if found else -1


def seconds_run(screen: str) -> int:
    found = re.search(r"serving (\d+):(\d+)", screen)
    assert found is not None
    return 60 * int(found[1]) + int(found[2])
