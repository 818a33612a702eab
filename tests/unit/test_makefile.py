"""The Makefile's own part: which Python, which targets, terminal or not."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.doubles.programs import write_script

ROOT = Path(__file__).parents[2]


def make(*arguments: str, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE) -> str:
    """What ``make`` prints, on both outputs unless ``stdout`` goes elsewhere."""
    outer = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "ARGS", "PYTHON", "VLLM")
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in outer},
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return f"{done.stdout}[{done.returncode}]"


def test_make_alone_lists_the_targets() -> None:
    listed = make()
    for target in ("run", "test", "check", "format", "bench", "wheel", "clean", "distclean"):
        assert f"  make {target} " in listed


@pytest.mark.parametrize("old", ["Python 3.9.2", None])
def test_an_old_or_missing_python_is_one_sentence(tmp_path: Path, old: str | None) -> None:
    python = tmp_path / "python"
    if old:
        write_script(python, f'[ "$1" = --version ] && echo {old} || exit 1')
    said = make("setup", f"PYTHON={python}")
    assert f"needs Python 3.11 or newer, and {python} is {old or 'not there'}:" in said
    assert "Traceback" not in said
    assert said.endswith("[2]")


def test_run_without_a_terminal_is_headless_and_bounded(tmp_path: Path) -> None:
    write_script(tmp_path / "tuiapp", 'echo "tuiapp $@"')
    said = make("run", f"BIN={tmp_path}", "SETUP=:", "ARGS=--seed 7")
    assert re.search(r"^tuiapp run --headless --requests \d+ .*--seed 7$", said, re.MULTILINE)


def test_run_in_a_terminal_opens_the_monitor(tmp_path: Path) -> None:
    write_script(tmp_path / "tuiapp", 'echo "tuiapp $@"')
    ours, theirs = pty.openpty()
    make("run", f"BIN={tmp_path}", "SETUP=:", "ARGS=--seed 7", stdin=theirs, stdout=theirs)
    os.close(theirs)
    said = os.read(ours, 4096).decode()
    os.close(ours)
    assert "tuiapp run --seed 7" in said
