"""A copy for others: secrets are planted everywhere, and none of them is in the copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles.synthetic import NS, Load, frames
from tuiapp.events import Frame, Kind, facts_frame, log_frame, mark_frame
from tuiapp.exports.summary import summary
from tuiapp.session import identity
from tuiapp.session.edit import redact, rewrite
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import OVERHEAD, _decompress
from tuiapp.session.reader import load, read_frames
from tuiapp.session.verify import verify
from tuiapp.session.view import View

MODEL = "/home/agathe/models/secretfolder/Llama-8B"
SECRETS = (
    "kronos", "agathe", "bertrand", "secretfolder", "jinjafile", "tokdir", "notetext", "marktext",
    "cachedir", "10.20.30.40", "sessionname", "corp.example", "scratchdir",
)  # fmt: skip
META: dict[str, Any] = {
    "session": "/home/agathe/runs/sessionname.tuiapp",
    "note": "notetext of agathe",
    "host": {"hostname": "kronos-07", "kernel": "6.1.0", "os": "Debian", "gpus": [{"index": 0}]},
    "model": {"name": MODEL, "architecture": "LlamaForCausalLM"},
    "engine": {
        "name": "vLLM",
        "args": [
            "--chat-template", "./jinjafile.jinja", "--tokenizer=/data/tokdir/x", "--dtype", "auto",
            "--served-model-name", "kronos-07-llama",
        ],
    },
    "workload": {"name": "chat", "rate": 6.0},
    "odd": {"kronos-07": ["~bertrand/x", {"user": "bertrand"}]},
    "cut": {"from_ns": -1, "to_ns": 99 * NS, "end_ns": 99 * NS, "file": "sessionname.tuiapp"},
}  # fmt: skip
LOG = (
    f"Loading weights from {MODEL}/model.safetensors",
    "agathe@kronos-07.corp.example started it; AGATHE is listed",
    "config: cache='/mnt/cachedir/hub', init tcp://10.20.30.40:4711, cwd=file:///scratchdir/a",
    "kronos-07",
    "bertrand",
    "reading /proc/cpuinfo and /usr/lib/python3.11/json/decoder.py took 3/4 s at 12.5 tok/s",
)


def planted() -> list[Frame]:
    facts = {
        "engine.info": {"model": {"name": MODEL}, "engine": {"cache": "/mnt/cachedir/hub"}},
        "probe.unavailable": {"probe": "nvml", "reason": "kronos-07: no /proc/driver/nvidia"},
        "engine.phase": {"phase": "ready"},
        "odd.kronos-07": "plain words of agathe in /home/agathe/x, no JSON",
    }
    return [
        Frame(Kind.META, 0, 0, attrs=META),
        *(log_frame(NS * at, "engine", "info", text) for at, text in enumerate(LOG)),
        *(
            facts_frame(NS, name, value if isinstance(value, str) else json.dumps(value))
            for name, value in facts.items()
        ),
        mark_frame(7 * NS, "marktext by agathe"),
        Frame(Kind.GAP, NS, NS, attrs={"frames": 1, "reason": "no room on /home/agathe"}),
        Frame(77, NS, NS, {"text": np.zeros(1)}, {"told": ["by kronos-07", b"agathe"[:0]]}),
    ]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "run.tuiapp"
    rewrite([*frames(Load(duration_s=4.0)), *planted()], path)
    return path


def bodies(path: Path) -> bytes:
    """Everything in the file, decompressed."""
    with SessionFile(path) as file:
        found = [file.index.block(row) for row in range(len(file.index))]
        raws = [file.raw(block.offset, block.length) for block in found]
    sizes = [int.from_bytes(raw[OVERHEAD - 4 : OVERHEAD], "big") for raw in raws]
    inside = [_decompress(raw[OVERHEAD:], 1, size) for raw, size in zip(raws, sizes, strict=True)]
    return path.read_bytes() + b"".join(inside)


def test_every_secret_is_in_the_original_and_none_in_the_copy(
    recording: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy.tuiapp"
    redact(recording, target)
    before, after = bodies(recording).lower(), bodies(target).lower()
    for secret in SECRETS:
        assert secret.encode() in before, secret
        assert secret.encode() not in after, secret


def test_verify_names_what_is_identifying_and_nothing_in_the_copy(
    recording: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy.tuiapp"
    found = redact(recording, target).identifying
    assert found == verify(recording).identifying
    assert found[identity.HOST] == ["kronos-07", "made-up"]
    assert found[identity.USER] == ["agathe", "bertrand"]
    assert found[identity.NOTE] == ["notetext of agathe"]
    assert found[identity.MARK] == ["marktext by agathe"]
    assert found[identity.SESSION] == [META["session"]]
    assert found[identity.ARGS] == ["--tokenizer=/data/tokdir/x", "./jinjafile.jinja"]
    assert {MODEL, "/mnt/cachedir/hub", "file:///scratchdir/a"} <= set(found[identity.PATH])
    assert not any("/proc" in path or "/usr/lib" in path for path in found[identity.PATH])
    again = verify(target)
    assert again.identifying == {}
    assert again.whole


def test_every_number_and_moment_stays(recording: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.tuiapp"
    redact(recording, target)
    before, after = load(recording), load(target)
    one, other = (summary(View(s, s.end_ns)) for s in (before, after))
    for words in ("host", "model", "engine", "session"):
        one.pop(words)
        other.pop(words)
    assert one == other
    assert [(m.t_ns, m.text) for m in after.marks] == [(7 * NS, "")]
    assert [line.t_ns for line in after.log] == [line.t_ns for line in before.log]
    assert [(f.t_ns, f.name) for f in after.facts if f.name.count("engine")] == [
        (f.t_ns, f.name) for f in before.facts if f.name.count("engine")
    ]
    for a, b in zip(before.ring.held(), after.ring.held(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_the_copy_still_says(recording: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.tuiapp"
    redact(recording, target)
    session = load(target)
    assert session.meta["model"] == {"name": "Llama-8B", "architecture": "LlamaForCausalLM"}
    assert session.meta["host"]["hostname"] == "redacted"
    assert session.meta["host"]["kernel"] == "6.1.0"
    assert session.meta["engine"]["args"][3:5] == ["--dtype", "auto"]
    assert session.meta["session"] == ""
    assert "note" not in session.meta
    texts = [line.text for line in session.log]
    assert texts[0] == "Loading weights from Llama-8B/model.safetensors"
    assert texts[-1] == LOG[-1]  # paths of the operating system and fractions stay
    kinds = [frame.kind for frame in read_frames(target)]
    assert 77 in kinds


def test_further_words_can_be_masked(recording: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.tuiapp"
    redact(recording, target, ["decoder", "Debian"])
    assert b"decoder" not in bodies(target)
    assert load(target).meta["host"]["os"] == "<word>"


@pytest.mark.parametrize("name", ["engine", "model", "ready", "cpu", "host", "name"])
def test_a_host_called_like_a_key_leaves_the_keys(tmp_path: Path, name: str) -> None:
    path, target = tmp_path / "a.tuiapp", tmp_path / "b.tuiapp"
    host = Frame(Kind.META, 1, 1, attrs={"host": {"hostname": name}})
    rewrite([*frames(Load(duration_s=2.0)), host], path)
    redact(path, target)
    before, after = load(path), load(target)
    assert set(after.meta) == set(before.meta)
    assert set(after.samples) == set(before.samples)
    one, other = (View(s, s.end_ns) for s in (before, after))
    assert one.cold_start == other.cold_start
    assert one.health == other.health


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3/4 of 12 tok/s, and/or, Qwen/Qwen3-0.6B, https://example.com/a/b", []),
        ("see /home/u1/x and '/opt/acme/y'", ["/home/u1/x", "/opt/acme/y"]),
        ("-I/home/u1/include", ["/home/u1/include"]),
        ("PATH=/usr/bin/:/opt/acme/bin", ["/opt/acme/bin"]),
        ("~/models/x ../up/y ./here", ["~/models/x", "../up/y", "./here"]),
        ("""reads '/data/my own models/a b.gguf', "./x y/z".""",
         ["/data/my own models/a b.gguf", "./x y/z"]),
        ("it's 3/4, isn't it, of a/b", []),
    ],
)  # fmt: skip
def test_paths_in_a_text(text: str, found: list[str]) -> None:
    assert set(found) <= set(identity.paths(text))
    assert all(any(part in whole for whole in found) for part in identity.paths(text))
    masked = identity.mask_places(text, "<path>", "<address>")
    assert list(identity.paths(masked)) == []
    assert (masked == text) == (not found)
    assert masked.count("<path>") == len(found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "http://127.0.0.1:8000 on 0.0.0.0:80, driver 12.4.5.6, bios 92.00.45.00.06, 300.1.2.3",
            [],
        ),
        ("rpc 192.168.7.9:41 and tcp://10.1.2.3", ["192.168.7.9", "10.1.2.3"]),
        ("master 8.9.10.11:29500, node=10.20.30.40.", ["8.9.10.11", "10.20.30.40"]),
        ("[2001:db8::7]:80 and fe80::1%eth0", ["2001:db8::7", "fe80::1"]),
        ("at 12:34:56, ::1, std::add, a::b, core::, 0000:00:1e.0, 1:2", []),
        ("eth0 is 52:54:00:ab:cd:ef", ["52:54:00:ab:cd:ef"]),
    ],
)
def test_addresses_in_a_text(text: str, found: list[str]) -> None:
    assert list(identity.addresses(text)) == found
    masked = identity.mask_places(text, "<path>", "<address>")
    assert list(identity.addresses(masked)) == []
    assert masked.count("<address>") == len(found)


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("--data-parallel-address=10.20.30.40", "10.20.30.40"),
        ("8.9.10.11", "8.9.10.11"),
        ("--host=[2001:db8::7]", "[2001:db8::7]"),
        ("--host=127.0.0.1", ""),
        ("--rope-theta=1.5", ""),
        ("Qwen/Qwen3-0.6B", ""),
    ],
)
def test_an_argument_that_is_an_address(word: str, place: str) -> None:
    assert identity.argument_place(word) == place


def test_a_group_keeps_no_part_that_somebody_is_called(tmp_path: Path) -> None:
    gauges = {"t_ns": np.array([NS]), "rss_bytes": np.array([1.0], np.float32)}
    given = [
        Frame(Kind.META, 0, 0, attrs={"odd": {"user": "agathe"}}),
        *(Frame(Kind.SAMPLES, NS, NS, gauges, {"group": name})
          for name in ("process.agathe", "process.engine")),
    ]  # fmt: skip
    rewrite(given, tmp_path / "run.tuiapp")
    redact(tmp_path / "run.tuiapp", tmp_path / "copy.tuiapp")
    assert sorted(load(tmp_path / "copy.tuiapp").samples) == [
        "process.<user>", "process.engine",
    ]  # fmt: skip


def test_a_host_called_vm_spoils_no_word_of_what_it_is(tmp_path: Path) -> None:
    host = {"hostname": "vm", "virtualization": "VM · Firecracker", "os": "on vm",
            "machine": {"machine": "guest", "hypervisor": "firecracker"}}  # fmt: skip
    rewrite([Frame(Kind.META, 0, 0, attrs={"host": host})], tmp_path / "run.tuiapp")
    redact(tmp_path / "run.tuiapp", tmp_path / "copy.tuiapp")
    told = load(tmp_path / "copy.tuiapp").meta["host"]
    assert told["virtualization"] == "VM · Firecracker"
    assert (told["hostname"], told["os"]) == ("redacted", "on <host>")
    assert told["machine"] == host["machine"]
