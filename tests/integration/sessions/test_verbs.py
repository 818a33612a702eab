"""``tuiapp sessions`` as scripts use it: what it prints, what it returns, what it leaves."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.cli import main
from tuiapp.cli.sessions import VERBS
from tuiapp.cli.sessions_export import FORMATS
from tuiapp.cli.sessions_list import SORTS
from tuiapp.events import Frame, Kind
from tuiapp.exports import EXPORTS
from tuiapp.session.edit import rewrite
from tuiapp.session.file import SessionFile
from tuiapp.session.library import SORT_KEYS
from tuiapp.session.reader import load
from tuiapp.session.writer import SessionWriter


def damage(path: Path, kind: Kind = Kind.TOKENS) -> None:
    with SessionFile(path) as file:
        block = file.index.block(int(file.index.select([kind])[0]))
    data = bytearray(path.read_bytes())
    data[block.end - 3] ^= 1
    path.write_bytes(data)


# -- help ----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(verb: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sessions", verb, "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"  tuiapp sessions {verb} " in told or f"  tuiapp sessions {verb}\n" in told
    assert "--json" in told


def test_what_help_lists_is_what_there_is() -> None:
    assert set(SORTS) == set(SORT_KEYS)
    assert set(EXPORTS) <= set(FORMATS)


def test_help_of_a_verb_loads_nothing_heavy() -> None:
    code = (
        "import sys, atexit; from tuiapp.cli import main;"
        "atexit.register(lambda: print('numpy' in sys.modules, 'textual' in sys.modules));"
        "main(['sessions', 'cut', '--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False False"


# -- misuse: one sentence and the right code -----------------------------------------------


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "needs a verb"),
        (["fly"], "invalid choice: 'fly'"),
        (["list", "nowhere"], "no file or folder nowhere"),
        (["list", "--sort", "colour"], "invalid choice: 'colour'"),
        (["show"], "required: FILE"),
        (["show", "none"], "no recording 'none'"),
        (["show", "qui"], "may be any of 2 recordings: quiet, quieter"),
        (["show", "."], "is a folder"),
        (["show", "quiet", "--", "--dtype"], "starts no engine"),
        (["rename", "quiet", "a/b"], "is no name for a file"),
        (["rename", "quiet", "quieter"], "exists already"),
        (["annotate", "quiet", "x", "--at", "noon"], "'noon' is no moment"),
        (["annotate", "quiet", "x", "--at", "1h"], "holds nothing at 1:00:00.0"),
        (["annotate", "quiet", "x" * 3000], "longer than"),
        (["export", "quiet", "--to", "json", "--at", "1h"], "--at 1h is outside the recording."),
        (["rm", "quiet"], "Nobody is there to be asked"),
        (["rm", "none", "--yes"], "no recording 'none'"),
        (["cut", "quiet", "-o", "a", "--from", "9s", "--to", "6s"], "is not before"),
        (["cut", "quiet", "-o", "a", "--from", "60s", "--to", "90s"], "--from 60s is outside"),
        (["cut", "quiet", "-o", "a", "--from", "150%"], "no share of a recording"),
        (["cut", "quiet", "-o", "a", "--from", "-5s"], "expected one argument"),
        (["cut", "quiet", "--from", "5s"], "required: -o/--output"),
        (["cut", "quiet", "-o", "no/such/a"], "no folder no/such"),
        (["cut", "quiet", "-o", "."], "is a folder"),
        (["merge", "quiet", "-o", "a"], "alone cannot be merged"),
        (["merge", "quiet", "quieter", "-o", "a"], "are of different runs"),
        (["merge", "quiet", "quiet", "-o", "a"], "both hold"),
        (["redact", "quiet"], "required: -o/--output"),
        (["export", "quiet", "--to", "stone"], "no format 'stone'"),
        (["export", "quiet"], "required: --to"),
        (["import", "a", "b", "-o", "c"], "cannot name several"),
    ],
)
def test_misuse_is_one_sentence_and_two(call: Any, words: list[str], complaint: str) -> None:
    code, out, err = call(*words)
    assert code == 2
    assert out == ""
    assert complaint in err
    assert len(err.splitlines()) <= 2
    assert not list(Path().iterdir())


@pytest.mark.parametrize("verb", ["show", "verify", "recover", "redact", "cut", "annotate"])
@pytest.mark.parametrize("contents", [b"", b"nothing of the kind", b"\xd7\x54tuiapp\x09\x00"])
def test_what_is_no_recording_is_one_sentence_and_one(
    call: Any, tmp_path: Path, verb: str, contents: bytes
) -> None:
    path = tmp_path / "odd.tuiapp"
    path.write_bytes(contents)
    more = {"redact": ["-o", "a"], "cut": ["-o", "a"], "annotate": ["x"]}.get(verb, [])
    code, out, err = call(verb, path, *more)
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 2
    assert not list(Path().iterdir())


@pytest.mark.parametrize("verb", ["recover", "redact", "cut", "merge"])
def test_an_existing_output_is_wrong_usage_and_stays(call: Any, home: Path, verb: str) -> None:
    Path("mine").write_text("mine")
    files = ["quiet", "quieter"] if verb == "merge" else ["quiet"]
    code, _, err = call(verb, *files, "-o", "mine")
    assert code == 2
    assert "mine exists already" in err
    assert Path("mine").read_text() == "mine"


# -- list, rename, annotate, rm ------------------------------------------------------------


def test_the_list(call: Any, home: Path) -> None:
    (home / "bad.tuiapp").write_bytes(b"bad")
    code, out, _ = call("list")
    assert code == 0
    table, _, reasons = out.partition("\n\n")
    head, *rows = table.splitlines()
    assert re.fullmatch(r"bad: .*bad.tuiapp is no tuiapp session.\n", reasons)
    assert head.split()[:4] == ["name", "date", "host", "virtualization"]
    assert {row.split()[0] for row in rows} == {"quiet", "quieter", "bad"}
    (bad,) = (row for row in rows if row.startswith("bad"))
    assert bad.split()[-1] == "unreadable"
    assert (
        call("list", "--filter", "made-up-llama", "--sort", "name", "--reverse")[1].count("\n") == 3
    ), "no reasons where there is no trouble"
    names = [entry["name"] for entry in json.loads(call("list", "--json", "--sort", "name")[1])]
    assert names == ["bad", "quiet", "quieter"]


def test_the_list_of_named_files_and_of_an_empty_library(
    call: Any, home: Path, tmp_path: Path
) -> None:
    assert json.loads(call("list", home / "quiet.tuiapp", "--json")[1])[0]["name"] == "quiet"
    (tmp_path / "empty").mkdir()
    assert call("list", tmp_path / "empty") == (0, "no recordings\n", "")
    assert json.loads(call("list", tmp_path / "empty", "--json")[1]) == []


def test_words_of_a_file_cannot_steer_the_terminal(call: Any, home: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jevil\u202e\n\r"
    attrs = {"model": {"name": evil}, "host": {"hostname": evil}, "note": evil, "session": evil}
    path = home / "evil.tuiapp"
    gap = Frame(Kind.GAP, 1, 2, attrs={"frames": 1, "reason": evil})
    rewrite([*frames(Load(duration_s=1.0)), Frame(Kind.META, 1, 1, attrs=attrs), gap], path)
    damage(path)
    for words in (["list"], ["show", "evil"], ["verify", "evil"], ["recover", "evil"]):
        _, out, err = call(*words)
        assert "\x1b" not in out + err, words
        assert "\u202e" not in out + err, words
        assert "evil" in out + err, words


def test_rename_and_annotate(call: Any, home: Path) -> None:
    code, out, _ = call("rename", "quieter", "calm", "--json")
    assert code == 0
    assert json.loads(out)["file"] == str(home / "calm.tuiapp")
    assert call("annotate", "calm", "a note")[0] == 0
    assert call("annotate", "calm", "a moment", "--at", "0:06")[:2] == (
        0, "marked 0:06.0 in calm.tuiapp\n",
    )  # fmt: skip
    shown = call("show", "calm")[1]
    assert "\nabout      a note\n" in shown
    assert "\nmark       0:06.0  a moment\n" in shown
    session = load(home / "calm.tuiapp")
    assert session.meta["note"] == "a note"
    assert [(mark.t_ns, mark.text) for mark in session.marks] == [(6 * NS, "a moment")]


def test_rm_removes_what_is_named_and_nothing_that_is_recorded(call: Any, home: Path) -> None:
    writer = SessionWriter(home / "now.tuiapp")
    try:
        code, out, err = call("rm", "now", "quiet", "--yes", "--json")
    finally:
        writer.close()
    assert code == 1
    assert "is being recorded" in err
    assert json.loads(out) == {"removed": [str(home / "quiet.tuiapp")]}
    assert {path.stem for path in home.iterdir()} == {"now", "quieter"}


@pytest.mark.parametrize(("answer", "left"), [("y\n", 1), ("n\n", 2), ("", 2)])
def test_rm_asks_on_a_terminal(
    call: Any, home: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    asked = io.StringIO(answer)
    monkeypatch.setattr(asked, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", asked)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    code, _, err = call("rm", "quieter")
    assert "Remove it for good? [y/N]" in err
    assert code == (0 if left == 1 else 1)
    assert len(list(home.iterdir())) == left


# -- verify, recover -----------------------------------------------------------------------


def test_verify_names_the_damage_and_returns_three(call: Any, home: Path) -> None:
    assert call("verify", "quieter")[0] == 0
    damage(home / "quieter.tuiapp")
    code, out, _ = call("verify", "quieter")
    assert code == 3
    assert re.search(r"lost +TOKENS between .* 1 block.*checksum", out)
    assert "user names: agathe" in out
    found = json.loads(call("verify", "quieter", "--json")[1])
    assert (found["whole"], found["missing_blocks"], found["index"]) == (False, 1, True)
    assert found["lost"][0]["what"] == "TOKENS"


def test_recover_returns_zero_three_and_one(call: Any, home: Path) -> None:
    code, out, _ = call("recover", "quieter")
    assert (code, "whole" in out) == (0, True)
    assert call("verify", "quieter-recovered")[0] == 0
    damage(home / "quieter.tuiapp")
    code, out, _ = call("recover", "quieter.tuiapp", "-o", "saved.tuiapp", "--json")
    assert code == 3
    assert json.loads(out)["lost"][0]["what"] == "TOKENS"
    assert call("verify", "saved.tuiapp")[0] == 0
    told = json.loads(call("show", "saved.tuiapp", "--json")[1])
    assert told["caveats"][-1].startswith("1 block was lost")
    (home / "quieter.tuiapp").write_bytes((home / "quieter.tuiapp").read_bytes()[:20])
    assert call("recover", "quieter.tuiapp", "-o", "none.tuiapp")[0] == 1


def test_show_of_a_damaged_file_says_so_beside_the_numbers(call: Any, home: Path) -> None:
    damage(home / "quieter.tuiapp")
    code, out, err = call("show", "quieter", "--json")
    assert code == 0
    assert "is damaged" in err
    assert any(said.startswith("1 block was") for said in json.loads(out)["caveats"])


# -- cut, merge, redact --------------------------------------------------------------------


def test_cut_merge_and_show(call: Any, home: Path) -> None:
    whole = json.loads(call("show", "quieter", "--json")[1])
    assert call("cut", "quieter", "--to", "0:07", "-o", "a.tuiapp")[0] == 0
    code, out, _ = call("cut", "quieter", "--from", "7s", "-o", "b.tuiapp", "--json")
    assert code == 0
    assert json.loads(out)["from_s"] == 7.0
    code, out, _ = call("merge", "b.tuiapp", "a.tuiapp", "-o", "c.tuiapp", "--json")
    assert code == 0
    assert json.loads(out)["whole_run"] is True
    assert json.loads(call("show", "c.tuiapp", "--json")[1]) == whole
    (entry,) = json.loads(call("list", "b.tuiapp", "--json")[1])
    assert 0 < entry["duration_s"] < load(home / "quieter.tuiapp").end_ns / NS - 6.9


def test_a_merge_with_a_hole_says_so(call: Any, home: Path) -> None:
    assert call("cut", "quieter", "--from", "0", "--to", "6", "-o", "a.tuiapp")[0] == 0
    assert call("cut", "quieter", "--from", "7", "--to", "100%", "-o", "c.tuiapp")[0] == 0
    code, out, _ = call("merge", "a.tuiapp", "c.tuiapp", "-o", "d.tuiapp", "--json")
    told = json.loads(out)
    assert (code, told["whole_run"], told["missing_s"]) == (0, False, 1.0)
    assert "without 1.0 s" in call("merge", "a.tuiapp", "c.tuiapp", "-o", "e.tuiapp")[1]


def test_redact_says_what_it_took_out(call: Any, home: Path) -> None:
    code, out, _ = call("redact", "quieter", "-o", "copy.tuiapp")
    assert code == 0
    assert "host name (1), user names (1)" in out
    code, out, _ = call("verify", "copy.tuiapp")
    assert code == 0
    assert "nothing was found" in out
