"""Whose recording it is: host and user names, paths and notes in a session's frames.

What counts as identifying is found from the frames alone: the host name that the host agent told,
user names in the paths of home folders, paths, notes. Paths of the operating system itself
(``/proc``, ``/usr/lib`` ...) tell nothing and stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tuiapp.events import FACTS_COLUMNS, Frame, Kind

REDACTED = "redacted"
_MOST = 10_000
"""Findings kept of each sort: a hostile file must not fill the memory."""

HOST, USER, PATH, NOTE, MARK, SESSION, ARGS = (
    "host name",
    "user names",
    "paths",
    "notes",
    "texts of marks",
    "path of the session",
    "engine arguments that are paths",
)
HOST_KEYS = {"hostname", "nodename", "fqdn", "node"}
USER_KEYS = {"user", "username", "login"}
NOTE_KEYS = {"note", "notes"}
_NEUTRAL = ("/proc/", "/sys/", "/dev/", "/usr/lib", "/usr/bin/", "/usr/share/", "/lib/", "/etc/")
_STOP = r"\s'\"`,;=()\[\]{}<>|&*?$"
_HOME = re.compile(rf"/(?:home|Users)/(?P<user>[^/:{_STOP}]+)(?:/[^:{_STOP}]*)?|/root/[^:{_STOP}]*")
_FILE_URL = re.compile(rf"file://[^{_STOP}]*")
_PATH = re.compile(
    rf"(?<![\w.~/])(?:~[\w.-]*/|\.{{1,2}}/|/[^/:{_STOP}]+/)[^/:{_STOP}]*(?:/[^/:{_STOP}]*)*"
)
_ADDRESS = re.compile(r"(?<=//)\d{1,3}(?:\.\d{1,3}){3}\b|\b\d{1,3}(?:\.\d{1,3}){3}(?=:\d)")
_OWN_ADDRESSES = ("127.", "0.0.0.0")  # noqa: S104 - nothing is bound to it
_FILE_ENDING = re.compile(r"\.[a-z][a-z0-9]{1,11}$", re.IGNORECASE)


class Identity:
    """Collects what the frames it sees say about whose they are."""

    def __init__(self) -> None:
        self.hosts: set[str] = set()
        self.users: set[str] = set()
        self.models: set[str] = set()
        self._found: dict[str, set[str]] = {}

    def see(self, frame: Frame) -> None:
        """Look through one frame."""
        if frame.kind == Kind.META:
            self._see_header(frame.attrs)
        elif frame.kind == Kind.MARK:
            self._add(MARK, (text for text in frame.columns.get("text", ()) if text))
        elif frame.kind == Kind.FACTS and all(name in frame.columns for name in FACTS_COLUMNS):
            for value in frame.columns["value"]:
                self._see_value(from_json(value))
        for text in _texts(frame):
            self._see_text(text)

    def found(self) -> dict[str, list[str]]:
        """Everything identifying, by sort; sorts without any are left out."""
        sorts = {HOST: self.hosts, USER: self.users, **self._found}
        return {sort: sorted(values) for sort, values in sorts.items() if values}

    def _add(self, sort: str, values: Iterable[str]) -> None:
        known = self._found.setdefault(sort, set())
        for value in values:
            if len(known) < _MOST:
                known.add(value)

    def _see_header(self, attrs: Mapping[str, Any]) -> None:
        session = attrs.get("session")
        if isinstance(session, str) and session:
            self._add(SESSION, [session])
        engine = attrs.get("engine")
        arguments = engine.get("args") if isinstance(engine, Mapping) else None
        if isinstance(arguments, list):
            self._add(ARGS, (str(word) for word in arguments if argument_path(str(word))))
        self._see_value(attrs)

    def _see_value(self, value: Any, key: str = "") -> None:
        if isinstance(value, Mapping):
            self._see_model(value.get("model"))
            for name, inner in value.items():
                self._see_text(str(name))
                self._see_value(inner, str(name))
        elif isinstance(value, list | tuple):
            for inner in value:
                self._see_value(inner, key)
        elif isinstance(value, str):
            self._see_string(value, key)

    def _see_string(self, value: str, key: str) -> None:
        if not value or value == REDACTED:
            return
        if key in HOST_KEYS and len(self.hosts) < _MOST:
            self.hosts.add(value)
        if key in USER_KEYS and len(self.users) < _MOST:
            self.users.add(value)
        if key in NOTE_KEYS:
            self._add(NOTE, [value])
        self._see_text(value)

    def _see_model(self, model: Any) -> None:
        name = model.get("name") if isinstance(model, Mapping) else None
        if isinstance(name, str) and is_path(name) and len(self.models) < _MOST:
            self.models.add(name)
            self._add(PATH, [name])

    def _see_text(self, text: str) -> None:
        for home in _HOME.finditer(text):
            if home["user"] and len(self.users) < _MOST:
                self.users.add(home["user"])
        self._add(PATH, paths(text))


def from_json(text: str) -> Any:
    """The value that ``text`` writes down; the text itself where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def is_path(name: str) -> bool:
    """A model's name is a path, and not ``owner/name`` of a hub."""
    return name.startswith(("/", "~", "./", "../")) or name.count("/") > 1 or "\\" in name


def argument_path(word: str) -> str:
    """The path that an argument, or what stands behind its ``=``, is; empty when it is none."""
    value = word.partition("=")[2] if word.startswith("-") and "=" in word else word
    named = "/" in value and (value.count("/") > 1 or _FILE_ENDING.search(value) is not None)
    return value if named or is_path(value) else ""


def paths(text: str) -> Iterator[str]:
    """Every path in ``text`` that could tell something, and every address of another machine."""
    for pattern in (_FILE_URL, _HOME, _PATH):
        for match in pattern.finditer(text):
            if not match[0].startswith(_NEUTRAL):
                yield match[0]
    for match in _ADDRESS.finditer(text):
        if not match[0].startswith(_OWN_ADDRESSES):
            yield match[0]


def mask_paths(text: str, path: str, address: str) -> str:
    """``text`` with every one of ``paths`` replaced."""

    def masked(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith(_NEUTRAL) else path

    def masked_address(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith(_OWN_ADDRESSES) else address

    for pattern in (_FILE_URL, _HOME, _PATH):
        text = pattern.sub(masked, text)
    return _ADDRESS.sub(masked_address, text)


def _texts(frame: Frame) -> Iterator[str]:
    """The words of other programs in a frame; those of META and of JSON are seen by key."""
    if frame.kind == Kind.META:
        return
    for name, column in frame.columns.items():
        if isinstance(column, list) and not (frame.kind == Kind.FACTS and name == "value"):
            yield from (text for text in column if isinstance(text, str))
    yield from (str(value) for value in frame.attrs.values() if isinstance(value, str))
