"""A WSGI application by hand; `application = Flask(__name__)` with a requirements.txt works the same."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"Hello {environ['QUERY_STRING'] or 'you'}\n".encode()]
