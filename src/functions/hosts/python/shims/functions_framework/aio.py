"""As functions_framework, for `async def`."""

from functions_framework import cloud_event, http

__all__ = ["cloud_event", "http"]
