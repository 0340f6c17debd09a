"""`ragfleet init-env`: random passwords that only their owner can reach; nothing is overwritten."""

import re
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.init_env import AlreadyThereError, write_env
from shared.settings import load_settings


def run(folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["init-env", "--folder", str(folder)])
    return result.exit_code, result.output


def test_it_makes_settings_and_passwords_and_says_what_comes_next(tmp_path: Path) -> None:
    code, said = run(tmp_path)
    assert code == 0
    assert "docker compose up -d" in said
    secrets = tmp_path / "secrets"
    kept = {path.name: path.read_text().strip() for path in secrets.iterdir()}
    assert all(secret not in said for secret in filter(None, kept.values()))
    assert kept["neo4j_auth"] == f"neo4j/{kept['neo4j_password']}"
    assert kept["llm_api_key"] == kept["embedding_api_key"] == ""


def test_only_their_owner_can_reach_them(tmp_path: Path) -> None:
    write_env(tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_the_containers_users_can_read_each_file(tmp_path: Path) -> None:
    write_env(tmp_path)
    for path in (tmp_path / "secrets").iterdir():
        assert path.stat().st_mode & stat.S_IROTH, path


def test_no_two_passwords_are_alike_and_each_is_long(tmp_path: Path) -> None:
    write_env(tmp_path)
    names = [
        "api_key",
        *(f"{of}_password" for of in ("redis", "postgres", "neo4j", "flower", "grafana")),
    ]
    made = [(tmp_path / "secrets" / name).read_text().strip() for name in names]
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"[\w-]{32}", one) for one in made)


def test_our_settings_read_what_it_wrote(tmp_path: Path) -> None:
    write_env(tmp_path, password=lambda: "p")
    settings = load_settings(tmp_path / ".env")
    assert settings.postgres.password.get_secret_value() == "p"
    assert settings.asked_key == "p"


def test_what_a_full_disk_left_half_made_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("ops.init_env.ENV_NAME", "not-there/.env")
        with pytest.raises(OSError, match="not-there"):
            write_env(tmp_path)
    assert not (tmp_path / "secrets").exists()
    write_env(tmp_path)
    assert load_settings(tmp_path / ".env").asked_key
    assert {path.name for path in tmp_path.iterdir()} == {".env", "secrets"}


@pytest.mark.parametrize("there", [".env", "secrets"])
def test_nothing_is_overwritten(there: str, tmp_path: Path) -> None:
    (tmp_path / there).touch()
    with pytest.raises(AlreadyThereError, match="nothing was changed"):
        write_env(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [there]
    code, said = run(tmp_path)
    assert code == 2
    assert there in said
