"""A function that takes CloudEvents: `def handle(event)`, what it returns is the reply."""

from ..failure import LoadFailure
from ..load import find_target
from .calling import Calls, serve_exchange
from .event_exchange import answer_event, event_maker, read_events
from .hooks import Hooks

_names = ("handle", "handle_event", "on_event", "handler", "main", "event")


def make_cloudevents(claim: dict, module):
    target = claim.get("target")
    name = target or next((one for one in _names if callable(getattr(module, one, None))), None)
    function = find_target(module, name) if name else None
    if not callable(function):
        raise LoadFailure("NoHandler", f"{module.__file__} has no function that takes events: define `handle(event)`")
    return CloudEventsModel(function, module)


class CloudEventsModel:
    limits_itself = False

    def __init__(self, function, hooks=None) -> None:
        self._function = function
        self._calls = Calls()
        self._make = event_maker()
        self.hooks = Hooks(hooks)

    async def start(self, port: int) -> None:
        await self.hooks.start()

    async def stop(self) -> None:
        await self.hooks.stop()

    def handle(self, exchange) -> None:
        if not self.hooks.answers(exchange):
            serve_exchange(exchange, self._respond)

    async def _respond(self, exchange) -> None:
        events = await read_events(exchange, self._make)
        if events is None:
            return
        if len(events) == 1:
            answer_event(exchange, await self._calls.call(self._function, events[0]))
            return
        replies: list = []
        for event in events:
            reply = await self._calls.call(self._function, event)
            replies += reply if isinstance(reply, (list, tuple)) else [] if reply is None else [reply]
        answer_event(exchange, replies)
