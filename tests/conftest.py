"""What holds for every test: a known terminal, and no folder of the user's is written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Golden = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files, then look at them"
    )
    parser.addoption(
        "--fuzz-seconds", type=int, default=0, help="search that long for harmful session files"
    )


@pytest.fixture(scope="session", autouse=True)
def _known_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Caches stay where they are: what is in them takes minutes to make."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_COLOR", "TEXTUAL_THEME"):
            patch.delenv(name, raising=False)
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLORTERM", "truecolor")
        for kind in ("CONFIG", "DATA", "STATE"):
            patch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare text with ``golden/NAME`` beside the test; --update-golden writes it instead."""
    folder = Path(request.path).parent / "golden"

    def check(name: str, text: str) -> None:
        path = folder / name
        if request.config.getoption("--update-golden"):
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing: run pytest --update-golden and look at it"
        assert text == path.read_text(encoding="utf-8")

    return check
