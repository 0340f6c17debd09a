"""A wrong setting stops the process at its start, and one sentence names the variable."""

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings

MODELS = {
    f"{prefix}_{name}": value
    for prefix in ("LLM", "EMBEDDING")
    for name, value in {"PROVIDER": "openai", "MODEL": "m", "API_KEY": "sk-1"}.items()
}


@pytest.mark.parametrize("prefix", ["LLM", "EMBEDDING"])
@pytest.mark.parametrize("url", ["api.example.com/v1", "localhost:8080/v1", "ftp://example.com"])
def test_the_address_of_a_model_is_one_of_the_web(prefix: str, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, overrides=MODELS | {f"{prefix}_BASE_URL": url})
    assert caught.value.detail == (
        f"{prefix}_BASE_URL is not usable: it begins with neither http:// nor https://; "
        "correct it and start again."
    )


def test_a_key_from_a_file_may_end_with_a_line_break() -> None:
    settings = load_settings(None, overrides=MODELS | {"LLM_API_KEY": " sk-2\n"})
    assert settings.llm.api_key.get_secret_value() == "sk-2"
    assert settings.embedding.api_key.get_secret_value() == "sk-1"


def test_a_key_of_nothing_but_space_is_none() -> None:
    with pytest.raises(SettingsError, match="LLM_API_KEY is not set"):
        load_settings(None, overrides=MODELS | {"LLM_API_KEY": " \n"})
