from cloudevents.http import CloudEvent


def handle(event):
    print(f"got {event['type']} from {event['source']}")
    words = str((event.data or {}).get("text", "")).split()
    return CloudEvent({"type": "words.counted", "source": "/word-counter"}, {"words": len(words)})
