"""Finds the application object of an ASGI or WSGI module."""

from ..failure import LoadFailure
from ..load import find_target
from .pick import is_asgi

_names = ("app", "application", "asgi", "wsgi", "api")


def make_asgi(claim: dict, module):
    from .asgi import AsgiModel

    return AsgiModel(_application(claim, module))


def make_wsgi(claim: dict, module):
    app = _application(claim, module)
    if is_asgi(app):
        # Taken for WSGI by its text, but what is there is awaited.
        from .asgi import AsgiModel

        return AsgiModel(app)
    from .wsgi import WsgiModel

    return WsgiModel(app)


def _application(claim: dict, module):
    target = claim.get("target")
    if target is not None:
        made = find_target(module, target.removesuffix("()"))
        app = made() if target.endswith("()") else made
    else:
        app = next((getattr(module, name) for name in _names if hasattr(module, name)), None)
    if not callable(app):
        wanted = target or "`app` or `application`"
        raise LoadFailure("NoHandler", f"{module.__file__} has no application to call: define {wanted}")
    return app
