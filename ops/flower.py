"""`python -m ops.flower`: the dashboard over the broker that settings name, behind a password.

Flower itself would want the broker's address with its password in the environment or on the command
line; here both come from where all our processes have theirs.
"""

import os
import sys

from shared.connections import broker_url
from shared.errors import SettingsError
from shared.settings import Settings, inherited_environment, load_settings


def flower_variables(
    *, broker: str, host: str, port: int, user: str, password: str
) -> dict[str, str]:
    """Return the variables that Flower reads; on its command line every user could read them."""
    return {
        "CELERY_BROKER_URL": broker,
        "FLOWER_BASIC_AUTH": f"{user}:{password}",
        "FLOWER_ADDRESS": host,
        "FLOWER_PORT": str(port),
    }


def variables_of(settings: Settings) -> dict[str, str]:
    """Return the variables for a dashboard of its own.

    Raises:
        SettingsError: it would stand open, or the password cannot be handed on.
    """
    flower = settings.flower
    password = flower.password.get_secret_value()
    if not password:
        sentence = "FLOWER_PASSWORD is not set, and the dashboard shows what is worked on; set it."
        raise SettingsError(sentence)
    if "," in password:
        sentence = "FLOWER_PASSWORD has a comma in it, at which Flower cuts it off; choose another."
        raise SettingsError(sentence)
    return flower_variables(
        broker=broker_url(settings),
        host=flower.host,
        port=flower.port,
        user=flower.user,
        password=password,
    )


def main() -> None:
    """Become Flower."""
    try:
        variables = variables_of(load_settings())
    except SettingsError as error:
        sys.exit(error.detail)
    # -P: a folder `celery` of the person's own must not be taken for the package.
    argv = [sys.executable, "-P", "-m", "celery", "flower"]
    os.execve(sys.executable, argv, {**inherited_environment(), **variables})  # noqa: S606 - ours


if __name__ == "__main__":
    main()
