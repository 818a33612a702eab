"""How near decoding comes to the memory's bandwidth."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles.scenes import HOST, meta
from tests.doubles.synthetic import Load, frames
from tuiapp.events import Frame, Kind
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.roofline import Roofline, roofline
from tuiapp.session.view import View

LLAMA_8B = {
    "name": "llama-8b",
    "architecture": "LlamaForCausalLM",
    "dtype": "bfloat16",
    "parameters": 8_030_261_248,
    "weight_bytes": 16_060_556_376,
    "vocab_size": 128_256,
    "hidden_size": 4096,
    "tied_embeddings": False,
}
H200 = {"index": 0, "mem_bandwidth_bytes_per_s": 4.8e12}


@pytest.fixture(scope="module")
def ran() -> Session:
    session = Session()
    for frame in frames(Load(duration_s=20.0, tpot_s=0.0065)):
        session.fold(frame)
    return session


def seen(session: Session, model: dict[str, Any], engine: dict[str, Any], **host: Any) -> Roofline:
    return roofline(view_of(session, model, engine, **host))


def view_of(session: Session, model: Any, engine: Any, **host: Any) -> View:
    session.meta.clear()
    session.fold(meta(model=model, engine=engine, host={**HOST, **host}))
    return View(session, session.end_ns)


def test_the_reference_model_on_an_h200(ran: Session) -> None:
    found = seen(ran, LLAMA_8B, {"device": "cuda"}, gpus=[H200])
    embedding = 128_256 * 4096 * 2
    assert found.weight_bytes == 2 * 8_030_261_248 - embedding
    assert found.floor_s == pytest.approx(found.weight_bytes / 4.8e12)
    assert found.floor_s == pytest.approx(3.1e-3, rel=0.02)
    assert found.step_s == pytest.approx(0.0065, rel=0.03)
    assert found.share == pytest.approx(found.floor_s / found.step_s)
    assert found.words == "decode runs at 48 % of this GPU's memory bandwidth"
    assert (found.why, found.caveats) == ("", ())


def test_tied_embeddings_are_read_whole_and_ranks_share(ran: Session) -> None:
    model = LLAMA_8B | {"tied_embeddings": True}
    engine = {"device": "cuda", "tensor_parallel": 2}
    found = seen(ran, model, engine, gpus=[H200, H200 | {"index": 1}])
    assert found.weight_bytes == 8_030_261_248


def test_a_cpu_by_its_measured_bandwidth(ran: Session) -> None:
    model = LLAMA_8B | {"parameters": 500_000_000, "tied_embeddings": True}
    tax = {"memory_bandwidth_bytes_per_s": 200e9}
    # Ranks on a CPU share its memory: nothing is divided.
    engine = {"device": "cpu", "tensor_parallel": 2}
    found = seen(ran, model, engine, tax=tax, cpu_cache_bytes=32 << 20)
    assert found.floor_s == pytest.approx(5e-3)
    assert found.words.endswith("of this CPU's memory bandwidth")


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ({"experts": 8}, "a mixture of experts"),
        ({"quantization": "fp8"}, "quantized while loading"),
        ({"parameters": None, "weight_bytes": None}, "the size of the weights is unknown"),
        ({"parameters": 1000}, "the size of the weights makes no sense"),
        ({"parameters": 10_000_000, "vocab_size": 0}, "the weights (19 MiB) fit a cache"),
    ],
)
def test_why_there_is_none(ran: Session, model: dict[str, Any], why: str) -> None:
    found = seen(ran, LLAMA_8B | model, {"device": "cuda"}, gpus=[H200])
    assert found.share is None
    assert found.why.startswith(why)
    assert found.words == ""
    assert found.step_s is not None


@pytest.mark.parametrize(
    "host",
    [
        {},
        {"gpus": "none"},
        {"gpus": [{"index": 0}]},
        {"gpus": [H200, {"index": 1, "mem_bandwidth_bytes_per_s": 1e12}]},
        {"gpus": [{"index": 0, "mem_bandwidth_bytes_per_s": -1.0}]},
        {"gpus": [{"index": 0, "mem_bandwidth_bytes_per_s": "4.8e12"}]},
    ],
)
def test_an_unknown_bandwidth_is_no_share(ran: Session, host: dict[str, Any]) -> None:
    found = seen(ran, LLAMA_8B, {"device": "cuda"}, **host)
    assert found.share is None
    assert found.why == "the GPU's memory bandwidth is unknown"


def test_quantized_files_are_read_as_they_are(ran: Session) -> None:
    model = LLAMA_8B | {"quantization": "awq", "parameters": None, "weight_bytes": 5_700_000_000}
    found = seen(ran, model, {"device": "cuda"}, gpus=[H200])
    assert found.weight_bytes == 5_700_000_000 - 128_256 * 4096 * 2
    assert found.caveats == ("the weights' size is that of their files",)


def test_faster_than_the_bound_is_said(ran: Session) -> None:
    slow = {"index": 0, "mem_bandwidth_bytes_per_s": 1e12}
    found = seen(ran, LLAMA_8B, {"device": "cuda"}, gpus=[slow])
    assert found.share is not None
    assert found.share > 1
    assert "shorter than the bound" in found.caveats[0]


def test_before_any_token() -> None:
    found = seen(Session(), LLAMA_8B, {"device": "cuda"}, gpus=[H200])
    assert found.why == "no time between tokens has been measured yet"
    assert found.tokens_per_step is None


def test_it_is_in_the_summary(ran: Session) -> None:
    view = view_of(ran, LLAMA_8B, {"device": "cuda"}, gpus=[H200])
    found = summary(view)["roofline"]
    assert found["share"] == roofline(view).share
    assert found["caveats"] == []
    assert found["tokens_per_step"] == pytest.approx(
        view.tokens(view.measured.start_ns - 1, view.measured.end_ns)
        / ran.ticks["steps"][view.measured.start_ns // 250_000_000 :].sum(),
        rel=0.05,
    )


GIB = 1 << 30
H100 = {"index": 0, "mem_bandwidth_bytes_per_s": 3.35e12}


def sliced(*sizes: float | None) -> dict[str, Any]:
    instances = [{"name": "slice", "memory_total_bytes": size} for size in sizes]
    return {"path": "mig", "mig": {"enabled": True, "instances": instances}}


@pytest.fixture(scope="module")
def ran_on_gpu() -> Session:
    session = Session()
    for frame in frames(Load(duration_s=20.0, tpot_s=0.05)):
        session.fold(frame)
    rows = {"t_ns": [1], "mem_total_bytes": [79.6 * GIB]}
    session.fold(Frame(Kind.SAMPLES, 1, 1, rows, {"group": "gpu0"}))
    return session


def test_a_slice_has_its_part_of_the_bandwidth(ran_on_gpu: Session) -> None:
    """1g.10gb of an H100 has one of eight memory slices: an eighth of the bandwidth."""
    whole = seen(ran_on_gpu, LLAMA_8B, {"device": "cuda"}, gpus=[H100])
    one = seen(ran_on_gpu, LLAMA_8B, {"device": "cuda"}, gpus=[H100 | sliced(9.75 * GIB)])
    assert one.bandwidth_bytes_per_s == 3.35e12 / 8
    assert one.floor_s == pytest.approx(8 * (whole.floor_s or 0))
    assert one.caveats == ("a MIG slice with 1 of 8 parts of the GPU's memory",)
    half = seen(ran_on_gpu, LLAMA_8B, {"device": "cuda"}, gpus=[H100 | sliced(39.5 * GIB)])
    assert half.bandwidth_bytes_per_s == 3.35e12 / 2


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        ((9.75 * GIB, 39.5 * GIB), "which MIG slice the engine has is not told"),
        ((None,), "part of the GPU's memory is unknown"),
        ((), "part of the GPU's memory is unknown"),
    ],
)
def test_of_an_unknown_slice_nothing_is_told(
    ran_on_gpu: Session, sizes: tuple[float | None, ...], why: str
) -> None:
    found = seen(ran_on_gpu, LLAMA_8B, {"device": "cuda"}, gpus=[H100 | sliced(*sizes)])
    assert (found.share, found.bandwidth_bytes_per_s) == (None, None)
    assert why in found.why


def test_a_vgpu_may_be_shared(ran_on_gpu: Session) -> None:
    found = seen(ran_on_gpu, LLAMA_8B, {"device": "cuda"}, gpus=[H100 | {"path": "vgpu"}])
    assert found.share is not None
    assert "other guests may have turns" in found.caveats[0]
