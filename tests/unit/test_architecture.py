"""What holds for the whole tree: light imports, live registries, small files, a whole wheel."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "tuiapp"
HEAVY = {"textual", "rich", "numpy", "vllm", "torch", "transformers"}
MOST_LINES = 400
TABLES = {
    "COLLECTORS", "COMMANDS", "EXPORTS", "IMPORTS", "PANES", "RULES", "SOURCES", "STATISTICS",
    "TABS", "VERBS",
}  # fmt: skip

REPORT_MODULES = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted({m.partition(".")[0] for m in sys.modules}))))
"""
RUN_MODULE = (
    "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_module({!r}, run_name='__main__')"
)


def loaded_by(code: str, *arguments: str) -> set[str]:
    """The top-level modules a fresh interpreter has loaded when ``code`` is through."""
    command = [sys.executable, "-c", REPORT_MODULES + code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


# Imports


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import tuiapp")
    assert "tuiapp" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("module", ["tuiapp", "tuiapp.cli"])
@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(module: str, arguments: list[str]) -> None:
    loaded = loaded_by(RUN_MODULE.format(module), "tuiapp", *arguments)
    assert "tuiapp" in loaded
    assert loaded & HEAVY == set()


def test_the_console_script_loads_nothing_heavy() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["tuiapp"].partition(":")
    code = f"import sys, {module} as m; sys.argv = sys.argv[1:]; sys.exit(m.{function}())"
    assert loaded_by(code, "tuiapp", "--help") & HEAVY == set()


def test_heavy_imports_would_be_seen() -> None:
    assert "numpy" in loaded_by("import tuiapp.session.columns")


# Registries


def registries() -> Iterator[tuple[str, str, str]]:
    """Every ``(table, entry, "module:Name")`` of the literal tables in the source."""
    for path in sorted(SOURCES.rglob("*.py")):
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                yield from entries(statement)


def entries(statement: ast.Assign | ast.AnnAssign) -> Iterator[tuple[str, str, str]]:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    if not isinstance(target, ast.Name) or not isinstance(statement.value, ast.Dict):
        return
    for key, value in zip(statement.value.keys, statement.value.values, strict=True):
        # An entry is the place itself, or something that is made with it.
        for part in value.args if isinstance(value, ast.Call) else [value]:
            text = part.value if isinstance(part, ast.Constant) else None
            if isinstance(text, str) and re.fullmatch(r"tuiapp(\.\w+)+(:\w+)?", text):
                yield target.id, ast.unparse(key) if key else "**", text


def test_the_registries_are_found() -> None:
    assert {table for table, _, _ in registries()} >= TABLES


@pytest.mark.parametrize(("table", "entry", "place"), list(registries()))
def test_every_registry_entry_resolves(table: str, entry: str, place: str) -> None:
    module, _, name = place.partition(":")
    found = import_module(module)
    assert not name or callable(getattr(found, name)), f"{table}[{entry}]"


# Files


def source_files() -> list[Path]:
    folders = (ROOT / "src", ROOT / "tests", ROOT / "benchmarks", ROOT / ".ci")
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def test_no_source_file_is_too_long() -> None:
    lengths = {str(path.relative_to(ROOT)): line_count(path) for path in source_files()}
    assert len(lengths) > 50
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def line_count(path: Path) -> int:
    return len(path.read_text().splitlines())


# The wheel


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = out.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_the_themes(wheel_names: set[str]) -> None:
    themes = {f"tuiapp/themes/{path.name}" for path in (ROOT / "themes").glob("*.toml")}
    assert themes
    assert themes <= wheel_names


def test_the_wheel_holds_every_module_and_what_lies_beside_them(wheel_names: set[str]) -> None:
    sources = {
        str(path.relative_to(ROOT / "src"))
        for path in SOURCES.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sources <= wheel_names
    assert not {name for name in wheel_names if name.startswith("tests/")}
