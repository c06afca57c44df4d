def new():
    """Called once for each instance."""
    return Function()


class Function:
    async def handle(self, scope, receive, send):
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": f"Hello from {scope['path']}\n".encode()})

    def ready(self):
        return True
