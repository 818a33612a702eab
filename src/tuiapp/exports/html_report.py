"""A report of a session with interactive charts: one HTML file that needs no network.

Tables are written here, charts are drawn in the browser from the data at the page's end. Nothing
a recording says can become markup: text is escaped, the data are JSON that cannot end its element,
scripts only ever set text, and the page's own policy allows no script but those written here.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from typing import IO, Any

import tuiapp
from tuiapp.exports.html import headline, tables
from tuiapp.exports.html.courses import courses, span_s
from tuiapp.exports.html.distributions import distributions
from tuiapp.exports.html.findings import findings
from tuiapp.exports.html.text import escaped, mapping, script_json
from tuiapp.exports.summary import summary
from tuiapp.session.view import View

_SCRIPTS = ("scales.js", "charts.js", "report.js")
_HOLE = re.compile(r"\{\{(\w+)\}\}")


def write(view: View, out: IO[str]) -> None:
    """The whole report of the session up to the view's cursor."""
    style = _asset("report.css")
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    parts = _sections(view) | {
        "style": style,
        "script": script,
        "policy": f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
        "data": script_json(_data(view)),
    }
    out.write(_HOLE.sub(lambda hole: parts[hole[1]], _asset("page.html")))


def _asset(name: str) -> str:
    return (files("tuiapp.exports.html") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """How a page's policy names an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(view: View) -> dict[str, Any]:
    return {
        "distributions": distributions(view),
        "span": span_s(view),
        "charts": courses(view),
    }


def _sections(view: View) -> dict[str, str]:
    """What fills the holes of the page, all of it HTML."""
    meta, result = view.meta, summary(view)
    engine = dict(mapping(meta.get("engine")))
    arguments = {"arguments": engine.pop("args", None)}
    return {
        "title": escaped(headline.title(view)),
        "identity": headline.identity(view),
        "cards": headline.cards(result),
        "objectives": headline.objectives(result),
        "latency": headline.latency_table(result),
        "caveats": headline.caveats(result),
        "split": tables.split(view),
        "slowest": tables.slowest(view),
        "cold_start": tables.cold_start(view),
        "events": tables.events(view),
        "host": findings(view) + tables.facts(meta.get("host")) + tables.unknown_probes(view),
        "engine": tables.facts(arguments | engine if engine else {}),
        "model": tables.facts(meta.get("model")),
        "workload": tables.facts(meta.get("workload"), "not set"),
        "version": escaped(tuiapp.__version__),
    }
