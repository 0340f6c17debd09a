"""Find the images of one version in ECR, wait for them if need be, and name them by digest."""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from deploy.ecs.command import client, end, say
from deploy.ecs.errors import DescriptionError, ImageMissingError
from deploy.ecs.services import Patience

_REPOSITORY = re.compile(r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(\S+)")
# They are built and scanned by another workflow, which began together with this one.
_AT_MOST_S = 2700


def digest_of(ecr: Any, repository: str, tag: str) -> str | None:  # noqa: ANN401 - boto3
    """Return the digest of an image; None: it was not pushed."""
    try:
        found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ImageNotFoundException":
            return None
        raise
    return str(found["imageDetails"][0]["imageDigest"])


def named(ecr: Any, url: str, tag: str, patience: Patience) -> str:  # noqa: ANN401 - boto3
    """Wait for an image.

    Args:
        ecr: boto3's client.
        url: of its repository.
        tag: the version.
        patience: how long.

    Returns:
        `repository@sha256:…`, which can never mean another image.

    Raises:
        ImageMissingError: it did not come.
    """
    name = parsed(url)[1]
    for _ in range(patience.looks()):
        digest = digest_of(ecr, name, tag)
        if digest is not None:
            return f"{url}@{digest}"
        patience.sleep(patience.every_s)
    sentence = (
        f"There is no image {name}:{tag} after {patience.at_most_s:.0f} s; see whether the "
        "workflow `images` of that version went well."
    )
    raise ImageMissingError(sentence)


def parsed(url: str) -> tuple[str, str]:
    """Split the address of a repository into region and name.

    Raises:
        DescriptionError: it is no address of ECR.
    """
    match = _REPOSITORY.fullmatch(url)
    if match is None:
        raise DescriptionError(f"{url!r} is not the address of a repository in ECR.")
    return match[1], match[2]


def main(arguments: argparse.Namespace) -> None:
    """Write the variables of Terraform that name both images."""
    patience = Patience(every_s=20, at_most_s=arguments.at_most_s)
    urls = {"api": arguments.api, "worker": arguments.worker}
    images = {}
    for tier, url in urls.items():
        ecr = client("ecr", parsed(url)[0])
        images[tier] = named(ecr, url, arguments.tag, patience)
        say(f"{tier}: {images[tier].rpartition('/')[2]}")
    arguments.output.write_text(json.dumps({"images": images}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--tag", required=True, help="the version: a full git sha")
    given.add_argument("--api", required=True, help="address of the API's repository")
    given.add_argument("--worker", required=True, help="address of the worker's repository")
    given.add_argument("--output", type=Path, required=True, help="a file `….auto.tfvars.json`")
    given.add_argument("--at-most-s", type=float, default=_AT_MOST_S, help="default: %(default)s")
    read = given.parse_args()
    end(lambda: main(read))
