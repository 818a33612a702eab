"""Programs that write recordings until something stops them, and what they leave."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuiapp.events import Frame, Kind
from tuiapp.session.reader import Report, read_frames


@contextmanager
def child(*args: object) -> Iterator[subprocess.Popen[str]]:
    call = [sys.executable, *map(str, args)]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read(path: Path) -> tuple[list[Frame], Report]:
    report = Report()
    return [frame for frame in read_frames(path, report) if frame.kind != Kind.INDEX], report
