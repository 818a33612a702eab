"""Keeps secrets out of recordings, and their owners' names out of copies for others.

In a recording, a secret is the value of an environment variable or of an option whose name says
so, or what has the shape of a Hugging Face or OpenAI key. A copy for others is made without host
and user names, paths and notes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuiapp.events import Frame, Kind
from tuiapp.session.identity import (
    HOST_KEYS,
    NOTE_KEYS,
    REDACTED,
    USER_KEYS,
    Identity,
    argument_place,
    from_json,
    mask_places,
)

MASK = "***"
_SHORTEST = 8
_VARIABLE = re.compile(
    r"(?:^|_)(?:TOKEN|KEY|APIKEY|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)(?:_|$)"
)
_OPTION = re.compile(
    r"--?(?:hf[-_]token|api[-_]key|.*(?:secret|passw|credential).*)", re.IGNORECASE
)
_SHAPE = re.compile(r"\b(?:hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,})")


class Redaction:
    """Masks what it knows to be secret.

    Args:
        environ: the environment whose secrets may be printed by somebody.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        values = {
            value
            for name, value in environ.items()
            if _VARIABLE.search(name.upper()) and len(value) >= _SHORTEST
        }
        # The longest first: one may be part of another.
        known = [re.escape(value) for value in sorted(values, key=len, reverse=True)]
        self._secret = re.compile("|".join([*known, _SHAPE.pattern]))

    def text(self, text: str) -> str:
        """``text`` with every secret masked."""
        return self._secret.sub(MASK, text)

    def arguments(self, arguments: Sequence[str]) -> list[str]:
        """A command line with the values of secret options masked."""
        found: list[str] = []
        is_secret = False
        for argument in arguments:
            name, equals, _ = argument.partition("=")
            if is_secret and not argument.startswith("-"):
                found.append(MASK)
            elif equals and _OPTION.fullmatch(name):
                found.append(f"{name}={MASK}")
            else:
                found.append(self.text(argument))
            is_secret = not equals and _OPTION.fullmatch(argument) is not None
        return found


# -- copies for others ---------------------------------------------------------------------

_HOST_MASK, _USER_MASK, _PATH_MASK, _ADDRESS_MASK, _WORD_MASK = (
    "<host>",
    "<user>",
    "<path>",
    "<address>",
    "<word>",
)
_OWN_KEYS = re.compile(
    "action|advice|agent|args|arrival|build|caveats|code|cpu|cpu_model|cut|device|digest|engine|"
    "expected|frames|gpu|gpus|group|host|hostname|kernel|limited|memory|model|name|os|phase|"
    "probe|process|program|rate|reason|run|session|signal|slo|state|version|workload"
)
"""Keys that programs read: they stay even where a host or a user is called the same."""
_OWN_NAME = re.compile(r"[a-z_]+(?:\.[a-z_]+)+|[a-z]+\d*")
"""Names of facts, groups, levels and sources as this program makes them."""
_OWN_COLUMNS = {(Kind.FACTS, "name"), (Kind.LOG, "source"), (Kind.LOG, "level")}
_OWN_VALUES = frozenset({"phase", "state", "arrival", "device"})
"""Keys whose values are words of this program."""
_MACHINE_VALUES = frozenset(
    {"virtualization", "machine", "hypervisor", "role", "container", "cloud", "confidential"}
)
"""Keys whose values say what kind of machine it is: a host called "vm" must not spoil them."""


class Anonymizer:
    """Takes host and user names, paths, notes and addresses out of frames.

    Args:
        identity: has seen every frame.
        words: further words that nobody may read.
    """

    def __init__(self, identity: Identity, words: Sequence[str] = ()) -> None:
        self._models = sorted(identity.models, key=len, reverse=True)
        hosts = {part for host in identity.hosts for part in (host, host.partition(".")[0])}
        self._masks = (
            (_any_of(hosts, r"(?:\.[\w-]+)*"), _HOST_MASK),  # with the domain behind it
            (_any_of(identity.users), _USER_MASK),
            (_any_of(words), _WORD_MASK),
        )

    def frame(self, frame: Frame) -> Frame:
        """``frame`` without what is identifying; numbers and moments stay as they are."""
        columns = {
            self._own(name): self._column(frame.kind, name, column)
            if isinstance(column, list)
            else column
            for name, column in frame.columns.items()
        }
        attrs = self._header(frame.attrs) if frame.kind == Kind.META else frame.attrs
        return replace(frame, columns=columns, attrs=self._value(dict(attrs)))

    def text(self, text: str, *, hosts: bool = True) -> str:
        """``text`` with names, paths and addresses masked."""
        for model in self._models:
            text = text.replace(model, _last_part(model))
        text = mask_places(text, _PATH_MASK, _ADDRESS_MASK)
        for names, mask in self._masks:
            if hosts or mask != _HOST_MASK:
                text = names.sub(mask, text)
        return text

    def _column(self, kind: int, name: str, column: list[Any]) -> list[Any]:
        if kind == Kind.MARK and name == "text":
            return [""] * len(column)
        if kind == Kind.FACTS and name == "value":
            return [self._json(text) for text in column]
        mask = self._own if (kind, name) in _OWN_COLUMNS else self.text
        return [mask(item) if isinstance(item, str) else item for item in column]

    def _json(self, text: str) -> str:
        value = from_json(text)
        if isinstance(value, str):
            return self.text(text)
        return json.dumps(self._value(value))

    def _own(self, text: str) -> str:
        """A name that this program makes stays, but no part of it that somebody is called."""
        if not _OWN_NAME.fullmatch(text):
            return self.text(text)
        parts = text.split(".")
        return ".".join(
            [parts[0], *(p if _OWN_KEYS.fullmatch(p) else self.text(p) for p in parts[1:])]
        )

    def _header(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        kept = dict(attrs)
        for name in ("session", "cut", "recovered"):
            if isinstance(kept.get(name), str):
                kept[name] = ""
            elif isinstance(kept.get(name), dict):
                kept[name] = {key: part for key, part in kept[name].items() if key != "file"}
        engine = kept.get("engine")
        if isinstance(engine, dict) and isinstance(engine.get("args"), list):
            kept["engine"] = engine | {"args": [_argument(str(word)) for word in engine["args"]]}
        return kept

    def _value(self, value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            return {
                self._key(name): self._value(inner, str(name))
                for name, inner in value.items()
                if name not in NOTE_KEYS
            }
        if isinstance(value, list | tuple):
            return [self._value(inner, key) for inner in value]
        if not isinstance(value, str) or (key in _OWN_VALUES and _OWN_NAME.fullmatch(value)):
            return value
        if key in HOST_KEYS | USER_KEYS:
            return REDACTED
        if key in _MACHINE_VALUES:
            return self.text(value, hosts=False)
        return self._own(value) if key == "group" else self.text(value)

    def _key(self, name: Any) -> Any:
        if not isinstance(name, str) or _OWN_KEYS.fullmatch(name):
            return name
        return self.text(name)


def _any_of(names: Iterable[str], behind: str = "") -> re.Pattern[str]:
    """Finds every one of ``names`` as a word of its own, whatever its case."""
    known = sorted({name for name in names if name.strip()}, key=len, reverse=True)
    alternatives = "|".join(map(re.escape, known)) or "(?!)"
    return re.compile(rf"(?<![^\W_])(?:{alternatives})(?![^\W_]){behind}", re.IGNORECASE)


def _last_part(model: str) -> str:
    return re.split(r"[/\\]", model.rstrip("/\\"))[-1] or "model"


def _argument(word: str) -> str:
    place = argument_place(word)
    mask = _PATH_MASK if "/" in place or "\\" in place else _ADDRESS_MASK
    return word.replace(place, mask) if place else word
