"""The host's life: start, wait for a claim, load the function, serve it, drain."""

import asyncio
import os
import signal
import sys
import time

from .become import become, install_builtins, line_buffered
from .control import Control, NoControl
from .doors import Doors
from .failure import LoadFailure, describe, report
from .models.pick import make_model
from .server.server import Server


def main() -> None:
    words = sys.argv[1:]
    install_builtins()
    line_buffered()
    if words[:1] == ["serve"]:
        from .serve import claim_from

        claim = claim_from(words[1:])
        run(NoControl(), claim, Doors("0.0.0.0", int(os.environ.get("PORT") or 8080), local=False))
        return
    if words[:1] == ["wait"]:
        from .wait import wait

        run(*wait(words[1:]))
        return
    fd = 3
    if words[:1] == ["--fork-server"]:
        from .fork_server import serve_forks

        # Returns in each fork, which is then a waiting host.
        fd = serve_forks(3)
    control = Control(fd)
    doors = Doors("127.0.0.1", 0, local=True)
    if words[:1] == ["--warm"]:
        from .warm_up import warm_up

        warm_up()
    if words:
        control.send({"type": "idle"})
    run(control, control.wait_for_claim(), doors)


def run(control, claim: dict, doors: Doors) -> None:
    started = time.perf_counter()
    port = doors.port
    timeout = claim["loadTimeoutMs"] / 1000
    fail = failing(control)
    signal.signal(signal.SIGALRM, lambda *_: fail(LoadFailure("LoadTimeout", f"the function was not loaded within {timeout:g} s")))
    signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        become(claim, port)
        if claim["model"] == "server":
            from .own_server import run_program

            run_program(control, claim, doors, started)
            return
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        limits = asked_limits(claim["env"])
        model = make_model(claim)
        asyncio.set_event_loop(loop)
        loop.run_until_complete(model.start(port))
    except BaseException as error:
        fail(error)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    server = Server(loop, doors.listeners(), *((model.handle,) if limits is None else limits.around(loop, model)))
    server.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: stop_soon(loop, server, model))
    control.watch(loop)
    ready = {"type": "ready", "port": port, "loadMs": (time.perf_counter() - started) * 1000}
    control.send(ready if doors.path is None else {**ready, "path": doors.path})
    loop.run_forever()


_limits = frozenset(("EBB_TIMEOUT", "EBB_CONCURRENCY", "EBB_BODY_LIMIT", "EBB_LOG_FORMAT"))


def asked_limits(env: dict):
    """What the function's environment asks of its host, loaded only when it does. Raises LoadFailure."""
    if _limits.isdisjoint(env):
        return None
    from .limits import Limits

    limits = Limits(env)
    if limits.json:
        from .json_log import install

        install()
    return limits


def failing(control):
    """Reports why the function does not load, to ebb and to the log, and ends."""

    def fail(error: BaseException) -> None:
        if isinstance(error, LoadFailure):
            reason, text = error.reason, str(error)
        elif isinstance(error, SystemExit):
            end(error.code)
        else:
            reason, text = "ImportFailed", describe(error)
        report(text)
        control.send({"type": "failed", "reason": reason, "message": text})
        os._exit(1)

    return fail


def end(code) -> None:
    """Leaves as sys.exit(code) would, with what was printed."""
    if isinstance(code, str):
        report(code)
    sys.stdout.flush()
    os._exit(0 if code is None else code if isinstance(code, int) else 1)


_stopping: list = []


def stop_soon(loop, server, model) -> None:
    if not _stopping:
        _stopping.append(loop.create_task(stop(server, model)))


async def stop(server, model) -> None:
    """Requests in flight finish, the function's own end is heard, then the process ends."""
    await server.drain()
    try:
        await model.stop()
    except Exception as error:
        report(f"the function's shutdown failed: {describe(error)}")
    end(0)
