"""A WSGI application by hand; application = Flask(__name__) with a requirements.txt works the same."""

from urllib.parse import parse_qs


def application(environ, start_response):
    name = parse_qs(environ["QUERY_STRING"]).get("name", ["world"])[0]
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"Hello, {name}!\n".encode()]
