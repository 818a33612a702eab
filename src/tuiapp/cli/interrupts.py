"""Ctrl-C before there is anything to end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


def end_at_once(last_words: Callable[[], None] | None = None) -> None:
    """Let Ctrl-C end the process where it stands, until an event loop takes the signal over.

    Python's own answer is an exception, and some of these are dropped: in a weak reference's
    callback, which every import has, or when a task that is cancelled goes on. A program that is
    told to end in its first half second would then start its engine all the same. Whoever started
    us may have chosen to ignore the signal, as nohup does; then it stays ignored.

    Args:
        last_words: what still is to be done then.
    """

    def leave(*_: Any) -> None:
        if last_words is not None:
            last_words()
        os._exit(128 + signal.SIGINT)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)
