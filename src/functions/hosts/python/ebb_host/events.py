"""CloudEvents over HTTP (CloudEvents 1.0, HTTP binding 1.0.2): binary, structured and batch, in and out."""

import json
from urllib.parse import quote, unquote

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_required = ("id", "source", "type")


class EventError(ValueError):
    """What arrived is no CloudEvent."""


class CloudEvent:
    """One event: attributes by `event["type"]` or `event.get("subject")`, its content as `event.data`."""

    def __init__(self, attributes: dict, data=None) -> None:
        import datetime
        import uuid

        self._attributes = {name.lower(): value for name, value in attributes.items()}
        for name in ("type", "source"):
            if name not in self._attributes:
                raise EventError(f"an event needs the attribute {name!r}")
        self._attributes.setdefault("specversion", "1.0")
        self._attributes.setdefault("id", str(uuid.uuid4()))
        self._attributes.setdefault("time", datetime.datetime.now(datetime.timezone.utc).isoformat())
        self.data = data

    @classmethod
    def _received(cls, attributes: dict, data) -> "CloudEvent":
        event = cls.__new__(cls)
        event._attributes, event.data = attributes, data
        return event

    def get_attributes(self) -> dict:
        return dict(self._attributes)

    def get_data(self):
        return self.data

    def get(self, name: str, default=None):
        return self._attributes.get(name.lower(), default)

    def __getitem__(self, name: str):
        return self._attributes[name.lower()]

    def __setitem__(self, name: str, value) -> None:
        self._attributes[name.lower()] = value

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._attributes

    def __iter__(self):
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __eq__(self, other) -> bool:
        return isinstance(other, CloudEvent) and (self._attributes, self.data) == (other._attributes, other.data)

    def __repr__(self) -> str:
        return f"CloudEvent({self._attributes!r}, {self.data!r})"


def content_mode(headers: dict) -> str:
    """`binary`, `structured`, `batch`, or "" for a request that is no event."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == BATCH:
        return "batch"
    if kind.startswith("application/cloudevents"):
        return "structured"
    return "binary" if "ce-specversion" in headers or "ce-type" in headers else ""


def parse_events(headers: dict, body: bytes, make=None) -> list:
    """The events of a request, made by `make(attributes, data)`. Raises EventError."""
    make = make or CloudEvent._received
    mode = content_mode(headers)
    if mode == "":
        raise EventError("neither ce- headers nor the content type application/cloudevents+json")
    if mode == "binary":
        return [make(*_from_binary(headers, body))]
    parsed = _json(body, "the structured event")
    if mode == "structured":
        return [make(*_from_structured(parsed))]
    if not isinstance(parsed, list):
        raise EventError("a batch is a JSON array of events")
    return [make(*_from_structured(one)) for one in parsed]


def _from_binary(headers: dict, body: bytes) -> tuple:
    attributes = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    content_type = headers.get("content-type")
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    _check(attributes)
    if not body:
        return attributes, None
    if content_type is None or is_json(content_type):
        return attributes, _json(body, "the event's data")
    if content_type.startswith("text/"):
        return attributes, body.decode(errors="replace")
    return attributes, body


def _from_structured(parsed) -> tuple:
    import base64

    if not isinstance(parsed, dict):
        raise EventError("a structured event is a JSON object")
    attributes = {name: value for name, value in parsed.items() if name not in ("data", "data_base64")}
    _check(attributes)
    if "data_base64" in parsed:
        try:
            return attributes, base64.b64decode(parsed["data_base64"], validate=True)
        except (ValueError, TypeError) as error:
            raise EventError(f"data_base64 is no base64: {error}") from None
    return attributes, parsed.get("data")


def _check(attributes: dict) -> None:
    version = attributes.get("specversion")
    if version not in ("1.0", "0.3"):
        raise EventError(f"specversion {version!r} is not 1.0")
    for name in _required:
        if not isinstance(attributes.get(name), str) or attributes[name] == "":
            raise EventError(f"the required attribute {name!r} is missing or empty")


def _json(body: bytes, what: str):
    try:
        return json.loads(body)
    except ValueError as error:
        raise EventError(f"{what} is not the JSON it says: {error}") from None


def is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind.endswith(("/json", "+json"))


def as_event(value):
    """(attributes, data) of anything that is a CloudEvent: ours, the cloudevents package's, or a dict; else None."""
    if isinstance(value, dict):
        if not all(name in value for name in ("specversion", *_required)):
            return None
        return {name: one for name, one in value.items() if name != "data"}, value.get("data")
    attributes = getattr(value, "get_attributes", None) or getattr(value, "_get_attributes", None)
    if attributes is None or not hasattr(value, "data") and not hasattr(value, "get_data"):
        return None
    return dict(attributes()), value.data if hasattr(value, "data") else value.get_data()


def to_binary(attributes: dict, data) -> tuple:
    """(headers, body) of an event in binary mode."""
    content_type = attributes.get("datacontenttype")
    body, content_type = _encode(data, content_type)
    headers = [
        (b"ce-" + name.encode(), quote(_text(value), safe=" !#$&'()*+,/:;<=>?@[]^_`{|}~").encode())
        for name, value in attributes.items()
        if name != "datacontenttype" and value is not None
    ]
    if content_type is not None:
        headers.append((b"content-type", content_type.encode()))
    return headers, body


def to_structured(attributes: dict, data) -> dict:
    """The event as one JSON object."""
    import base64

    whole = {name: _text(value) if name == "time" else value for name, value in attributes.items() if value is not None}
    if isinstance(data, (bytes, bytearray)):
        whole["data_base64"] = base64.b64encode(data).decode()
    elif data is not None:
        whole["data"] = data
    return whole


def _text(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _encode(data, content_type) -> tuple:
    if data is None:
        return b"", content_type
    if isinstance(data, (bytes, bytearray)):
        return bytes(data), content_type or "application/octet-stream"
    if isinstance(data, str) and content_type is not None and not (is_json(content_type) and data[:1] not in "{["):
        return data.encode(), content_type
    return json.dumps(data).encode(), content_type or "application/json"


def headers_of(head) -> dict:
    """Header names and values as text; values of repeated names joined by a comma."""
    fields: dict = {}
    for name, value in head.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        fields[key] = f"{fields[key]},{text}" if key in fields else text
    return fields
