"""Knative functions for Python (func-python): `new()` or `handle`, as ASGI or with events; legacy `main(context)`."""

import inspect
import json

from ..answer_error import answer_text
from ..events import STRUCTURED, as_event, to_binary, to_structured
from ..failure import LoadFailure
from ..load import find_target
from .asgi import AsgiModel
from .calling import serve_exchange
from .event_exchange import event_maker, read_events
from .hooks import Hooks, _paths


def make_knative(claim: dict, module):
    if claim.get("target"):
        holder, handle = module, find_target(module, claim["target"])
    elif callable(getattr(module, "new", None)):
        holder = module.new()
        handle = getattr(holder, "handle", None)
        if not callable(handle):
            raise LoadFailure("NoHandler", f"what new() in {module.__file__} gives has no handle(scope, receive, send)")
    else:
        holder, handle = module, getattr(module, "handle", None)
    if handle is None and callable(getattr(module, "main", None)):
        from .http_function import HttpFunctionModel, LegacyContext

        return HttpFunctionModel(module.main, LegacyContext, module)
    if not callable(handle):
        raise LoadFailure("NoHandler", f"{module.__file__} defines neither new() nor handle(scope, receive, send)")
    wanted = _parameters(handle)
    if wanted == 1:
        from .cloudevents_model import CloudEventsModel

        return CloudEventsModel(handle, holder)
    if not inspect.iscoroutinefunction(handle):
        raise LoadFailure("NoHandler", f"handle in {module.__file__} is not async: write `async def handle(scope, receive, send)`")
    return KnativeModel(handle, Hooks(holder), claim.get("signature") == "cloudevent")


def _parameters(function) -> int:
    try:
        return len(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return 3


class KnativeModel(AsgiModel):
    """An ASGI handler beside the two health paths; with events, `scope["event"]` holds one and `send` takes one."""

    def __init__(self, handle, hooks: Hooks, events: bool) -> None:
        super().__init__(handle, lifespan=False)
        self.hooks = hooks
        self._make = event_maker() if events else None

    async def start(self, port: int) -> None:
        await super().start(port)
        await self.hooks.start()

    async def stop(self) -> None:
        await self.hooks.stop()

    def handle(self, exchange) -> None:
        if exchange.head.target in _paths and exchange.head.method == "GET":
            if not self.hooks.answers(exchange):
                answer_text(exchange, 200, "OK\n")
        elif self._make is None:
            super().handle(exchange)
        else:
            serve_exchange(exchange, self._respond)

    async def _respond(self, exchange) -> None:
        events = await read_events(exchange, self._make)
        if events is None:
            return
        if len(events) != 1:
            answer_text(exchange, 400, "not a CloudEvent: this function takes events one by one, not in batches\n")
            return
        scope = self.scope(exchange, "http")
        scope["event"] = events[0]
        await self.app(scope, _nothing_left, EventSend(exchange))
        if not exchange.finished:
            exchange.answer(204, [])


async def _nothing_left() -> dict:
    return {"type": "http.request", "body": b"", "more_body": False}


class EventSend:
    """`await send(event, status=200)` answers in structured mode, `send.binary(event)` in binary mode, `send.http(message)` with raw ASGI."""

    def __init__(self, exchange) -> None:
        from .asgi import Cycle

        self._exchange = exchange
        self.http = Cycle(exchange).send

    async def __call__(self, event, status: int = 200) -> None:
        if isinstance(event, dict) and str(event.get("type", "")).startswith("http."):
            await self.http(event)
        else:
            await self.structured(event, status)

    async def structured(self, event, status: int = 200) -> None:
        body = json.dumps(to_structured(*_event(event))).encode()
        self._exchange.answer(status, [(b"content-type", STRUCTURED.encode())], body)

    async def binary(self, event, status: int = 200) -> None:
        headers, body = to_binary(*_event(event))
        self._exchange.answer(status, headers, body)


def _event(value) -> tuple:
    event = as_event(value)
    if event is None:
        raise TypeError(f"send() takes a CloudEvent, not {type(value).__name__}")
    return event
