"""Bad input is found in a moment and said in a sentence, before vLLM costs minutes."""

from __future__ import annotations

import ctypes
import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tuiapp.engine import gpu_memory, preflight, vllm_info
from tuiapp.errors import EngineError

GIB = 1 << 30


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_memory, "total_bytes", lambda: None)
    monkeypatch.setattr(preflight, "check_python", lambda: None)


def refused(model: str, *args: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        preflight.check(model, args)
    assert caught.value.message.endswith(".")
    assert caught.value.advice
    return caught.value


def test_a_model_folder_passes(model: Path):
    (model / "model.safetensors").write_bytes(b"x" * 100)
    preflight.check(str(model))


def test_a_folder_without_weights(model: Path):
    error = refused(str(model))
    assert "has no weights" in error.message
    assert "--load-format" in error.advice
    for given in (("--load-format", "dummy"), ("--load_format=tensorizer",), ("--config", "x")):
        preflight.check(str(model), given)


def test_a_path_that_is_not_there(tmp_path: Path):
    assert str(tmp_path / "nope") in refused(str(tmp_path / "nope")).message
    refused("./nope")
    refused("~/no-such-model-here")


def test_a_hugging_face_id_is_left_to_vllm():
    preflight.check("some-org/some-model-that-is-not-on-this-disk")
    preflight.check(None)


def test_a_folder_that_is_no_model(tmp_path: Path):
    assert "config.json" in refused(str(tmp_path)).message


def test_a_file_that_is_no_model(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("x")
    refused(str(tmp_path / "notes.txt"))
    (tmp_path / "m.gguf").write_text("x")
    preflight.check(str(tmp_path / "m.gguf"))


def sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def test_weights_larger_than_memory(model: Path, monkeypatch: pytest.MonkeyPatch):
    sparse(model / "a.safetensors", 3 * GIB)
    sparse(model / "b.safetensors", 2 * GIB)
    sparse(model / "pytorch_model.bin", 50 * GIB)  # the same weights once more: not read
    monkeypatch.setattr(preflight, "available_bytes", lambda: 4 * GIB)
    assert "5.0 GiB and only 4.0 GiB of memory is available" in refused(str(model)).message
    preflight.check(str(model), ["--cpu-offload-gb", "8"])
    monkeypatch.setattr(preflight, "available_bytes", lambda: None)
    preflight.check(str(model))


def test_weights_larger_than_the_gpus(model: Path, monkeypatch: pytest.MonkeyPatch):
    sparse(model / "a.safetensors", 30 * GIB)
    monkeypatch.setattr(gpu_memory, "total_bytes", lambda: 24 * GIB)
    assert "24.0 GiB is on the GPUs" in refused(str(model)).message
    monkeypatch.setattr(gpu_memory, "total_bytes", lambda: 48 * GIB)
    preflight.check(str(model))


def test_memory_is_read_from_the_kernel(tmp_path: Path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n")
    assert preflight.available_bytes(meminfo) == 2048 * 1024
    assert preflight.total_bytes(meminfo) == 1000 * 1024
    meminfo.write_text("MemAvailable: much\n")
    assert preflight.available_bytes(meminfo) is None
    assert preflight.available_bytes(tmp_path / "none") is None


def test_without_a_driver_the_gpus_are_unknown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    assert gpu_memory.total_bytes("libno-such-library.so.1") is None


NVML = """
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory;
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) { *d = (void *)(long)(i + 1); return 0; }
int nvmlDeviceGetMemoryInfo(void *d, memory *m) { m->total = (long)d * 1000; return 0; }
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler for the stand-in driver")
def test_the_memory_of_all_gpus_is_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    source, library = tmp_path / "nvml.c", tmp_path / "libnvml.so"
    source.write_text(NVML)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    assert gpu_memory.total_bytes(str(library)) == 3000
    assert ctypes.CDLL(str(library)) is not None


def test_a_python_without_vllm_is_told_by_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(EngineError) as caught:
        preflight.check_python()
    assert "vllm is not installed in " in caught.value.message
    assert "--engine-python" in caught.value.advice


def safetensors(path: Path, tensors: dict[str, tuple[str, list[int]]]) -> None:
    header: dict[str, object] = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [0, 0]}
        for name, (dtype, shape) in tensors.items()
    }
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)


def test_parameters_are_counted_from_the_headers(model: Path):
    safetensors(model / "1.safetensors", {"a": ("BF16", [10, 20]), "b": ("F32", [5])})
    safetensors(model / "2.safetensors", {"c": ("F16", [])})
    assert vllm_info._weights(str(model))["parameters"] == 206


def test_parameters_of_quantized_or_broken_weights_are_unknown(model: Path):
    safetensors(model / "1.safetensors", {"a": ("I32", [10, 20])})
    assert "parameters" not in vllm_info._weights(str(model))
    (model / "1.safetensors").write_bytes(b"\xff" * 100)
    assert "parameters" not in vllm_info._weights(str(model))
    assert vllm_info._weights(str(model))["weight_bytes"] == 100
