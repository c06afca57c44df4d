"""A function's life cycle: start(cfg), stop(), alive(), ready(), each optional, sync or async (functions.md §2.3)."""

import os

from ..answer_error import answer_text
from ..failure import LoadFailure, describe
from .calling import maybe_await, serve_exchange

_paths = {b"/health/liveness": "alive", b"/health/readiness": "ready"}


class Hooks:
    def __init__(self, holder) -> None:
        self._hooks = {name: _hook(holder, name) for name in ("start", "stop", "alive", "ready")}

    async def start(self) -> None:
        """Awaited before the first request. Raises LoadFailure InitFailed."""
        hook = self._hooks["start"]
        if hook is None:
            return
        try:
            await maybe_await(hook(dict(os.environ)))
        except LoadFailure:
            raise
        except Exception as error:
            raise LoadFailure("InitFailed", f"the function's start() failed: {describe(error)}") from error

    async def stop(self) -> None:
        hook = self._hooks["stop"]
        if hook is not None:
            await maybe_await(hook())

    def asked(self, exchange) -> bool:
        """Whether the request asks what the function says about its health."""
        name = _paths.get(exchange.head.target)
        return name is not None and exchange.head.method == "GET" and self._hooks[name] is not None

    def answers(self, exchange) -> bool:
        """Takes the two health paths when the function says something about them."""
        if not self.asked(exchange):
            return False
        name = _paths[exchange.head.target]
        serve_exchange(exchange, lambda one: _answer_health(one, self._hooks[name]))
        return True


def _hook(holder, name: str):
    hook = getattr(holder, name, None) if holder is not None else None
    return hook if callable(hook) and not isinstance(hook, type) else None


async def _answer_health(exchange, hook) -> None:
    """200 unless the hook gives False or raises: then 503. `(False, "why")` is the long form."""
    try:
        verdict = await maybe_await(hook())
        well, why = verdict if isinstance(verdict, tuple) and len(verdict) == 2 else (verdict, None)
    except Exception as error:
        well, why = False, f"{type(error).__name__}: {error}"
    well = well is not False
    answer_text(exchange, 200 if well else 503, f"{why or ('OK' if well else 'not well')}\n")
