"""What holds for any workload."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuiapp.workload.lengths import Lengths
from tuiapp.workload.plan import Plan
from tuiapp.workload.spec import Workload

COUNT = st.integers(1, 4_096)
LENGTHS = st.one_of(
    st.builds(Lengths, st.just("fixed"), COUNT),
    st.builds(
        lambda low, more: Lengths("uniform", low, most=low + more), COUNT, st.integers(0, 500)
    ),
    st.builds(
        lambda median, thousandths, more: Lengths(
            "lognormal", median, thousandths / 1000, None if more is None else median + more
        ),
        COUNT,
        st.integers(1, 4_000),
        st.one_of(st.none(), st.integers(0, 500)),
    ),
)
NUMBER = st.floats(1e-3, 1e5, allow_subnormal=False)
ARRIVALS = st.one_of(
    st.fixed_dictionaries({"arrival": st.sampled_from(["poisson", "constant"])}),
    st.fixed_dictionaries({"arrival": st.just("gamma"), "burstiness": st.floats(0.05, 100)}),
    st.fixed_dictionaries({"arrival": st.just("closed"), "concurrency": st.integers(1, 64)}),
    st.fixed_dictionaries(
        {"arrival": st.just("ramp"), "ramp_to": NUMBER, "duration_s": NUMBER, "rate": NUMBER}
    ),
)
REST = st.fixed_dictionaries(
    {
        "prompt": LENGTHS,
        "output": LENGTHS,
        "seed": st.integers(0, 1 << 63),
        "warmup": st.integers(0, 100),
        "requests": st.one_of(st.none(), st.integers(1, 10**6)),
        "slos": st.sampled_from([(), ("chat",), ("ttft:p99<1s", "voice")]),
    }
)
PREFIX = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {"prefix_groups": st.integers(1, 9), "prefix_tokens": st.integers(1, 600)}
    ),
)
WORKLOADS = st.builds(
    lambda *parts: Workload(**{k: v for part in parts for k, v in part.items()}),
    ARRIVALS,
    REST,
    PREFIX,
)
INDEX = st.integers(0, 1 << 31)


@given(LENGTHS)
def test_lengths_survive_being_written_down(lengths: Lengths) -> None:
    assert Lengths.parse(str(lengths)) == lengths


@given(LENGTHS, st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_lengths_stay_in_their_bounds(lengths: Lengths, u: float, v: float) -> None:
    drawn = lengths.sample(u, v)
    assert drawn >= 1
    if lengths.most is not None:
        assert drawn <= lengths.most


@given(WORKLOADS)
def test_workloads_survive_json(load: Workload) -> None:
    again = Workload.from_dict(json.loads(json.dumps(load.to_dict())))
    assert again == load


@given(WORKLOADS)
@settings(max_examples=25)
def test_equal_workloads_have_equal_digests(load: Workload) -> None:
    assert Workload.from_dict(load.to_dict()).digest() == load.digest()


@given(WORKLOADS, INDEX, st.integers(1, 200_000), st.integers(2, 2_000))
@settings(max_examples=60)
def test_any_request_fits_any_model(load: Workload, i: int, vocab: int, model_len: int) -> None:
    plan = Plan(load, vocab, model_len)
    for request in (plan.request(i), plan.warmup_request(i)):
        assert len(request.prompt_token_ids) >= 1
        assert request.output_tokens >= 1
        assert len(request.prompt_token_ids) + request.output_tokens <= model_len
        assert min(request.prompt_token_ids) >= 0
        assert max(request.prompt_token_ids) < vocab
    assert plan.request(i) == Plan(load, vocab, model_len).request(i)
    assert plan.gap(i) >= 0


@given(st.integers(0, 1 << 63), st.sampled_from([0.25, 0.5, 1.0, 2.0, 8.0]))
@settings(max_examples=20)
def test_the_mean_gap_is_one(seed: int, burstiness: float) -> None:
    plan = Plan(Workload(arrival="gamma", burstiness=burstiness, seed=seed), 100, 100)
    gaps = np.array([plan.gap(i) for i in range(4_096)])
    assert gaps.mean() == pytest.approx(1, abs=5 / np.sqrt(burstiness * len(gaps)))
