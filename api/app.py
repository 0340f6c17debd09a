"""Assembles the application from its parts."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from api import auth, body_limit, error_handlers, lingering, metrics, middleware, pages
from api.documents import routes as documents
from api.graph import routes as graph
from api.health import routes as health
from api.lifespan import OpenResources, lifespan_of, open_resources
from api.queries import routes as queries
from api.tasks import routes as tasks
from api.usage import routes as usage
from api.workspaces import routes as workspaces
from shared.settings import Settings

_ROUTERS = (pages, documents, tasks, queries, graph, workspaces, usage, health)


def create_app(settings: Settings, opener: OpenResources = open_resources) -> FastAPI:
    """Make the application.

    Args:
        settings: all settings.
        opener: opens what requests need; files mode and tests bring their own.
    """
    request_metrics = metrics.RequestMetrics()
    app = FastAPI(
        title=pages.NAME,
        version=pages.VERSION,
        lifespan=lifespan_of(settings, opener),
        docs_url=None,  # both of FastAPI's pages load scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        middleware=[  # outermost first
            Middleware(middleware.RequestEdge, metrics=request_metrics),
            Middleware(lingering.LingeringClose),
            Middleware(auth.ApiKeyGuard, api_key=settings.asked_key),
            Middleware(body_limit.BodyLimit, max_bytes=settings.limits.max_request_bytes),
        ],
    )
    app.state.metrics = request_metrics
    error_handlers.add_error_handlers(app)
    for part in _ROUTERS:
        app.include_router(part.router)
    return app
