"""CPUID values that somebody wrote down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuiapp.errors import Unavailable
from tuiapp.machine.cpuid_record import RecordedCpuid, open_record
from tuiapp.machine.sources.cpuid import signature


def test_leaves_are_read_by_leaf_and_subleaf() -> None:
    cpuid = RecordedCpuid({"leaves": {"0000000d.1": ["1", "0x2", "ffffffff", "0"]}})
    assert cpuid.read(0xD, 1) == (1, 2, 0xFFFFFFFF, 0)
    assert cpuid.read(0xD) is None


def test_a_signature_alone_stands_for_its_leaf() -> None:
    registers = RecordedCpuid({"signature": "bhyve bhyve "}).read(0x40000000)
    assert registers is not None
    assert signature(registers) == "bhyve bhyve"
    assert RecordedCpuid({"signature": ""}).read(0x40000000) is None


def test_a_register_may_be_missing_from_a_hypervisors_leaf_only() -> None:
    partial = ["0000ae7f", "003b8030", None, "20bed7b2"]
    cpuid = RecordedCpuid({"leaves": {"40000003.0": partial, "00000001.0": partial}})
    assert cpuid.read(0x40000003) == (0xAE7F, 0x3B8030, 0, 0x20BED7B2)
    assert cpuid.read(1) is None
    missing = RecordedCpuid({"leaves": {"40000003.0": ["1", None, "1", "1"]}})
    assert missing.read(0x40000003) is None


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {"leaves": []},
        {"leaves": {"x": ["0"] * 4, "1.0": "0000", "2.0": ["0"] * 3, "3.0": [1.5] * 4}},
        {"leaves": {"1.0": ["123456789"] * 4, "4.0": ["-1"] * 4}, "signature": 5},
    ],
)
def test_what_is_no_leaf_is_left_out(record: Any) -> None:
    cpuid = RecordedCpuid(record)
    assert [cpuid.read(leaf) for leaf in (0, 1, 2, 3, 4, 0x40000000)] == [None] * 6


def test_a_record_is_opened_or_refused(tmp_path: Path) -> None:
    place = tmp_path / "cpuid.json"
    assert open_record(place) is None
    place.write_text(json.dumps({"signature": "TCGTCGTCGTCG"}))
    assert open_record(place) is not None
    for text, why in [("[" * 100_000, "no JSON"), ("\xff", "no JSON"), ("[]", "no object")]:
        place.write_text(text, encoding="latin-1")
        with pytest.raises(Unavailable, match=why):
            open_record(place)
    with place.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Unavailable, match="larger"):
        open_record(place)
    place.unlink()
    place.symlink_to("/dev/zero")
    with pytest.raises(Unavailable, match="no regular file"):
        open_record(place)
