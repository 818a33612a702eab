"""The whole program as a user starts it: its surroundings, its recording, and what it leaves."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.engine_child import STUB, Traces, gone, living
from tuiapp.clock import monotonic_ns
from tuiapp.session.columns import Session
from tuiapp.session.library import SUFFIX
from tuiapp.session.reader import Report, load
from tuiapp.sources import descendants

TUIAPP = Path(sys.executable).with_name("tuiapp")
WATCHED = "TUIAPP_TEST"
"""Environment variable that every process of a run inherits."""
HELPER = "tuiapp_stub_"
"""In the command line of the stand-in engine's own child."""

_DROPPED = ("TUIAPP_", "TEXTUAL_", "PYTHON", "NO_COLOR", "COLUMNS", "LINES")
S = 1_000_000_000


@dataclass(frozen=True)
class Done:
    """A run that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def complaint(self) -> list[str]:
        """What it says on stderr, without its progress."""
        return [line for line in self.err.splitlines() if not _is_progress(line)]


def _is_progress(line: str) -> bool:
    words = ("recording to ", "engine: ", " in flight  ")
    return line.startswith("tuiapp: ") and any(word in line for word in words)


class Surroundings:
    """Environment and folders of one test's runs, and a look at what they leave.

    Args:
        cache: where the demo model is kept; a folder of its own when None.
        engine: what stands in for vLLM; vLLM itself when None.
    """

    def __init__(self, engine: str | None = STUB, cache: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tui-"))  # short: socket paths are bounded
        self.temp = self.folder / "t"
        self.temp.mkdir()
        self._traces = Traces(self.temp)
        self._mark = secrets.token_hex(8)
        self._sessions: set[int] = set()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
        self.env = {
            **kept,
            WATCHED: self._mark,
            "TMPDIR": str(self.temp),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_CACHE_HOME": str(cache or self.folder / "cache"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "LC_ALL": "C.UTF-8",
        }
        if engine is not None:
            self.env["TUIAPP_ENGINE"] = engine

    # -- running ---------------------------------------------------------------------------

    def start(self, *args: str, **settings: Any) -> subprocess.Popen[str]:
        """``tuiapp args``, away from any terminal."""
        return self._popen([str(TUIAPP), *args], **settings)

    def start_shell(self, command: str) -> subprocess.Popen[str]:
        """A line of shell, away from any terminal."""
        return self._popen(["sh", "-c", command])

    def _popen(self, argv: list[str], **settings: Any) -> subprocess.Popen[str]:
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
        streams |= {"stderr": subprocess.PIPE} | settings
        return subprocess.Popen(argv, env=self.env, text=True, start_new_session=True, **streams)

    def run(self, *args: str, bound_s: float = 60.0) -> Done:
        """``tuiapp args`` to its end."""
        return finish(self.start(*args), bound_s)

    # -- looking ---------------------------------------------------------------------------

    def processes(self) -> list[int]:
        """Every living process of the runs, and of the sessions that these lead.

        The sessions matter because vLLM writes its title over a process's environment.
        """
        marked = _marked(f"{WATCHED}={self._mark}".encode())
        self._sessions |= {pid for pid in marked if _session(pid) == pid}
        led = {pid for leader in self._sessions for pid in descendants.members(leader, "")}
        return living(sorted(marked | led))

    def named(self, text: str) -> int:
        """The one process of the runs whose command line contains ``text``."""
        found = [pid for pid in self.processes() if text in _command(pid)]
        assert len(found) == 1, [(pid, _command(pid)) for pid in self.processes()]
        return found[0]

    def has(self, text: str) -> bool:
        """Whether a process of the runs has ``text`` in its command line."""
        return any(text in _command(pid) for pid in self.processes())

    def app(self) -> int:
        """The program itself; its terminal's guard is a fork of it."""
        found = [pid for pid in self.processes() if f"{TUIAPP} run" in _command(pid)]
        return next(pid for pid in found if _parent(pid) not in found)

    def note(self) -> None:
        """Remember which shared memory the runs use now."""
        self._traces.note(self.processes())

    def assert_clean(self, bound_s: float = 6.0) -> None:
        """No process, shared memory or temporary file is left."""
        left = self.processes()
        assert gone(left, bound_s), [(pid, _command(pid)) for pid in self.processes()]
        assert self.processes() == []
        assert self._traces.left() == set()

    @property
    def recordings(self) -> list[Path]:
        return sorted((self.folder / "data" / "tuiapp" / "sessions").glob(f"*{SUFFIX}"))

    @property
    def recording(self) -> Path:
        (path,) = self.recordings
        return path

    def load(self) -> Session:
        """The only recording, which must be whole but for a torn tail."""
        report = Report()
        session = load(self.recording, report)
        assert report.whole
        return session

    def assert_recorded_until(self, moment_ns: int, missing_s: float) -> Session:
        """The recording reaches to ``missing_s`` before a CLOCK_MONOTONIC reading, or nearer."""
        session = self.load()
        assert "origin_ns" in session.meta, "nothing was recorded"
        missing_ns = moment_ns - session.meta["origin_ns"] - session.end_ns
        assert missing_ns < missing_s * S, f"{missing_ns / S:.2f} s are missing"
        return session

    def close(self) -> None:
        """End whatever a failed test has left."""
        self._traces.end(self.processes)
        shutil.rmtree(self.folder, ignore_errors=True)


def finish(process: subprocess.Popen[str], bound_s: float = 60.0) -> Done:
    """Wait for a run to end."""
    out, err = process.communicate(timeout=bound_s)
    return Done(process.returncode, out or "", err or "")


def until(condition: Any, bound_s: float = 20.0) -> Any:
    """Wait until ``condition()`` holds; returns what it gave."""
    end_ns = monotonic_ns() + round(bound_s * S)
    while not (found := condition()):
        assert monotonic_ns() < end_ns, condition
        time.sleep(0.05)
    return found


def _marked(mark: bytes) -> set[int]:
    return {pid for pid in _pids() if mark in _read(pid, "environ").split(b"\0")}


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _parent(pid: int) -> int:
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def _command(pid: int) -> str:
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""
