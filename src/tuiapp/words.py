"""Numbers of things in words."""

from __future__ import annotations


def plural(count: int, what: str) -> str:
    """``1 block``, ``2 blocks``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
