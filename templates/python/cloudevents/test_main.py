from cloudevents.http import CloudEvent

from main import handle


def test_replies_with_the_data():
    reply = handle(CloudEvent({"type": "order.placed", "source": "/shop", "id": "1"}, {"total": 42}))
    assert reply.data == {"to": "1", "data": {"total": 42}}
