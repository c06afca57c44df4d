"""ASGI 3 applications (asgi.readthedocs.io): `async app(scope, receive, send)`."""

import asyncio
from urllib.parse import unquote

from ..answer_error import answer_error
from ..failure import LoadFailure
from ..server.exchange import ClientLeft
from ..server.tasks import start_task
from .websocket import start_websocket

_version = {"version": "3.0", "spec_version": "2.4"}
_state_extension: dict = {}


class AsgiModel:
    """Serves one application, with its lifespan when it has one."""

    limits_itself = False
    hooks = None

    def __init__(self, app, lifespan: bool = True) -> None:
        self.app = app
        self.state: dict = {}
        self._lifespan = Lifespan(app, self.state) if lifespan else None
        self._port = 0

    async def start(self, port: int) -> None:
        self._port = port
        if self._lifespan is not None:
            await self._lifespan.start()

    async def stop(self) -> None:
        if self._lifespan is not None:
            await self._lifespan.stop()

    def handle(self, exchange) -> None:
        if exchange.head.upgrade == b"websocket":
            start_websocket(self.app, exchange, self.scope(exchange, "websocket"))
            return
        cycle = Cycle(exchange)
        exchange.task = start_task(exchange.loop, cycle.run(self.app, self.scope(exchange, "http")))

    def scope(self, exchange, kind: str) -> dict:
        head = exchange.head
        target = head.target
        if target[:1] != b"/":
            target = _origin_form(target)
        raw_path, _, query = target.partition(b"?")
        path = raw_path.decode("latin-1")
        if "%" in path:
            path = unquote(path)
        scheme, client = "http", exchange.connection.peer
        # The router is the only caller, so what it says about the real one holds.
        for name, value in head.headers:
            if name == b"x-forwarded-proto":
                scheme = value.decode("latin-1")
            elif name == b"x-forwarded-for":
                client = (value.partition(b",")[0].decode("latin-1").strip(), 0)
        return {
            "type": kind,
            "asgi": _version,
            "http_version": "1.1" if head.http11 else "1.0",
            "method": head.method,
            "scheme": scheme,
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": head.headers,
            "client": client,
            "server": ("127.0.0.1", self._port),
            "state": self.state.copy(),
            "extensions": _state_extension,
        }


def _origin_form(target: bytes) -> bytes:
    """`http://host/path` → `/path`; `*` stays."""
    rest = target.partition(b"://")[2]
    return b"/" + rest.partition(b"/")[2] if rest else target


class Cycle:
    """One request as an application sees it: `receive` and `send`."""

    __slots__ = ("exchange", "_asked", "_status", "_headers")

    def __init__(self, exchange) -> None:
        self.exchange = exchange
        self._asked = False
        self._status = None
        self._headers: object = ()

    async def run(self, app, scope: dict) -> None:
        exchange = self.exchange
        try:
            await app(scope, self.receive, self.send)
            if not exchange.finished:
                raise RuntimeError("the application returned before its response was complete")
        except Exception as error:
            answer_error(exchange, error)
        except BaseException as error:
            answer_error(exchange, error)
            raise

    async def receive(self) -> dict:
        exchange = self.exchange
        if self._asked:
            await exchange.wait_left()
            return {"type": "http.disconnect"}
        try:
            body = await exchange.read()
        except ClientLeft:
            return {"type": "http.disconnect"}
        self._asked = exchange.body_done and not exchange.buffered
        return {"type": "http.request", "body": body, "more_body": not self._asked}

    async def send(self, message: dict) -> None:
        kind = message["type"]
        exchange = self.exchange
        if kind == "http.response.body":
            body = message.get("body", b"")
            if exchange.started:
                if exchange.finished:
                    if exchange.left:
                        raise ClientLeft("the caller hung up")
                    raise RuntimeError("http.response.body after the response was complete")
            elif self._status is None:
                raise RuntimeError("http.response.body before http.response.start")
            elif not message.get("more_body", False):
                exchange.answer(self._status, self._headers, body)
                return
            else:
                exchange.start(self._status, self._headers)
            exchange.write(body)
            if message.get("more_body", False):
                await exchange.drained()
            else:
                exchange.end()
        elif kind == "http.response.start":
            if self._status is not None:
                raise RuntimeError("http.response.start twice")
            self._status = message["status"]
            self._headers = message.get("headers", ())
        else:
            raise RuntimeError(f"unexpected message {kind!r}")


class Lifespan:
    """The lifespan protocol: startup before the first request, shutdown after the last. Applications may not know it."""

    def __init__(self, app, state: dict) -> None:
        self._app = app
        self._scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
        self._messages: asyncio.Queue
        self._started: asyncio.Future
        self._stopped: asyncio.Future
        self._task = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._messages = asyncio.Queue()
        self._started, self._stopped = loop.create_future(), loop.create_future()
        self._messages.put_nowait({"type": "lifespan.startup"})
        self._task = loop.create_task(self._run())
        await self._started

    async def stop(self) -> None:
        if self._task is None or self._task.done():
            return
        self._messages.put_nowait({"type": "lifespan.shutdown"})
        await self._stopped

    async def _run(self) -> None:
        failure = None
        try:
            await self._app(self._scope, self._messages.get, self._send)
        except LoadFailure as error:
            failure = error
        except Exception:
            # "If an exception is raised when calling the application with a lifespan scope, the server must continue."
            failure = None
        for future in (self._started, self._stopped):
            if not future.done():
                future.set_result(None) if failure is None else future.set_exception(failure)

    async def _send(self, message: dict) -> None:
        kind, detail = message["type"], message.get("message", "")
        if kind == "lifespan.startup.complete":
            self._started.set_result(None)
        elif kind == "lifespan.startup.failed":
            self._started.set_exception(LoadFailure("ImportFailed", f"the application's startup failed: {detail}"))
        elif kind in ("lifespan.shutdown.complete", "lifespan.shutdown.failed") and not self._stopped.done():
            self._stopped.set_result(None)
