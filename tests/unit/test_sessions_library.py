"""The library: what it says of each file, found quickly again, and changes to files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.errors import SessionError, UsageError
from tuiapp.events import ENGINE_EXIT, Frame, Kind, facts_frame
from tuiapp.exports.summary import summary
from tuiapp.session import entry as entry_module
from tuiapp.session import library, summaries
from tuiapp.session.cut import cut
from tuiapp.session.edit import rewrite
from tuiapp.session.entry import Entry, summarize
from tuiapp.session.file import SessionFile
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.session.writer import SessionWriter

DAY_NS = 86_400 * NS
BEGAN_NS = 1_764_000_000 * NS


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache, in a folder of the test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "tuiapp" / "sessions.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three recordings, a file that is none, and one that no list shows."""
    record(tmp_path / "beta.tuiapp", 2, hostname="noisy-1", rate=3.0)
    record(tmp_path / "alpha.tuiapp", 1, hostname="quiet-1", virtualization="KVM guest")
    record(tmp_path / "alphabet.tuiapp", 3, model={"name": "Qwen/Qwen3-0.6B"})
    (tmp_path / "broken.tuiapp").write_bytes(b"no session")
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def record(path: Path, day: int, rate: float = 6.0, **host: Any) -> Path:
    model = host.pop("model", {"name": "made-up-llama"})
    attrs = {"created_ns": BEGAN_NS + day * DAY_NS, "host": host, "model": model}
    given = list(frames(Load(seed=day, duration_s=4.0, rate=rate)))
    rewrite([*given, Frame(Kind.META, 1, 1, attrs=attrs), the_end(given[-1].t1_ns)], path)
    return path


def the_end(t_ns: int) -> Frame:
    """The engine was ended, as planned."""
    return facts_frame(t_ns, ENGINE_EXIT, json.dumps({"code": 0, "expected": True}))


def names(found: list[Entry]) -> list[str]:
    return [entry.name for entry in found]


# -- what it says --------------------------------------------------------------------------


def test_an_entry_says_what_show_says(folder: Path) -> None:
    path = folder / "alpha.tuiapp"
    session = load(path)
    full = summary(View(session, session.end_ns))
    found = summarize(path)
    for metric in ("ttft", "tpot"):
        for name in ("p50", "p99"):
            assert getattr(found, f"{metric}_{name}_s") == full[f"{metric}_s"][name]
    assert found.requests == full["requests"]["sent"]
    assert (found.host, found.virtualization) == ("quiet-1", "KVM guest")
    assert (found.model, found.engine, found.load) == ("made-up-llama", "vLLM 0.0", "chat 6/s")
    assert (found.condition, found.whole, found.reason) == ("whole", True, "")
    assert found.created_ns == BEGAN_NS + DAY_NS
    assert found.duration_s == session.end_ns / NS
    assert found.size == path.stat().st_size


def test_entries_are_newest_first_and_an_unreadable_file_is_one_of_them(folder: Path) -> None:
    found = library.entries(folder)
    assert names(found) == ["broken", "alphabet", "beta", "alpha"]  # broken was made just now
    broken = found[0]
    assert (broken.condition, broken.whole) == ("unreadable", False)
    assert "is no tuiapp session" in broken.reason
    assert broken.ttft_p99_s is None


def test_a_folder_that_does_not_exist_has_no_entries(tmp_path: Path) -> None:
    assert library.entries(tmp_path / "none") == []


def test_a_file_that_vanishes_is_an_entry(tmp_path: Path) -> None:
    found = summarize(tmp_path / "gone.tuiapp")
    assert found.condition == "unreadable"
    assert "No such file" in found.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_entry(folder: Path) -> None:
    (folder / "alpha.tuiapp").chmod(0)
    assert "Permission denied" in summarize(folder / "alpha.tuiapp").reason


def test_damage_in_a_block_that_no_number_needs_is_seen(folder: Path) -> None:
    path = folder / "alpha.tuiapp"
    with SessionFile(path) as file:
        block = file.index.block(int(file.index.select([Kind.TOKENS])[0]))
    data = bytearray(path.read_bytes())
    data[block.end - 3] ^= 1
    path.write_bytes(data)
    assert summarize(path).condition == "damaged"
    path.write_bytes(path.read_bytes()[:-30])
    assert summarize(path).condition == "damaged"


def test_a_run_whose_end_was_not_recorded_is_told_from_one_that_ended(tmp_path: Path) -> None:
    path = tmp_path / "killed.tuiapp"
    rewrite(frames(Load(duration_s=2.0)), path)
    found = summarize(path)
    assert (found.condition, found.whole) == ("no end", True)
    assert found.reason == "The run's end is not in it: the program was killed."
    part = tmp_path / "part.tuiapp"
    cut(path, NS, 6 * NS, part)
    assert summarize(part).reason == "The run's end is not in it: it is a part of a recording."
    part.unlink()
    assert names(library.matching([found], "no end")) == ["killed"]
    imported = Frame(Kind.META, 1, 1, attrs={"imported": {"program": "GuideLLM"}})
    rewrite([*frames(Load(duration_s=2.0)), imported], tmp_path / "other.tuiapp")
    assert summarize(tmp_path / "other.tuiapp").condition == "whole", "there was no engine of ours"
    assert library.entries(tmp_path) == library.entries(tmp_path), "as read, and from the cache"


def test_a_torn_file_and_one_that_grows(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "now.tuiapp")
    growing = summarize(writer.path)
    assert (growing.condition, growing.whole) == ("recording", None)
    given = list(frames(Load(duration_s=2.0)))
    for frame in (*given, the_end(given[-1].t1_ns)):
        writer.put(frame)
    writer.close()
    assert summarize(writer.path).condition == "whole"
    with SessionFile(writer.path) as file:
        end = file.index.block(len(file.index) - 1).end
    writer.path.write_bytes(writer.path.read_bytes()[: end - 2])
    assert summarize(writer.path).condition == "torn"


@pytest.mark.parametrize(
    "attrs",
    [
        {"host": "x", "model": [1], "engine": 5, "workload": None, "created_ns": "soon"},
        {"created_ns": 1 << 62, "host": {"hostname": ["a"], "virtualization": {}}},
        {"model": {"name": "m" * 100_000}, "note": {"a": 1}, "cut": {"from_ns": "x"}},
        {"workload": {"rate": float("nan"), "name": 3, "concurrency": "y"}, "slo": 5},
    ],
)
def test_a_header_that_makes_no_sense_is_no_exception(tmp_path: Path, attrs: Any) -> None:
    path = tmp_path / "odd.tuiapp"
    rewrite([*frames(Load(duration_s=1.0)), Frame(Kind.META, 1, 1, attrs=attrs)], path)
    found = summarize(path)
    assert isinstance(found, Entry)
    assert len(found.model) <= 200


def test_the_hypervisor_flag_is_told_where_nothing_better_is_known(tmp_path: Path) -> None:
    flagged = record(tmp_path / "a.tuiapp", 1, cpuinfo_hypervisor=True)
    clear = record(tmp_path / "b.tuiapp", 1, cpuinfo_hypervisor=False)
    assert summarize(flagged).virtualization == "hypervisor"
    assert summarize(clear).virtualization == ""


# -- the cache -----------------------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read from now on."""
    found: list[str] = []

    def counted(path: Path) -> Entry:
        found.append(path.stem)
        return entry_module.summarize(path)

    monkeypatch.setattr(library, "summarize", counted)
    return found


def test_what_has_not_changed_is_not_read_again(folder: Path, reads: list[str]) -> None:
    first = library.entries(folder)
    assert sorted(reads) == ["alpha", "alphabet", "beta", "broken"]
    reads.clear()
    assert library.entries(folder) == first
    assert reads == []
    library.annotate(folder / "beta.tuiapp", "noted")
    assert [entry.note for entry in library.entries(folder) if entry.name == "beta"] == ["noted"]
    assert reads == ["beta"]


def test_a_file_that_grows_is_read_every_time(tmp_path: Path, reads: list[str]) -> None:
    writer = SessionWriter(tmp_path / "now.tuiapp")
    for _ in range(2):
        library.entries(tmp_path)
    writer.close()
    assert reads == ["now", "now"]


def test_a_removed_file_leaves_the_cache(folder: Path, cache: Path) -> None:
    library.entries(folder)
    (folder / "alpha.tuiapp").unlink()
    record(folder / "gamma.tuiapp", 5)
    library.entries(folder)
    kept = {Path(path).stem for path in json.loads(cache.read_text())["entries"]}
    assert kept == {"alphabet", "beta", "broken", "gamma"}


@pytest.mark.parametrize(
    "contents",
    [
        b"", b"\x00\xff", b"[]", b"{}", b'{"version": 1}', b"[" * 100_000,
        b'{"version": "VERSION", "entries": []}',
        b'{"version": "VERSION", "entries": {"PATH": 5}}',
        b'{"version": "VERSION", "entries": {"PATH": {"size": SIZE, "mtime_ns": TIME}}}',
        b'{"version": "VERSION", "entries": {"PATH": {"size": SIZE, "mtime_ns": TIME,'
        b' "name": "alpha", "condition": "splendid"}}}',
    ],
)  # fmt: skip
def test_a_hostile_cache_is_not_believed(folder: Path, cache: Path, contents: bytes) -> None:
    path = folder / "alpha.tuiapp"
    stat = path.stat()
    known = {"PATH": path, "SIZE": stat.st_size, "TIME": stat.st_mtime_ns}
    known["VERSION"] = summaries._VERSION
    for name, value in known.items():
        contents = contents.replace(name.encode(), str(value).encode())
    cache.parent.mkdir(parents=True)
    cache.write_bytes(contents)
    (found,) = library.entries_of([path])
    assert found == summarize(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ttft_p99_s", "fast"), ("ttft_p50_s", True), ("host", 5), ("model", "m" * 5_000),
        ("created_ns", 1.5), ("requests", []), ("note", None), ("name", "../../etc/passwd"),
    ],
)  # fmt: skip
def test_a_wrong_field_of_the_cache_is_not_believed(
    folder: Path, cache: Path, name: str, value: Any
) -> None:
    path = folder / "alpha.tuiapp"
    (right,) = library.entries_of([path])
    known = json.loads(cache.read_text())
    known["entries"][str(path)][name] = value
    cache.write_text(json.dumps(known))
    assert library.entries_of([path]) == [right]


def test_a_cache_that_cannot_be_written_costs_nothing_else(folder: Path, cache: Path) -> None:
    cache.parent.parent.mkdir(exist_ok=True)
    cache.parent.write_text("a file where the folder should be")
    assert len(library.entries(folder)) == 4


def test_a_cache_that_is_too_large_is_not_read(
    folder: Path, cache: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    library.entries(folder)
    reads.clear()
    monkeypatch.setattr(summaries, "_MOST_BYTES", 100)
    library.entries(folder)
    assert len(reads) == 4


# -- sort, filter, find --------------------------------------------------------------------


@pytest.mark.parametrize("key", sorted(library.SORT_KEYS))
def test_what_is_not_known_comes_last(folder: Path, key: str) -> None:
    name, rises = library.SORT_KEYS[key]
    found = library.sort(library.entries(folder), key)
    values = [getattr(entry, name) for entry in found]
    known = [value for value in values if value not in (None, "")]
    assert values[: len(known)] == known
    folded = [value.casefold() if isinstance(value, str) else value for value in known]
    assert folded == sorted(folded, reverse=not rises)


def test_sorting_by_nothing_known_is_wrong_usage(folder: Path) -> None:
    with pytest.raises(UsageError, match="colour"):
        library.sort([], "colour")


def test_filtering_looks_at_every_word_and_no_case(folder: Path) -> None:
    found = library.entries(folder)
    assert names(library.matching(found, "QWEN chat")) == ["alphabet"]
    assert names(library.matching(found, "kvm")) == ["alpha"]
    assert names(library.matching(found, "qwen kvm")) == []
    assert library.matching(found, " ") == found


def test_a_name_is_a_path_a_name_or_the_beginning_of_one(folder: Path) -> None:
    def find(text: str) -> str:
        return library.find(text, folder).name

    assert find(str(folder / "notes.txt")) == "notes.txt"
    assert find("alpha") == find("alpha.tuiapp") == "alpha.tuiapp"  # though alphabet begins so
    assert find("be") == "beta.tuiapp"
    assert find("alphab") == "alphabet.tuiapp"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("al", r"'al' may be any of 2 recordings: alpha, alphabet\."),
        ("", "no recording"), ("zeta", "no recording 'zeta'"), ("x/alpha", "no recording"),
        ("a" * 5_000, "no recording"), ("~nobody-like-this", "no recording"),
        ("/", "is a folder"),
    ],
)  # fmt: skip
def test_a_name_that_fits_none_or_several(folder: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        library.find(text, folder)


# -- changes -------------------------------------------------------------------------------


def test_renaming_keeps_folder_and_suffix(folder: Path) -> None:
    before = (folder / "beta.tuiapp").read_bytes()
    assert library.rename(folder / "beta.tuiapp", "quiet host") == folder / "quiet host.tuiapp"
    assert library.rename(folder / "quiet host.tuiapp", "b.tuiapp") == folder / "b.tuiapp"
    assert (folder / "b.tuiapp").read_bytes() == before
    assert not (folder / "beta.tuiapp").exists()


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", ".hidden", " x", "a\0b", "a\x1b[31mb", "a\tb", ".tuiapp"]
)
def test_what_is_no_name_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name"):
        library.rename(folder / "beta.tuiapp", name)


def test_renaming_never_overwrites(folder: Path) -> None:
    before = (folder / "alpha.tuiapp").read_bytes()
    with pytest.raises(UsageError, match=r"alpha\.tuiapp exists already"):
        library.rename(folder / "beta.tuiapp", "alpha")
    assert (folder / "alpha.tuiapp").read_bytes() == before
    assert (folder / "beta.tuiapp").exists()


def test_notes_and_marks_are_appended(folder: Path) -> None:
    path = folder / "beta.tuiapp"
    end_ns = load(path).end_ns
    library.annotate(path, "first")
    library.annotate(path, "second")
    library.mark(path, 5 * NS, "here")
    session = load(path)
    assert session.meta["note"] == "second"
    assert [(mark.t_ns, mark.text) for mark in session.marks] == [(5 * NS, "here")]
    assert session.end_ns == end_ns


def test_what_is_being_recorded_is_not_removed_renamed_or_annotated(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "now.tuiapp")
    path = writer.path
    try:
        for change in (
            lambda: library.delete(path),
            lambda: library.rename(path, "later"),
            lambda: library.annotate(path, "note"),
            lambda: library.mark(path, 0, "note"),
        ):
            with pytest.raises(SessionError, match="being recorded"):
                change()
        assert path.exists()
    finally:
        writer.close()
    library.delete(path)
    assert not path.exists()


def test_a_file_that_is_no_recording_is_not_removed(folder: Path) -> None:
    with pytest.raises(UsageError, match="is no recording, and stays"):
        library.delete(folder / "notes.txt")
    assert (folder / "notes.txt").exists()
    library.delete(folder / "broken.tuiapp")  # a recording once, by its name
    assert not (folder / "broken.tuiapp").exists()
