from types import SimpleNamespace

from main import hello


def test_greets_by_name():
    assert hello(SimpleNamespace(args={"name": "you"})) == "Hello, you!\n"
