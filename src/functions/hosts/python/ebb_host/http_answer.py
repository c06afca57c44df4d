"""What functions return for a request, in Flask's words: text, bytes, an object for JSON, `(body, status, headers)`."""

import json

from .answer_error import answer_error


def split_answer(value) -> tuple:
    """(body, status, header pairs) of a return value. Raises TypeError for what is no answer."""
    status, headers = 200, ()
    if isinstance(value, tuple):
        if len(value) == 3:
            value, status, headers = value
        elif len(value) == 2:
            value, second = value
            if isinstance(second, (dict, list)):
                headers = second
            else:
                status = second
        else:
            raise TypeError("a function's tuple is (body, status), (body, headers) or (body, status, headers)")
    if isinstance(status, str):
        status = int(status.split(" ")[0])
    pairs = headers.items() if hasattr(headers, "items") else headers or ()
    flat: list = []
    for name, value_or_list in pairs:
        for one in value_or_list if isinstance(value_or_list, (list, tuple)) else (value_or_list,):
            flat.append((name.lower().encode("latin-1"), str(one).encode("latin-1")))
    return value, status, flat


async def send_answer(exchange, given, calls) -> None:
    """Sends what a function returned; generators piece by piece."""
    if hasattr(given, "get_data") and hasattr(given, "status_code") and hasattr(given, "headers"):
        # A Response of Flask or werkzeug, or one that looks like it.
        pairs = given.headers.items()
        given = given.get_data(), given.status_code, [(name, value) for name, value in pairs]
    body, status, headers = split_answer(given)
    kind = None
    if isinstance(body, str):
        kind, body = b"text/plain; charset=utf-8", body.encode()
    elif isinstance(body, (bytes, bytearray)):
        kind, body = b"application/octet-stream", bytes(body)
    elif isinstance(body, (dict, list)):
        kind, body = b"application/json", json.dumps(body, separators=(",", ":")).encode()
    elif hasattr(body, "__anext__"):
        await _stream(exchange, status, _typed(headers, b"text/plain; charset=utf-8"), body)
        return
    elif hasattr(body, "__next__"):
        await _stream(exchange, status, _typed(headers, b"text/plain; charset=utf-8"), _steps(body, calls))
        return
    else:
        raise TypeError(
            f"the function returned {type(body).__name__}: give text, bytes, a dict, a list, a generator, "
            "or (body, status, headers)"
        )
    exchange.answer(status, _typed(headers, kind), body)


def _typed(headers: list, kind: bytes) -> list:
    return headers if any(name == b"content-type" for name, _ in headers) else [*headers, (b"content-type", kind)]


async def _steps(generator, calls):
    """A blocking generator, each step on a thread."""
    end = object()
    while True:
        piece = await calls.on_thread(next, generator, end)
        if piece is end:
            return
        yield piece


async def _stream(exchange, status: int, headers: list, pieces) -> None:
    exchange.start(status, headers)
    try:
        async for piece in pieces:
            exchange.write(piece.encode() if isinstance(piece, str) else piece)
            await exchange.drained()
    except Exception as error:
        answer_error(exchange, error)
        return
    exchange.end()
