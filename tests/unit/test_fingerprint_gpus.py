"""How GPUs are shared, in the fingerprint of a host."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tuiapp.collectors.facts import FactBoard
from tuiapp.machine.fingerprint import FIELDS, differences, fingerprint, with_gpus

HOST = fingerprint({"machine": {"machine": "guest"}, "pci_gpus": [], "kernel": "6.1"})
SLICE = "NVIDIA A100 MIG 1g.10gb"


def gpu(index: int, path: str = "passthrough", **more: Any) -> dict[str, Any]:
    return {"index": index, "name": "NVIDIA A100", "path": path, "pci_bus_id": f"{index}", **more}


MIG = gpu(0, "mig", mig={"enabled": True, "instances": [{"name": SLICE}] * 3})


@pytest.mark.parametrize(
    ("gpus", "told"),
    [
        ([gpu(0), gpu(1)], ["2 × NVIDIA A100, passthrough"]),
        ([gpu(0, "vgpu")], ["1 × NVIDIA A100, vgpu"]),
        ([gpu(0, "unknown")], ["1 × NVIDIA A100"]),
        ([MIG], [f"1 × NVIDIA A100, mig, 3 × {SLICE}"]),
        ([gpu(0), {"index": 1}], None),
        ([], None),
        ("x", None),
    ],
)
def test_models_count_and_path_are_told(gpus: Any, told: list[str] | None) -> None:
    assert with_gpus(HOST, gpus)["gpu_devices"] == told


def test_a_slice_has_another_digest_than_a_whole_gpu_and_places_do_not_count() -> None:
    whole, moved = with_gpus(HOST, [gpu(0)]), with_gpus(HOST, [gpu(3)])
    digests = {with_gpus(HOST, gpus)["digest"] for gpus in ([gpu(0)], [gpu(0, "vgpu")], [MIG])}
    assert len(digests) == 3
    assert whole == moved
    assert tuple(whole) == (*FIELDS, "digest")


def test_without_a_driver_the_digest_is_that_of_earlier_versions() -> None:
    earlier = {name: HOST[name] for name in FIELDS if name != "gpu_devices"}
    text = json.dumps(earlier, sort_keys=True)
    assert HOST["digest"] == hashlib.sha256(text.encode()).hexdigest()[:12]
    old = {**earlier, "digest": HOST["digest"]}
    assert differences(old, with_gpus(HOST, [gpu(0)])) == []


@pytest.mark.parametrize("first", ["gpus", "fingerprint"])
def test_the_fingerprint_has_the_gpus_whichever_came_first(first: str) -> None:
    board, told = FactBoard(), {"gpus": [gpu(0)], "fingerprint": HOST}
    before = board.merged([{first: told.pop(first)}])
    after = board.merged([told])
    assert after["fingerprint"]["gpu_devices"] == ["1 × NVIDIA A100, passthrough"]
    assert "gpu_devices" not in before or before["fingerprint"] == HOST
    assert "fingerprint" not in board.merged([{"kernel": "6.1"}])
