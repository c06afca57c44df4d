"""
A request object for functions written for Flask's (`request.args`, `get_json()`, `headers`): for those that do not bring
Flask itself along. What most functions use, under the same names; nothing else.
"""

import json
from urllib.parse import parse_qsl, unquote

from .server.head import BadRequest


class MultiDict(dict):
    """The first value of each name by `[name]` and `get`, all of them by `getlist`."""

    def __init__(self, pairs) -> None:
        self._lists: dict = {}
        for name, value in pairs:
            self._lists.setdefault(name, []).append(value)
        super().__init__({name: values[0] for name, values in self._lists.items()})

    def getlist(self, name: str) -> list:
        return list(self._lists.get(name, ()))

    def get(self, name: str, default=None, type=None):
        value = super().get(name, default)
        if type is None or name not in self:
            return value
        try:
            return type(value)
        except ValueError:
            return default

    def to_dict(self, flat: bool = True) -> dict:
        return dict(self) if flat else {name: list(values) for name, values in self._lists.items()}


class Headers(MultiDict):
    """Names in any case."""

    def __init__(self, pairs) -> None:
        self._pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]
        super().__init__(self._pairs)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name) -> bool:
        return super().__contains__(name.lower())

    def get(self, name: str, default=None, type=None):
        return super().get(name.lower(), default, type)

    def getlist(self, name: str) -> list:
        return super().getlist(name.lower())


class HttpRequest:
    """`data` is the whole body."""

    def __init__(self, exchange, body: bytes) -> None:
        head = exchange.head
        raw_path, _, query = head.target.partition(b"?")
        self.method = head.method
        self.headers = Headers(head.headers)
        self.data = body
        self.query_string = query
        self.path = unquote(raw_path.decode("latin-1"))
        self.full_path = head.target.decode("latin-1")
        self.args = MultiDict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        self.scheme = self.headers.get("x-forwarded-proto", "http")
        self.host = self.headers.get("host", "")
        self.remote_addr = self.headers.get("x-forwarded-for", exchange.connection.peer[0]).partition(",")[0].strip()
        self._form = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{self.full_path}"

    @property
    def base_url(self) -> str:
        return self.url.partition("?")[0]

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def mimetype(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int:
        return len(self.data)

    @property
    def is_json(self) -> bool:
        return self.mimetype == "application/json" or self.mimetype.endswith("+json")

    @property
    def json(self):
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True):
        """The body as JSON. Without `silent`, 415 for another content type and 400 for what is no JSON."""
        if not force and not self.is_json:
            if silent:
                return None
            raise BadRequest(415, "the request's content type is not application/json")
        try:
            return json.loads(self.data)
        except ValueError as error:
            if silent:
                return None
            raise BadRequest(400, f"the request's body is not the JSON it says: {error}") from None

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False):
        return self.data.decode(errors="replace") if as_text else self.data

    @property
    def form(self) -> MultiDict:
        if self._form is None:
            pairs = parse_qsl(self.get_data(as_text=True), keep_blank_values=True)
            self._form = MultiDict(pairs if self.mimetype == "application/x-www-form-urlencoded" else ())
        return self._form

    @property
    def values(self) -> MultiDict:
        return MultiDict([*self.args.items(), *self.form.items()])

    @property
    def cookies(self) -> MultiDict:
        parts = [part.partition("=") for part in self.headers.get("cookie", "").split(";")]
        return MultiDict((name.strip(), value.strip()) for name, _, value in parts if name.strip())
