"""One process of the fleet at a time creates LightRAG's tables, and nobody waits for ever."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from shared.rag import initialisation
from shared.rag.initialisation import alone_in_the_fleet
from shared.settings import Settings, load_settings


@pytest.fixture
def settings(fresh_database: str, tmp_path: Path) -> Settings:
    url = make_url(fresh_database)
    variables = {
        "USE_EXTERNAL_STORAGE": "true",
        "DATA_DIR": str(tmp_path),
        "POSTGRES_HOST": str(url.host),
        "POSTGRES_PORT": str(url.port),
        "POSTGRES_USER": str(url.username),
        "POSTGRES_PASSWORD": str(url.password),
        "POSTGRES_DB": str(url.database),
        "POSTGRES_SSLMODE": "disable",
    }
    return load_settings(None, overrides=variables)


async def test_a_second_process_gives_up_in_time_and_gets_its_turn_later(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with alone_in_the_fleet(settings):
        with monkeypatch.context() as hurried:
            hurried.setattr(initialisation, "_LOCK_TIMEOUT_S", 0.5)
            with pytest.raises(TimeoutError):
                await alone_in_the_fleet(settings).__aenter__()
    async with alone_in_the_fleet(settings):
        pass
