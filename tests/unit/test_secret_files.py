"""Passwords and keys may stand in files of their own, named by NAME_FILE."""

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import Settings, load_settings, load_settings_of_another


@pytest.fixture(autouse=True)
def _nothing_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POSTGRES_PASSWORD", "LLM_API_KEY", "EMBEDDING_API_KEY", "ARK_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def password(settings: Settings) -> str:
    return settings.postgres.password.get_secret_value()


def test_a_password_comes_from_the_file_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(written(tmp_path / "kept", "s3cret")))
    assert password(load_settings(None)) == "s3cret"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n"])
def test_line_breaks_at_the_end_are_no_part_of_it_but_spaces_are(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(written(tmp_path / "kept", f" a b {ending}")))
    assert password(load_settings(None)) == " a b "


def test_a_path_in_a_file_of_settings_is_beside_that_file(tmp_path: Path) -> None:
    written(tmp_path / "secrets" / "postgres", "s3cret\n")
    env = written(tmp_path / ".env", "POSTGRES_PASSWORD_FILE=secrets/postgres\n")
    assert password(load_settings(env)) == "s3cret"


def test_the_variable_itself_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(written(tmp_path / "kept", "from the file")))
    monkeypatch.setenv("POSTGRES_PASSWORD", "from the variable")
    assert password(load_settings(None)) == "from the variable"


def test_a_file_that_the_environment_names_wins_over_the_file_of_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = written(tmp_path / ".env", "POSTGRES_PASSWORD=from the settings\n")
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(written(tmp_path / "kept", "from the file")))
    assert password(load_settings(env)) == "from the file"


def test_a_key_with_two_names_may_be_in_a_file_of_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARK_API_KEY_FILE", str(written(tmp_path / "ark", "ark-1\n")))
    monkeypatch.setenv("LLM_API_KEY_FILE", str(written(tmp_path / "llm", "llm-1\n")))
    settings = load_settings(None)
    assert settings.llm.api_key.get_secret_value() == "llm-1"
    assert settings.embedding.api_key.get_secret_value() == "ark-1"


def test_an_empty_file_is_as_good_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_API_KEY_FILE", str(written(tmp_path / "llm", "\n")))
    monkeypatch.setenv("ARK_API_KEY", "ark-1")
    assert load_settings(None).llm.api_key.get_secret_value() == "ark-1"


def test_a_file_that_is_missing_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(tmp_path / "nothing"))
    with pytest.raises(SettingsError) as caught:
        load_settings(None)
    assert caught.value.detail == (
        f"POSTGRES_PASSWORD_FILE names {tmp_path / 'nothing'}, which cannot be read: "
        "No such file or directory."
    )


def test_what_is_in_the_file_is_among_the_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(written(tmp_path / "kept", "s3cret")))
    assert "s3cret" in load_settings(None).secrets()


def test_the_settings_of_another_installation_name_their_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD_FILE", str(written(tmp_path / "mine", "mine")))
    written(tmp_path / "secrets" / "postgres", "theirs")
    env = written(
        tmp_path / "their.env",
        "USE_EXTERNAL_STORAGE=true\nPOSTGRES_PASSWORD_FILE=secrets/postgres\n",
    )
    assert password(load_settings_of_another(env)) == "theirs"
