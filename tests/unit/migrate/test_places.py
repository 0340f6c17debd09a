"""Places are read as people write them, and mean the same from any folder."""

from pathlib import Path

import pytest

from ops.migrate.errors import PlaceError
from ops.migrate.places import OWN_SETTINGS, Place, PlaceKind, parse_place


def test_an_installation_is_this_one_or_that_of_a_file() -> None:
    assert parse_place("settings") == Place(PlaceKind.SETTINGS, OWN_SETTINGS)
    other = parse_place("settings:old.env")
    assert other.path == Path("old.env")
    assert (parse_place("settings").has_own_settings, other.has_own_settings) == (False, True)


@pytest.mark.parametrize(
    "text", ["", "settings:", "folder", "folder:", "archive", "s3:x", "old.env"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(PlaceError, match="settings:FILE"):
        parse_place(text)


def test_a_place_is_told_as_it_was_written_wherever_it_is_read() -> None:
    for text in ("settings:old.env", "folder:rag_storage", "settings"):
        assert str(parse_place(text).resolved()) == text
    assert parse_place("archive:a").resolved().path == Path.cwd() / "a"
    assert parse_place("folder:.").resolved().path == Path.cwd()
