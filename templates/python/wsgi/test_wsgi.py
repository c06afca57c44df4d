from wsgi import application


def test_greets_by_name():
    started = []
    body = application({"QUERY_STRING": "name=you"}, lambda status, headers: started.append(status))
    assert started == ["200 OK"]
    assert b"".join(body) == b"Hello, you!\n"
