"""moto's server. What moto enforces of IAM is not what AWS does, so that it is said here, for CloudWatch Logs and S3, as AWS's
Service Authorization Reference says: which resource a request is for, and in S3 which action it needs. Refusals come in the form
that AWS gives them."""

import json

from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.logs.responses import LogsResponse
from moto.s3.exceptions import MissingBucket
from moto.s3.responses import S3Response
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

# What a request needs the right to, by its method and what it asks about. moto takes what it does not know for ListBucket,
# CreateBucket or PutObject.
BUCKET_ACTIONS = {
    "object-lock": {
        "GET": "GetBucketObjectLockConfiguration",
        "PUT": "PutBucketObjectLockConfiguration",
    },
    "encryption": {
        "GET": "GetEncryptionConfiguration",
        "PUT": "PutEncryptionConfiguration",
        "DELETE": "PutEncryptionConfiguration",
    },
    "ownershipControls": {
        "GET": "GetBucketOwnershipControls",
        "PUT": "PutBucketOwnershipControls",
        "DELETE": "PutBucketOwnershipControls",
    },
    "publicAccessBlock": {
        "GET": "GetBucketPublicAccessBlock",
        "PUT": "PutBucketPublicAccessBlock",
        "DELETE": "PutBucketPublicAccessBlock",
    },
}
OBJECT_ACTIONS = {
    "retention": {"GET": "GetObjectRetention", "PUT": "PutObjectRetention"},
    "legal-hold": {"GET": "GetObjectLegalHold", "PUT": "PutObjectLegalHold"},
}


def authorize_s3(self, bucket_name=None, key_name=None):
    def allow(action, key=key_name):
        before = self.data.get("Action")
        self.data["Action"] = action
        try:
            super(S3Response, self)._authenticate_and_authorize_s3_action(
                bucket_name, key
            )
        finally:
            self.data["Action"] = before

    special = OBJECT_ACTIONS if key_name else BUCKET_ACTIONS
    named = [special[part].get(self.method) for part in special if part in self.querystring]
    if named:
        allow(named[0])
    elif self.data.get("Action") == "HeadBucket":
        allow("ListBucket")
    else:
        allow(self.data.get("Action"))
    if self.headers.get("X-Amz-Bypass-Governance-Retention"):
        allow("BypassGovernanceRetention")
    # Who may not list a bucket is not told what is missing in it.
    if key_name and self.method in ("GET", "HEAD") and is_missing(self, bucket_name, key_name):
        allow("ListBucket", None)


def is_missing(self, bucket_name, key_name):
    try:
        return self.backend.get_object(bucket_name, key_name) is None
    except MissingBucket:
        return False


S3Response._authenticate_and_authorize_s3_action = authorize_s3
main()
