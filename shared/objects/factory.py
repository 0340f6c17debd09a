"""Which object store the settings mean."""

from shared.objects.base import ObjectStore
from shared.objects.local import LocalObjectStore
from shared.settings import Settings


def open_objects(settings: Settings) -> ObjectStore:
    """Return the store of uploaded bytes: the folder `objects` in DATA_DIR."""
    return LocalObjectStore(settings.storage.data_dir / "objects")
