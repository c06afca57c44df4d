"""What a caller sees of a function's failure, and what its owner finds in the log."""

import random

from .failure import describe, report
from .server.exchange import ClientLeft
from .server.head import BadRequest


def request_id(exchange, make=lambda: f"{random.getrandbits(48):012x}") -> str:
    """The caller's id for a request, or one that is made, the same each time it is asked for."""
    if exchange.ident is None:
        given = next((value for name, value in exchange.head.headers if name == b"x-request-id"), b"")
        exchange.ident = given.decode("latin-1") or make()
    return exchange.ident


def answer_error(exchange, error: BaseException) -> None:
    """
    500 with the request's id and nothing of the error; the traceback goes to the log under the same id. When the
    response has begun, the connection is cut: a clean end would pass for a whole answer.
    """
    if isinstance(error, ClientLeft) or exchange.left:
        if not exchange.finished:
            exchange.cut()
        return
    if isinstance(error, BadRequest):
        if not exchange.started:
            answer_text(exchange, error.status, f"{error}\n")
        else:
            exchange.cut()
        return
    status, text = status_of(error)
    if 400 <= status < 500 and not exchange.started:
        answer_text(exchange, status, f"{text}\n")
        return
    head = exchange.head
    ident = request_id(exchange)
    report(f"request {ident} {head.method} {head.target.decode('latin-1')} failed: {describe(error)}")
    if exchange.finished:
        return
    if exchange.started:
        exchange.cut()
        return
    answer_text(exchange, status, f"function failed, request {ident}\n", (b"x-request-id", ident.encode("latin-1")))


def status_of(error: BaseException) -> tuple:
    """
    (status, message) of an error that says its HTTP status, as the exceptions of Starlette (`status_code`) and werkzeug
    (`code` with a response) do; else 500. Errors of calls to others, such as urllib's, have statuses that mean something
    else and are not asked.
    """
    status = getattr(error, "status_code", None)
    if status is None and hasattr(error, "get_response"):
        status = getattr(error, "code", None)
    if type(status) is not int or not 400 <= status <= 599:
        return 500, ""
    return status, getattr(error, "detail", None) or getattr(error, "description", None) or str(error)


def answer_text(exchange, status: int, text: str, *headers) -> None:
    exchange.answer(status, [(b"content-type", b"text/plain; charset=utf-8"), *headers], text.encode())
