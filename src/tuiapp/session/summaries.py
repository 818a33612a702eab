"""What is known about files from before, so that a list of hundreds of recordings comes at once.

A JSON file in the user's cache, which anybody may have written to and which can be deleted at any
time: what does not look right in it is not believed, and read from the recordings again.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from tuiapp import __version__
from tuiapp.session.entry import DAMAGED, NO_END, RECORDING, TORN, UNREADABLE, WHOLE, Entry

_VERSION = f"2/{__version__}"
_MOST_BYTES = 16 << 20
_MOST_ENTRIES = 10_000
_LONGEST = 1_000
_TEXTS = ("name", "reason", "host", "virtualization", "model", "engine", "load", "note")
_COUNTS = ("created_ns", "requests")
_NUMBERS = ("ttft_p50_s", "ttft_p99_s", "tpot_p50_s", "tpot_p99_s", "duration_s")


class Cache:
    """Entries by path, good as long as the file has the same size and time.

    Args:
        path: where they are kept; the user's cache when left out.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or Path(user_cache_dir("tuiapp")) / "sessions.json"
        self._known = _read(self._path)
        self._changed = False

    def get(self, path: Path) -> Entry | None:
        """The entry of a file that has not changed since; None when it must be read."""
        known = self._known.get(str(path.absolute()))
        if known is None:
            return None
        try:
            stat = path.stat()
        except OSError:
            return None
        if known.get("size") != stat.st_size or known.get("mtime_ns") != stat.st_mtime_ns:
            return None
        return _entry(path, known)

    def put(self, entry: Entry) -> Entry:
        """Keep what was read, and give it back; not of a file that is still changing."""
        if entry.condition != RECORDING and entry.mtime_ns:
            known = asdict(entry)
            del known["path"]
            self._known[str(entry.path.absolute())] = known
            self._changed = True
        return entry

    def save(self) -> None:
        """Write down what is new. A cache that cannot be written costs time, nothing else."""
        if not self._changed:
            return
        kept = {path: known for path, known in self._known.items() if Path(path).exists()}
        newest = dict(list(kept.items())[-_MOST_ENTRIES:])
        text = json.dumps({"version": _VERSION, "entries": newest})
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_text(text, "utf-8")
                temporary.replace(self._path)
            finally:
                temporary.unlink(missing_ok=True)
        self._changed = False


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        found = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get("version") != _VERSION:
        return {}
    entries = found.get("entries")
    if not isinstance(entries, dict):
        return {}
    return {name: known for name, known in entries.items() if isinstance(known, dict)}


def _entry(path: Path, known: dict[str, Any]) -> Entry | None:
    """The entry that ``known`` tells, or None when something of it cannot be one."""
    texts = {name: known.get(name) for name in _TEXTS}
    counts = {name: known.get(name) for name in _COUNTS}
    numbers = {name: known.get(name) for name in _NUMBERS}
    plausible = (
        all(isinstance(text, str) and len(text) <= _LONGEST for text in texts.values())
        and all(value is None or type(value) is int for value in counts.values())
        and all(value is None or type(value) is float for value in numbers.values())
        and known.get("condition") in (WHOLE, NO_END, TORN, DAMAGED, UNREADABLE)
        and texts["name"] == path.stem
    )
    if not plausible:
        return None
    whole = {**texts, **counts, **numbers, "condition": known["condition"]}
    return Entry(path=path, size=known["size"], mtime_ns=known["mtime_ns"], **whole)
