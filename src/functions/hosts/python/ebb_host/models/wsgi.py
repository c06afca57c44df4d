"""WSGI applications (PEP 3333): `app(environ, start_response)`, each request on a thread."""

import asyncio
import io
import sys
from urllib.parse import unquote_to_bytes

from ..answer_error import answer_error
from ..server.exchange import ClientLeft
from ..threads import Threads, thread_limit


class WsgiModel:
    limits_itself = False
    hooks = None

    def __init__(self, app) -> None:
        self._app = app
        self._threads = Threads(thread_limit())
        self._port = "0"

    async def start(self, port: int) -> None:
        self._port = str(port)

    async def stop(self) -> None:
        return

    def handle(self, exchange) -> None:
        self._threads.run(exchange.carried(WsgiCall(self._app, exchange, self._port).run))


class WsgiCall:
    """One request on its thread; whatever touches the exchange is handed to the loop."""

    def __init__(self, app, exchange, port: str) -> None:
        self._app = app
        self._exchange = exchange
        self._port = port
        self._body = exchange.take_whole()
        self._head: tuple = ()
        self._sent_head = False

    def run(self) -> None:
        exchange = self._exchange
        result = None
        try:
            result = self._app(self._environ(), self._start_response)
            self._send(result)
        except BaseException as error:
            if not exchange.left:
                self._later(answer_error, exchange, error)
            else:
                self._later(exchange.end)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                try:
                    close()
                except Exception as error:
                    self._later(answer_error, exchange, error)

    def _send(self, result) -> None:
        exchange = self._exchange
        if isinstance(result, (list, tuple)) and len(result) <= 1 and not self._sent_head:
            self._later(self._answer, result[0] if result else b"")
            return
        for piece in result:
            if piece:
                self._write(piece)
        if self._sent_head:
            self._later(exchange.end)
        else:
            self._later(self._answer, b"")

    def _start_response(self, status: str, headers: list, exc_info=None):
        if exc_info is not None and self._sent_head:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._head and exc_info is None:
            raise RuntimeError("start_response was called twice")
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._head = int(status.partition(" ")[0]), pairs
        return self._write

    def _write(self, piece: bytes) -> None:
        if not isinstance(piece, bytes):
            raise TypeError(f"the application gave {type(piece).__name__} where WSGI wants bytes")
        if not self._head:
            raise RuntimeError("the application gave a body before it called start_response")
        asyncio.run_coroutine_threadsafe(self._write_on_loop(piece), self._exchange.loop).result()

    async def _write_on_loop(self, piece: bytes) -> None:
        exchange = self._exchange
        if not self._sent_head:
            self._sent_head = True
            exchange.start(*self._head)
        exchange.write(piece)
        await exchange.drained()

    def _answer(self, body: bytes) -> None:
        try:
            if not self._head:
                raise RuntimeError("the application did not call start_response")
            if not isinstance(body, bytes):
                raise TypeError(f"the application gave {type(body).__name__} where WSGI wants bytes")
            self._exchange.answer(*self._head, body)
        except Exception as error:
            answer_error(self._exchange, error)

    def _later(self, call, *args) -> None:
        self._exchange.loop.call_soon_threadsafe(call, *args)

    def _environ(self) -> dict:
        exchange = self._exchange
        head = exchange.head
        raw_path, _, query = head.target.partition(b"?")
        if b"%" in raw_path:
            raw_path = unquote_to_bytes(raw_path)
        environ = {
            "REQUEST_METHOD": head.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": raw_path.decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "RAW_URI": head.target.decode("latin-1"),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": self._port,
            "SERVER_PROTOCOL": "HTTP/1.1" if head.http11 else "HTTP/1.0",
            "REMOTE_ADDR": exchange.connection.peer[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body_reader(exchange) if self._body is None else io.BytesIO(self._body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in head.headers:
            text = value.decode("latin-1")
            if name == b"content-type":
                environ["CONTENT_TYPE"] = text
            elif name == b"content-length":
                environ["CONTENT_LENGTH"] = text
            else:
                key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
                environ[key] = f"{environ[key]},{text}" if key in environ else text
        if "HTTP_X_FORWARDED_PROTO" in environ:
            environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"]
        if "HTTP_X_FORWARDED_FOR" in environ:
            environ["REMOTE_ADDR"] = environ["HTTP_X_FORWARDED_FOR"].partition(",")[0].strip()
        return environ


def body_reader(exchange) -> io.BufferedReader:
    """The request's body as a blocking file, read from the socket as it is asked for."""
    return io.BufferedReader(_BodyFile(exchange), 64 * 1024)


class _BodyFile(io.RawIOBase):
    def __init__(self, exchange) -> None:
        self._exchange = exchange
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into) -> int:
        if not self._left:
            exchange = self._exchange
            if exchange.finished:
                raise ClientLeft("the response is already complete")
            self._left = asyncio.run_coroutine_threadsafe(exchange.read(), exchange.loop).result()
        size = min(len(into), len(self._left))
        into[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
