import os
from pathlib import Path

import pytest

from ops.local.accounts import Account, first_closed

STRANGER = Account(name="stranger", uid=4_000_000, gid=4_000_000)


@pytest.fixture
def tree(open_folder: Path) -> Path:
    home = open_folder / "home"
    home.mkdir(mode=0o755)
    (home / "file").touch(mode=0o644)
    return home


def test_an_open_path_is_reachable(tree: Path) -> None:
    assert first_closed(tree / "file", STRANGER) is None


def test_the_closed_folder_is_named_even_through_a_link(tree: Path, tmp_path: Path) -> None:
    tree.chmod(0o700)
    link = tree.parent / "link"
    link.symlink_to(tree)
    assert first_closed(link / "file", STRANGER) == tree.resolve()


def test_a_folder_need_not_be_listable_but_a_file_readable(tree: Path) -> None:
    tree.chmod(0o711)
    assert first_closed(tree / "file", STRANGER) is None
    (tree / "file").chmod(0o600)
    assert first_closed(tree / "file", STRANGER) == (tree / "file").resolve()


def test_the_owners_and_the_groups_own_bits_count(tree: Path) -> None:
    owner = Account(name="owner", uid=os.getuid(), gid=4_000_000)
    group = Account(name="group", uid=4_000_000, gid=tree.stat().st_gid)
    tree.chmod(0o701)
    assert first_closed(tree, owner) is None
    assert first_closed(tree, group) == tree.resolve()
    tree.chmod(0o710)
    assert first_closed(tree, group) is None
