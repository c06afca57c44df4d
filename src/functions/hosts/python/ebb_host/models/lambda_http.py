"""HTTP requests as Lambda events, and results as HTTP responses (functions.md §5.4)."""

import base64
import json
import time
from urllib.parse import parse_qsl, unquote

_textual = ("json", "xml", "javascript", "x-www-form-urlencoded")


class BadShape(Exception):
    """The handler's result is no HTTP response."""


def event_v2(exchange, body: bytes, ident: str) -> dict:
    """Function URLs and HTTP APIs, payload version 2.0."""
    head = exchange.head
    raw_path, _, query = head.target.partition(b"?")
    fields, cookies = _joined(head)
    path = raw_path.decode("latin-1")
    host = fields.get("host", "")
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query.decode("latin-1"),
        "headers": fields,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": host.partition(".")[0],
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": head.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": _source(exchange, fields),
                "userAgent": fields.get("user-agent", ""),
            },
            "requestId": ident,
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    if pairs:
        event["queryStringParameters"] = _grouped(pairs, ",".join)
    if body:
        event["body"], event["isBase64Encoded"] = _body(body, fields)
    return event


def event_v1(exchange, body: bytes, ident: str) -> dict:
    """REST APIs, payload version 1.0."""
    head = exchange.head
    raw_path, _, query = head.target.partition(b"?")
    path = unquote(raw_path.decode("latin-1"))
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers]
    queries = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    fields = dict(pairs)
    text, encoded = _body(body, fields) if body else (None, False)
    host = fields.get("host", "")
    return {
        "version": "1.0",
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": head.method,
        "headers": fields,
        "multiValueHeaders": _grouped(pairs, list),
        "queryStringParameters": dict(queries) or None,
        "multiValueQueryStringParameters": _grouped(queries, list) or None,
        "pathParameters": {"proxy": path[1:]},
        "stageVariables": None,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": host.partition(".")[0],
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "extendedRequestId": ident,
            "httpMethod": head.method,
            "identity": {"sourceIp": _source(exchange, fields), "userAgent": fields.get("user-agent", "")},
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": ident,
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "requestTimeEpoch": int(time.time() * 1000),
            "resourceId": "",
            "resourcePath": "/{proxy+}",
            "stage": "$default",
            "authorizer": None,
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


def event_alb(exchange, body: bytes, ident: str) -> dict:
    """Application load balancers; the query stays as it was sent."""
    head = exchange.head
    raw_path, _, query = head.target.partition(b"?")
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    text, encoded = _body(body, fields) if body else ("", False)
    pairs = [part.partition("=") for part in query.decode("latin-1").split("&") if part]
    target = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/ebb/0"
    return {
        "requestContext": {"elb": {"targetGroupArn": target}},
        "httpMethod": head.method,
        "path": raw_path.decode("latin-1"),
        "queryStringParameters": {name: value for name, _, value in pairs},
        "headers": fields,
        "body": text,
        "isBase64Encoded": encoded,
    }


SHAPES = {"url": event_v2, "api-v2": event_v2, "api-v1": event_v1, "alb": event_alb}


def answer_http(exchange, result) -> None:
    """`{statusCode, headers, multiValueHeaders, cookies, body, isBase64Encoded}`; anything else is the body itself."""
    if not (isinstance(result, dict) and "statusCode" in result):
        text = result if isinstance(result, str) else json.dumps(result, separators=(",", ":"))
        exchange.answer(200, [(b"content-type", b"application/json")], text.encode())
        return
    status = result["statusCode"]
    if isinstance(status, str) and status.isdigit():
        status = int(status)
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise BadShape(f"statusCode {status!r} is no HTTP status")
    headers = _headers(result)
    body = result.get("body")
    if body is None:
        data = b""
    elif not isinstance(body, str):
        raise BadShape(f"body is {type(body).__name__}: give a string (json.dumps)")
    elif result.get("isBase64Encoded"):
        try:
            data = base64.b64decode(body, validate=True)
        except ValueError as error:
            raise BadShape(f"body is no base64, though isBase64Encoded says so: {error}") from None
    else:
        data = body.encode()
    if data and not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"application/json"))
    exchange.answer(status, headers, data)


def _headers(result: dict) -> list:
    headers: list = []
    many = result.get("multiValueHeaders") or {}
    one = result.get("headers") or {}
    if not isinstance(many, dict) or not isinstance(one, dict):
        raise BadShape("headers and multiValueHeaders are objects")
    repeated = {name.lower() for name in many}
    for name, values in many.items():
        headers += [(name, value) for value in values]
    headers += [(name, value) for name, value in one.items() if name.lower() not in repeated]
    headers += [("set-cookie", cookie) for cookie in result.get("cookies") or ()]
    return [
        (name.lower().encode("latin-1"), str(value).encode("latin-1"))
        for name, value in headers
        if name.lower() not in ("content-length", "transfer-encoding", "connection")
    ]


def _joined(head) -> tuple:
    """Headers with duplicates joined by commas, and the cookies that were taken out of them."""
    fields: dict = {}
    cookies: list = []
    for raw, value in head.headers:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        if name == "cookie":
            cookies += [part.strip() for part in text.split(";") if part.strip()]
        else:
            fields[name] = f"{fields[name]},{text}" if name in fields else text
    return fields, cookies


def _grouped(pairs, make) -> dict:
    lists: dict = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return {name: make(values) for name, values in lists.items()}


def _source(exchange, fields: dict) -> str:
    return fields.get("x-forwarded-for", exchange.connection.peer[0]).partition(",")[0].strip()


def _body(body: bytes, fields: dict) -> tuple:
    """(text, whether it is base64): text only when the content type says text and it is."""
    kind = fields.get("content-type", "").partition(";")[0].strip().lower()
    if (kind.startswith("text/") or any(word in kind for word in _textual)) and "content-encoding" not in fields:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True
