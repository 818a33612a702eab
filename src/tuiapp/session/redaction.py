"""Keeps secrets out of recordings: in a command line, and in what other programs print.

A secret is the value of an environment variable or of an option whose name says so, or what has the
shape of a Hugging Face or OpenAI key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

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
