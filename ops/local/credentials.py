"""The passwords of the local servers: made once, kept in one file that only we may read."""

import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

PASSWORD_BYTES = 24  # 192 random bits, 32 characters that need no escaping in a URL


def _password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


class Credentials(BaseModel):
    """What the services of one DATA_DIR identify themselves with; a new field is filled in."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    postgres_password: str = Field(default_factory=_password, repr=False)
    valkey_password: str = Field(default_factory=_password, repr=False)
    neo4j_password: str = Field(default_factory=_password, repr=False)
    flower_user: str = "fleet"
    flower_password: str = Field(default_factory=_password, repr=False)

    def secrets(self) -> frozenset[str]:
        """All passwords, to keep them out of messages."""
        values: dict[str, str] = self.model_dump()
        return frozenset(value for name, value in values.items() if name.endswith("_password"))


def load_credentials(path: Path) -> Credentials:
    """Read the credentials, making the file (0600) or its missing parts first."""
    kept = path.read_text() if path.exists() else "{}"
    credentials = Credentials.model_validate_json(kept)
    complete = credentials.model_dump_json(indent=2)
    if complete != kept:
        unfinished = path.with_name(path.name + ".unfinished")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as file:
            file.write(complete)
            file.flush()
            os.fsync(file.fileno())  # without it the databases cannot be opened again
        unfinished.replace(path)
    return credentials
