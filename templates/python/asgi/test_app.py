import asyncio

from app import app


def test_greets_by_name():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(app({"type": "http", "query_string": b"name=you"}, None, send))
    assert sent[0]["status"] == 200
    assert sent[1]["body"] == b"Hello, you!\n"
