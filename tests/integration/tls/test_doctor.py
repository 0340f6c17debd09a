"""`ragfleet doctor` looks into stores that speak TLS, by the authority that settings name."""

import asyncio

import pytest

from ops.initialising import initialise
from shared.settings import load_settings
from tests.integration.doctor.conftest import look


@pytest.mark.long
async def test_an_installation_behind_tls_is_fine(
    tls_variables: dict[str, str], own_environment: None
) -> None:
    await initialise(load_settings(None, overrides=tls_variables), say=lambda _: None)
    code, found = await asyncio.to_thread(look, tls_variables)

    assert {name: one["sentence"] for name, one in found.items() if one["status"] != "ok"} == {}
    assert code == 0
    assert "doctor.orphan_vectors" in found
