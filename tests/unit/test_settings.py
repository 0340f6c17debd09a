"""A wrong setting stops the process at its start, and one sentence names the variable."""

import pytest

from shared.errors import SettingsError
from shared.objects.factory import open_objects
from shared.objects.s3.store import S3ObjectStore
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


def test_uploads_in_s3_need_a_bucket() -> None:
    with pytest.raises(SettingsError, match="S3_BUCKET is not set"):
        load_settings(None, overrides={"OBJECT_STORE": "s3"})


@pytest.mark.parametrize("name", ["s3://uploads", "uploads/team", "Uploads", "ab"])
def test_a_bucket_is_a_name_and_nothing_else(name: str) -> None:
    with pytest.raises(SettingsError, match="S3_BUCKET is not usable"):
        load_settings(None, overrides={"S3_BUCKET": name})


@pytest.mark.parametrize("prefix", ["team", "team/", "/team/"])
def test_a_prefix_is_a_folder_however_it_is_written(prefix: str) -> None:
    assert load_settings(None, overrides={"S3_PREFIX": prefix}).s3.prefix == "team/"


@pytest.mark.parametrize(
    ("external", "folder"), [("true", "objects"), ("false", "files_mode_objects")]
)
def test_uploads_of_each_ledger_have_a_place_of_their_own(external: str, folder: str) -> None:
    overrides = {
        "OBJECT_STORE": "s3",
        "S3_BUCKET": "uploads",
        "S3_PREFIX": "team",
        "USE_EXTERNAL_STORAGE": external,
    }
    objects = open_objects(load_settings(None, overrides=overrides))
    assert isinstance(objects, S3ObjectStore)
    assert objects._prefix == f"team/{folder}/"
