"""The HTML report in a real browser: everything is drawn, nothing is complained of, keys work."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.doubles.drawing import HOSTILE
from tests.doubles.report_page import ATTACK, Page, folded, report
from tests.doubles.scenes import SCENES
from tests.doubles.synthetic import NS, Load, frames
from tuiapp.events import Frame, Kind, mark_frame
from tuiapp.exports import write_file
from tuiapp.session.columns import Session
from tuiapp.session.reader import load
from tuiapp.session.view import View

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sessions"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")

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


@pytest.fixture(scope="module")
def served() -> Session:
    return folded(*frames(Load(duration_s=60.0, rate=10.0, gpus=2, failed_share=0.02)))


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
    assert "NaN" not in re.sub(r"<script.*?</script>", "", dom, flags=re.DOTALL)
    assert "<img" not in dom
    if data["charts"]:
        assert re.search(r'class="line" d="M[\d.]+ [\d.]+', dom)


def test_what_a_browser_complains_of_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "wrong.html"
    path.write_text("<script>missing()</script>")
    assert "missing is not defined" in browse(path)[1][0]


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
