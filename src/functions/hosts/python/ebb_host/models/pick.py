"""Which model a claim or a module means, and the model made of it."""

import importlib
import inspect

from ..failure import LoadFailure
from ..load import find_target

# Loaded on use: a function pays for its own model only.
_makers = {
    "asgi": ("asgi_app", "make_asgi"),
    "wsgi": ("asgi_app", "make_wsgi"),
    "knative": ("knative", "make_knative"),
    "functions-framework": ("functions_framework_model", "make_functions_framework"),
    "cloudevents": ("cloudevents_model", "make_cloudevents"),
    "lambda": ("lambda_model", "make_lambda"),
}


def make_model(claim: dict, module):
    """Raises LoadFailure NoHandler."""
    name = claim["model"]
    if name == "auto":
        name = detect(module)
    if name not in _makers:
        raise LoadFailure("NoHandler", f"the Python host does not know the model {name!r}")
    file, maker = _makers[name]
    return getattr(importlib.import_module(f".{file}", __package__), maker)(claim, module)


def detect(module) -> str:
    """In the order of the sheet: what was registered, then what is defined. Raises LoadFailure."""
    if module.__name__.rpartition(".")[2] == "lambda_function" or hasattr(module, "lambda_handler"):
        return "lambda"
    if "functions_framework" in vars(module) and not hasattr(module, "app"):
        return "functions-framework"
    for name in ("app", "application"):
        if callable(getattr(module, name, None)):
            return "asgi" if is_asgi(getattr(module, name)) else "wsgi"
    if callable(getattr(module, "new", None)) or callable(getattr(module, "handle", None)) or callable(getattr(module, "main", None)):
        return "knative"
    if callable(getattr(module, "handler", None)):
        return "lambda"
    raise LoadFailure(
        "NoHandler",
        f"{module.__file__} defines nothing that takes requests: define `app` (ASGI or WSGI), `handle` or `new` (Knative), "
        "`lambda_handler` (Lambda), use @functions_framework.http, or listen on PORT",
    )


def is_asgi(app) -> bool:
    """ASGI applications are awaited, WSGI ones are not."""
    call = app if inspect.isfunction(app) or inspect.ismethod(app) else getattr(app, "__call__", None)
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(call)


