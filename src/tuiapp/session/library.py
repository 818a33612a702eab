"""The recordings of this user: where they live, what is in them, and changes to them as files.

A file that cannot be read is an entry with its reason. What costs time to find out is kept in a
cache that can be thrown away at any time (``entries``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from platformdirs import user_data_dir

from tuiapp.clock import local_from_ns
from tuiapp.errors import SessionError, UsageError
from tuiapp.events import Frame, Kind, mark_frame
from tuiapp.session import disk, summaries
from tuiapp.session.edit import place
from tuiapp.session.entry import Entry, summarize
from tuiapp.session.file import SessionFile

SUFFIX = ".tuiapp"
_MOST_SHOWN = 5

__all__ = ["SUFFIX", "Entry", "entries", "new_path", "sessions_dir", "summarize"]


def sessions_dir() -> Path:
    """The folder of this user's recordings."""
    return Path(user_data_dir("tuiapp")) / "sessions"


def new_path(model: str, created_ns: int, folder: Path | None = None) -> Path:
    """A free file name for a recording that starts now: date, time, model.

    Args:
        model: name or path of the model; only its last part is used, made safe.
        created_ns: wall time, nanoseconds since the epoch.
        folder: where; the user's own folder when left out.
    """
    stamp = local_from_ns(created_ns).strftime("%Y%m%d-%H%M%S")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", model.rstrip("/").rsplit("/", 1)[-1]).strip("-.")
    return free_path((folder or sessions_dir()) / f"{stamp}-{name[:60] or 'model'}{SUFFIX}")


def free_path(base: Path) -> Path:
    """``base``, or the first of ``base-2``, ``base-3`` ... that does not exist."""
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_stem(f"{base.stem}-{number}")
    return path


# -- looking -------------------------------------------------------------------------------


def files(folder: Path) -> list[Path]:
    """The recordings in ``folder``, by name; none when there is no such folder."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and path.is_file())
    except OSError:
        return []


def growing(folder: Path) -> list[Path]:
    """The recordings in ``folder`` that some process is writing now, the newest first."""
    found = [path for path in files(folder) if disk.is_being_written(path)]
    return sorted(found, key=lambda path: path.name, reverse=True)


def entries(folder: Path) -> list[Entry]:
    """All recordings in ``folder``, newest first."""
    return newest_first(entries_of(files(folder)))


def entries_of(paths: Iterable[Path]) -> list[Entry]:
    """One entry for each path, in that order; what is known from before is not read again."""
    cache = summaries.Cache()
    found = [cache.get(path) or cache.put(summarize(path)) for path in paths]
    cache.save()
    return found


def newest_first(found: Iterable[Entry]) -> list[Entry]:
    """By the moment the recording began, or the file's own time where it does not say."""
    return sort(found, "date")


def sort(found: Iterable[Entry], key: str, *, ascending: bool | None = None) -> list[Entry]:
    """By one of ``SORT_KEYS``; entries that do not know it come last.

    Args:
        ascending: the natural direction of ``key`` when left out: texts and latencies rise, dates,
            durations and sizes fall.

    Raises:
        UsageError: there is no such key.
    """
    if key not in SORT_KEYS:
        raise UsageError(f"Recordings have no {key!r}.", f"Sort by {', '.join(SORT_KEYS)}.")
    name, rises = SORT_KEYS[key]
    rises = rises if ascending is None else ascending
    known: list[Entry] = []
    unknown: list[Entry] = []
    for entry in found:
        value = getattr(entry, name)
        (unknown if value in (None, "") else known).append(entry)
    known.sort(key=lambda entry: _comparable(getattr(entry, name)), reverse=not rises)
    return known + sorted(unknown, key=lambda entry: entry.name)


SORT_KEYS = {
    "date": ("began_ns", False),
    "name": ("name", True),
    "host": ("host", True),
    "virtualization": ("virtualization", True),
    "model": ("model", True),
    "load": ("load", True),
    "ttft": ("ttft_p99_s", True),
    "tpot": ("tpot_p99_s", True),
    "duration": ("duration_s", False),
    "size": ("size", False),
}
"""What recordings can be sorted by: the entry's attribute, and whether it rises by nature."""


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def matching(found: Iterable[Entry], words: str) -> list[Entry]:
    """The entries in which every one of the words stands somewhere, whatever its case."""
    wanted = words.casefold().split()
    return [entry for entry in found if all(word in entry.text for word in wanted)]


def find(text: str, folder: Path | None = None) -> Path:
    """The recording that ``text`` names: a path, a name in the library, or the start of one.

    Raises:
        UsageError: there is none, or more than one.
    """
    path = _existing(text)
    if path is not None:
        return path
    known = [] if "/" in text or not text else files(folder or sessions_dir())
    exact = [path for path in known if text in (path.name, path.stem)]
    found = exact or [path for path in known if path.name.startswith(text)]
    if not found:
        raise UsageError(
            f"There is no recording {text!r}.", "`tuiapp sessions list` shows those there are."
        )
    if len(found) > 1:
        names = [path.stem for path in found[:_MOST_SHOWN]]
        more = len(found) - len(names)
        listed = ", ".join(names) + (f" and {more} more" if more else "")
        raise UsageError(f"{text!r} may be any of {len(found)} recordings: {listed}.")
    return found[0]


def _existing(text: str) -> Path | None:
    """The file at the path ``text``; None when there is none."""
    try:
        path = Path(text).expanduser()
        if text and path.is_dir():
            raise UsageError(f"{text} is a folder.", "Name a recording in it.")
        return path if text and path.exists() else None
    except (OSError, RuntimeError):  # too long for a name; no such user
        return None


# -- changing ------------------------------------------------------------------------------


def rename(path: Path, name: str) -> Path:
    """Give the file another name in the same folder, keeping its suffix; returns its new path.

    Raises:
        UsageError: that is no name for a file, or the name is taken.
        SessionError: it is being recorded, or cannot be renamed.
    """
    stem = name.removesuffix(path.suffix)
    unfit = not name.isprintable() or "/" in name or name.startswith(".") or name != name.strip()
    if not stem or unfit:
        raise UsageError(f"{name!r} is no name for a file.", "Give a name without folders.")
    target = path.with_name(stem + path.suffix)
    if target == path:
        return path
    _refuse_recording(path)
    try:
        place(path, target)
    except FileExistsError:
        raise UsageError(f"{target.name} exists already.", "Choose another name.") from None
    except OSError as error:
        raise SessionError(f"Cannot rename {path}: {error.strerror}.") from error
    return target


def annotate(path: Path, text: str) -> None:
    """Keep ``text`` as the recording's note; it replaces the one before.

    Raises:
        SessionError: it is being recorded, cannot be read or cannot be written to.
    """
    with SessionFile(path) as file:
        file.append([Frame(Kind.META, file.end_ns, file.end_ns, attrs={"note": text})])


def mark(path: Path, t_ns: int, text: str) -> None:
    """Note a moment of the recording; raises as ``annotate`` does."""
    with SessionFile(path) as file:
        file.append([mark_frame(t_ns, text)])


def delete(path: Path) -> None:
    """Remove the file.

    Raises:
        UsageError: it is no session.
        SessionError: it is being recorded, or cannot be removed.
    """
    _refuse_recording(path)
    if path.suffix != SUFFIX:
        try:
            SessionFile(path).close()
        except SessionError as error:
            raise UsageError(f"{path} is no recording, and stays.") from error
    try:
        path.unlink()
    except OSError as error:
        raise SessionError(f"Cannot remove {path}: {error.strerror}.") from error


def _refuse_recording(path: Path) -> None:
    if disk.is_being_written(path):
        raise SessionError(f"{path} is being recorded.", "End that run first.")
