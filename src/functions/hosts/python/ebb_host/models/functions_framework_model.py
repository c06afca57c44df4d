"""
functions-framework (functions.md §3). With the real package among the function's dependencies its own applications are
served, Flask's request and all; else the registrations of our light one.
"""

import importlib.util
import json
import os

from ..events import EventError
from ..failure import LoadFailure
from ..load import find_target, load_module
from .cloudevents_model import CloudEventsModel
from .http_function import HttpFunctionModel

_kinds = {"http": "http", "cloudevent": "cloudevent", "event": "event", "typed": "typed"}


def make_functions_framework(claim: dict, module=None):
    """Loads the module itself unless it is given: the real package wants to do that."""
    target = claim.get("target") or os.environ.get("FUNCTION_TARGET")
    kind = claim.get("signature") or os.environ.get("FUNCTION_SIGNATURE_TYPE") or None
    if is_real():
        return _real(claim, target or "function", kind, module)
    module = module or load_module(claim["entry"], claim["cwd"])
    return _light(module, target, kind)


def is_real() -> bool:
    spec = importlib.util.find_spec("functions_framework")
    return spec is not None and os.sep + "shims" + os.sep not in (spec.origin or "")


def _real(claim: dict, target: str, kind, module):
    with open(claim["entry"], encoding="utf-8") as source:
        text = source.read()
    if kind == "cloudevent" or (kind is None and "cloud_event" in text and "functions_framework.http" not in text):
        # Taken from the registry, so that a returned event is the reply; the package would answer "OK" to all.
        from functions_framework import _function_registry

        module = module or load_module(claim["entry"], claim["cwd"])
        return CloudEventsModel(_function_registry.get_user_function(claim["entry"], module, target))
    if "functions_framework.aio" in text:
        import functions_framework.aio

        from .asgi import AsgiModel

        return AsgiModel(functions_framework.aio.create_asgi_app(target, claim["entry"], kind))
    import functions_framework

    from .wsgi import WsgiModel

    return WsgiModel(functions_framework.create_app(target, claim["entry"], kind))


def _light(module, target, kind):
    import functions_framework

    registry = functions_framework.REGISTRY
    name = _choose(module, registry, target)
    function, registered, argument = registry.get(name) or (find_target(module, name), _kinds.get(kind or "http"), None)
    if not callable(function):
        raise LoadFailure("NoHandler", f"{name!r} in {module.__file__} is no function")
    if registered == "cloudevent":
        return CloudEventsModel(function)
    if registered == "typed":
        return HttpFunctionModel(_typed(function), argument_of(argument))
    if registered == "event":
        raise LoadFailure("NoHandler", "background functions (signature `event`) need the functions-framework package: add it to requirements.txt")
    return HttpFunctionModel(function)


def _choose(module, registry: dict, target) -> str:
    if target is not None:
        return target
    if len(registry) == 1:
        return next(iter(registry))
    if "function" in registry or callable(getattr(module, "function", None)):
        return "function"
    if registry:
        names = ", ".join(registry)
        raise LoadFailure("AmbiguousHandler", f"{module.__file__} registers {names}: say which by --target or FUNCTION_TARGET")
    raise LoadFailure("NoHandler", f"{module.__file__} registers no function: put @functions_framework.http above one")


def argument_of(kind):
    def make(request):
        try:
            return kind.from_dict(json.loads(request.data))
        except ValueError as error:
            raise EventError(f"the body is not the JSON it should be: {error}") from None

    return make


def _typed(function):
    def call(argument):
        result = function(argument)
        if result is None:
            return "", 200
        given = result.to_dict() if hasattr(result, "to_dict") else result
        return json.dumps(given), 200, {"content-type": "application/json"}

    return call
