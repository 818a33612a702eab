"""Where recordings live."""

from __future__ import annotations

import re
from pathlib import Path

from platformdirs import user_data_dir

from tuiapp.clock import local_from_ns
from tuiapp.errors import UsageError

SUFFIX = ".tuiapp"


def find(text: str) -> Path:
    """The recording that ``text`` means: a path, or the start of a name in this user's folder."""
    path = Path(text).expanduser()
    if path.exists():
        return path
    found = sorted(sessions_dir().glob(f"{text}*{SUFFIX}"))
    if len(found) == 1:
        return found[0]
    raise UsageError(f"There is no recording {text}.", "Give the path of a file.")


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
    base = (folder or sessions_dir()) / f"{stamp}-{name[:60] or 'model'}{SUFFIX}"
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_stem(f"{base.stem}-{number}")
    return path
