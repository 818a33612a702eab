"""The HTML report: whole, closed to the network, the same numbers, nothing hostile, bounded."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles.drawing import HOSTILE
from tests.doubles.scenes import SCENES, fact
from tests.doubles.synthetic import NS, Load, cold_start, frames, make
from tuiapp.events import Frame, Kind, Status, log_frame, mark_frame
from tuiapp.exports import EXPORTS, write_file
from tuiapp.exports.html.series import Stretches, rounded
from tuiapp.exports.html.text import clean, milliseconds, script_json
from tuiapp.exports.html_report import write
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.reader import load
from tuiapp.session.view import View

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sessions"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
VOID = {"meta", "link", "br", "img", "input", "hr"}
ATTACK = "</script><img src=x onerror=alert(1)>"
MOST_BYTES = 3_000_000


class Page(HTMLParser):
    """Reads a page strictly: what opens must close, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, list[str]] = {}
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        self.ids += [str(value) for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag.lower()

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        self.inside.setdefault(inside, []).append(data)
        if inside not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        """What a person reads."""
        return "".join(self.texts)

    @property
    def data(self) -> Any:
        """The data of the charts, as a strict reader understands them."""
        (found,) = [text for text in self.inside["script"] if text.startswith("{")]
        return json.loads(found, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def report(session: Session, cursor_ns: int | None = None) -> str:
    out = io.StringIO()
    write(View(session, session.end_ns if cursor_ns is None else cursor_ns), out)
    return out.getvalue()


def folded(*given: Frame) -> Session:
    session = Session()
    for frame in given:
        session.fold(frame)
    return session


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
        (found,) = re.findall(rf'<tr data-metric="{metric}">(.*?)</tr>', text, re.S)
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


# In a browser

USE = """
const charts = [...document.querySelectorAll("#charts svg.chart")];
const result = {};
function send(target, type, x, y, more) {
  const frame = target.getBoundingClientRect();
  target.dispatchEvent(new PointerEvent(type, { clientX: frame.left + x * frame.width,
    clientY: frame.top + y * frame.height, button: 0, pointerId: 1, bubbles: true, ...more }));
}
const shown = () => document.getElementById("shown").textContent;
const soon = () => new Promise((done) => setTimeout(done, 60));
const key = (target, name) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
async function use() {
  for (const chart of charts) chart.setPointerCapture = () => {};
  await soon();
  result.whole = shown();
  send(charts[0], "pointermove", 0.5, 0.6);
  result.read = charts[0].parentNode.querySelector("output").textContent;
  result.linked = charts[1].parentNode.querySelector(".legend b").textContent;
  send(charts[1], "pointerdown", 0.4, 0.5);
  send(charts[1], "pointermove", 0.6, 0.5);
  send(charts[1], "pointerup", 0.6, 0.5);
  await soon();
  result.zoomed = shown();
  key(charts[2], "+"); await soon();
  result.closer = shown();
  key(charts[2], "ArrowRight");
  key(charts[2], "Escape"); await soon();
  result.back = shown();
  const bars = () => document.querySelector("#distributions .bars").getAttribute("d");
  const log = bars();
  document.getElementById("scale").click(); await soon();
  result.scaled = bars() !== log;
  document.getElementById("theme").click(); document.getElementById("theme").click();
  result.theme = document.documentElement.dataset.theme;
  const hist = document.querySelector("#distributions svg");
  send(hist, "pointermove", 0.4, 0.6);
  result.bar = hist.parentNode.querySelector("output").textContent;
  result.wrong = document.querySelector("#charts").innerHTML.includes("NaN");
  document.body.setAttribute("data-result", JSON.stringify(result));
}
use();
"""


def browse(path: Path, *options: str) -> tuple[str, list[str]]:
    """(the page after its scripts have run, lines of its console)."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,2400"]
    command += [f"--user-data-dir={path.parent / 'profile'}", "--enable-logging=stderr", "--v=0"]
    command += ["--virtual-time-budget=4000", *options, "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")


@needs_chromium
@pytest.mark.parametrize("scene", ["served", "empty", "starting", "stalled", "hostile", "v1.1"])
def test_a_browser_draws_it_without_complaint(scene: str, served: Session, tmp_path: Path) -> None:
    session, cursor_ns = served, served.end_ns
    if scene in SCENES:
        run = SCENES[scene]()
        session, cursor_ns = run.session, run.clock.now_ns()
    elif scene == "v1.1":
        session = load(FIXTURES / "v1.1.tuiapp")
        cursor_ns = session.end_ns
    elif scene == "hostile":
        marked = [mark_frame((6 + at) * NS, text) for at, text in enumerate((*HOSTILE, ATTACK))]
        model = Frame(Kind.META, 0, 0, attrs={"model": {"name": ATTACK}})
        session = folded(*frames(Load(duration_s=20.0)), *marked, model)
        cursor_ns = session.end_ns
    path = tmp_path / "report.html"
    write_file("html", View(session, cursor_ns), path)
    dom, console = browse(path)
    assert console == []
    data = Page(path.read_text()).data
    assert dom.count('class="chart"') == len(data["charts"]) + sum(
        found["log"] is not None for found in data["distributions"]
    )
    assert "NaN" not in re.sub(r"<script.*?</script>", "", dom, flags=re.S)
    assert "<img" not in dom
    if data["charts"]:
        assert re.search(r'class="line" d="M[\d.]+ [\d.]+', dom)


@needs_chromium
def test_what_a_browser_complains_of_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "wrong.html"
    path.write_text("<script>missing()</script>")
    assert "missing is not defined" in browse(path)[1][0]


@needs_chromium
def test_pointer_keys_and_buttons_work(served: Session, tmp_path: Path) -> None:
    text = re.sub(r"<meta http-equiv[^>]*>", "", report(served))
    path = tmp_path / "used.html"
    path.write_text(text.replace("</body>", f"<script>{USE}</script></body>"), encoding="utf-8")
    dom, console = browse(path)
    assert console == []
    (body,) = [attrs for tag, attrs in Page(dom).tags if tag == "body"]
    result = json.loads(str(body["data-result"]))
    assert re.match(r"#\d+ at 0:\d+\.\d: [\d.]+ ms, of it queue", result["read"])
    assert re.match(r" \d+", result["linked"])
    spans = {name: _span(result[name]) for name in ("whole", "zoomed", "closer", "back")}
    assert spans["whole"][0] < spans["zoomed"][0] < spans["zoomed"][1] < spans["whole"][1]
    wide = {name: high - low for name, (low, high) in spans.items()}
    assert wide["zoomed"] == pytest.approx(wide["whole"] * 0.2 * 1280 / 1200, rel=0.15)
    assert wide["closer"] == pytest.approx(wide["zoomed"] / 2, abs=0.3)
    assert spans["back"] == spans["whole"]
    assert result["scaled"]
    assert result["theme"] == "dark"
    assert "up to here" in result["bar"]
    assert not result["wrong"]


def _span(text: str) -> tuple[float, float]:
    low, high = (part.split(":") for part in text.split(" – "))
    return int(low[0]) * 60 + float(low[1]), int(high[0]) * 60 + float(high[1])


def test_the_format_is_offered() -> None:
    assert EXPORTS["html"].suffix == ".html"
