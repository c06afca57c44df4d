"""
The registration API of functions-framework (`@functions_framework.http`, `.cloud_event`, `.typed`), for functions that do
not install the real package. ebb's host does the rest.
"""

import inspect

# Name → (function, "http" | "cloudevent" | "typed", type of the argument).
REGISTRY: dict = {}


def http(function):
    """Registers `def f(request)`."""
    REGISTRY[function.__name__] = (function, "http", None)
    return function


def cloud_event(function):
    """Registers `def f(event)`."""
    REGISTRY[function.__name__] = (function, "cloudevent", None)
    return function


def typed(*args):
    """Registers `def f(x: T)`; T has from_dict and, when it is returned, to_dict. Also as `@typed(T)`."""

    def register(function, kind=None):
        if kind is None:
            parameters = list(inspect.signature(function, eval_str=True).parameters.values())
            kind = parameters[0].annotation if parameters else None
        if not hasattr(kind, "from_dict"):
            raise TypeError(f"{function.__name__} takes {kind!r}, which has no from_dict(): annotate the parameter or write @typed(T)")
        REGISTRY[function.__name__] = (function, "typed", kind)
        return function

    if args and inspect.isclass(args[0]):
        return lambda function: register(function, args[0])
    return register(args[0])
