"""moto's server. What moto enforces of IAM is not what AWS does, so that it is said here, for CloudWatch Logs, CloudWatch, X-Ray,
STS and S3, as AWS's Service Authorization Reference says: which action a request needs, and on which resource. Refusals come in
the form that AWS gives them. All that is imitated, and how far:
- AWS's endpoints for OTLP check the signature and the right, take any body, and keep nothing of it;
- of a policy's conditions StringEquals and ArnLike are enforced, on the region, the principal, the external ID, the tags of a
  session, and the claims of a service account's token. Nothing meets any other;
- a role's trust is enforced for principals of an account, for a service, and for the issuer of a token. The signature of a token
  is not checked, nor whether the account knows its issuer;
- EKS Pod Identity, which moto does not have, is an AssumeRole that says in a header that EKS asks for it."""

import base64
import fnmatch
import json

import moto.cloudwatch.urls
import moto.xray.urls
from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.core.responses import BaseResponse
from moto.iam.access_control import IAMPolicy, IAMPolicyStatement, IAMRequestBase, PermissionResult
from moto.iam.models import iam_backends
from moto.logs.responses import LogsResponse
from moto.s3.exceptions import MissingBucket
from moto.s3.responses import S3Response
from moto.server import main
from moto.sts.responses import TokenResponse
from moto.utilities.utils import get_partition

# What a request is signed for, where IAM has another name for the service.
SERVICES = {"monitoring": "cloudwatch"}
# What moto calls after its path.
ACTIONS = {
    "xray:TraceSegments": "xray:PutTraceSegments",
    "xray:TelemetryRecords": "xray:PutTelemetryRecords",
    "xray:Traces": "xray:BatchGetTraces",
    "xray:TraceSummaries": "xray:GetTraceSummaries",
    "xray:TraceGraph": "xray:GetTraceGraph",
    "xray:ServiceGraph": "xray:GetServiceGraph",
}
OPERATORS = {
    "StringEquals": lambda found, wanted: found == wanted,
    "ArnLike": fnmatch.fnmatchcase,
}


def meets(statement, context):
    """Whether a request meets the conditions of a statement: one without a key does not meet what is asked of that."""
    return all(
        operator in OPERATORS
        and key in context
        and any(OPERATORS[operator](context[key], each) for each in listed(wanted))
        for operator, conditions in statement.get("Condition", {}).items()
        for key, wanted in conditions.items()
    )


def listed(value):
    return value if isinstance(value, list) else [value]


def check_conditions(self, context):
    return meets(self._statement, context or {})


def check_action_permitted(self, resource):
    if self._action == "sts:GetCallerIdentity":
        return
    service, _, name = self._action.partition(":")
    action = f"{SERVICES.get(service, service)}:{name}"
    self._action = ACTIONS.get(action, action)
    context = {"aws:RequestedRegion": self._region, "aws:PrincipalArn": principal_of(self._access_key)}
    results = [
        IAMPolicyStatement(statement).is_action_permitted(self._action, resource, None, context)
        for policy in self._access_key.collect_policies()
        for statement in listed(IAMPolicy(policy)._policy_json["Statement"])
        # What a request does not meet says nothing about it.
        if meets(statement, context)
    ]
    if PermissionResult.PERMITTED not in results or PermissionResult.DENIED in results:
        self._raise_access_denied()
    if self._action == "sts:AssumeRole" and "RoleArn" in self._data:
        account = f"arn:{get_partition(self._region)}:iam::{self.account_id}:root"
        external = {"sts:ExternalId": self._data["ExternalId"][0]} if "ExternalId" in self._data else {}
        if not trusts(resource, {"sts:AssumeRole"}, {"AWS": account}, {**context, **external}):
            self._raise_access_denied()


def principal_of(key):
    """A user or a role, with its path."""
    iam = key.backend
    if hasattr(key, "_owner_role_name"):
        return iam.get_role(key._owner_role_name).arn
    return iam.get_user(key._owner_user_name).arn


def trusts(role_arn, actions, principal, context):
    """Whether a role lets somebody do all of this with it."""
    _, partition, _, _, account, name = role_arn.split(":", 5)
    roles = iam_backends[account][partition].roles.values()
    trust = [role.assume_role_policy_document for role in roles if role.arn == role_arn]
    statements = [each for document in trust for each in listed(json.loads(document)["Statement"])]
    allowed = {
        action
        for statement in statements
        if statement["Effect"] == "Allow" and statement["Principal"] == principal and meets(statement, context)
        for action in listed(statement["Action"])
    }
    return actions <= allowed


IAMPolicyStatement._check_conditions = check_conditions
IAMRequestBase.check_action_permitted = check_action_permitted


def authorize_sts(self, resource="*"):
    """Who takes on a role by a token, or for a pod, has no rights of its own: the role's trust decides."""
    parameters = {name: values[0] for name, values in self.data.items()}
    role = parameters.get("RoleArn", "")
    if parameters.get("Action") == "AssumeRoleWithWebIdentity":
        claims = json.loads(base64.urlsafe_b64decode(parameters["WebIdentityToken"].split(".")[1] + "=="))
        issuer = claims["iss"].removeprefix("https://")
        _, partition, _, _, account, _ = role.split(":", 5)
        provider = f"arn:{partition}:iam::{account}:oidc-provider/{issuer}"
        context = {f"{issuer}:{name}": claim for name, claim in claims.items()}
        allowed = trusts(role, {"sts:AssumeRoleWithWebIdentity"}, {"Federated": provider}, context)
    elif "X-Eks-Pod-Identity" in self.headers:
        tags = [name.removesuffix(".Key") for name in parameters if name.startswith("Tags.member.") and name.endswith(".Key")]
        context = {f"aws:RequestTag/{parameters[f'{tag}.Key']}": parameters[f"{tag}.Value"] for tag in tags}
        actions = {"sts:AssumeRole", "sts:TagSession"}
        allowed = trusts(role, actions, {"Service": "pods.eks.amazonaws.com"}, context)
    else:
        super(TokenResponse, self)._authenticate_and_authorize_normal_action(resource)
        return
    if not allowed:
        raise AccessDeniedError(user_arn=f"whoever is to have {role}", action="sts:" + parameters["Action"])


TokenResponse._authenticate_and_authorize_normal_action = authorize_sts


class OtlpResponse(BaseResponse):
    """What comes over OTLP ("OTLP endpoints" in the CloudWatch user guide, 2026-11)."""

    action = ""

    def setup_class(self, request, full_url, headers, use_raw_body=False):
        super().setup_class(request, full_url, headers, use_raw_body=True)

    def _get_action(self):
        return self.action

    def taken(self):
        return "{}"


class OtlpMetrics(OtlpResponse):
    def __init__(self):
        super().__init__(service_name="cloudwatch")

    action = "PutMetricData"
    put_metric_data = OtlpResponse.taken


class OtlpTraces(OtlpResponse):
    def __init__(self):
        super().__init__(service_name="xray")

    action = "PutTraceSegments"
    put_trace_segments = OtlpResponse.taken


moto.cloudwatch.urls.url_paths["{0}/v1/metrics$"] = OtlpMetrics.dispatch
moto.xray.urls.url_paths["{0}/v1/traces$"] = OtlpTraces.dispatch

# Actions whose resource is a log stream; that of all others is the log group.
STREAM_ACTIONS = {"CreateLogStream", "DeleteLogStream", "GetLogEvents", "PutLogEvents"}


def authorize(self, resource="*"):
    request = json.loads(self.body or "{}")
    action = self.headers["X-Amz-Target"].split(".")[-1]
    group = request.get("logGroupName", "")
    arn = f"arn:{get_partition(self.region)}:logs:{self.region}:{self.current_account}:log-group:{group}"
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
