"""AWS Lambda handlers for Python (functions.md §5): `def lambda_handler(event, context)`."""

import asyncio
import json
import os
import sys
import time
import traceback
import uuid
from decimal import Decimal

from ..answer_error import answer_text, request_id
from ..events import content_mode, headers_of
from ..failure import LoadFailure, describe, report
from ..load import find_target
from .calling import Calls, serve_exchange
from .lambda_context import LambdaContext
from .lambda_http import SHAPES, BadShape, answer_http

# Synchronous payloads, each way.
PAYLOAD_LIMIT = 6 * 1024 * 1024
_invocations = "/invocations"
# After a timeout the handler may still come to its end.
GRACE_S = 1.0


def make_lambda(claim: dict, module):
    target = (claim.get("target") or os.environ.get("_HANDLER") or "").rpartition(".")[2]
    name = target or next((one for one in ("lambda_handler", "handler") if hasattr(module, one)), "lambda_handler")
    handler = find_target(module, name)
    if not callable(handler):
        raise LoadFailure("NoHandler", f"Runtime.HandlerNotFound: {name!r} in {module.__file__} is no function")
    _set_environment(claim, module, name)
    return LambdaModel(handler)


def _set_environment(claim: dict, module, name: str) -> None:
    """What code written for Lambda finds there; what the function was given wins."""
    function = os.environ.get("K_SERVICE") or "function"
    given = {
        "_HANDLER": f"{module.__name__}.{name}",
        "LAMBDA_TASK_ROOT": claim["cwd"],
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": os.environ.get("K_REVISION", function),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "TZ": ":UTC",
    }
    for key, value in given.items():
        os.environ.setdefault(key, value)


class LambdaModel:
    """
    One event at a time, on one thread, as Lambda has it: others wait. HTTP requests become events of a Function URL
    (payload 2.0; EBB_LAMBDA_EVENT names another shape), CloudEvents their structured form; POST to
    `/2015-03-31/functions/<name>/invocations` takes the event itself.
    """

    # Lambda has settings of its own for time, number and size of requests.
    limits_itself = True
    hooks = None

    def __init__(self, handler) -> None:
        self._handler = handler
        self._calls = Calls(limit=1)
        shape = os.environ.get("EBB_LAMBDA_EVENT") or "url"
        if shape not in SHAPES:
            raise LoadFailure("InitFailed", f'EBB_LAMBDA_EVENT is "{shape}": use one of {", ".join(SHAPES)}')
        self._shape = SHAPES[shape]
        self._timeout_s = _timeout()

    async def start(self, port: int) -> None:
        self._turn = asyncio.Lock()

    async def stop(self) -> None:
        return

    def handle(self, exchange) -> None:
        serve_exchange(exchange, self._respond)

    async def _respond(self, exchange) -> None:
        body = await exchange.read_all(PAYLOAD_LIMIT)
        head = exchange.head
        path = head.target.partition(b"?")[0].decode("latin-1")
        direct = head.method == "POST" and path.startswith("/2015-03-31/functions/") and path.endswith(_invocations)
        ident = request_id(exchange, lambda: str(uuid.uuid4()))
        headers = headers_of(head)
        try:
            if direct:
                event = json.loads(body) if body else {}
            elif content_mode(headers):
                event = cloud_event(headers, body)
            else:
                event = self._shape(exchange, body, ident)
        except ValueError as error:
            answer_text(exchange, 400, f"the request's body is no event: {error}\n")
            return
        # The timeout begins with the turn, not with the waiting for it.
        async with self._turn:
            await self._invoke(exchange, event, LambdaContext(ident, self._timeout_s, headers), direct)

    async def _invoke(self, exchange, event, context: LambdaContext, direct: bool) -> None:
        ident = context.aws_request_id
        work = exchange.loop.create_task(self._calls.on_thread(invoke, self._handler, event, context))
        done, _ = await asyncio.wait((work,), timeout=self._timeout_s)
        if not done:
            await self._timed_out(exchange, work, ident, direct)
            return
        result, error = work.result()
        if direct:
            answer_direct(exchange, result, error)
        elif error is not None:
            answer_text(exchange, 500, "Internal Server Error\n", (b"x-request-id", ident.encode("latin-1")))
        else:
            try:
                answer_http(exchange, json.loads(result))
            except BadShape as wrong:
                report(f"[ERROR] request {ident}: {wrong}")
                answer_text(exchange, 500, "Internal Server Error\n", (b"x-request-id", ident.encode("latin-1")))


    async def _timed_out(self, exchange, work, ident: str, direct: bool) -> None:
        """504; a thread cannot be stopped, so the process ends when the function does not soon end by itself."""
        message = f"RequestId: {ident} Error: Task timed out after {self._timeout_s:.2f} seconds"
        report(f"[ERROR] request {ident} Sandbox.Timedout: {message}")
        if direct:
            answer_direct(exchange, None, {"errorType": "Sandbox.Timedout", "errorMessage": message})
        else:
            answer_text(exchange, 504, f"function took longer than its timeout, request {ident}\n")
        done, _ = await asyncio.wait((work,), timeout=GRACE_S)
        if not done:
            report(f"{ident}: the function is still busy after its timeout; the process ends to make room for a new one")
            os._exit(1)


def _timeout() -> float:
    """AWS_LAMBDA_FUNCTION_TIMEOUT in seconds, 300 by default as the interface emulator has it."""
    text = os.environ.get("AWS_LAMBDA_FUNCTION_TIMEOUT") or "300"
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 900:
        raise LoadFailure("InitFailed", f'AWS_LAMBDA_FUNCTION_TIMEOUT is "{text}": it must be above 0 and at most 900')
    return seconds


def cloud_event(headers: dict, body: bytes) -> dict:
    from ..events import parse_events, to_structured

    events = [to_structured(event.get_attributes(), event.data) for event in parse_events(headers, body)]
    return events[0] if len(events) == 1 else events


def invoke(handler, event, context: LambdaContext) -> tuple:
    """On the thread: (JSON text, None) or (None, the error as Lambda's clients get it). Never raises."""
    ident = context.aws_request_id
    print(f"START RequestId: {ident} Version: $LATEST")
    started = time.perf_counter()
    result = error = None
    try:
        given = handler(event, context)
        result = dump(given)
    except BaseException as caught:
        kind, message = type(caught).__name__, str(caught)
        if isinstance(caught, MarshalError):
            kind, message = "Runtime.MarshalError", str(caught)
        elif isinstance(caught, SystemExit):
            kind, message = "Runtime.ExitError", f"RequestId: {ident} Error: Runtime exited with status {caught.code}"
        stack = [line for line in traceback.format_tb(caught.__traceback__) if "ebb_host" not in line]
        error = {"errorMessage": message, "errorType": kind, "requestId": ident, "stackTrace": stack}
        report(f"[ERROR] request {ident} {kind}: {message}\n{describe(caught)}")
    ms = (time.perf_counter() - started) * 1000
    print(f"END RequestId: {ident}")
    print(
        f"REPORT RequestId: {ident}\tDuration: {ms:.2f} ms\tBilled Duration: {int(ms) + 1} ms\t"
        f"Memory Size: {context.memory_limit_in_mb} MB\tMax Memory Used: {peak_mb()} MB"
    )
    return result, error


class MarshalError(Exception):
    """What the handler returned cannot be written as JSON."""


def dump(value) -> str:
    try:
        return json.dumps(value, default=_default)
    except (TypeError, ValueError) as error:
        raise MarshalError(f"Unable to marshal response: {error}") from error


def _default(value):
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def peak_mb() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def answer_direct(exchange, result, error) -> None:
    """The Invoke API's answer: a failing function is still 200, with a header that says so."""
    headers = [(b"content-type", b"application/json"), (b"x-amz-executed-version", b"$LATEST")]
    if error is not None:
        headers.append((b"x-amz-function-error", b"Unhandled"))
        result = json.dumps(error)
    exchange.answer(200, headers, result.encode())
