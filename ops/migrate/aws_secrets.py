"""Settings that are kept in AWS Secrets Manager, as those of a deployment on ECS are."""

import json
import re
from collections.abc import Iterable
from typing import Any

from ops.migrate.errors import SecretUnreadableError
from shared.errors import SettingsError

# `POSTGRES_PASSWORD=rag-api/postgres-password`: one variable, as task definitions name them.
_ONE_VARIABLE = re.compile(r"([A-Z][A-Z0-9_]*)=(.+)")


def variables_of(secrets: Iterable[str]) -> dict[str, str]:
    """Fetch secrets; region, endpoint and credentials are found as the AWS command line does.

    Args:
        secrets: names or ARNs of secrets that are JSON objects of variables, or `NAME=secret` for
            a secret that is the value of one. Later ones win.

    Raises:
        SettingsError: boto3 is not installed.
        SecretUnreadableError: a secret is not there, not for us, or nothing of that kind.
    """
    try:
        import boto3  # noqa: PLC0415 - an extra, and only for whoever has secrets there
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - same
    except ImportError:
        sentence = "Secrets of AWS are read with boto3; install `lightrag-fleet[s3]`."
        raise SettingsError(sentence) from None
    variables: dict[str, str] = {}
    for secret in secrets:
        name, id_ = _parsed(secret)
        try:
            client = boto3.client("secretsmanager")
            answer = client.get_secret_value(SecretId=id_)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            raise SecretUnreadableError(f"AWS does not give the secret {id_}: {code}.") from None
        except (BotoCoreError, ValueError) as error:  # the second: an address that is none
            sentence = f"The secret {id_} cannot be fetched from AWS: {error}"
            raise SecretUnreadableError(sentence) from None
        text = answer.get("SecretString")
        if text is None:
            raise SecretUnreadableError(f"The secret {id_} is binary; keep it as a text.")
        variables |= {name: text} if name else _object(id_, text)
    return variables


def _parsed(secret: str) -> tuple[str, str]:
    match = _ONE_VARIABLE.fullmatch(secret)
    return (match[1], match[2]) if match else ("", secret)


def _object(id_: str, text: str) -> dict[str, str]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        sentence = (
            f"The secret {id_} is no JSON object of variables; where it is the value of one, write "
            f"`--secret VARIABLE={id_}`."
        )
        raise SecretUnreadableError(sentence)
    return {str(name): _written(value) for name, value in found.items()}


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
