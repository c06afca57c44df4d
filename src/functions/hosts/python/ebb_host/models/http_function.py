"""A function of a request as Flask knows it: `def hello(request)`, and the legacy `main(context)`."""

from ..answer_error import answer_text
from ..events import EventError, content_mode, parse_events
from ..http_answer import send_answer
from ..http_request import HttpRequest
from .calling import BODY_LIMIT, Calls, serve_exchange
from .event_exchange import event_maker
from .hooks import Hooks


class HttpFunctionModel:
    """`make_argument(request)` is what the function takes; it may raise EventError, which is the caller's fault."""

    limits_itself = False

    def __init__(self, function, make_argument=None, hooks=None) -> None:
        self._function = function
        self._make_argument = make_argument or (lambda request: request)
        self.hooks = Hooks(hooks)
        self._calls = Calls()

    async def start(self, port: int) -> None:
        await self.hooks.start()

    async def stop(self) -> None:
        await self.hooks.stop()

    def handle(self, exchange) -> None:
        if not self.hooks.answers(exchange):
            serve_exchange(exchange, self._respond)

    async def _respond(self, exchange) -> None:
        request = HttpRequest(exchange, await exchange.read_all(BODY_LIMIT))
        try:
            argument = self._make_argument(request)
        except EventError as error:
            answer_text(exchange, 400, f"not a CloudEvent: {error}\n")
            return
        given = await self._calls.call(self._function, argument)
        await send_answer(exchange, ("", 204) if given is None and argument is not request else given, self._calls)


class LegacyContext:
    """What `main(context)` takes: `context.request`, and `context.cloud_event` when the request is one."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        headers = {name.lower(): value for name, value in request.headers.items()}
        events = parse_events(headers, request.data, event_maker()) if content_mode(headers) else []
        self.cloud_event = events[0] if events else None


