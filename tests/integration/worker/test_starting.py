"""What a process says when it starts, and how it refuses to start."""

import os
import socket
import subprocess
import sys

import pytest

SECRET = "hunter2-the-secret"
COMMANDS = pytest.mark.parametrize("module", ["api", "worker", "worker.beat"])


def run(module: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,  # noqa: TID251 - a child inherits PATH
        "USE_EXTERNAL_STORAGE": "true",
        "POSTGRES_PASSWORD": SECRET,
        "REDIS_PASSWORD": SECRET,
        "LLM_API_KEY": SECRET,
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", module],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=60,
    )


@COMMANDS
@pytest.mark.parametrize(
    ("variable", "value"),
    [("POSTGRES_PORT", "many"), ("LLM_PROVIDER", SECRET), ("TASK_LEASE_S", "-1")],
)
def test_a_wrong_setting_stops_the_start_in_one_sentence_that_names_it(
    module: str, variable: str, value: str
) -> None:
    refused = run(module, **{variable: value})
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert variable in refused.stderr
    assert SECRET not in refused.stderr + refused.stdout


@pytest.mark.parametrize("module", ["api", "worker"])
def test_a_process_of_several_refuses_files_that_allow_one(module: str) -> None:
    refused = run(module, USE_EXTERNAL_STORAGE="false")
    assert refused.returncode == 1
    assert refused.stderr.startswith("USE_EXTERNAL_STORAGE")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("module", ["worker", "worker.beat"])
def test_a_port_that_is_taken_stops_the_start_in_one_sentence(module: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = run(module, METRICS_PORT=str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "METRICS_PORT" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("external", "words"),
    [
        ("true", "Using external storage: RedisKVStorage, PGVectorStorage, PGTableGraphStorage"),
        ("false", "Using local file storage"),
    ],
)
def test_a_process_says_where_data_is_kept(external: str, words: str) -> None:
    program = (
        "from shared.settings import load_settings; from shared.startup import log_storage_shape;"
        "from shared.logs import configure_logs; configure_logs(level='info', form='console');"
        "log_storage_shape(load_settings(None))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "USE_EXTERNAL_STORAGE": external},  # noqa: TID251 - as above
    )
    assert words in said.stderr
