"""One object per instance: start() before the first request, stop() after the last."""


def new():
    return Function()


class Function:
    def __init__(self):
        self.greeting = "Hello"

    def start(self, cfg):
        self.greeting = cfg.get("GREETING", self.greeting)

    def ready(self):
        return True, f"{self.greeting} is ready"

    async def handle(self, scope, receive, send):
        text = f"{self.greeting} from {scope['path']}\n".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": text})
