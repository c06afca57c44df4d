"""Response heads (RFC 9112 §4–6): status and headers to bytes."""

import time
from email.utils import formatdate

from .head import reason

_status_lines: dict = {}
_watched = frozenset((b"content-length", b"transfer-encoding", b"date", b"connection"))
_bodiless = frozenset((204, 304))
_date = [0, b""]


class BadResponse(Exception):
    """The function's response cannot be sent as it is."""


def status_line(status: int) -> bytes:
    line = _status_lines.get(status)
    if line is None:
        if not isinstance(status, int) or not 100 <= status <= 999:
            raise BadResponse(f"{status!r} is no HTTP status")
        line = _status_lines[status] = f"HTTP/1.1 {int(status)} {reason(status)}".encode("latin-1")
    return line


def has_body(method: str, status: int) -> bool:
    return method != "HEAD" and status not in _bodiless and status >= 200


def response_head(exchange, status: int, headers, length) -> bytes:
    """
    The head with its empty line. `length` is the body's when known; else it is chunked, or for HTTP/1.0 ended by the
    connection's end. Sets `exchange.chunked`, and `exchange.keep_alive` to False where it must end. Raises BadResponse.
    """
    parts = [status_line(status)]
    seen: tuple = ()
    for name, value in headers:
        low = name.lower()
        if low in _watched:
            if low == b"transfer-encoding":
                # Framing is the server's; the function's own words about it would contradict it.
                continue
            if low == b"connection":
                if b"close" in value.lower():
                    exchange.keep_alive = False
                continue
            seen += (low,)
            if low == b"content-length":
                exchange.declared = _declared(value)
        parts.append(b"%b: %b" % (name, value))
    if b"date" not in seen:
        parts.append(_date_line())
    if exchange.declared is None:
        if length is not None:
            if status not in _bodiless and status >= 200:
                parts.append(b"content-length: %d" % length)
        elif has_body(exchange.head.method, status):
            if exchange.head.http11:
                exchange.chunked = True
                parts.append(b"transfer-encoding: chunked")
            else:
                exchange.keep_alive = False
    if exchange.connection.continue_owed:
        # Whether the body still comes is not known: nothing after it could be understood.
        exchange.keep_alive = False
    if not exchange.keep_alive:
        parts.append(b"connection: close")
    elif not exchange.head.http11:
        parts.append(b"connection: keep-alive")
    breaks = len(parts) - 1
    text = b"\r\n".join(parts)
    if text.count(b"\n") != breaks or text.count(b"\r") != breaks:
        raise BadResponse("a response header has a line break in it")
    return text + b"\r\n\r\n"


def _declared(value: bytes) -> int:
    if not value.isdigit():
        raise BadResponse(f"content-length {value!r} is no number")
    return int(value)


def _date_line() -> bytes:
    now = int(time.time())
    if now != _date[0]:
        _date[:] = now, b"date: " + formatdate(now, usegmt=True).encode()
    return _date[1]
