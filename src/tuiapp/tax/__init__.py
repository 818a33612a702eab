"""What the layers below cost, measured. A new probe is one file here and one line in ``PROBES``."""

from __future__ import annotations

PROBES: dict[str, str] = {}
"""Name to ``"module:function"``, resolved on use."""
