"""`.env.example` and the settings agree: on the names, on the defaults, and each is explained."""

import os
import re
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import AliasChoices

from shared.settings import Settings, load_settings
from shared.settings_secrets import is_secret

EXAMPLE = Path(__file__).parents[2] / ".env.example"
VARIABLE = re.compile(r"#([A-Z][A-Z0-9_]*)=(.*)")


def known_variables() -> Iterator[str]:
    for section in fields(Settings):
        assert isinstance(section.type, type)
        prefix = section.type.model_config.get("env_prefix", "")  # type: ignore[attr-defined] # a section
        for name, field in section.type.model_fields.items():  # type: ignore[attr-defined] # same
            alias = field.validation_alias
            names = (
                alias.choices if isinstance(alias, AliasChoices) else [f"{prefix}{name}".upper()]
            )
            for one in map(str, names):
                yield one
                if is_secret(field):
                    yield f"{one}_FILE"


def example_variables() -> list[str]:
    matches = map(VARIABLE.fullmatch, EXAMPLE.read_text(encoding="utf-8").splitlines())
    return [match[1] for match in matches if match]


def test_every_setting_is_in_the_example_and_nothing_else_is() -> None:
    assert set(example_variables()) == set(known_variables())


def test_no_variable_is_named_twice() -> None:
    assert len(example_variables()) == len(set(example_variables()))


def test_every_variable_has_a_sentence_above_it() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for above, line in pairwise(lines):
        if match := VARIABLE.fullmatch(line):
            assert re.fullmatch(r"# .+\.", above), match[1]


def test_the_values_in_the_example_are_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in set(known_variables()) & set(os.environ):  # noqa: TID251 - the tests' own shell may set some
        monkeypatch.delenv(name)
    filled = tmp_path / ".env"
    text = EXAMPLE.read_text(encoding="utf-8")
    filled.write_text(VARIABLE.sub(r"\1=\2", text), encoding="utf-8")
    assert load_settings(filled) == load_settings(None)


def test_copying_the_example_changes_nothing() -> None:
    assert load_settings(EXAMPLE) == load_settings(None)
