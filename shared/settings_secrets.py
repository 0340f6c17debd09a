"""Passwords and keys from files: NAME_FILE names a file that holds what NAME would say."""

from pathlib import Path
from typing import Any

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
)

from shared.errors import SettingsError

_SUFFIX = "_FILE"


class SecretFiles(PydanticBaseSettingsSource):
    """What the files say that one source of settings names; the source itself wins over it."""

    def __init__(self, section: type[BaseSettings], source: EnvSettingsSource) -> None:
        super().__init__(section)
        self._source = source
        named_in = source.env_file if isinstance(source, DotEnvSettingsSource) else None
        # A path beside the file that names it stays right wherever the command is started.
        self._folder = Path(named_in).parent if isinstance(named_in, str | Path) else Path()

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return a field's value, the name it goes by, and that it is a plain one."""
        for key, variable in _variables_of(self.settings_cls, field, field_name):
            path = self._source.env_vars.get((variable + _SUFFIX).lower())
            if path and (secret := _read(variable + _SUFFIX, self._folder / path)):
                return secret, key, False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return all values that stand in files.

        Raises:
            SettingsError: a file that is named cannot be read.
        """
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            if is_secret(field):
                value, key, _ = self.get_field_value(field, name)
                if value is not None:
                    found[key] = value
        return found


class SecretsFromFiles(BaseSettings):
    """Settings whose secrets may stand in files: environment first, then the file of variables."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Say where values come from, the strongest first."""
        del file_secret_settings
        return with_secret_files(settings_cls, init_settings, env_settings, dotenv_settings)


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is a password or a key, which may stand in a file of its own."""
    return field.annotation is SecretStr


def with_secret_files(
    section: type[BaseSettings], *sources: PydanticBaseSettingsSource
) -> tuple[PydanticBaseSettingsSource, ...]:
    """Put the files that each source of variables names behind that source."""
    found: list[PydanticBaseSettingsSource] = []
    for source in sources:
        found.append(source)
        if isinstance(source, EnvSettingsSource):
            found.append(SecretFiles(section, source))
    return tuple(found)


def _variables_of(
    section: type[BaseSettings], field: FieldInfo, name: str
) -> list[tuple[str, str]]:
    """Return the keys that a field's value may have, each with its variable."""
    if isinstance(field.validation_alias, AliasChoices):
        return [(str(choice), str(choice)) for choice in field.validation_alias.choices]
    return [(name, section.model_config.get("env_prefix", "") + name.upper())]


def _read(variable: str, path: Path) -> str:
    try:
        # Editors and `echo` end a file with a line break that is no part of the secret.
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        sentence = f"{variable} names {path}, which cannot be read: {error.strerror}."
        raise SettingsError(sentence) from None
    except UnicodeDecodeError:
        sentence = f"{variable} names {path}, which is not text in UTF-8."
        raise SettingsError(sentence) from None
