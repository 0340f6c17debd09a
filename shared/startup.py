"""What every process says about itself when it starts."""

from typing import Literal

from shared.errors import SettingsError
from shared.logs import get_logger
from shared.rag.engine import storage_names
from shared.settings import Settings

logger = get_logger(__name__)


def require_servers(settings: Settings) -> None:
    """Refuse to run as one process of several over files that allow only one.

    Raises:
        SettingsError: the settings choose local files.
    """
    if not settings.external:
        sentence = (
            "USE_EXTERNAL_STORAGE is not true, but this process shares its stores with others; "
            "set it and name the servers, or start everything with `ragfleet up`."
        )
        raise SettingsError(sentence)


def storage_shape(settings: Settings) -> Literal["servers", "files"]:
    """Name where data is kept."""
    return "servers" if settings.external else "files"


def log_storage_shape(settings: Settings) -> None:
    """Log which storages this process uses, in the words that operators look for."""
    if not settings.external:
        logger.info("Using local file storage")
        return
    names = storage_names(settings)
    logger.info(f"Using external storage: {names.kv}, {names.vector}, {names.graph}")  # noqa: G004 - the words that operators grep for; names of classes, nothing else
