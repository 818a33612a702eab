"""CSV and Parquet: every table, the same numbers, nothing of later, nothing unknown as a number."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles.drawing import HOSTILE
from tests.doubles.report_page import folded
from tests.doubles.scenes import fact
from tests.doubles.synthetic import NS, Load, frames, make
from tuiapp.errors import SessionError, UsageError
from tuiapp.events import Frame, Kind, log_frame, mark_frame
from tuiapp.exports import write_file
from tuiapp.exports.summary import summary
from tuiapp.session.columns import LOG_LINES, Session
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import MAGIC, ZLIB, pack
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.session.writer import SessionWriter
from tuiapp.stats.quantile import quantiles

FIXTURE = Path(__file__).parents[1] / "fixtures" / "sessions" / "v1.1.tuiapp"
LOAD = Load(duration_s=30.0, rate=10.0, gpus=1, failed_share=0.02)
Rows = list[dict[str, Any]]


def recorded(path: Path, *given: Frame) -> Session:
    writer = SessionWriter(path)
    for frame in given:
        writer.put(frame)
    writer.close()
    return load(path)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return recorded(tmp_path_factory.mktemp("run") / "run.tuiapp", *frames(LOAD))


def read_csv(path: Path) -> Rows:
    """Rows as Python values; what is missing is None."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    texts = {"phase", "status", "name", "value", "source", "level", "text"}
    return [
        {n: cell if n in texts else _number(cell) for n, cell in zip(header, row, strict=True)}
        for row in rows
    ]


def _number(cell: str) -> float | None:
    if not cell:
        return None
    return int(cell) if cell.isdecimal() else float(cell)


def read_parquet(path: Path) -> Rows:
    from pyarrow import parquet

    found: Rows = parquet.read_table(path).to_pylist()
    return found


READERS: dict[str, Callable[[Path], Rows]] = {"csv": read_csv, "parquet": read_parquet}


def export(form: str, session: Session, folder: Path, cursor_ns: int | None = None) -> Any:
    """Table name to rows."""
    view = View(session, session.end_ns if cursor_ns is None else cursor_ns)
    write_file(form, view, folder / form, force=True)
    found = sorted((folder / form).iterdir())
    assert all(path.suffix == f".{form}" for path in found)
    return {path.stem: READERS[form](path) for path in found}


@pytest.mark.parametrize("form", READERS)
def test_a_folder_with_other_things_in_it_is_never_replaced(form: str, tmp_path: Path) -> None:
    view = View(folded(*frames(Load(duration_s=3.0))), 10 * NS)
    mine, link = tmp_path / "mine", tmp_path / "link"
    (mine / "sub").mkdir(parents=True)
    (mine / "thesis").write_text("years of work")
    link.symlink_to(mine)
    for path in (mine, link):
        with pytest.raises(UsageError, match="is not replaced"):
            write_file(form, view, path, force=True)
    assert sorted(path.name for path in mine.iterdir()) == ["sub", "thesis"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "mine"]
    write_file(form, view, tmp_path / "again")
    write_file(form, view, tmp_path / "again", force=True)


# The same numbers


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("which", ["written", "v1.1", "half"])
def test_percentiles_of_the_requests_are_those_of_the_summary(
    form: str, which: str, session: Session, tmp_path: Path
) -> None:
    told = load(FIXTURE) if which == "v1.1" else session
    cursor_ns = told.end_ns // 2 if which == "half" else told.end_ns
    result = summary(View(told, cursor_ns))
    rows = export(form, told, tmp_path, cursor_ns)["requests"]
    measured = [row for row in rows if row["phase"] == "measure"]
    for metric, values in _latencies(measured).items():
        assert len(values) == result[f"{metric}_s"]["n"] > 0
        for name, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
            value = float(quantiles(np.array(values), (q,))[0]) / NS
            assert result[f"{metric}_s"][name] == (value if math.isfinite(value) else None)
    statuses = [row["status"] for row in measured]
    assert statuses.count("ok") == result["requests"]["ok"]
    assert statuses.count("failed") == result["requests"]["failed"]
    assert len(measured) == result["requests"]["sent"]


def _latencies(rows: Rows) -> dict[str, list[float]]:
    """As ``docs/metrics.md`` defines them, of runs that nobody stopped; nanoseconds."""
    done = [row for row in rows if row["t_end_ns"] is not None]
    served = [row for row in done if row["status"] == "ok"]
    lost = [math.inf] * (len(done) - len(served))
    first = [row["t_first_ns"] - row["t_sched_ns"] for row in rows if row["t_first_ns"] is not None]
    never = [math.inf for row in done if row["t_first_ns"] is None]
    spans = [
        (row["t_last_ns"] - row["t_first_ns"]) / (row["output_tokens"] - 1)
        for row in served
        if row["output_tokens"] > 1
    ]
    whole = [row["t_last_ns"] - row["t_sched_ns"] for row in served]
    return {"ttft": first + never, "tpot": spans + lost, "e2el": whole + lost}


@pytest.mark.parametrize("form", READERS)
def test_every_row_of_a_recording_is_there(form: str, session: Session, tmp_path: Path) -> None:
    found = export(form, session, tmp_path)
    run = make(LOAD)
    groups = {"cpu", "driver", "gpu0", "load", "memory", "process"}
    others = {"requests", "tokens", "steps", "facts", "log", "marks"}
    assert set(found) == others | {f"samples-{group}" for group in groups}
    tokens = sorted((row["req"], row["t_ns"], row["n"]) for row in found["tokens"])
    assert tokens == sorted(zip(*(c.tolist() for c in (run.req, run.t_ns, run.n)), strict=True))
    for name in ("t_sched_ns", "t_first_ns", "t_end_ns", "prompt_tokens", "output_tokens"):
        assert [row[name] for row in found["requests"]] == run.requests[name].tolist()
    steps = [frame for frame in frames(LOAD) if frame.kind == Kind.STEPS]
    expected = np.concatenate([frame.columns["t_ns"] for frame in steps])
    assert [row["t_ns"] for row in found["steps"]] == expected.tolist()
    assert {row["engine"] for row in found["steps"]} == {0}
    gauges = session.samples["gpu0"]
    power = np.array([row["power_w"] for row in found["samples-gpu0"]], np.float32)
    assert (power == gauges["power_w"]).all()
    assert [json.loads(row["value"]) for row in found["facts"]] == [f.value for f in session.facts]


def test_both_forms_hold_the_same(session: Session, tmp_path: Path) -> None:
    for told in (session, load(FIXTURE)):
        first, second = (export(form, told, tmp_path) for form in READERS)
        assert set(first) == set(second)
        for name, rows in first.items():
            assert len(rows) == len(second[name])
            for row, other in zip(rows, second[name], strict=True):
                assert list(row) == list(other)
                assert [_single(v) for v in row.values()] == [_single(v) for v in other.values()]


def _single(value: Any) -> Any:
    return np.float32(value) if isinstance(value, float) else value


def test_types_of_parquet_are_those_of_the_format(session: Session, tmp_path: Path) -> None:
    from pyarrow import parquet

    export("parquet", session, tmp_path)
    schema = parquet.read_schema(tmp_path / "parquet" / "requests.parquet")
    types = {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)}
    assert types["req"] == "uint32"
    assert types["status"] == types["phase"] == "string"
    assert {kind for name, kind in types.items() if name.endswith("_ns")} == {"int64"}
    schema = parquet.read_schema(tmp_path / "parquet" / "samples-cpu.parquet")
    assert {str(kind) for kind in schema.types[1:]} == {"float"}


def test_what_memory_no_longer_holds_comes_from_the_file(tmp_path: Path) -> None:
    given = [log_frame(at, "engine", "info", f"line {at}") for at in range(1, LOG_LINES + 500)]
    load_ = Load(duration_s=150.0, rate=10.0)
    session = recorded(tmp_path / "run.tuiapp", *frames(load_, sampled=False), *given)
    assert not session.ring.is_whole
    found = export("csv", session, tmp_path)
    assert len(found["tokens"]) == len(make(load_).req) == session.ring.total
    assert sorted(row["t_ns"] for row in found["log"]) == list(range(1, LOG_LINES + 500))


# Nothing of later, nothing unknown


@pytest.mark.parametrize("form", READERS)
def test_what_came_after_the_cursor_is_not_in_it(form: str, tmp_path: Path) -> None:
    cursor_ns = 15 * NS - 1
    late = Frame(Kind.SAMPLES, 30 * NS, 30 * NS, {"t_ns": [30 * NS], "x": [1.0]}, {"group": "late"})
    gauge = Frame(Kind.SAMPLES, 30 * NS, 30 * NS, {"t_ns": [30 * NS], "y": [1]}, {"group": "load"})
    everything = [*frames(LOAD), late, gauge, mark_frame(9 * NS, "a"), mark_frame(29 * NS, "b")]
    everything += [log_frame(at * NS, "engine", "info", f"at {at}") for at in (8, 28)]
    so_far = [frame for frame in everything if frame.t1_ns <= cursor_ns]
    whole = recorded(tmp_path / "whole.tuiapp", *everything)
    part = recorded(tmp_path / "part.tuiapp", *so_far)
    found = export(form, whole, tmp_path, cursor_ns)
    assert found == export(form, part, tmp_path, cursor_ns)
    assert "samples-late" not in found
    moments = [
        row[name]
        for rows in found.values()
        for row in rows
        for name in row
        if name.endswith("_ns") and row[name] is not None
    ]
    assert 14 * NS < max(moments) <= cursor_ns
    flying = [row for row in found["requests"] if row["status"] == "in_flight"]
    assert flying
    assert {row["t_end_ns"] for row in flying} == {row["output_tokens"] for row in flying} == {None}
    assert [row["text"] for row in found["marks"]] == ["a"]
    assert [row["text"] for row in found["log"]] == ["at 8"]


def test_nothing_unknown_looks_like_a_number(session: Session, tmp_path: Path) -> None:
    gaps = {"t_ns": np.arange(3) * NS, "used": [1.5, float("nan"), 2.5]}
    gaps["never"] = [float("nan")] * 3
    steps = {"t_ns": np.array([7 * NS]), "kv_usage": np.array([np.nan], np.float32)}
    given = [
        *frames(LOAD),
        Frame(Kind.SAMPLES, 0, 2 * NS, gaps, {"group": "gaps"}),
        Frame(Kind.STEPS, 7 * NS, 7 * NS, steps),
        fact(2, "probe", {"value": float("nan"), "most": [float("inf")]}),
    ]
    told = recorded(tmp_path / "run.tuiapp", *given)
    for cursor_ns in (told.end_ns, 15 * NS):
        found = export("csv", told, tmp_path, cursor_ns)
        for path in (tmp_path / "csv").iterdir():
            cells = path.read_text(encoding="utf-8").lower().replace("\r\n", ",").split(",")
            assert not {"nan", "-1", "none", "inf"} & set(cells), path
        assert [row["used"] for row in found["samples-gaps"]] == [1.5, None, 2.5]
        assert "never" not in found["samples-gaps"][0]
        (step,) = [row for row in found["steps"] if row["t_ns"] == 7 * NS]
        assert {value for name, value in step.items() if name != "t_ns"} == {None}
        (value,) = [row["value"] for row in found["facts"] if row["name"] == "probe"]
        assert json.loads(value) == {"value": None, "most": [None]}


@pytest.mark.parametrize("form", READERS)
def test_an_empty_session_has_empty_tables(form: str, tmp_path: Path) -> None:
    found = export(form, Session(), tmp_path, 0)
    assert found == {name: [] for name in ("facts", "log", "marks", "requests", "tokens")}


@pytest.mark.parametrize("form", READERS)
def test_without_a_file_there_are_no_steps(form: str, tmp_path: Path) -> None:
    found = export(form, folded(*frames(Load(duration_s=5.0))), tmp_path)
    assert "steps" not in found
    assert found["tokens"]


def test_a_request_that_never_was_sent_is_there_from_its_intended_arrival(tmp_path: Path) -> None:
    rows = {"req": [2, 0], "phase": [1, 1], "t_sched_ns": [5 * NS, 9 * NS]}
    session = folded(Frame(Kind.REQUESTS, 0, 9 * NS, rows))
    assert [row["req"] for row in export("csv", session, tmp_path, 7 * NS)["requests"]] == [2]
    rows_at_end = export("csv", session, tmp_path, 9 * NS)["requests"]
    assert [row["req"] for row in rows_at_end] == [0, 2]
    assert {row["status"] for row in rows_at_end} == {"in_flight"}


def test_a_number_of_a_later_version_stays_one(tmp_path: Path) -> None:
    rows = {"req": [0], "phase": [7], "status": [9], "t_sent_ns": [1], "t_end_ns": [2]}
    (row,) = export("csv", folded(Frame(Kind.REQUESTS, 1, 2, rows)), tmp_path)["requests"]
    assert (row["phase"], row["status"]) == ("7", "9")


# Hostile recordings


@pytest.mark.parametrize("form", READERS)
def test_hostile_text_comes_back_as_it_was(form: str, tmp_path: Path) -> None:
    texts = [*HOSTILE, 'a "quoted", one', "\r", "line\r\nline", "a,b;c\td", "=1+1", "nul\x00"]
    given = [mark_frame(at, text) for at, text in enumerate(texts, 1)]
    given += [log_frame(at, text, text, text) for at, text in enumerate(texts, 1)]
    given += [fact(at, text, {text: text}) for at, text in enumerate(texts, 1)]
    found = export(form, folded(*given), tmp_path)
    expected = [text.replace("\ud800", "?") for text in texts]
    assert [row["text"] for row in found["marks"]] == expected
    assert [row["source"] for row in found["log"]] == expected
    assert [row["name"] for row in found["facts"]] == expected
    values = [json.loads(row["value"]) for row in found["facts"]]
    assert values == [{text: text} for text in expected]


@pytest.mark.parametrize("form", READERS)
def test_names_of_groups_and_gauges_cannot_leave_the_folder(form: str, tmp_path: Path) -> None:
    groups = [*HOSTILE, "../../up", "/etc/passwd", "GPU0", "gpu0", "a/b", "a\\b", "x" * 4000, "\0"]
    gauges = [*HOSTILE, "?", "t,ns", "\ud801\ue000\U000e0001\x00\x9b1m"]
    columns: dict[str, Any] = {"t_ns": [NS]} | {name: [0.5] for name in gauges}
    given = [Frame(Kind.SAMPLES, NS, NS, columns, {"group": group}) for group in groups]
    session = folded(*given)
    assert len(session.samples) == len(groups)
    found = export(form, session, tmp_path)
    tables = [name for name in found if name.startswith("samples-")]
    assert len({name.lower() for name in tables}) == len(groups)
    assert all(len(name) < 100 and name.isascii() for name in tables)
    assert [path.name for path in tmp_path.iterdir()] == [form]
    for name in tables:
        (row,) = found[name]
        assert list(row.values()) == [NS, *[0.5] * len(gauges)]


@pytest.mark.parametrize("form", READERS)
def test_step_blocks_that_make_no_sense_are_left_out(form: str, tmp_path: Path) -> None:
    good = {"t_ns": np.array([NS]), "running": np.array([3])}
    given = [
        Frame(Kind.META, 0, 0, attrs={"model": {}}),
        Frame(Kind.STEPS, NS, NS, good, {"engine": "first"}),
        Frame(Kind.STEPS, NS, NS, good, {"engine": 1 << 40}),
        Frame(Kind.STEPS, NS, NS, {"running": np.array([3])}, {"engine": 2}),
        Frame(Kind.STEPS, NS, 2 * NS, {**good, "t_ns": np.array([-5])}, {"engine": 3}),
    ]
    found = export(form, recorded(tmp_path / "run.tuiapp", *given), tmp_path)
    assert [(row["t_ns"], row["running"], row["engine"]) for row in found["steps"]] == [
        (NS, 3, None)
    ] * 2


# Trouble


def test_without_pyarrow_it_says_what_to_do(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SessionError, match="pyarrow") as caught:
        write_file("parquet", View(session, session.end_ns), tmp_path / "out")
    assert "pip install 'tuiapp[parquet]'" in caught.value.advice
    assert list(tmp_path.iterdir()) == []


def test_row_groups_of_a_long_run_are_large(session: Session, tmp_path: Path) -> None:
    from pyarrow import parquet

    assert session.path is not None
    with SessionFile(session.path) as file:
        frame = next(iter(file.frames([Kind.STEPS])))
    blocks = [Frame(Kind.META, 0, 0, attrs={"model": {}}), *[frame] * 20]
    (tmp_path / "run.tuiapp").write_bytes(
        MAGIC + b"".join(pack(block, b"12345678", at, ZLIB) for at, block in enumerate(blocks))
    )
    export("parquet", load(tmp_path / "run.tuiapp"), tmp_path)
    told = parquet.read_metadata(tmp_path / "parquet" / "steps.parquet")
    assert told.num_rows == 20 * frame.rows
    assert told.num_row_groups == 1
