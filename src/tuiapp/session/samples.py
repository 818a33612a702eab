"""The recordings that come with the program, and what each of them is."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import tuiapp
from tuiapp.errors import SessionError, UsageError

_LIST = "samples.toml"


@dataclass(frozen=True, slots=True)
class Sample:
    """A recording made with this program.

    Attributes:
        name: what ``tuiapp demo`` calls it.
        path: the file.
        shows: what there is to see in it.
        recorded: how and where it was made, in a sentence.
        command: makes one like it.
    """

    name: str
    path: Path
    shows: str
    recorded: str
    command: str


def folder() -> Path:
    """Where they are: in the package, or beside a source tree."""
    package = Path(tuiapp.__file__).parent
    packaged = package / "sample_sessions"
    return packaged if packaged.is_dir() else package.parents[1] / "sample_sessions"


def samples() -> list[Sample]:
    """All of them, in the order in which they are worth looking at.

    Raises:
        SessionError: this installation has none.
    """
    path = folder() / _LIST
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SessionError(
            "This installation has no sample recordings.", "Install tuiapp again."
        ) from error
    return [
        Sample(name, folder() / f"{name}.tuiapp", told["shows"], told["recorded"], told["command"])
        for name, told in told.items()
    ]


def sample(name: str | None) -> Sample:
    """The sample called ``name``; the first one when left out.

    Raises:
        UsageError: there is none of that name.
    """
    known = samples()
    if name is None:
        return known[0]
    for found in known:
        if found.name == name:
            return found
    names = ", ".join(found.name for found in known)
    raise UsageError(f"There is no sample {name!r}.", f"Choose one of {names}.")
