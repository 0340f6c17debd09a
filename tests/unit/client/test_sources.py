"""Which files the arguments of `ragfleet insert` mean."""

from pathlib import Path

import pytest

from ops.client.sources import NoSuchSourceError, find_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.txt", "a.md", "deep/c.pdf", ".git/config", "deep/.hidden", "三国.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_means_every_visible_file_below_it(folder: Path) -> None:
    names = [str(path.relative_to(folder)) for path in find_files([str(folder)])]
    assert names == ["a.md", "b.txt", "deep/c.pdf", "三国.txt"]


@pytest.mark.usefixtures("folder")
def test_a_quoted_glob_means_what_it_matches() -> None:
    assert [str(path) for path in find_files(["**/*.txt", "*.md"])] == ["b.txt", "三国.txt", "a.md"]


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_named_twice_is_taken_once() -> None:
    assert [str(path) for path in find_files(["b.txt", "*.txt"])] == ["b.txt", "三国.txt"]


@pytest.mark.usefixtures("folder")
def test_a_hidden_file_is_taken_when_it_is_named() -> None:
    assert find_files(["deep/.hidden"]) == [Path("deep/.hidden")]


def test_a_file_whose_name_looks_like_a_glob_is_found(folder: Path) -> None:
    (folder / "a[1].txt").write_text("text")
    assert find_files(["a[1].txt"]) == [Path("a[1].txt")]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("argument", ["nothing.txt", "*.docx"])
def test_an_argument_that_means_nothing_is_refused(argument: str) -> None:
    with pytest.raises(NoSuchSourceError, match="no such file"):
        find_files(["b.txt", argument])
