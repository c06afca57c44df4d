"""What every function will need, loaded and played through while nobody waits."""


def warm_up() -> None:
    load_all()
    from .rehearse import rehearse

    rehearse()


def load_all() -> None:
    # Imported for later: most functions ask for several of these.
    import base64, collections.abc, contextlib, dataclasses, datetime, decimal, email.message, functools  # noqa: E401, F401
    import hashlib, http.client, inspect, json, logging, random, re, string, tempfile, typing, urllib.request, uuid  # noqa: E401, F401

    from . import json_log, limits, own_server  # noqa: F401
    from .models import cloudevents_model, functions_framework_model, http_function, knative, lambda_model, websocket, wsgi  # noqa: F401
