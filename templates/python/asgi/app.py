"""An ASGI application by hand; app = FastAPI() with a requirements.txt works the same."""

from urllib.parse import parse_qs


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    name = parse_qs(scope["query_string"].decode()).get("name", ["world"])[0]
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": f"Hello, {name}!\n".encode()})
