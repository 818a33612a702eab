"""Pressure stall information: how long tasks waited for a resource."""

from __future__ import annotations

from tuiapp.collectors.base import Host
from tuiapp.errors import Unavailable


def some_avg10(host: Host, resource: str) -> float:
    """Percent of the last 10 s in which at least one task waited for ``resource``.

    The kernel's own figure (Documentation/accounting/psi.rst), for the whole machine.

    Raises:
        Unavailable: the kernel does not keep it.
    """
    path = f"/proc/pressure/{resource}"
    try:
        words = host.text(path).split()
    except OSError as error:
        raise Unavailable(f"the kernel keeps no pressure figures ({path})") from error
    for word in words:
        if word.startswith("avg10="):
            return float(word[6:])
    raise Unavailable(f"{path} holds no avg10")
