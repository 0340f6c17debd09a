"""The settings of an installation that is one end of a migration, as a file names them."""

from contextlib import chdir
from dataclasses import replace

from ops.migrate.aws_secrets import variables_of
from ops.migrate.places import OWN_SETTINGS, Place
from shared.settings import Settings, load_settings_of_another


def settings_of(place: Place) -> Settings:
    """Read the settings of a place that has some of its own.

    What is relative in a file, DATA_DIR above all, begins where the file lies, as it does for the
    processes that are started there.

    Raises:
        SettingsError: the file is missing or wrong, or does not say where data is kept.
        SecretUnreadableError: a secret that completes it cannot be read.
    """
    file = None if place.path == OWN_SETTINGS else place.path.resolve()
    overrides = variables_of(place.secrets) if place.secrets else {}
    if file is None:
        return load_settings_of_another(None, overrides=overrides)
    with chdir(file.parent if file.parent.is_dir() else "."):
        settings = load_settings_of_another(file, overrides=overrides)
    storage = settings.storage
    storage = storage.model_copy(update={"data_dir": file.parent / storage.data_dir})
    return replace(settings, storage=storage)
