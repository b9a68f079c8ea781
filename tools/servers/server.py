"""moto's server. moto enforces IAM without telling policies which resource a request is for, so that is done here, for
CloudWatch Logs, as AWS's Service Authorization Reference says; and refusals come in the form that AWS gives them."""

import json

from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.logs.responses import LogsResponse
from moto.server import main

# Actions whose resource is a log stream; that of all others is the log group.
STREAM_ACTIONS = {"CreateLogStream", "DeleteLogStream", "GetLogEvents", "PutLogEvents"}


def authorize(self, resource="*"):
    request = json.loads(self.body or "{}")
    action = self.headers["X-Amz-Target"].split(".")[-1]
    group = request.get("logGroupName", "")
    arn = f"arn:aws:logs:{self.region}:{self.current_account}:log-group:{group}"
    if action in STREAM_ACTIONS:
        arn += f":log-stream:{request.get('logStreamName', '')}"
    try:
        super(LogsResponse, self)._authenticate_and_authorize_normal_action(arn)
    except AccessDeniedError as error:
        raise JsonRESTError("AccessDeniedException", error.message) from error


LogsResponse._authenticate_and_authorize_normal_action = authorize
main()
