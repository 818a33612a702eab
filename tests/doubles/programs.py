"""Stand-ins for programs on the PATH."""

from __future__ import annotations

from pathlib import Path


def write_script(path: Path, text: str) -> None:
    """Put an executable shell script of ``text`` at ``path``."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
