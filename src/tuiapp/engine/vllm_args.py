"""vLLM's own argument parser, with defaults that fit this host; what the user gives wins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from tuiapp.engine import preflight
from tuiapp.errors import EngineError

_KV_SHARE, _KV_LEAST, _KV_MOST = 0.25, 1 << 30, 4 << 30
_KV_DEMO = 1 << 29
_MEMORY_SHARE, _MEMORY_MOST = 0.8, 0.92


def set_environment(model: str) -> None:
    """Set what vLLM reads from the environment, where the user has not; before vLLM's import."""
    defaults = {
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        # As `vllm serve` does: forking a process that has threads can deadlock.
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    }
    if preflight.looks_like_path(model):
        defaults["HF_HUB_OFFLINE"] = "1"
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def parse(model: str, engine_args: Sequence[str], *, is_demo: bool) -> Any:
    """vLLM's ``AsyncEngineArgs``.

    Raises:
        EngineError: an argument that this vLLM does not know, or whose value does not fit.
    """
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.platforms import current_platform

    parser = _parser()
    AsyncEngineArgs.add_cli_args(parser)
    parser.set_defaults(model=model, disable_log_stats=True)
    if current_platform.is_cpu():
        parser.set_defaults(enforce_eager=is_demo, **_cpu_memory(model, engine_args, is_demo))
    try:
        return AsyncEngineArgs.from_cli_args(parser.parse_args(list(engine_args)))
    except SystemExit as stop:
        raise EngineError("vLLM's argument parser ended the engine.", "See the log.") from stop


def _parser() -> Any:
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    class Parser(FlexibleArgumentParser):  # type: ignore[misc]  # vLLM may not be installed
        """Raises instead of printing a page and ending the process."""

        def error(self, message: str) -> NoReturn:
            raise EngineError(
                f"vLLM does not take these arguments: {message}.",
                "What stands after `--` goes to vLLM unchanged; see `vllm serve --help`.",
            )

    return Parser(prog="vllm", add_help=False)


def _cpu_memory(model: str, engine_args: Sequence[str], is_demo: bool) -> dict[str, Any]:
    """On a CPU ``gpu_memory_utilization`` means host memory: a share of what is free now.

    An explicit size of the KV cache overrides that share, so a user who gives one gets no other.
    """
    given = " ".join(engine_args).replace("_", "-")
    sizes: dict[str, Any] = {"gpu_memory_utilization": _memory_share()}
    if not any(name in given for name in ("gpu-memory-utilization", "kv-cache-memory")):
        sizes["kv_cache_memory_bytes"] = _KV_DEMO if is_demo else _kv_cache_bytes(model)
    return sizes


def _kv_cache_bytes(model: str) -> int:
    path = Path(model).expanduser()
    weights = preflight.weight_bytes(path) if path.is_dir() else 0
    free = (preflight.available_bytes() or 0) - weights
    return max(_KV_LEAST, min(_KV_MOST, int(free * _KV_SHARE)))


def _memory_share() -> float:
    available, total = preflight.available_bytes(), preflight.total_bytes()
    if not available or not total:
        return _MEMORY_MOST
    return round(min(_MEMORY_MOST, _MEMORY_SHARE * available / total), 3)
