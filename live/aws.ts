import { clientOptions, inTime, type AwsAccess } from "./awsClient";
import type { Check, Finding, Live } from "./findings";
import { CouldNotCheck } from "../core/lib/errors";

/** Whether AWS lets this person make what a stack needs there. */
export const aws: readonly Check[] = [{ title: "AWS", look: identityAndRights }];

/** What `pulumi up` does in AWS for CloudWatch, where it makes the credentials too. */
const groupActions = [
    ...["logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource"],
    ...["logs:DescribeLogGroups", "logs:ListTagsForResource"],
];
const roleActions = ["iam:CreateRole", "iam:PutRolePolicy", "iam:TagRole"];
const credentialActions = {
    accessKey: ["iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey", "iam:TagUser"],
    podIdentity: [...roleActions, "eks:CreatePodIdentityAssociation"],
    irsa: roleActions,
    existingSecret: [],
} as const;

async function identityAndRights({ deployment: { cloudwatch }, aws: access }: Live): Promise<Finding[]> {
    return cloudwatch ? inTime(() => findingsIn(cloudwatch, access), access) : [];
}

async function findingsIn(
    cloudwatch: NonNullable<Live["deployment"]["cloudwatch"]>,
    access: AwsAccess,
): Promise<Finding[]> {
    // Loaded only here: most stacks have nothing in AWS.
    const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
    const { IAMClient, SimulatePrincipalPolicyCommand } = await import("@aws-sdk/client-iam");
    const client = clientOptions({ region: cloudwatch.region }, access);
    let arn: string;
    try {
        arn = (await new STSClient(client).send(new GetCallerIdentityCommand({}))).Arn ?? "";
    } catch (error) {
        const { name, message } = error as Error;
        if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|TimeoutError/.test(`${name} ${message}`)) {
            throw new CouldNotCheck(`AWS does not answer: ${message || name}`);
        }
        return [
            {
                severity: "problem",
                what: `AWS does not know who you are: ${message || name}`,
                why: "Log groups and credentials for CloudWatch are made with your identity.",
                fix: "aws sts get-caller-identity",
            },
        ];
    }
    const actions = [
        // Traces alone need no group.
        ...(cloudwatch.logGroups.length > 0 ? groupActions : []),
        ...credentialActions[cloudwatch.credentials.kind],
    ];
    if (actions.length === 0) {
        return [];
    }
    try {
        const { EvaluationResults = [] } = await new IAMClient(client).send(
            new SimulatePrincipalPolicyCommand({ PolicySourceArn: principalOf(arn), ActionNames: actions }),
        );
        const denied = EvaluationResults.filter(({ EvalDecision }) => EvalDecision !== "allowed");
        return denied.length === 0
            ? []
            : [
                  {
                      severity: "problem",
                      what: `${arn} may not ${denied.map(({ EvalActionName }) => EvalActionName).join(", ")}`,
                      why: "pulumi up makes log groups, and what may write to them; it would stop half-way.",
                      fix: `aws iam simulate-principal-policy --policy-source-arn ${principalOf(arn)} --action-names ${actions.join(" ")}`,
                  },
              ];
    } catch (error) {
        throw new CouldNotCheck(
            `${arn} may not check its own permissions (iam:SimulatePrincipalPolicy): ${(error as Error).name}`,
        );
    }
}

/** IAM knows a role that somebody has assumed by the role's own ARN. */
export function principalOf(arn: string): string {
    return arn.replace(/^arn:([\w-]+):sts::(\d+):assumed-role\/([^/]+)\/.*$/, "arn:$1:iam::$2:role/$3");
}
