"""``tuiapp sessions import`` and ``export``: other programs' files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tuiapp.cli.sessions_export import FORMATS
from tuiapp.exports import EXPORTS

RESULTS = Path(__file__).parents[2] / "fixtures" / "imports"


def test_import(call: Any, home: Path) -> None:
    code, out, _ = call("import", str(RESULTS / "vllm-rate.json"), "--json")
    assert code == 0
    (told,) = json.loads(out)
    assert told["output"] == str(home / "vllm-rate.tuiapp")
    assert told["format"] == "vllm-bench"
    assert json.loads(call("show", "vllm-rate", "--json")[1])["requests"]["ok"] > 0
    assert call("import", str(RESULTS / "vllm-rate.json"), "-o", "mine.tuiapp")[0] == 0
    Path("odd.json").write_text("[1, 2]")
    code, out, err = call("import", str(RESULTS / "aiperf-rate.jsonl"), "odd.json")
    assert code == 1
    assert "aiperf-rate.tuiapp: from" in out
    assert "odd.json" in err
    assert call("import", "none.json")[0] == 2


def test_every_run_of_a_file_becomes_a_recording(call: Any, home: Path) -> None:
    several = str(RESULTS / "guidellm-two.json")
    code, out, _ = call("import", several, "--json")
    assert code == 0
    assert [one["output"] for one in json.loads(out)] == [
        str(home / "guidellm-two.tuiapp"), str(home / "guidellm-two-2.tuiapp"),
    ]  # fmt: skip
    code, _, err = call("import", several, "-o", "one.tuiapp")
    assert (code, "holds 2 runs" in err) == (2, True)
    assert call("import", several, "--part", "2", "-o", "one.tuiapp")[0] == 0
    code, _, err = call("import", several, "--part", "3")
    assert (code, "no run 3" in err) == (2, True)


def test_export(call: Any, home: Path) -> None:
    assert call("export", "quieter", "--to", "json")[0] == 0
    code, _, err = call("export", "quieter", "--to", "json")
    assert code == 2
    assert "quieter.json exists already" in err
    code, out, _ = call("export", "quieter", "--to", "json", "--force", "--json")
    assert code == 0
    assert json.loads(out)["output"] == "quieter.json"
    whole = json.loads(Path("quieter.json").read_text())
    assert json.loads(call("show", "quieter", "--json")[1]) == whole
    assert call("export", "quieter", "--to", "json", "--at", "75%", "-o", "half.json")[0] == 0
    half = json.loads(Path("half.json").read_text())
    assert 0 < half["requests"]["ok"] < whole["requests"]["ok"]


def test_an_export_goes_to_standard_output_where_it_is_one_text(call: Any, home: Path) -> None:
    code, out, _ = call("export", "quieter", "--to", "json", "-o", "-")
    assert code == 0
    assert out == call("show", "quieter", "--json")[1]
    for words in (("csv",), ("svg",), ("json", "--json")):
        code, out, err = call("export", "quieter", "-o", "-", "--to", *words)
        assert (code, out) == (2, "")
        assert "Standard output is not written to" in err
    assert call("cut", "quieter", "--to", "0:02", "-o", "-")[0] == 2
    assert list(Path.cwd().iterdir()) == []


def test_exports_of_two_formats_have_two_names(call: Any, home: Path) -> None:
    for name in FORMATS:
        assert call("export", "quieter", "--to", name)[0] in (0, 1), "parquet is an extra"
    assert call("import", "quieter.vllm-bench.json", "-o", "back.tuiapp")[0] == 0
    caveats = json.loads(call("show", "back.tuiapp", "--json")[1])["caveats"]
    assert any("count from the intended arrival" in caveat for caveat in caveats)
    assert not any("does not tell when requests were due" in caveat for caveat in caveats)


def test_the_screen_as_a_picture(call: Any, home: Path) -> None:
    assert call("export", "quieter", "--to", "svg", "--at", "50%")[0] == 0
    assert Path("quieter.svg").read_text().startswith("<svg")
    code, _, err = call("export", "quieter", "--to", "gif")
    assert code == 2
    assert "There is no format 'gif'." in err


def test_the_help_names_every_format() -> None:
    assert set(EXPORTS) <= set(FORMATS)
