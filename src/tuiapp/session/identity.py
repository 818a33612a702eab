"""Whose recording it is: names, paths, addresses and notes in a session's frames.

What counts as identifying is found from the frames alone: the host name that the host agent told,
user names in the paths of home folders, paths, addresses of machines, notes. Paths of the operating
system itself (``/proc``, ``/usr/lib`` ...) and this machine's own names for itself (``127.0.0.1``)
tell nothing and stay.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tuiapp.events import FACTS_COLUMNS, Frame, Kind

REDACTED = "redacted"
_MOST = 10_000
"""Findings kept of each sort: a hostile file must not fill the memory."""

HOST, USER, PATH, ADDRESS, NOTE, MARK, SESSION, ARGS = (
    "host name",
    "user names",
    "paths",
    "addresses",
    "notes",
    "texts of marks",
    "path of the session",
    "engine arguments that are paths or addresses",
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
# In quotes a path may hold blanks.
_QUOTED = re.compile(r"""(?<=(['"`]))(?:~|\.{1,2})?/[^'"`\n<>]*/[^'"`\n<>]*(?=\1)""")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
_MAC = re.compile(r"(?<![\w:-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![\w:-])", re.IGNORECASE)
_BEFORE_PORT = re.compile(r":\d")
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
            self._add(ARGS, (str(word) for word in arguments if argument_place(str(word))))
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
        self._add(ADDRESS, addresses(text))


def from_json(text: str) -> Any:
    """The value that ``text`` writes down; the text itself where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def is_path(name: str) -> bool:
    """A model's name is a path, and not ``owner/name`` of a hub."""
    return name.startswith(("/", "~", "./", "../")) or name.count("/") > 1 or "\\" in name


def argument_place(word: str) -> str:
    """The path or address that an argument is, or what stands behind its ``=``; empty if none."""
    value = word.partition("=")[2] if word.startswith("-") and "=" in word else word
    named = "/" in value and (value.count("/") > 1 or _FILE_ENDING.search(value) is not None)
    return value if named or is_path(value) or _is_of_another(value.strip("[]")) else ""


def paths(text: str) -> Iterator[str]:
    """Every path in ``text`` that could tell something."""
    for pattern in _PATHS:
        for match in pattern.finditer(text):
            if not match[0].startswith(_NEUTRAL):
                yield match[0]


def addresses(text: str) -> Iterator[str]:
    """Every address of another machine in ``text``.

    Four numbers with dots are an address in a URL, before a port or in a private network
    (RFC 1918), and else a version. Letters and colons are one where there is a digit.
    """
    for match in _ADDRESSES.finditer(text):
        if _tells(match):
            yield match[0]


def mask_places(text: str, path: str, address: str) -> str:
    """``text`` with every one of ``paths`` and ``addresses`` replaced."""

    def masked(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith(_NEUTRAL) else path

    for pattern in _PATHS:
        text = pattern.sub(masked, text)
    return _ADDRESSES.sub(lambda match: address if _tells(match) else match[0], text)


_PATHS = (_FILE_URL, _QUOTED, _HOME, _PATH)
_ADDRESSES = re.compile("|".join(p.pattern for p in (_MAC, _IPV6, _IPV4)), re.IGNORECASE)


def _tells(match: re.Match[str]) -> bool:
    found = match[0]
    if _MAC.fullmatch(found):
        return True
    if ":" in found:
        return any(map(str.isdigit, found)) and _is_of_another(found)
    is_place = match.string[: match.start()].endswith("//") or _BEFORE_PORT.match(
        match.string, match.end()
    )
    return _is_of_another(found) and (bool(is_place) or ipaddress.ip_address(found).is_private)


def _is_of_another(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not address.is_loopback and not address.is_unspecified


def _texts(frame: Frame) -> Iterator[str]:
    """The words of other programs in a frame; those of META and of JSON are seen by key."""
    if frame.kind == Kind.META:
        return
    for name, column in frame.columns.items():
        if isinstance(column, list) and not (frame.kind == Kind.FACTS and name == "value"):
            yield from (text for text in column if isinstance(text, str))
    yield from (str(value) for value in frame.attrs.values() if isinstance(value, str))
