"""What every function will need, loaded and run once while nobody waits."""

import socket


def warm_up() -> None:
    # Imported for later: most functions ask for several of these.
    import base64, collections.abc, contextlib, dataclasses, datetime, decimal, email.message, functools  # noqa: E401, F401
    import hashlib, http.client, inspect, json, logging, random, re, string, tempfile, typing, urllib.request, uuid  # noqa: E401, F401

    from . import become, compile_cache, load, own_server  # noqa: F401
    from .models import asgi_app, cloudevents_model, functions_framework_model, http_function, knative, lambda_model, wsgi  # noqa: F401

    rehearse()


def rehearse() -> None:
    """
    Serves an application of one line and asks it something, three times: the interpreter adapts code to how it is used.
    Leaves nothing behind but that.
    """
    import asyncio

    from .models.asgi import AsgiModel
    from .server.server import Server

    async def app(scope, receive, send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"hello"})

    loop = asyncio.new_event_loop()
    try:
        here, there = socket.socketpair()
        there.setblocking(False)
        model = AsgiModel(app, lifespan=False)
        server = Server(loop, [], model.handle)
        server.adopt(there, ("127.0.0.1", 0))
        for _ in range(3):
            here.sendall(b"GET /?a=b HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 127.0.0.1\r\n\r\n")
            loop.run_until_complete(asyncio.sleep(0.001))
            here.recv(4096)
        here.close()
        loop.run_until_complete(asyncio.sleep(0.001))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
