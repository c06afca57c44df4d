import json


def lambda_handler(event, context):
    name = (event.get("queryStringParameters") or {}).get("name", "you")
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"hello": name, "left": context.get_remaining_time_in_millis() > 0}),
    }
