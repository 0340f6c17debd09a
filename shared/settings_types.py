"""Kinds of values that several settings have, and what is checked of them."""

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from shared.cron import parse_cron

Port = Annotated[int, Field(ge=1, le=65535)]
Share = Annotated[float, Field(ge=0, le=0.9)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _stripped(text: object) -> object:
    # A key from a file ends with a line break, which no HTTP header may hold.
    return text.strip() if isinstance(text, str) else text


def _require_web(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        sentence = "it begins with neither http:// nor https://"
        raise ValueError(sentence)
    return url


def _require_certificates(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        sentence = f"there is no certificate in PEM form in {path}"
        raise ValueError(sentence) from None
    except OSError as error:
        sentence = f"{path} cannot be read: {error.strerror}"
        raise ValueError(sentence) from None
    return path.resolve()


def _require_cron(text: str) -> str:
    if text:
        parse_cron(text)
    return text


def _none_of_nothing(text: object) -> object:
    return text or None


Authorities = Annotated[
    Path | None, BeforeValidator(_none_of_nothing), AfterValidator(_require_certificates)
]
"""A file of certificates; whom they certify is trusted beside those whom the machine trusts."""
Schedule = Annotated[str, AfterValidator(_require_cron)]
"""Five fields of cron, or nothing."""
Key = Annotated[SecretStr, BeforeValidator(_stripped)]
WebAddress = Annotated[str, BeforeValidator(_stripped), AfterValidator(_require_web)]
