"""What comes in from outside: told apart by content, bounded, and never a traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.imported import FIXTURES, fixture, records, result, session, write
from tuiapp import imports
from tuiapp.errors import SessionError, TuiappError
from tuiapp.events import Kind
from tuiapp.exports.summary import summary
from tuiapp.imports import document
from tuiapp.session.columns import TICK_NS, Session
from tuiapp.session.file import SessionFile
from tuiapp.session.reader import Report, load
from tuiapp.session.view import View

FILES = {
    "vllm-bench": FIXTURES / "vllm-failures.json",
    "guidellm": FIXTURES / "guidellm-concurrent.json",
    "aiperf": FIXTURES / "aiperf-closed.jsonl",
}


@pytest.mark.parametrize("name", imports.IMPORTS)
def test_every_format_is_told_by_its_content(name: str, tmp_path: Path) -> None:
    renamed = tmp_path / "results.txt"
    renamed.write_bytes(FILES[name].read_bytes())
    assert imports.detect(renamed) == name
    assert session(renamed).meta["imported"]["from"] == name


@pytest.mark.parametrize("name", imports.IMPORTS)
def test_no_format_takes_another_for_its_own(name: str) -> None:
    found = document.Document.open(FILES[name])
    claims = [other for other in imports.IMPORTS if imports.reader(other).holds(found.values[0])]
    assert claims == [name]


@pytest.mark.parametrize(
    "content", ["", "{", "hello", "[1, 2]", '{"a": 1}', "null", '{"benchmarks": [{"name": "BM"}]}']
)
def test_anything_else_is_refused_in_one_sentence(content: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(SessionError, match=r"no result that can be imported|holds no JSON"):
        imports.detect(path)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="Cannot read"):
        imports.detect(tmp_path / "missing.json")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(SessionError, match="is no file"):
            imports.detect(path)


def test_size_is_bounded_before_anything_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "r.json", fixture("vllm-rate.json"))
    monkeypatch.setattr(document, "MAX_VALUES", 1000)
    with pytest.raises(SessionError, match="more values than can be read"):
        imports.detect(path)
    monkeypatch.setattr(document, "MAX_BYTES", 1 << 10)
    with pytest.raises(SessionError, match="is larger than"):
        imports.detect(path)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_refused(opening: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text(opening * 1_000_000)
    with pytest.raises(SessionError, match="holds no JSON"):
        imports.detect(path)


@pytest.mark.parametrize("name", FILES)
def test_the_file_written_gives_the_same_result_as_the_frames(name: str, tmp_path: Path) -> None:
    target = tmp_path / "imported.tuiapp"
    assert imports.import_file(FILES[name], target) == target
    report = Report()
    found = load(target, report)
    assert report.whole
    assert summary(View(found, found.end_ns)) == result(FILES[name])
    with SessionFile(target) as file:
        assert file.indexed
        spans = file.index["t1_ns"] - file.index["t0_ns"]
    assert spans.max() < 1_000_000_000


def test_nothing_is_overwritten_and_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    target = tmp_path / "imported.tuiapp"
    target.write_text("precious")
    with pytest.raises(SessionError, match="exists already"):
        imports.import_file(FILES["aiperf"], target)
    assert target.read_text() == "precious"
    broken = write(tmp_path / "broken.json", fixture("vllm-rate.json") | {"ttfts": [None] * 40})
    with pytest.raises(SessionError):
        imports.import_file(broken, tmp_path / "other.tuiapp")
    assert not (tmp_path / "other.tuiapp").exists()


@pytest.mark.parametrize("name", FILES)
def test_seeking_is_the_same_as_having_read_only_up_to_there(name: str) -> None:
    whole, prefix = session(FILES[name]), Session()
    for frame in imports.read(FILES[name]):
        if frame.kind != Kind.META and frame.t0_ns >= 2_000_000_000:
            break
        prefix.fold(frame)
    cursor = 2_000_000_000 - 1
    for metric in ("ttft", "tpot", "e2el", "itl"):
        seen, known = (View(s, cursor).run(metric) for s in (whole, prefix))
        assert seen.n == known.n
        assert np.array_equal(seen.fine_counts, known.fine_counts)
    assert View(whole, cursor).tokens(0, cursor) == View(prefix, cursor).tokens(0, cursor)


@pytest.mark.parametrize("name", FILES)
def test_the_measured_time_ends_with_a_tick(name: str) -> None:
    found = session(FILES[name])
    window = View(found, found.end_ns).measured
    assert window is not None
    assert (window.end_ns + 1) % TICK_NS == 0
    assert 0 <= found.requests["t_sched_ns"].min() < TICK_NS


def test_hostile_text_is_short_and_can_be_written(tmp_path: Path) -> None:
    file = fixture("vllm-rate.json")
    file |= {"model_id": "\x1b]0;owned\x07" + "m" * 10_000, "date": "\ud800"}
    file |= {"backend": ["x"], "endpoint_type": {}}
    target = imports.import_file(write(tmp_path / "r.json", file), tmp_path / "r.tuiapp")
    meta = load(target).meta
    assert len(meta["model"]["name"]) == 200
    assert meta["imported"]["date"] == "?"
    assert "engine" not in meta


def _refused(act: Callable[[], object]) -> bool:
    """It was refused in a sentence; any other error is the test's failure."""
    try:
        act()
    except TuiappError as error:
        return error.message.endswith(".") or pytest.fail(error.message)
    return False


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.sampled_from(["", "ms", "constant", "\x1b[2J", "inf"]),
    st.just([]),
    st.just({}),
    st.lists(st.floats(allow_nan=True), max_size=3),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if isinstance(inner, dict | list):
            found += _places(inner, (*path, key))
        else:
            found.append((*path, key))
    return found


BASES = {
    "vllm-bench": [fixture("vllm-failures.json")],
    "guidellm": [fixture("guidellm-concurrent.json")],
    "aiperf": records("aiperf-closed.jsonl")[:12],
}
PLACES = {name: _places(base) for name, base in BASES.items()}


@pytest.mark.parametrize("name", BASES)
@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_changed_file_gives_a_sound_session_or_one_sentence(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    values = json.loads(json.dumps(BASES[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        *path, last = data.draw(st.sampled_from(PLACES[name]))
        at: Any = values
        try:
            for key in path:
                at = at[key]
            if data.draw(st.booleans()):
                at[last] = data.draw(VALUES)
            else:
                del at[last]
        except (LookupError, TypeError):  # an earlier change took it away
            continue
    path = write(tmp_path / "changed.json", *values)
    target = tmp_path / "changed.tuiapp"
    if _refused(lambda: imports.import_file(path, target)):
        return
    found = load(target)
    target.unlink()
    shown = summary(View(found, found.end_ns))
    json.dumps(shown, allow_nan=False)
    assert shown["requests"]["sent"] + shown["requests"]["warmup"] == len(found.requests)
    assert found.end_ns < 2 * 86_400 * 10**9
    for metric in ("ttft_s", "tpot_s", "itl_s", "e2el_s"):
        assert all((shown[metric][q] or 0.0) >= 0.0 for q in ("mean", "p50", "p99"))


@given(cut=st.integers(0, 20_000), flips=st.lists(st.integers(0, 15_000), max_size=4))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damaged_bytes_give_a_session_or_one_sentence(
    cut: int, flips: list[int], tmp_path: Path
) -> None:
    for base in FILES.values():
        content = bytearray(base.read_bytes()[: 20_000 - cut])
        for at in flips:
            if at < len(content):
                content[at] ^= 0x15
        path = tmp_path / "damaged.json"
        path.write_bytes(content)
        _refused(lambda: list(imports.read(path)))  # noqa: B023 - called at once
