"""The HTML report: whole, closed to the network, the same numbers, nothing hostile, bounded."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles.drawing import HOSTILE
from tests.doubles.report_page import ATTACK, Page, folded, report
from tests.doubles.scenes import SCENES, fact
from tests.doubles.synthetic import NS, Load, cold_start, frames, make
from tuiapp.events import Frame, Kind, Status, log_frame, mark_frame
from tuiapp.exports import EXPORTS
from tuiapp.exports.html.series import Stretches, rounded
from tuiapp.exports.html.text import clean, milliseconds, script_json
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.reader import load
from tuiapp.session.view import View

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sessions"
MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def served() -> Session:
    return folded(*frames(Load(duration_s=60.0, rate=10.0, gpus=2, failed_share=0.02)))


# Whole and closed


@pytest.mark.parametrize("scene", SCENES)
def test_it_is_well_formed_in_every_state_of_a_run(scene: str) -> None:
    run = SCENES[scene]()
    page = Page(report(run.session, run.clock.now_ns()))
    assert len(page.ids) == len(set(page.ids))
    assert {"charts", "distributions", "span"} == set(page.data)


@pytest.mark.parametrize("name", ["v1.0.tuiapp", "v1.1.tuiapp"])
def test_recordings_of_every_version_can_be_reported(name: str) -> None:
    session = load(FIXTURES / name)
    page = Page(report(session))
    titles = [chart["title"] for chart in page.data["charts"]]
    assert titles[0] == "TTFT of each request"
    assert {"Output tokens", "CPU, all cores", "GPU power", "GPU SM clock"} <= set(titles)
    assert "a note" in page.text
    assert [text for _, text in page.data["span"]["marks"]] == ["a note"]


def test_it_loads_nothing_and_its_policy_allows_only_what_it_holds(served: Session) -> None:
    page = Page(report(served))
    for tag, attributes in page.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form", "audio"}
        assert "src" not in attributes
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    (style,), scripts = page.inside["style"], page.inside["script"]
    assert "url(" not in style
    assert "@import" not in style
    code = "".join(text for text in scripts if not text.startswith("{"))
    for word in ("http", "innerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch("):
        assert word not in code, word
    (policy,) = [a["content"] for _, a in page.tags if a.get("http-equiv")]
    assert policy == f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(code)}'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# Numbers


@pytest.mark.parametrize("scene", ["served", "dead", "client_limited", "v1.1"])
def test_the_table_holds_the_numbers_of_the_summary(scene: str, served: Session) -> None:
    session, cursor_ns = served, served.end_ns
    if scene in SCENES:
        run = SCENES[scene]()
        session, cursor_ns = run.session, run.clock.now_ns()
    elif scene == "v1.1":
        session = load(FIXTURES / "v1.1.tuiapp")
        cursor_ns = session.end_ns
    text, result = report(session, cursor_ns), summary(View(session, cursor_ns))
    for metric in ("ttft", "tpot", "itl", "e2el"):
        row = result[f"{metric}_s"]
        (found,) = re.findall(rf'<tr data-metric="{metric}">(.*?)</tr>', text, re.DOTALL)
        told = [float(value) for value in re.findall(r'<data value="([^"]+)">', found)]
        expected = [row[name] for name in ("mean", "p50", "p90", "p95", "p99")]
        expected += row["p99_ci"] or []
        assert told == [value for value in expected if value is not None]
        assert f"<td>{row['n']:,}</td>" in found
        for caveat in row["caveats"]:
            assert caveat in Page(found).text
    page = Page(text)
    for caveat in result["caveats"]:
        assert caveat in page.text
    for slo in result["slo"]:
        assert slo["slo"] in page.text
    assert f"{result['requests']['sent']:,} sent" in page.text
    assert f"{result['requests']['failed']:,} failed" in page.text


def test_the_charts_hold_every_value_of_a_small_run(served: Session) -> None:
    view = View(served, served.end_ns)
    told = Page(report(served)).data
    values = view.run("ttft").values_ns
    assert values is not None
    (requests,) = [chart for chart in told["charts"] if chart.get("kind") == "requests"]
    assert sorted(requests["v"]) == pytest.approx(sorted(values / 1e6), rel=1e-3)
    assert requests["t"] == sorted(requests["t"])
    for found in told["distributions"]:
        bars = found["log"]
        count = sum(bars["counts"]) + bars["below"] + bars["above"]
        assert count == found["n"] - found["failed"]
        assert len(bars["edges"]) == len(bars["counts"]) + 1
        assert found["marks"][0][0] == "p50"
        expected = view.final(found["metric"].lower()).summary.p50
        assert expected is not None
        assert found["marks"][0][1] == pytest.approx(expected / 1e6, rel=1e-5)
    (output,) = [chart for chart in told["charts"] if chart["title"] == "Output tokens"]
    tokens = float(served.ticks["output_tokens"].sum())
    # Every stretch is a second, but for the last one.
    assert sum(output["lines"][0]["values"][:-1]) == pytest.approx(tokens, rel=0.05)


def test_requests_in_flight_are_those_sent_and_not_ended(served: Session) -> None:
    (chart,) = [c for c in Page(report(served)).data["charts"] if "in flight" in c["title"]]
    rows = served.requests
    shown = {line["name"]: line["values"] for line in chart["lines"]}
    assert set(shown) == {"in flight", "running", "waiting"}
    for at, middle_s in enumerate(chart["t"][:-1]):
        ends = [int((middle_s - 0.5) * NS) + NS // 4 * (part + 1) - 1 for part in range(4)]
        counts = [((rows["t_sent_ns"] <= t) & (rows["t_end_ns"] > t)).sum() for t in ends]
        assert shown["in flight"][at] == max(counts)


def test_what_came_after_the_cursor_is_not_in_it() -> None:
    cursor_ns, everything = 30 * NS - 1, list(frames(Load(duration_s=60.0, gpus=1)))
    everything += [mark_frame(20 * NS, "before"), mark_frame(40 * NS, "after")]
    so_far = [frame for frame in everything if frame.t1_ns <= cursor_ns]
    text = report(folded(*everything), cursor_ns)
    assert text == report(folded(*so_far), cursor_ns)
    assert "before" in text
    assert ">after<" not in text
    assert text != report(folded(*everything))


def test_an_empty_session_says_so() -> None:
    page = Page(report(Session(), 0))
    assert page.data["charts"] == []
    assert [found["log"] for found in page.data["distributions"]] == [None] * 3
    assert "nothing was measured" in page.text
    assert "no measured request" in page.text
    assert "The recording does not say." in page.text
    assert "nan" not in page.text.lower()


def test_a_run_of_failures_shows_infinity_and_why() -> None:
    load_ = Load(duration_s=20.0, rate=5.0)
    run = make(load_)
    rows = dict(run.requests) | {"status": np.full(len(run.requests["req"]), Status.FAILED)}
    for name in ("t_first_ns", "t_last_ns", "t_queued_ns", "t_prefill_ns", "t_core_first_ns"):
        rows[name] = np.full(len(rows["req"]), -1)
    session = folded(*cold_start(load_), Frame(Kind.REQUESTS, 0, 30 * NS, rows))
    session.end_ns = 40 * NS
    page = Page(report(session))
    assert "100 failed requests count as +inf" in page.text
    assert "∞" in page.text
    assert "missed" in page.text
    assert len(page.data["span"]["failures"]) == 100


# Hostile recordings


@pytest.mark.parametrize("text", [*HOSTILE, ATTACK, "<!--<script>", "{{policy}}", "\"'&\u2028"])
def test_no_text_of_a_recording_becomes_markup(text: str) -> None:
    meta = {
        "model": {"name": text, text: text},
        "host": {"hostname": text, "gpus": [{"name": text}], "list": [text, text]},
        "engine": {"name": text, "version": text, "args": [text]},
        "workload": {"name": text, "arrival": text, "rate": text},
        "slo": [text],
        "created_ns": text,
    }
    given = list(frames(Load(duration_s=5.0, gpus=1)))
    given += [
        Frame(Kind.META, 0, 0, attrs=meta),
        mark_frame(6 * NS, text),
        log_frame(6 * NS, text, "error", text),
        log_frame(6 * NS, text, text, text),
        fact(1, "probe.unavailable", {"probe": text, "reason": text}),
        fact(2, "engine.phase", {"phase": text}),
        fact(9, "engine.exit", {"code": 1, "reason": text, "advice": text, "expected": False}),
        Frame(Kind.SAMPLES, NS, NS, {"t_ns": np.array([NS]), "util": [0.5]}, {"group": text}),
    ]
    page, plain = Page(report(folded(*given))), Page(report(folded(*frames(Load(duration_s=5.0)))))
    allowed = {tag for tag, _ in plain.tags} | {"rect", "title", "details", "summary", "td", "ol"}
    assert {tag for tag, _ in page.tags} <= allowed
    assert sum(tag == "script" for tag, _ in page.tags) == 2
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    page.text.encode("utf-8")
    unsafe = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
    assert unsafe.search("".join(page.texts)) is None
    assert page.data["span"]["marks"][0][1] == clean(text)


@pytest.mark.parametrize("wrong", [None, 7, "text", [1, 2], [{"a": {}}], float("nan"), True, {}])
def test_a_header_of_the_wrong_shape_is_passed_over(wrong: Any) -> None:
    meta = {"created_ns": wrong, "slo": []} | {name: {"x": wrong} for name in ("model", "host")}
    given = [*frames(Load(duration_s=2.0)), Frame(Kind.META, 0, 0, attrs=meta)]
    session = folded(*given)
    session.meta["workload"] = session.meta["engine"] = wrong
    assert Page(report(session)).data["charts"]


def test_json_cannot_leave_its_script_nor_hold_a_nan() -> None:
    text = script_json([ATTACK, "<!--", "&\u2028\u2029"])
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == [ATTACK, "<!--", "&\u2028\u2029"]
    with pytest.raises(ValueError, match="JSON"):
        script_json([float("nan")])


def test_gauges_that_are_no_numbers_are_gaps(served: Session) -> None:
    at = (np.arange(6) * NS).astype(np.int64)
    values = np.array([0.5, np.nan, np.inf, -np.inf, 0.25, np.nan], np.float32)
    columns = {"t_ns": at, "total": values}
    session = folded(Frame(Kind.SAMPLES, 0, 5 * NS, columns, {"group": "cpu"}))
    (chart,) = Page(report(session, 5 * NS)).data["charts"]
    assert chart["lines"][0]["values"] == [50.0, None, None, None, 25.0, None]
    assert rounded([1 / 3, np.nan, np.inf]) == [0.3333, None, None]


# Size


def test_a_big_session_is_counted_and_says_so() -> None:
    load_ = Load(duration_s=7200.0, rate=28.0, output_tokens=3, failed_share=0.01)
    run = make(load_)
    count, end = len(run.req), int(run.t_ns.max())
    order = np.argsort(run.t_ns, kind="stable")
    tokens = {"req": run.req[order], "t_ns": run.t_ns[order], "n": run.n[order]}
    gauges = {"t_ns": np.arange(0, end, NS // 2), "total": np.full(-(-end // (NS // 2)), 0.5)}
    given = [Frame(Kind.REQUESTS, 0, end, run.requests), Frame(Kind.TOKENS, 0, end, tokens)]
    given += [Frame(Kind.SAMPLES, 0, end, gauges, {"group": g}) for g in ("cpu", "gpu0")]
    given += [mark_frame(at * NS, f"mark {at}") for at in range(1000)]
    text = report(folded(*cold_start(load_), *given), end)
    assert count > 200_000
    assert len(run.requests["req"]) > 200_000
    assert len(text.encode()) < MOST_BYTES
    (requests,) = [c for c in Page(text).data["charts"] if c.get("kind") == "requests"]
    served = int((run.requests["t_first_ns"] <= end).sum())
    assert sum(requests["cells"][2]) == served
    assert f"{served:,} requests, counted in stretches of" in requests["note"]
    assert len(requests["lines"]) == 2


def test_stretches_are_bounded_and_cover_the_whole() -> None:
    times = Stretches(0, 100 * NS + 1, NS, most=30)
    assert times.count <= 30
    assert times.width_ns % NS == 0
    assert times.count * times.width_ns > 100 * NS
    t_ns = (np.arange(100) * NS).astype(np.int64)
    means = times.means(t_ns, np.arange(100.0))
    assert np.nanmax(times.highest(t_ns, np.arange(100.0))) == 99
    assert means[0] == pytest.approx(np.arange(times.width_ns // NS).mean())
    halves = times.quantiles(t_ns, np.arange(100.0), 0.5, 2)
    assert halves[0] == np.floor((times.width_ns // NS - 1) / 2)
    assert np.isnan(times.quantiles(t_ns, np.arange(100.0), 0.5, 1000)).all()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "—"), (0.0004321, "0.432"), (0.00432, "4.32"), (0.0432, "43.2"), (4.321, "4,321")],
)
def test_milliseconds_keep_three_digits(seconds: float | None, text: str) -> None:
    assert milliseconds(seconds) == text


def test_the_format_is_offered() -> None:
    assert EXPORTS["html"].suffix == ".html"
