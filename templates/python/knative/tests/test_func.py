import asyncio

from function import new


def test_answers_with_the_path():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(new().handle({"type": "http", "path": "/x"}, None, send))
    assert sent[1]["body"] == b"Hello from /x\n"
