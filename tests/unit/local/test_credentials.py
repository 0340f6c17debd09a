import json
from pathlib import Path

from ops.local.credentials import load_credentials


def test_credentials_are_made_once_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = load_credentials(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_credentials(path) == first
    assert len(first.secrets()) == 4
    assert not [secret for secret in first.secrets() if secret in repr(first)]


def test_a_missing_credential_is_added_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"postgres_password": "kept", "neo4j_password": "kept too"}))
    loaded = load_credentials(path)
    assert loaded.postgres_password == "kept"
    assert {"kept", "kept too", loaded.valkey_password} < loaded.secrets()
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_credentials(path) == loaded


def test_what_a_crash_left_half_written_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.json.unfinished").write_text("{")
    assert load_credentials(tmp_path / "secrets.json") == load_credentials(
        tmp_path / "secrets.json"
    )
