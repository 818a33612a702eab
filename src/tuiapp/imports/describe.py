"""The header of an imported session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuiapp import __version__
from tuiapp.imports.document import Document, text


def described(
    document: Document,
    *,
    origin: Mapping[str, Any],
    model: str,
    workload: Mapping[str, Any],
    endpoint: str = "",
    created_ns: int | None = None,
) -> dict[str, Any]:
    """META attrs. There is no ``host``: whatever measured it is not this one.

    Args:
        origin: ``from``, ``program``, and ``version`` or ``date`` where they are told.
        endpoint: kind of API the requests went to.
        created_ns: when the run began, nanoseconds since the Unix epoch.
    """
    imported = {name: value for name, value in origin.items() if value}
    meta: dict[str, Any] = {
        "program": {"name": "tuiapp", "version": __version__},
        "imported": {**imported, "file": text(document.path.name)},
        "workload": dict(workload),
    }
    if model:
        meta["model"] = {"name": model}
    if endpoint:
        meta["engine"] = {"endpoint": endpoint}
    if created_ns is not None:
        meta["created_ns"] = created_ns
    return meta
