"""Why a host is slower than it could be. A new rule is one file here and one line in ``RULES``."""

from __future__ import annotations

RULES: dict[str, str] = {}
"""Name to ``"module:function"``, resolved on use; the order is that of reading."""
