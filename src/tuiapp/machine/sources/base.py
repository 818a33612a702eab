"""What a source of signals is given, and writes on."""

from __future__ import annotations

from tuiapp.errors import Unavailable
from tuiapp.machine.cpuid import Cpuid
from tuiapp.machine.report import LIKELY, Signal
from tuiapp.machine.tree import Tree

MOST_VALUE = 120
"""Characters kept of a value."""


class Notes:
    """The machine to look at, and the signals one source found.

    Args:
        name: the source, as registered.
        tree: the machine's files.
        cpuid: its processor; None when CPUID cannot be had.
        no_cpuid: why it cannot.
    """

    def __init__(self, name: str, tree: Tree, cpuid: Cpuid | None, no_cpuid: str = "") -> None:
        self.name = name
        self.tree = tree
        self.cpuid, self.no_cpuid = cpuid, no_cpuid
        self.signals: list[Signal] = []

    def add(
        self, where: str, value: str, proves: str = "", fact: str = "", strength: str = LIKELY
    ) -> None:
        """Note what was read, what follows, and the fact that the rules go by."""
        strength = strength if proves else ""
        shown = clean(value) or "(not printable)"
        self.signals.append(Signal(self.name, where, shown, proves, strength, fact=clean(fact)))

    def miss(self, where: str, why: str) -> None:
        """Note what could not be read."""
        self.signals.append(Signal(self.name, where, unread=clean(why)))

    def text(self, path: str, quiet: bool = False) -> str | None:
        """The text of a file; None, noted unless ``quiet``, when it cannot be read."""
        try:
            return self.tree.text(path)
        except Unavailable as reason:
            # A file that is missing for everyone is no gap in the evidence; a closed one is.
            if not quiet or reason.message == "permission denied":
                self.miss(path, reason.message)
            return None

    def names(self, path: str, quiet: bool = False) -> list[str]:
        """The names in a directory; none, noted unless ``quiet``, when it cannot be read."""
        try:
            return self.tree.names(path)
        except Unavailable as reason:
            if not quiet or reason.message == "permission denied":
                self.miss(path, reason.message)
            return []


def clean(text: str, most: int = MOST_VALUE) -> str:
    """Printable, on one line and at most ``most`` characters long."""
    line = " ".join(text[: 8 * most].split())
    plain = "".join(character for character in line if character.isprintable())
    return plain if len(plain) <= most else plain[: most - 1] + "…"
