"""Entities and relations as the API takes and shows them, with LightRAG's names and limits."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

# LightRAG cuts longer names when it extracts, and PostgreSQL's column takes 512 bytes.
_MAX_NAME_CHARS = 256
_MAX_NAME_BYTES = 512
_MAX_TEXT_CHARS = 20_000
_MAX_SHORT_CHARS = 2_000
_MAX_SOURCES = 100
# LightRAG joins names with it.
_SEPARATOR = "<SEP>"


def _require_storable(text: str) -> str:
    if "\0" in text:
        sentence = "No database takes the character NUL."
        raise ValueError(sentence)
    return text


def _require_name(name: str) -> str:
    if _SEPARATOR in name or len(name.encode()) > _MAX_NAME_BYTES:
        sentence = f"A name has at most {_MAX_NAME_BYTES} bytes of UTF-8 and no {_SEPARATOR} in it."
        raise ValueError(sentence)
    return _require_storable(name)


EntityName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=_MAX_NAME_CHARS),
    AfterValidator(_require_name),
]
_Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=_MAX_TEXT_CHARS),
    AfterValidator(_require_storable),
]
_Short = Annotated[
    str, StringConstraints(max_length=_MAX_SHORT_CHARS), AfterValidator(_require_storable)
]
_Joined = Annotated[
    str, StringConstraints(max_length=_MAX_TEXT_CHARS), AfterValidator(_require_storable)
]
SearchText = Annotated[
    str, StringConstraints(max_length=_MAX_NAME_CHARS), AfterValidator(_require_storable)
]
_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    def fields(self, *apart: str) -> dict[str, Any]:
        """Return the values that were given, but for those that name what is edited."""
        return self.model_dump(exclude_none=True, exclude=set(apart))


class _Change(_Body):
    naming: ClassVar[tuple[str, ...]] = ()
    """The fields that only say what is edited."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.fields(*self.naming):
            sentence = "There is nothing to change: give at least one field."
            raise ValueError(sentence)
        return self


class NewEntity(_Body):
    """An entity that no document told of; `source_id` are chunk ids, joined by `<SEP>`."""

    name: EntityName
    description: _Description
    entity_type: _Short | None = None
    source_id: _Joined | None = None
    file_path: _Joined | None = None


class EntityChange(_Change):
    """What becomes different; `new_name` must be free: to join entities, merge them."""

    new_name: EntityName | None = None
    description: _Description | None = None
    entity_type: _Short | None = None
    source_id: _Joined | None = None
    file_path: _Joined | None = None


class EntityMerge(_Body):
    """Entities that become one; `target` is made when it is not there."""

    sources: list[EntityName] = Field(min_length=1, max_length=_MAX_SOURCES)
    target: EntityName


class NewRelation(_Body):
    """A relation of two entities that are there; it has no direction."""

    source: EntityName
    target: EntityName
    description: _Description
    keywords: _Short = ""
    weight: _Weight = 1.0
    source_id: _Joined | None = None
    file_path: _Joined | None = None


class RelationChange(_Change):
    """What becomes different; `weight` is at least the number of chunks in `source_id`."""

    naming = ("source", "target")
    source: EntityName
    target: EntityName
    description: _Description | None = None
    keywords: _Short | None = None
    weight: _Weight | None = None
    source_id: _Joined | None = None
    file_path: _Joined | None = None


class EntityView(BaseModel):
    """An entity as it is in the graph; `relations` are the other ends, the first thousand."""

    name: str
    entity_type: str | None
    description: str | None
    source_id: str | None
    file_path: str | None
    relations: list[str]
    relation_count: int


class RelationView(BaseModel):
    """A relation as it is in the graph."""

    source: str
    target: str
    description: str | None
    keywords: str | None
    weight: float | None
    source_id: str | None
    file_path: str | None


class LabelsView(BaseModel):
    """Names of entities."""

    labels: list[str]
