"""Our question takes exactly what the pinned LightRAG's own server takes."""

import importlib.util
import sys
from importlib.metadata import distribution
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from api.queries.schemas import QueryRequest, QueryResponse

_PROSE = {"title", "description"}


@pytest.fixture(scope="module")
def stock() -> ModuleType:
    """LightRAG's routes; what they import beside their schemas needs packages we do not ship."""
    path = distribution("lightrag-hku").locate_file("lightrag/api/routers/query_routes.py")
    spec = importlib.util.spec_from_file_location("stock_query_routes", str(path))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    stand_in = ModuleType("lightrag.api.utils_api")
    stand_in.__dict__.update(get_combined_auth_dependency=None, internal_server_error=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "lightrag.api.utils_api", stand_in)
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
    return module


def fields_of(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Every field with its type, default and limits."""
    properties = model.model_json_schema()["properties"]
    return {
        name: {key: value for key, value in schema.items() if key not in _PROSE}
        for name, schema in properties.items()
    }


def test_a_question_has_the_same_fields_defaults_and_limits(stock: ModuleType) -> None:
    assert fields_of(QueryRequest) == fields_of(stock.QueryRequest)


def test_an_answer_has_the_same_fields(stock: ModuleType) -> None:
    assert fields_of(QueryResponse) == fields_of(stock.QueryResponse)


@pytest.mark.parametrize(
    "request_",
    [
        {"query": "  ab "},
        {"query": "书"},
        {"query": "书本"},
        {"query": "abc", "mode": "bypass"},
        {"query": "a", "mode": "bypass"},
        {"query": " ", "mode": "bypass"},
        {"query": "abc", "hl_keywords": ["k" * 512]},
        {"query": "abc", "hl_keywords": ["k" * 513]},
        {"query": "abc", "conversation_history": []},
        {"query": "abc", "conversation_history": [{"role": "user", "content": "x", "name": "n"}]},
        {"query": "abc", "conversation_history": [{"role": "u" * 65, "content": "x"}]},
        {"query": "abc", "conversation_history": [{"role": "u", "content": "x" * 32769}]},
        {"query": "abc", "conversation_history": [{"role": "u", "content": "x" * 30000}] * 4},
        {"query": "abc", "conversation_history": [{"role": "u", "content": "x" * 30000}] * 5},
        {"query": "a" * 65536, "user_prompt": "b" * 65536},
        {"query": "a" * 65536, "user_prompt": "b" * 65535, "conversation_history": []},
        {"query": "a" * 65535, "user_prompt": "b", "conversation_history": None},
    ],
)
def test_what_stock_refuses_we_refuse_and_nothing_else(
    stock: ModuleType, request_: dict[str, Any]
) -> None:
    def accepts(model: type[BaseModel]) -> bool:
        try:
            model.model_validate(request_)
        except ValueError:
            return False
        return True

    assert accepts(QueryRequest) == accepts(stock.QueryRequest)
