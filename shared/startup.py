"""What every process says about itself when it starts."""

from shared.logs import get_logger
from shared.rag.engine import storage_names
from shared.settings import Settings

logger = get_logger(__name__)


def log_storage_shape(settings: Settings) -> None:
    """Log which storages this process uses, in the words that operators look for."""
    if not settings.external:
        logger.info("Using local file storage")
        return
    names = storage_names(settings)
    logger.info(f"Using external storage: {names.kv}, {names.vector}, {names.graph}")  # noqa: G004 - the words that operators grep for; names of classes, nothing else
