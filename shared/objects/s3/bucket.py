"""A connection to one bucket."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import boto3
from botocore.config import Config

from shared.errors import SettingsError
from shared.objects.s3.errors import translated_s3_errors
from shared.settings_s3 import S3Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MAX_CONNECTIONS = 16
# A dead server is noticed in 10 s; an answer to 8 MiB may take a while over a thin line.
_CONNECT_TIMEOUT_S = 10
_READ_TIMEOUT_S = 60
# The first one included; between them botocore waits up to 1, 2, … seconds.
_ATTEMPTS = 3


class Place(TypedDict):
    """Where one object is, as every question of S3 about one wants it."""

    Bucket: str
    Key: str


@dataclass(frozen=True)
class Bucket:
    """May be used by many threads at once."""

    client: "S3Client"
    name: str

    def place(self, key: str) -> Place:
        """Say where the object under a key is."""
        return {"Bucket": self.name, "Key": key}


def open_bucket(settings: S3Settings, name: str = "") -> Bucket:
    """Prepare a bucket; nothing connects before it is used. Takes a third of a second.

    Credentials are looked for where AWS's own tools look: environment, files, the role of a
    container or machine. https://boto3.amazonaws.com/v1/documentation/api/latest/guide/credentials.html

    Args:
        settings: where S3 is.
        name: of the bucket; empty: the one of the settings.

    Raises:
        SettingsError: the address is none.
        ObjectStoreRefusedError: the environment names credentials that are not there.
    """
    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=MAX_CONNECTIONS,
        # A server of one's own seldom has a host name for each bucket.
        s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
    )
    try:
        with translated_s3_errors():
            client = boto3.client(
                "s3",
                region_name=settings.region or None,
                endpoint_url=settings.endpoint_url or None,
                config=config,
            )
    except ValueError:  # boto3's only word for an address without a host
        sentence = "S3_ENDPOINT_URL is no address; write one such as http://minio:9000."
        raise SettingsError(sentence) from None
    return Bucket(client, name or settings.bucket)
