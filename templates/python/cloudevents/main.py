from cloudevents.http import CloudEvent


def handle(event):
    print(f"got {event['type']} {event['id']}")
    return CloudEvent({"type": "reply", "source": "/{{name}}"}, {"to": event["id"], "data": event.data})
