"""HTML reports of sessions in memory, read back strictly."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser
from typing import Any

from tuiapp.events import Frame
from tuiapp.exports.html_report import write
from tuiapp.session.columns import Session
from tuiapp.session.view import View

ATTACK = "</script><img src=x onerror=alert(1)>"
_VOID = {"meta", "link", "br", "img", "input", "hr"}


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
        if tag not in _VOID:
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
