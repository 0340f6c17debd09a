"""Which stores a person's settings mean: those of a running `ragfleet up` where they name none."""

from ops.local.control import status
from ops.local.credentials import load_credentials
from ops.local.service import Ground
from ops.local.state import Layout
from ops.services import embedded_variables
from shared.errors import SettingsError
from shared.settings import Settings, load_settings


def settings_in_use(settings: Settings) -> Settings:
    """Return settings that say which stores are meant.

    Args:
        settings: of the person who gives a command about stored data.

    Raises:
        SettingsError: they name no stores, and no system of theirs runs that has some.
    """
    if settings.storage.use_external_storage is not None:
        return settings
    layout = Layout(settings.storage.data_dir.resolve())
    running = status(layout.data_dir)
    ports = {one.name: one.port for one in running.services if one.port is not None}
    if not running.running or "postgres" not in ports:
        sentence = (
            f"No `ragfleet up` with servers of its own runs on DATA_DIR {layout.data_dir}; start "
            "it, or set USE_EXTERNAL_STORAGE: `true` for servers that settings name, `false` for "
            "files in DATA_DIR. Beside docker compose: `docker compose run --rm ragfleet …`."
        )
        raise SettingsError(sentence)
    if ("neo4j" in ports) != settings.starts_neo4j:
        sentence = (
            f"What runs on DATA_DIR {layout.data_dir} was started with another GRAPH_STORAGE; "
            "set it as it was then."
        )
        raise SettingsError(sentence)
    credentials = load_credentials(layout.secrets)
    ground = Ground(data_dir=layout.data_dir, ports=ports, credentials=credentials)
    return load_settings(overrides=embedded_variables(settings, ground))
