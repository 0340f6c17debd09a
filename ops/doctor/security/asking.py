"""Asks AWS, reading only; what may not be asked is told as not checked, and never as fine."""

from collections.abc import Callable
from typing import Any

from ops.doctor.report import Finding, Reporter

Client = Any
"""boto3 makes its classes as it goes."""


class NotAnsweredError(Exception):
    """AWS did not answer; the text says why, as the end of a sentence."""


def ask(question: Callable[..., Any], *absent: str, **words: Any) -> Any:  # noqa: ANN401 - boto3's
    """Ask one question.

    Args:
        question: a method of a client.
        absent: codes of errors that mean that there is no such thing.
        words: what the method is called with.

    Returns:
        The answer; None: there is no such thing.

    Raises:
        NotAnsweredError: it is not allowed, or AWS cannot be reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    try:
        return question(**words)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in absent:
            return None
        sentence = f"AWS does not answer {error.operation_name}: {code}"
        raise NotAnsweredError(sentence) from None
    except BotoCoreError as error:
        raise NotAnsweredError(f"AWS cannot be asked: {error}") from None


def answered(reporter: Reporter, check: Callable[[], Finding]) -> Finding:
    """Make a check of AWS; that it cannot be made is a finding."""
    try:
        return check()
    except NotAnsweredError as error:
        return not_checked(reporter, str(error).rstrip("."))


def not_checked(reporter: Reporter, reason: str) -> Finding:
    """Say that nobody looked, and why."""
    return reporter.skipped(f"Not checked, because {reason}.")


def open_client(service: str, region: str = "") -> Client:
    """Open one of AWS's services; credentials are found as AWS's own tools find them.

    Raises:
        NotAnsweredError: boto3 is not installed, or no region is named.
    """
    try:
        import boto3  # noqa: PLC0415 - an extra
        from botocore.config import Config  # noqa: PLC0415 - same
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - same
    except ImportError:
        sentence = "boto3 is not installed (`pip install lightrag-fleet[s3]`)"
        raise NotAnsweredError(sentence) from None
    # Somebody waits for the answer: a second attempt, not ten.
    config = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
    try:
        return boto3.client(  # type: ignore[call-overload] # one name of hundreds
            service, region_name=region or None, config=config
        )
    except (BotoCoreError, ValueError) as error:
        raise NotAnsweredError(str(error).rstrip(".")) from None
