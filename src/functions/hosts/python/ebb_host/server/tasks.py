"""Tasks that begin at once: most requests are answered without ever waiting, and never meet the event loop."""

import asyncio
import sys

if sys.version_info >= (3, 12):

    def start_task(loop, coroutine) -> asyncio.Task:
        """Runs the coroutine up to its first wait, as a task of its own; it may be done on return."""
        return asyncio.Task(coroutine, loop=loop, eager_start=True)

else:

    def start_task(loop, coroutine) -> asyncio.Task:
        """Runs the coroutine up to its first wait, as a task of its own; it may be done on return."""
        # A new task asks the loop to call its first step soon: taken aside here and called now.
        steps: list = []
        loop.call_soon = lambda step, *_args, context=None: steps.append((step, context))
        try:
            task = asyncio.Task(coroutine, loop=loop)
        finally:
            del loop.call_soon
        for step, context in steps:
            if context is None:
                step()
            else:
                context.run(step)
        return task
