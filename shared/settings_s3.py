"""The section of the settings about S3."""

import re
from typing import Annotated

from pydantic import AfterValidator
from pydantic_settings import SettingsConfigDict

from shared.settings_sections import Section, WebAddress


def _require_bucket_name(name: str) -> str:
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        sentence = "a bucket has 3 to 63 characters of a-z, 0-9, - and ."
        raise ValueError(sentence)
    return name


def _as_folder(prefix: str) -> str:
    return prefix.strip("/") + "/" if prefix.strip("/") else ""


BucketName = Annotated[str, AfterValidator(_require_bucket_name)]


class S3Settings(Section):
    """The bucket of uploads when OBJECT_STORE=s3; credentials come from where AWS's tools look."""

    model_config = SettingsConfigDict(env_prefix="S3_")
    bucket: BucketName = ""
    prefix: Annotated[str, AfterValidator(_as_folder)] = ""
    """Ends with a slash, or is empty."""
    region: str = ""
    endpoint_url: WebAddress = ""
    """Empty: Amazon's."""
