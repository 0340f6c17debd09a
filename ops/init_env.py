"""`ragfleet init-env`: the file `.env` of a host, and the passwords that its containers use."""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ops.client.session import complaining, output
from shared.errors import SettingsError

PASSWORD_BYTES = 24  # 192 random bits, 32 characters that need no escaping anywhere
ENV_NAME = ".env"
FOLDER_NAME = "secrets"
_GENERATED = (
    "redis_password",
    "postgres_password",
    "neo4j_password",
    "flower_password",
    "grafana_password",
    "api_key",
)
_OWN = ("llm_api_key", "embedding_api_key")
"""What only the person knows: empty until it is filled in."""

_TEXT = """\
# Settings of the containers of this host, made by `ragfleet init-env`.
# Every setting of .env.example may stand here; docs/compose.md says what each file is for.
# Nobody but you may read this file and the folder {folder}.

# Passwords and keys: one file each. The containers get them as files, too.
API_KEY_FILE=./{folder}/api_key
REDIS_PASSWORD_FILE=./{folder}/redis_password
POSTGRES_PASSWORD_FILE=./{folder}/postgres_password
NEO4J_PASSWORD_FILE=./{folder}/neo4j_password
# The same password as the file above, after `neo4j/`: the server's image wants it so.
NEO4J_AUTH_FILE=./{folder}/neo4j_auth
FLOWER_PASSWORD_FILE=./{folder}/flower_password
GRAFANA_PASSWORD_FILE=./{folder}/grafana_password
# For your model's keys; empty as long as the models are offline.
LLM_API_KEY_FILE=./{folder}/llm_api_key
EMBEDDING_API_KEY_FILE=./{folder}/embedding_api_key

# The offline models need no key and no network; they only show how everything works. Your own:
# LLM_PROVIDER, LLM_MODEL, LLM_BASE_URL and the key in {folder}/llm_api_key; likewise EMBEDDING_*.
# Choose the embedding model before the first document: a filled workspace keeps its own.
LLM_PROVIDER=offline
EMBEDDING_PROVIDER=offline

# Where published ports listen: this host alone. See docs/compose.md before you change it.
BIND_ADDRESS=127.0.0.1
API_PORT=8000
# With TLS in front: put fullchain.pem and privkey.pem into ./tls and remove the # here.
#COMPOSE_PROFILES=production
#HTTPS_BIND_ADDRESS=0.0.0.0
"""

_NEXT = """\
Made {env} and {folder}: passwords that nobody has seen, and a key for the API.
Next:
  1. Your own model, if you have one: LLM_* and EMBEDDING_* in .env, its key in {name}/llm_api_key.
  2. docker compose up -d --build
  3. curl -H "X-API-Key: $(cat {name}/api_key)" http://127.0.0.1:8000/readyz
docs/compose.md goes on from there. Keep a copy of both in a safe place: without the passwords
nobody can open the data.
"""


class AlreadyThereError(SettingsError):
    """There are settings already; nothing was changed."""

    code = "settings_exist"


def init_env(
    folder: Annotated[
        Path, typer.Option("--folder", help="The folder of docker-compose.yml.")
    ] = Path(),
) -> None:
    """Make `.env` and a folder of random passwords for docker compose; nothing is overwritten.

    Exit code 2: there is one already.
    """
    with complaining():
        write_env(folder)
        output.print(
            _NEXT.format(env=folder / ENV_NAME, folder=folder / FOLDER_NAME, name=FOLDER_NAME),
            end="",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def write_env(folder: Path, *, password: Callable[[], str] | None = None) -> None:
    """Write both, or nothing.

    Args:
        folder: where docker-compose.yml is.
        password: makes one; random ones unless a test says otherwise.

    Raises:
        AlreadyThereError: one of them is there.
        OSError: the folder cannot be written to.
    """
    make = password or (lambda: secrets.token_urlsafe(PASSWORD_BYTES))
    env, kept = folder / ENV_NAME, folder / FOLDER_NAME
    for path in (env, kept):
        if path.exists() or path.is_symlink():
            sentence = (
                f"{path} is there already, and the data may depend on it; nothing was changed. "
                "Remove it only if no container has used it yet."
            )
            raise AlreadyThereError(sentence)
    # Others of this host may not enter. The files themselves can be read by anybody who is inside:
    # the containers have users of their own, and see single files, not this folder.
    unfinished = folder / f"{FOLDER_NAME}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    values = {name: make() for name in _GENERATED} | dict.fromkeys(_OWN, "")
    values["neo4j_auth"] = f"neo4j/{values['neo4j_password']}"
    for name, value in values.items():
        mode = 0o644 if name in _OWN else 0o444
        _write(unfinished / name, value + "\n" if value else "", mode=mode)
    _write(unfinished / ENV_NAME, _TEXT.format(folder=FOLDER_NAME), mode=0o600)
    # Only names are left to be given. `.env` gets its own last, for with it compose starts.
    unfinished.rename(kept)
    (kept / ENV_NAME).rename(env)


def _write(path: Path, text: str, *, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())  # a database that is set up with a lost password stays closed
        os.fchmod(file.fileno(), mode)
