"""Translates what boto3 raises into errors with a code and a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore import exceptions

from shared.errors import (
    AppError,
    ObjectNotFoundError,
    ObjectStoreMissingError,
    ObjectStoreRefusedError,
    ObjectStoreUnavailableError,
    UnavailableError,
)
from shared.metrics.stores import count_store_error

_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.ProfileNotFound,
    exceptions.NoAuthTokenError,
    exceptions.TokenRetrievalError,
    exceptions.SSOError,
)
_NO_CREDENTIALS_SENTENCE = (
    "No AWS credentials that work were found; give this process a role, or set AWS_ACCESS_KEY_ID "
    "and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in its environment."
)
_ELSEWHERE_SENTENCE = "The bucket is in another region; correct S3_REGION."
# Codes of S3 and, for questions without a body in the answer, HTTP's numbers.
_REFUSED_STATUSES = frozenset({401, 403})
_REFUSED_CODES = frozenset({"ExpiredToken", "InvalidToken", "TokenRefreshRequired"})
_ELSEWHERE_CODES = frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed", "301"})
_NOT_FOUND_CODES = frozenset({"NoSuchKey", "NoSuchUpload", "404"})
_CONFLICT_CODES = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})


@contextmanager
def translated_s3_errors() -> Iterator[None]:
    """Raise errors of ours instead of boto3's.

    Raises:
        ObjectNotFoundError: there is nothing under the key, or no such unfinished write.
        FileExistsError: there is something under a key that had to be free, or another object
            under one that was being read.
        ObjectStoreMissingError: there is no such bucket.
        ObjectStoreRefusedError: there are no credentials, or they allow too little.
        ObjectStoreUnavailableError: S3 is away, overloaded, or answers what it should not.
    """
    try:
        yield
    except exceptions.ClientError as error:
        raise _counted(_named(error.response)) from error
    except _NO_CREDENTIALS as error:
        raise _counted(ObjectStoreRefusedError(_NO_CREDENTIALS_SENTENCE)) from error
    except exceptions.BotoCoreError as error:
        raise _counted(ObjectStoreUnavailableError()) from error


def _counted(error: AppError | FileExistsError) -> AppError | FileExistsError:
    if isinstance(error, UnavailableError):  # a missing object is an answer like any other
        count_store_error("s3", error)
    return error


def code_of(error: exceptions.ClientError) -> str:
    """Return the code that S3 gave to an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _named(response: Any) -> AppError | FileExistsError:  # noqa: ANN401 - boto3's own dictionary
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _NOT_FOUND_CODES:
        return ObjectNotFoundError()
    if code == "NoSuchBucket":
        return ObjectStoreMissingError()
    if code in _ELSEWHERE_CODES:
        return ObjectStoreMissingError(_ELSEWHERE_SENTENCE)
    if code in _CONFLICT_CODES:
        return FileExistsError()
    if status in _REFUSED_STATUSES or code in _REFUSED_CODES:
        return ObjectStoreRefusedError()
    return ObjectStoreUnavailableError()
