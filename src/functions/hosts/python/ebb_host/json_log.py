"""
EBB_LOG_FORMAT=json: every line as JSON, `time, level, msg`, and within a request its id and trace. What is printed or
logged becomes such lines, and each request ends in one with method, path, status and milliseconds.
"""

import contextvars
import io
import json
import logging
import sys
import threading
from datetime import datetime, timezone

from .answer_error import request_id

# The exchange whose request the running code belongs to.
current: contextvars.ContextVar = contextvars.ContextVar("ebb_request", default=None)
# Of the record that a logging handler is writing; else the stream's own.
_level: contextvars.ContextVar = contextvars.ContextVar("ebb_level", default=None)


def install() -> None:
    """Before the function is imported: handlers of logging keep the stream they find."""
    sys.stdout.flush()
    sys.stdout = JsonLines(sys.stdout, "info")
    sys.stderr = JsonLines(sys.stderr, "error")
    emit = logging.StreamHandler.emit

    def emit_with_level(handler, record) -> None:
        token = _level.set(_name_of(record.levelno))
        try:
            emit(handler, record)
        finally:
            _level.reset(token)

    logging.StreamHandler.emit = emit_with_level


def _name_of(number: int) -> str:
    return "error" if number >= 40 else "warn" if number >= 30 else "info" if number >= 20 else "debug"


def log_request(exchange, status: int, ms: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, JsonLines):
            stream.flush_of(exchange.partial)
    head = exchange.head
    path = head.target.partition(b"?")[0].decode("latin-1")
    fields = {"method": head.method, "path": path, "status": status, "ms": ms}
    _write(sys.__stdout__, "error" if status >= 500 else "info", "request", {**_fields_of(exchange), **fields})


def _fields_of(exchange) -> dict:
    if exchange is None:
        return {}
    fields = {"requestId": request_id(exchange)}
    for name, value in exchange.head.headers:
        if name == b"traceparent":
            fields["traceparent"] = value.decode("latin-1")
    return fields


def _write(stream, level: str, msg: str, fields: dict) -> None:
    time = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"time": time, "level": level, "msg": msg, **fields}
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    stream.buffer.write(text.encode("utf-8", "replace") + b"\n")
    stream.buffer.flush()


class JsonLines(io.TextIOBase):
    """
    A text stream of which each message is a line of JSON. A message ends with a write that ends its line: what one
    print() or one record of logging has to say stays together, tracebacks too.
    """

    def __init__(self, stream, level: str) -> None:
        self._stream = stream
        self._own_level = level
        # Outside of requests.
        self._partial: dict = {}
        # A handler of a signal may print in the middle of a print.
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        exchange = current.get()
        partial = self._partial if exchange is None else exchange.partial
        with self._lock:
            whole = partial.get(self, "") + text
            if not whole.endswith("\n"):
                partial[self] = whole
                return len(text)
            partial.pop(self, None)
        _write(self._stream, _level.get() or self._own_level, whole[:-1], _fields_of(exchange))
        return len(text)

    def flush(self) -> None:
        exchange = current.get()
        self.flush_of(self._partial if exchange is None else exchange.partial)

    def flush_of(self, partial: dict) -> None:
        with self._lock:
            left = partial.pop(self, "")
        if left:
            _write(self._stream, self._own_level, left, _fields_of(current.get()))

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    @property
    def encoding(self) -> str:
        return self._stream.encoding

    @property
    def errors(self) -> str:
        return self._stream.errors

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """The function may be done with it, the host is not."""
