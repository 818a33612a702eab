"""Reading files of a tree that may come from anybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.doubles.machines import build
from tuiapp.errors import Unavailable
from tuiapp.machine.tree import MOST_BYTES, MOST_NAMES, Tree


def _why(tree: Tree, path: str) -> str:
    with pytest.raises(Unavailable) as caught:
        tree.bytes(path)
    return caught.value.message


def test_text_comes_without_white_space_and_nuls(tmp_path: Path) -> None:
    tree = build(tmp_path, {"/a/b": b" \n one\0two\n\0"})
    assert tree.text("/a/b") == "one\0two"
    assert tree.exists("/a/b")
    assert not tree.exists("/a/c")
    assert tree.names("/a") == ["b"]


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    assert build(tmp_path, {"/a": b"\xff\xfe\x00x"}).text("/a").endswith("x")


def test_a_huge_file_is_read_up_to_the_bound(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    assert len(Tree(tmp_path).bytes("/huge")) == MOST_BYTES


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/etc/passwd", "/link"),
        ("../../../../../../../../etc/passwd", "/link"),
        ("/etc", "/link/passwd"),
        ("../../../../../../../..", "/link/etc/passwd"),
    ],
)
def test_no_link_leads_out_of_a_recorded_tree(tmp_path: Path, target: str, path: str) -> None:
    (tmp_path / "link").symlink_to(target)
    assert _why(Tree(tmp_path), path) == "does not exist"


def test_dots_lead_no_higher_than_the_root(tmp_path: Path) -> None:
    root = tmp_path / "deeper"
    (tmp_path / "secret").write_text("x")
    assert _why(build(root, {"/a": "1"}), "/../../secret") == "does not exist"
    assert Tree(root).text("/../a") == "1"


def test_links_are_followed_inside_the_tree(tmp_path: Path) -> None:
    tree = build(tmp_path, {"/data/file": "inside"})
    (tmp_path / "absolute").symlink_to("/data")
    (tmp_path / "data" / "relative").symlink_to("../data/file")
    assert tree.text("/absolute/file") == "inside"
    assert tree.text("/absolute/relative") == "inside"
    assert tree.link("/data/relative") == "../data/file"


def test_links_in_a_loop_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "growing").symlink_to("growing/growing/growing")
    assert _why(Tree(tmp_path), "/a") == "links in a loop"
    assert _why(Tree(tmp_path), "/growing") == "links in a loop"
    assert not Tree(tmp_path).exists("/a")


def test_a_recorded_link_stands_in_a_text_file(tmp_path: Path) -> None:
    tree = build(tmp_path, {"/proc/self/ns/pid.readlink": "pid:[4026531836]\n"})
    assert tree.link("/proc/self/ns/pid") == "pid:[4026531836]"
    with pytest.raises(Unavailable, match="does not exist"):
        tree.link("/proc/self/ns/user")


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    tree = Tree(tmp_path)
    assert _why(tree, "/fifo") == "is no regular file"
    assert _why(tree, "/folder") == "is a directory"
    assert tree.exists("/fifo")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_closed_file_says_so(tmp_path: Path) -> None:
    tree = build(tmp_path, {"/a": "1"})
    (tmp_path / "a").chmod(0)
    assert _why(tree, "/a") == "permission denied"


def test_odd_names_are_answers_not_errors(tmp_path: Path) -> None:
    tree = build(tmp_path, {"/a": "1"})
    assert _why(tree, "/a\0b") == "has an impossible name"
    assert _why(tree, "/" + "x" * 5000) == "has too long a name"
    assert _why(tree, "/a/b") == "does not exist"
    assert _why(tree, "/d" * 100_000) in ("does not exist", "has too long a name")


def test_a_crowded_directory_is_cut(tmp_path: Path) -> None:
    for number in range(MOST_NAMES + 20):
        (tmp_path / str(number)).touch()
    assert len(Tree(tmp_path).names("/")) == MOST_NAMES


def test_the_output_of_programs_lies_beside_a_root_only(tmp_path: Path) -> None:
    (tmp_path / "lscpu.txt").write_text("Vendor ID: x")
    assert build(tmp_path / "root", {}).output("lscpu.txt") == "Vendor ID: x"
    for tree in (build(tmp_path / "other", {}), Tree("/")):
        with pytest.raises(Unavailable, match="no output"):
            tree.output("lscpu.txt")


def test_no_link_beside_a_root_is_followed(tmp_path: Path) -> None:
    (tmp_path / "lscpu.txt").symlink_to("/etc/passwd")
    tree = build(tmp_path / "root", {})
    with pytest.raises(Unavailable, match="no regular file"):
        tree.output("lscpu.txt")
    with pytest.raises(Unavailable, match="impossible"):
        tree.output("../lscpu.txt")
