"""The settings of an installation that is one end of a migration, as a file names them."""

from dataclasses import replace
from pathlib import Path

from ops.migrate.places import Place
from shared.settings import Settings, load_settings_of_another


def settings_of(place: Place) -> Settings:
    """Read the settings of a place that has some of its own.

    What is relative in a file, DATA_DIR above all, begins where the file lies, as it does for the
    processes that are started there.

    Raises:
        SettingsError: the file is missing or wrong, or does not say where data is kept.
    """
    settings = load_settings_of_another(place.path)
    data_dir = _folder(place) / settings.storage.data_dir
    storage = settings.storage.model_copy(update={"data_dir": data_dir})
    return replace(settings, storage=storage)


def _folder(place: Place) -> Path:
    return place.path.resolve().parent
