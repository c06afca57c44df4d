"""Which model a claim or a module means, and the model made of it."""

import importlib
import inspect

from ..failure import LoadFailure
from ..load import load_module

# Loaded on use: a function pays for its own model only.
_makers = {
    "asgi": ("asgi_app", "make_asgi"),
    "wsgi": ("asgi_app", "make_wsgi"),
    "knative": ("knative", "make_knative"),
    "functions-framework": ("functions_framework_model", "make_functions_framework"),
    "cloudevents": ("cloudevents_model", "make_cloudevents"),
    "lambda": ("lambda_model", "make_lambda"),
}


def make_model(claim: dict):
    """Imports the function and makes its model. Raises LoadFailure, and whatever the import raises."""
    name = claim["model"]
    if name == "functions-framework":
        return _maker(name)(claim)
    if name not in _makers and name != "auto":
        raise LoadFailure("NoHandler", f"the Python host does not know the model {name!r}")
    module = load_module(claim["entry"], claim["cwd"])
    return _maker(detect(module) if name == "auto" else name)(claim, module)


def _maker(name: str):
    file, maker = _makers[name]
    return getattr(importlib.import_module(f".{file}", __package__), maker)


def detect(module) -> str:
    """In the order of the sheet: what was registered, then what is defined. Raises LoadFailure."""
    if module.__name__.rpartition(".")[2] == "lambda_function" or hasattr(module, "lambda_handler"):
        return "lambda"
    if "functions_framework" in vars(module) and not hasattr(module, "app"):
        return "functions-framework"
    for name in ("app", "application"):
        if callable(getattr(module, name, None)):
            return "asgi" if is_asgi(getattr(module, name)) else "wsgi"
    handle = getattr(module, "handle", None)
    if inspect.isfunction(handle) and len(inspect.signature(handle).parameters) == 1:
        return "cloudevents"
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


