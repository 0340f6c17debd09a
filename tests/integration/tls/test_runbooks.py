"""The commands of docs/operations/phase-1.md and phase-2.md, typed as they stand."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest

from ops.init_env import write_env
from ops.local.ports import free_port
from tests.integration.engine.shapes import server_variables
from tests.services import Neo4jServer, drop_database, make_database, run

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]  # each command is a process or three
ROOT = Path(__file__).parents[3]
OFFLINE = {"LLM_PROVIDER": "offline", "EMBEDDING_PROVIDER": "offline", "TASK_LEASE_S": "20"}
STEP = re.compile(r"\*\*(laptop|host)\*\*|```sh\n(.*?)```", re.DOTALL)


@dataclass
class Place:
    """A folder in which a person types, and what the shell there knows."""

    folder: Path
    variables: dict[str, str]
    said: list[str] = field(default_factory=list)

    def type(self, block: str) -> str:
        """Type a block; it must go well to its end."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=self.folder,
            env={"COLUMNS": "200", **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        self.said.append(done.stdout)
        return done.stdout

    def documents(self, command: str) -> set[str]:
        """Return the ids of the documents that a list shows."""
        return set(re.findall(r"^doc-\w+", self.type(command), re.MULTILINE))


def steps(page: str) -> list[tuple[str, str]]:
    """Return the blocks of a page in their order, with where each is typed."""
    where, found = "host", []
    for place, block in STEP.findall((ROOT / "docs/operations" / page).read_text(encoding="utf-8")):
        where = place or where
        if block:
            found.append((where, block))
    return found


def write(path: Path, variables: Mapping[str, str]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))


def shell(bin_folder: Path) -> dict[str, str]:
    here = Path(sys.executable).parent
    return {"PATH": f"{bin_folder}:{here}:{os.defpath}", "HOME": str(bin_folder)}


def ports() -> dict[str, str]:
    return {"API_PORT": str(free_port()), "FLOWER_PORT": str(free_port())}


@pytest.fixture
def laptop(open_folder: Path) -> Iterator[Place]:
    """Files mode, with one document."""
    folder = open_folder / "laptop"
    folder.mkdir()
    files = {"USE_EXTERNAL_STORAGE": "false", "DATA_DIR": "./rag_local_storage"}
    write(folder / ".env", {**OFFLINE, **files, **ports(), "AUTH_MODE": "none"})
    shutil.copytree(ROOT / "examples", folder / "examples")
    place = Place(folder, shell(folder))
    place.type("ragfleet up --detach && ragfleet insert --wait examples/abacus.txt")
    yield place
    subprocess.run(["ragfleet", "up", "--down"], cwd=folder, env=place.variables, check=False)


@pytest.fixture
def host(
    open_folder: Path,
    postgres_url: str,
    valkey_url: str,
    fresh_neo4j: Neo4jServer,
    tls_variables: dict[str, str],
    aws: dict[str, str],
) -> Iterator[Place]:
    """A host after `ragfleet init-env`, with empty stores; and there are those of AWS."""
    folder = open_folder / "host"
    (folder / "bin").mkdir(parents=True)
    (folder / "volume").mkdir()
    docker = folder / "bin/docker"
    program = Path(__file__).with_name("docker_stand_in.py")
    docker.write_text(f'#!/bin/sh\nexec {sys.executable} {program} "$@"\n')
    docker.chmod(0o755)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copytree(ROOT / "examples", folder / "examples")
    write_env(folder)
    with (folder / ".env").open("a") as env:
        env.writelines(f"{name}={value}\n" for name, value in (OFFLINE | ports()).items())
    database = run(make_database(postgres_url))
    stores = server_variables("neo4j", folder, database, valkey_url)
    stores |= {"REDIS_DB": "4", "NEO4J_URI": fresh_neo4j.uri}
    passwords = {
        "redis": stores.pop("REDIS_PASSWORD"),
        "postgres": stores.pop("POSTGRES_PASSWORD"),
        "neo4j": fresh_neo4j.password,
    }
    del stores["DATA_DIR"]
    for name, password in passwords.items():
        secret = folder / f"secrets/{name}_password"
        secret.unlink()
        secret.write_text(password)
    managed = {"REDIS_SSL_CA_CERTS": tls_variables["REDIS_SSL_CA_CERTS"]}
    stand_in = folder / "bin/stand_in.json"
    stand_in.write_text(json.dumps({"one_host": stores, "managed": managed}))
    place = Place(folder, {**aws, **shell(folder / "bin"), "STAND_IN": str(stand_in)})
    yield place
    subprocess.run(["docker", "compose", "down"], cwd=folder, env=place.variables, check=False)
    run(drop_database(postgres_url, database))


@pytest.fixture
def aws_env(host: Place, tls_variables: dict[str, str], aws: dict[str, str]) -> None:
    """`moving/in` as step 2 of phase 2 wants it."""
    folder = host.folder / "moving/in"
    folder.mkdir(parents=True)
    variables = {
        **tls_variables,
        "DATA_DIR": str(host.folder / "volume"),
        "OBJECT_STORE": "s3",
        "S3_BUCKET": "uploads-of-the-runbook",
        "S3_ENDPOINT_URL": aws["AWS_ENDPOINT_URL"],
        **OFFLINE,
    }
    shutil.copy(variables.pop("POSTGRES_SSL_ROOT_CERT"), folder / "global-bundle.pem")
    for name in ("redis", "postgres"):
        (folder / f"{name}_password").write_text(variables.pop(f"{name.upper()}_PASSWORD"))
        variables[f"{name.upper()}_PASSWORD_FILE"] = f"{name}_password"
    (folder / "neo4j_password").write_text("nobody-asks-for-it")
    write(folder / "aws.env", variables | {"POSTGRES_SSL_ROOT_CERT": "global-bundle.pem"})
    client = boto3.client(
        "s3",
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket="uploads-of-the-runbook")
    client.close()


def equal(said: list[str]) -> int:
    """How often it was said that all was read back and is equal."""
    return sum(one.count("Everything was read back and is equal") for one in said)


def test_phase_1_there_and_back(laptop: Place, host: Place) -> None:
    places = {"laptop": laptop, "host": host}
    before = laptop.documents("ragfleet documents")
    typed = steps("phase-1.md")
    assert [where for where, _ in typed] == ["laptop"] * 2 + ["host"] * 4 + ["laptop"]
    for number, (where, block) in enumerate(typed):
        if number == 2:  # `scp` of the page
            shutil.copytree(laptop.folder / "moving", host.folder / "moving")
        if number == 6:
            shutil.copy(host.folder / "back.ragfleet", laptop.folder)
        said = places[where].type(block)
        if "query" in block:
            assert "] abacus.txt" in said, block
        if "documents" in block:
            assert set(re.findall(r"^doc-\w+", said, re.MULTILINE)) == before, block
    assert equal(host.said) == 1
    assert sum(one.count("holds all of it") for one in host.said) == 2  # and nothing came late
    assert equal(laptop.said) == 1


@pytest.mark.usefixtures("aws_env")
def test_phase_2_there_and_back(host: Place) -> None:
    host.type(
        "docker compose up -d && docker compose run --rm ragfleet insert --wait examples/abacus.txt"
    )
    before = host.documents("docker compose run --rm ragfleet documents")
    typed = steps("phase-2.md")
    assert {where for where, _ in typed} == {"host"}
    for _, block in typed:
        said = host.type(block)
        if "query" in block:
            assert "] abacus.txt" in said, block
        if "documents" in block:
            assert set(re.findall(r"^doc-\w+", said, re.MULTILINE)) == before, block
    assert equal(host.said) == 4  # each copy, and each look for what came late


def test_an_upload_in_the_pause_is_found_before_the_switch(host: Place, aws_env: None) -> None:
    assert aws_env is None
    host.type("docker compose up -d && docker compose run --rm ragfleet workspaces pause default")
    in_blocks = [line for _, block in steps("phase-2.md") for line in block.splitlines()]
    copy, look = [line for line in in_blocks if "--to settings:/in/aws.env" in line and
                  "--dry-run" not in line]  # fmt: skip
    host.type(copy)
    host.type("docker compose run --rm ragfleet insert examples/abacus.txt")
    host.type("docker compose stop api")
    with pytest.raises(AssertionError, match="migration_differs"):
        host.type(look)
    host.type(f"{copy} --replace --yes\n{look}")
