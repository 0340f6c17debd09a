"""What is here: GET / for machines, GET /docs for people without internet."""

from html import escape
from importlib.metadata import version

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from api.dependencies import ResourcesDep
from shared.rag.engine import storage_names
from shared.rag.models import describe_models
from shared.startup import storage_shape

NAME = "lightrag-fleet"
VERSION = version(NAME)

router = APIRouter(tags=["about"])

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}}
td{{padding:.2rem 1rem .2rem 0;vertical-align:top}}</style>
<h1>{title}</h1><p>The full description is in <a href="openapi.json">openapi.json</a>.</p>
<table>{rows}</table></html>"""


class About(BaseModel):
    """What this server is, which models it uses, and where to go next."""

    name: str = NAME
    version: str = VERSION
    shape: str
    storages: dict[str, str]
    models: dict[str, str]
    links: dict[str, str]


@router.get("/")
async def about(resources: ResourcesDep) -> About:
    """Say what this server is."""
    settings = resources.settings
    names = storage_names(settings)
    return About(
        shape=storage_shape(settings),
        storages={
            "key_value": names.kv,
            "vectors": names.vector,
            "graph": names.graph,
            "document_status": names.doc_status,
        },
        models=describe_models(settings),
        links={
            "docs": "/docs",
            "openapi": "/openapi.json",
            "health": "/readyz",
            "documents": "/documents",
            "tasks": "/tasks",
            "workspaces": "/workspaces",
        },
    )


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """List all paths; made here, because Swagger's page loads its scripts from another host."""
    rows = "".join(
        f"<tr><td><code>{method.upper()} {escape(path)}</code><td>{escape(route['description'])}"
        for path, methods in request.app.openapi()["paths"].items()
        for method, route in methods.items()
    )
    return HTMLResponse(_PAGE.format(title=f"{NAME} {VERSION}", rows=rows))
