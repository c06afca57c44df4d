"""
A claim and its first requests, played through while nobody waits: the interpreter adapts code to how it is used, and a
fork gets pages of its own where it writes, which would otherwise be paid by the first caller.
"""

import asyncio
import os
import signal
import socket
import sys

from .become import become
from .load import load_module
from .models.asgi_app import make_asgi
from .server.server import Server

_dir = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rehearsal")
_requests = 2


def rehearse() -> None:
    """Leaves no trace in what a function could see."""
    paths = sys.path[:], sys.path_hooks[:], dict(sys.path_importer_cache)
    kept = sys.argv, sys.dont_write_bytecode, os.getcwd()
    env = dict(os.environ)
    claim = {"entry": os.path.join(_dir, "rehearsed.py"), "cwd": _dir, "env": env, "compileCache": _dir, "target": "app"}
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 60)
    loop = asyncio.new_event_loop()
    try:
        become(claim, 0)
        asyncio.set_event_loop(loop)
        model = make_asgi(claim, load_module(claim["entry"], claim["cwd"]))
        loop.run_until_complete(model.start(0))
        _serve(loop, model)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        asyncio.set_event_loop(None)
        loop.close()
        sys.modules.pop("rehearsed", None)
        sys.path[:], sys.path_hooks[:] = paths[0], paths[1]
        sys.path_importer_cache.clear()
        sys.path_importer_cache.update(paths[2])
        sys.argv, sys.dont_write_bytecode = kept[0], kept[1]
        os.chdir(kept[2])
        os.environ.clear()
        os.environ.update(env)


def _serve(loop, model) -> None:
    here, there = socket.socketpair()
    there.setblocking(False)
    server = Server(loop, [], model.handle)
    loop.add_signal_handler(signal.SIGTERM, lambda: None)
    server.adopt(there, ("127.0.0.1", 0))
    for _ in range(_requests):
        here.sendall(b"GET /?a=b HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 127.0.0.1\r\n\r\n")
        loop.run_until_complete(asyncio.sleep(0.001))
        here.recv(4096)
    here.close()
    loop.run_until_complete(asyncio.sleep(0.001))
    loop.remove_signal_handler(signal.SIGTERM)
