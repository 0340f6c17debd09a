"""The settings of another installation come from its file, and from nothing of this process."""

from pathlib import Path

import pytest

from ops.migrate.other_settings import settings_of
from ops.migrate.places import parse_place
from shared.errors import SettingsError


def written(folder: Path, *lines: str) -> str:
    path = folder / "old.env"
    path.write_text("\n".join(lines))
    return f"settings:{path}"


def test_this_process_s_environment_has_no_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("POSTGRES_HOST", "POSTGRES_PASSWORD", "LLM_API_KEY"):
        monkeypatch.setenv(name, "of this process")
    place = written(tmp_path, "USE_EXTERNAL_STORAGE=true", "POSTGRES_HOST=of.the.file")
    settings = settings_of(parse_place(place))

    assert settings.postgres.host == "of.the.file"
    assert settings.secrets() == frozenset()


def test_a_relative_folder_begins_where_the_file_lies(tmp_path: Path) -> None:
    place = written(tmp_path, "USE_EXTERNAL_STORAGE=false", "DATA_DIR=data")
    assert settings_of(parse_place(place)).storage.data_dir == tmp_path / "data"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["no settings at all"], "must say USE_EXTERNAL_STORAGE"),
        (["USE_EXTERNAL_STORAGE=true", "REDIS_PORT=many"], "REDIS_PORT is not usable"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, lines: list[str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as refused:
        settings_of(parse_place(written(tmp_path, *lines)))
    assert str(tmp_path / "old.env") in refused.value.detail


@pytest.mark.parametrize("name", ["missing.env", ""])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        settings_of(parse_place(f"settings:{tmp_path / name}"))
