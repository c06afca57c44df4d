"""Events in requests, and what functions give for them as replies."""

import importlib
import json

from ..answer_error import answer_text
from ..events import BATCH, CloudEvent, EventError, as_event, headers_of, parse_events, to_binary, to_structured
from ..failure import report
from .calling import EVENT_LIMIT


def event_maker():
    """Makes events of the class the function imports: the cloudevents package's where it has one, else ours."""
    try:
        found = importlib.import_module("cloudevents.http").CloudEvent
    except (ImportError, AttributeError):
        return CloudEvent._received
    if found is CloudEvent:
        return CloudEvent._received
    return lambda attributes, data: found(attributes, data)


async def read_events(exchange, make):
    """The request's events; None when it is answered already: 400 for what is no event."""
    body = await exchange.read_all(EVENT_LIMIT)
    try:
        return parse_events(headers_of(exchange.head), body, make)
    except EventError as error:
        answer_text(exchange, 400, f"not a CloudEvent: {error}\n")
        return None


def answer_event(exchange, value) -> None:
    """
    An event goes back in binary mode, a list of them as a batch, nothing as 204. Anything else is no event and goes
    nowhere: it is logged, since its author expected something of it.
    """
    if isinstance(value, (list, tuple)) and value:
        events = [as_event(one) for one in value]
        if all(events):
            body = json.dumps([to_structured(*one) for one in events]).encode()
            exchange.answer(200, [(b"content-type", BATCH.encode())], body)
            return
    event = as_event(value) if value is not None else None
    if event is not None:
        headers, body = to_binary(*event)
        exchange.answer(200, headers, body)
        return
    if value:
        head = exchange.head
        given = type(value).__name__
        report(f"{head.method} {head.target.decode('latin-1')}: the event handler returned {given}, which is no CloudEvent; nothing is sent")
    exchange.answer(204, [])
