"""The context object of a Lambda invocation."""

import json
import os
import time


class Identity:
    cognito_identity_id = None
    cognito_identity_pool_id = None


class LambdaContext:
    """Names and units as in Lambda's own for Python."""

    def __init__(self, request_id: str, timeout_s: float, headers: dict) -> None:
        env = os.environ
        self.aws_request_id = request_id
        self.function_name = env["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = env["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = env["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = env["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = f"arn:aws:lambda:{env['AWS_REGION']}:123456789012:function:{self.function_name}"
        self.identity = Identity()
        self.tenant_id = headers.get("x-amz-tenant-id")
        self.client_context = _client_context(headers.get("x-amz-client-context"))
        self._deadline = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def log(self, message) -> None:
        print(message, flush=True)


def _client_context(text):
    if text is None:
        return None
    import base64
    from types import SimpleNamespace

    try:
        parsed = json.loads(base64.b64decode(text))
    except ValueError:
        return None
    return SimpleNamespace(custom=parsed.get("custom"), env=parsed.get("env"), client=parsed.get("client"))
