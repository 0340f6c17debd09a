"""Which object store the settings mean."""

from shared.objects.base import ObjectStore
from shared.objects.local import LocalObjectStore
from shared.settings import Settings


def open_objects(settings: Settings) -> ObjectStore:
    """Return the store of uploaded bytes: a folder in DATA_DIR.

    Each ledger has a folder of its own: what one does not know, its cleaner removes.
    """
    folder = "objects" if settings.external else "files_mode_objects"
    return LocalObjectStore(settings.storage.data_dir / folder)
