"""Whether the API starts without a key, and whether it asks for one."""

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings

KEY = {"API_KEY": "k"}
OPEN = {"API_HOST": "0.0.0.0"}  # noqa: S104 - the point of these tests


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({}, ""),
        (KEY, "k"),
        (KEY | OPEN, "k"),
        (KEY | {"AUTH_MODE": "key"}, "k"),
        ({"AUTH_MODE": "none"}, ""),
        (OPEN | {"AUTH_MODE": "none"}, ""),
        (KEY | OPEN | {"AUTH_MODE": "none"}, ""),
    ],
)
def test_the_key_that_is_asked_for(variables: dict[str, str], asked: str) -> None:
    assert load_settings(None, overrides=variables).asked_key == asked


@pytest.mark.parametrize("variables", [OPEN, {"AUTH_MODE": "key"}, OPEN | {"AUTH_MODE": "key"}])
def test_without_a_key_it_does_not_start_where_one_is_needed(variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="API_KEY"):
        load_settings(None, overrides=variables)


def test_there_is_no_other_mode() -> None:
    with pytest.raises(SettingsError, match="AUTH_MODE is not usable"):
        load_settings(None, overrides={"AUTH_MODE": "off"})
