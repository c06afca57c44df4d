"""
What a function's environment may ask of its host: EBB_TIMEOUT (seconds, then 504), EBB_CONCURRENCY (more wait their
turn), EBB_BODY_LIMIT (bytes, more is 413) and EBB_LOG_FORMAT=json. Loaded for functions that ask; others pay nothing.
"""

import math
import time
from collections import deque

from .answer_error import answer_text, request_id
from .failure import LoadFailure, report
from .json_log import current, log_request
from .server.exchange import ClientLeft, Exchange

# Requests beyond the concurrency that may wait; then 503.
MAY_WAIT = 1000
# An application that hears of the disconnect may come to its own end before its task is cancelled.
CANCEL_AFTER_S = 1.0


class Limits:
    """One function's settings, and its requests while they wait and run."""

    def __init__(self, env: dict) -> None:
        """Raises LoadFailure for what cannot be meant."""
        self.timeout_s = _number(env, "EBB_TIMEOUT")
        concurrency = _number(env, "EBB_CONCURRENCY")
        self.concurrency = math.ceil(concurrency) if concurrency is not None else math.inf
        self.body_limit = _number(env, "EBB_BODY_LIMIT") or math.inf
        form = env.get("EBB_LOG_FORMAT", "text")
        if form not in ("text", "json"):
            raise LoadFailure("InitFailed", f'EBB_LOG_FORMAT is "{form}": use text or json')
        self.json = form == "json"
        self._running = 0
        self._waiting: deque = deque()
        self._handle = None
        self._hooks = None
        self._loop = None

    def around(self, loop, model):
        """The handler to serve with, and what makes its exchanges."""
        if model.limits_itself:
            self.timeout_s, self.concurrency, self.body_limit = None, math.inf, math.inf
        self._loop, self._handle, self._hooks = loop, model.handle, model.hooks
        return self._begin, lambda connection, head: LimitedExchange(self, connection, head)

    def _begin(self, exchange) -> None:
        if self._hooks is not None and self._hooks.asked(exchange):
            # How it is must be heard above all when it is busy.
            self._handle(exchange)
            return
        exchange.began = time.perf_counter()
        if exchange.head.length > self.body_limit or exchange.size > self.body_limit:
            exchange.refuse()
        elif self._running < self.concurrency:
            self._running += 1
            self._run(exchange)
        elif len(self._waiting) >= MAY_WAIT:
            answer_text(exchange, 503, "too many requests wait for this function\n", (b"retry-after", b"1"))
        else:
            # Nobody else would end it if its caller leaves.
            exchange.on_left = exchange.cut
            self._waiting.append(exchange)

    def _run(self, exchange) -> None:
        exchange.entered = True
        token = current.set(exchange)
        try:
            if self.timeout_s is not None:
                exchange.timer = self._loop.call_later(self.timeout_s, exchange.expire)
            self._handle(exchange)
        finally:
            current.reset(token)

    def left(self) -> None:
        """A request is over. The next begins from the loop: a row of quick ones must not pile up on the stack."""
        self._loop.call_soon(self._next)

    def _next(self) -> None:
        self._running -= 1
        while self._waiting and self._running < self.concurrency:
            exchange = self._waiting.popleft()
            if not exchange.finished:
                exchange.on_left = None
                self._running += 1
                self._run(exchange)


class LimitedExchange(Exchange):
    """An exchange that is counted, timed and logged. After its end the function is told that the caller has left."""

    __slots__ = ("limits", "began", "status", "entered", "timer", "size", "partial")

    def __init__(self, limits: Limits, connection, head) -> None:
        super().__init__(connection, head)
        self.limits = limits
        self.began = None
        self.status = 499
        self.entered = False
        self.timer = None
        self.size = 0
        # What was printed of a line, by stream.
        self.partial: dict = {}

    def carried(self, job):
        return lambda: _with_current(self, job)

    def received(self, content: bytes, done: bool) -> None:
        self.size += len(content)
        if self.size <= self.limits.body_limit:
            super().received(content, done)
        elif self.began is not None:
            self.refuse()

    def refuse(self) -> None:
        """413. To the function the body breaks off, as it would when the caller left."""
        if self.started:
            self.cut()
        else:
            self.keep_alive = False
            limit = f"{self.limits.body_limit:.0f}"
            answer_text(self, 413, f"the request's body is longer than the {limit} bytes this function takes\n")
        self._abandon()

    def expire(self) -> None:
        """504, and the end of the work where it can be ended: a thread cannot."""
        head, ident = self.head, request_id(self)
        seconds = self.limits.timeout_s
        report(f"request {ident} {head.method} {head.target.decode('latin-1')} took longer than {seconds * 1000:g} ms")
        if self.started:
            self.cut()
        else:
            field = (b"x-request-id", ident.encode("latin-1"))
            answer_text(self, 504, f"function took longer than its timeout, request {ident}\n", field)
        self._abandon()

    def _abandon(self) -> None:
        self.left = True
        if self.on_left is not None:
            self.on_left()
        if self.task is not None and not self.task.done():
            self.loop.call_later(CANCEL_AFTER_S, self.task.cancel)

    # What the function may still do when it is over must not reach the next request's caller.

    def answer_head(self, head: bytes, status: int, body: bytes) -> None:
        self._check_open()
        self.status = status
        try:
            super().answer_head(head, status, body)
        finally:
            if not self.finished:
                self.status = 499

    def start(self, status: int, headers) -> None:
        self._check_open()
        super().start(status, headers)
        self.status = status

    def write(self, data: bytes) -> None:
        self._check_open()
        super().write(data)

    def _check_open(self) -> None:
        if self.finished:
            raise ClientLeft("the request is over")

    def cut(self) -> None:
        if not self.finished:
            self.status = 499
            super().cut()

    def hand_over(self) -> None:
        self.status = 101
        self._settle()
        super().hand_over()

    def _finish(self) -> None:
        self._settle()
        super()._finish()

    def _settle(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.entered:
            self.entered = False
            self.limits.left()
        if self.limits.json and self.began is not None:
            ms = round((time.perf_counter() - self.began) * 1000)
            log_request(self, 499 if self.left else self.status, ms)


def _with_current(exchange, job) -> None:
    token = current.set(exchange)
    try:
        job()
    finally:
        current.reset(token)


def _number(env: dict, name: str):
    text = env.get(name, "")
    if text in ("", "0"):
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise LoadFailure("InitFailed", f'{name} is "{text}": it must be a number, 0 for no limit')
    return value
