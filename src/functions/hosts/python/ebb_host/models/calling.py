"""Calling a function for a request: async ones as they are, others on a thread; given up when the caller leaves."""

import asyncio
import contextvars
import inspect

from ..answer_error import answer_error
from ..server.tasks import start_task
from ..threads import Threads, thread_limit

# A body that a function takes whole, in memory.
BODY_LIMIT = 128 * 1024 * 1024
EVENT_LIMIT = 16 * 1024 * 1024


class Calls:
    """Runs one function's calls. `limit` threads at most for functions that block."""

    def __init__(self, limit: int = 0) -> None:
        self._threads = Threads(limit or thread_limit())

    async def call(self, function, *args):
        """What the function gives. On a thread unless it is async."""
        if is_async(function):
            return await function(*args)
        result = await self.on_thread(function, *args)
        return await result if inspect.isawaitable(result) else result

    async def on_thread(self, function, *args):
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        context = contextvars.copy_context()

        def settle(result, error) -> None:
            if answer.done():
                return
            answer.set_result(result) if error is None else answer.set_exception(error)

        def job() -> None:
            try:
                result, error = context.run(function, *args), None
            except StopIteration as stop:
                # A future cannot hold it.
                result, error = None, RuntimeError(f"the function raised {stop!r}")
            except BaseException as caught:
                result, error = None, caught
            loop.call_soon_threadsafe(settle, result, error)

        self._threads.run(job)
        return await answer


def is_async(function) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))


def serve_exchange(exchange, respond) -> None:
    """Runs `async respond(exchange)`; its failure becomes the answer, the caller's leaving its cancellation."""
    task = start_task(exchange.loop, _serve(exchange, respond))
    if not task.done():
        exchange.on_left = task.cancel


async def _serve(exchange, respond) -> None:
    try:
        await respond(exchange)
        if not exchange.finished:
            exchange.end()
    except asyncio.CancelledError:
        if not exchange.finished:
            exchange.cut()
    except Exception as error:
        answer_error(exchange, error)
    except BaseException as error:
        # sys.exit in a request ends that request only.
        answer_error(exchange, error)


async def maybe_await(value):
    return await value if inspect.isawaitable(value) else value
