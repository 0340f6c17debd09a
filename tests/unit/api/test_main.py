"""Starting the API process with settings that cannot work."""

from pathlib import Path

import pytest

from api.main import main


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("USE_EXTERNAL_STORAGE", "false", "USE_EXTERNAL_STORAGE is not true"),
        ("API_PORT", "70000", "API_PORT is not usable"),
        ("SWEEP_INTERVAL_S", "inf", "SWEEP_INTERVAL_S is not usable"),
        ("BROKER_URL", "amqp://:secret@host", "BROKER_URL must begin with redis://"),
        ("API_HOST", "0.0.0.0", "API_HOST=0.0.0.0 is reachable by others; set API_KEY"),  # noqa: S104 - that it is refused is the point
    ],
)
def test_a_setting_that_cannot_work_ends_the_process_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as refused:
        main()
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_an_env_file_that_is_no_text_ends_the_process_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_bytes(b"\xff\xfeA")
    with pytest.raises(SystemExit, match="not text in UTF-8"):
        main()
