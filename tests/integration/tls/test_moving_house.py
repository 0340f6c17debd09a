"""The commands of docs/moving-house.md, typed as they stand, in a folder where nothing else is."""

import json
import os
import re
import secrets as random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest

from ops.migrate.archive_places import ArchiveFile
from ops.migrate.folder.source import FolderSource
from ops.migrate.source import ArchiveSource
from tests.integration.engine.shapes import files_variables, server_variables
from tests.integration.migrate.test_moving_a_folder import items_of
from tests.services import drop_database, make_database, run

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/moving-house.md"
ENDS = {"TASK_LEASE_S": "20"}


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_the_page_has_commands_for_all_phases() -> None:
    assert len(commands()) >= 9
    assert all(re.match(r"(ragfleet|python) ", line) for line in commands())


@pytest.fixture
def house(
    stock_folder: Path,
    tls_variables: dict[str, str],
    aws: dict[str, str],
    postgres_url: str,
    valkey_url: str,
    tmp_path: Path,
) -> Iterator[Path]:
    """A clean folder with settings, a folder of stock LightRAG, and what a clone has."""
    folder = tmp_path / "house"
    folder.mkdir()
    shutil.copytree(stock_folder, folder / "rag_local_storage")
    (folder / "scripts").symlink_to(ROOT / "scripts")
    database = run(make_database(postgres_url))
    compose = server_variables("valkey", Path("compose"), database, valkey_url)
    write(folder / ".env", ENDS | compose | {"REDIS_DB": "4"})
    write(folder / "compose.env", ENDS | compose | {"REDIS_DB": "4"})
    write(folder / "aws.env", ENDS | tls_variables)
    for name in ("files", "local"):
        write(folder / f"{name}.env", ENDS | files_variables(Path(name)))
    password = tls_variables["POSTGRES_PASSWORD"]
    rest = {name: value for name, value in tls_variables.items() if name != "POSTGRES_PASSWORD"}
    client = boto3.client(
        "secretsmanager",
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key=random.token_hex(4),
    )
    client.create_secret(Name="rag-api/settings", SecretString=json.dumps(rest))
    client.create_secret(Name="rag-api/postgres-password", SecretString=password)
    client.close()
    yield folder
    run(drop_database(postgres_url, database))


def write(path: Path, variables: Mapping[str, str]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))


@pytest.mark.long
@pytest.mark.timeout(1500)  # a dozen migrations, each a process or two
def test_every_command_does_what_the_page_says(house: Path, aws: dict[str, str]) -> None:
    bin_folder = Path(sys.executable).parent
    said = {}
    for line in commands():
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=house,
            env={**aws, "PATH": f"{bin_folder}:{os.defpath}", "COLUMNS": "300"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said[line] = done.stdout
    for line, output in said.items():
        assert ("Nothing was written" in output) == ("--dry-run" in line), line
        assert ("is equal" in output) == ("--dry-run" not in line), line
    run(compare(house))


async def compare(house: Path) -> None:
    """What came back after all of it is what was in the folder."""
    archive = house / "end.ragfleet"
    words = ("--from", "settings:local.env", "-w", "default", "--to", f"archive:{archive}")
    subprocess.run(  # noqa: ASYNC221 - nothing else runs
        [sys.executable, "-m", "ops.cli", "migrate", *words],
        cwd=house,
        env={"PATH": os.defpath},
        check=True,
        capture_output=True,
    )
    source = FolderSource.in_folder(house / "rag_local_storage", "")
    ours = await items_of(ArchiveSource(ArchiveFile(archive)))
    theirs = await items_of(source)
    assert {section: ours[section] for section in theirs} == theirs
