"""What the parts of a run said of themselves: facts by name, up to a moment."""

from __future__ import annotations

from collections.abc import Iterator

from tuiapp.session.columns import Fact, Session


def facts_until(session: Session, name: str, until_ns: int) -> Iterator[Fact]:
    """Facts called ``name`` at or before ``until_ns``, oldest first."""
    for fact in session.facts:
        if fact.t_ns > until_ns:
            return
        if fact.name == name:
            yield fact


def latest(session: Session, name: str, until_ns: int) -> Fact | None:
    """The newest fact called ``name`` at or before ``until_ns``."""
    for fact in reversed(session.facts):
        if fact.name == name and fact.t_ns <= until_ns:
            return fact
    return None
