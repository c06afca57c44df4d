"""`CloudEvent` with the interface of cloudevents.http's."""

import json

from ebb_host.events import CloudEvent
from ebb_host.events import parse_events as _parse
from ebb_host.events import to_binary as _binary
from ebb_host.events import to_structured as _structured


def from_http(headers, data) -> CloudEvent:
    """The event of a request. Raises ValueError for what is none."""
    fields = {name.lower(): value for name, value in dict(headers).items()}
    return _parse(fields, data.encode() if isinstance(data, str) else data or b"")[0]


def to_binary(event: CloudEvent) -> tuple:
    """(headers, body)."""
    headers, body = _binary(event.get_attributes(), event.data)
    return {name.decode(): value.decode() for name, value in headers}, body


def to_structured(event: CloudEvent) -> tuple:
    """(headers, body)."""
    whole = _structured(event.get_attributes(), event.data)
    return {"content-type": "application/cloudevents+json"}, json.dumps(whole).encode()


def to_json(event: CloudEvent) -> bytes:
    return to_structured(event)[1]


def from_json(data) -> CloudEvent:
    return from_http({"content-type": "application/cloudevents+json"}, data)


__all__ = ["CloudEvent", "from_http", "from_json", "to_binary", "to_json", "to_structured"]
