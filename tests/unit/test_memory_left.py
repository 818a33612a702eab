"""How much memory the limits over us leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuiapp.collectors.base import Host
from tuiapp.collectors.cgroup import memory_left_bytes

TWO = "30 24 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
ONE = "30 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"


@pytest.mark.parametrize(
    ("group", "mounts", "files", "left"),
    [
        ("0::/a\n", TWO, {"a/memory.max": "1000", "a/memory.current": "400"}, 600),
        ("0::/a\n", TWO, {"a/memory.max": "max", "a/memory.current": "400"}, None),
        ("0::/a\n", TWO, {"a/memory.max": "100", "a/memory.current": "400"}, 0),
        (
            "4:memory:/a\n",
            ONE,
            {"memory/a/memory.limit_in_bytes": "900", "memory/a/memory.usage_in_bytes": "100"},
            800,
        ),
    ],
)
def test_it_is_the_limit_less_what_is_used(
    tmp_path: Path, group: str, mounts: str, files: dict[str, str], left: int | None
) -> None:
    told = {"proc/self/cgroup": group, "proc/self/mountinfo": mounts}
    told |= {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in told.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_left_bytes(Host(str(tmp_path))) == left
