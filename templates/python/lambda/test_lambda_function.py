import json

from lambda_function import lambda_handler


def test_greets_by_name():
    answer = lambda_handler({"queryStringParameters": {"name": "you"}}, None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"hello": "you"}
