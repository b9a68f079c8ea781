import type { IAMClient } from "@aws-sdk/client-iam";

import { arnParts } from "../core/lib/arns";
import { CouldNotCheck } from "../core/lib/errors";
import type { AwsIdentity } from "../core/settings/settings";
import { answered, clientOptions } from "./awsClient";
import type { Live } from "./findings";

/** What pods are at AWS, as a stack has it. */
export interface PodIdentity {
    /** Whose rights cannot be checked, for a message: `the exporter's`. */
    readonly whose: string;
    readonly credentials: AwsIdentity;
    /** Name of the role, where a service account names it. */
    readonly roleName: string | undefined;
    /** A service account that Pod Identity hands the role to. */
    readonly serviceAccount: string;
    /** Region whose partition they are in. */
    readonly region: string;
    /** The ID of their access key; `undefined` before there is a Secret with it. */
    readonly accessKeyId: () => Promise<string | undefined>;
}

/**
 * The user or role that pods are at AWS; `undefined` before the stack has made it, or where their Secret is missing.
 *
 * @throws CouldNotCheck when AWS does not say.
 */
export async function podArn(pods: PodIdentity, live: Live): Promise<string | undefined> {
    const { credentials, roleName } = pods;
    switch (credentials.kind) {
        case "irsa": {
            const { partition, account } = arnParts(credentials.oidcProviderArn);
            return `arn:${partition}:iam::${account}:role/kof/${roleName ?? ""}`;
        }
        case "podIdentity":
            return trustingRole(pods, credentials.clusterName, live);
        case "accessKey":
        case "existingSecret": {
            const id = await pods.accessKeyId();
            return id === undefined ? undefined : ownerOf(id, pods, live);
        }
    }
}

type Sdk = typeof import("@aws-sdk/client-iam");
type Asking = Pick<PodIdentity, "whose" | "region">;

async function withIam<T>(
    { whose, region }: Asking,
    live: Live,
    ask: (iam: IAMClient, sdk: Sdk) => Promise<T>,
): Promise<T> {
    // Loaded only here: most stacks have nothing in AWS.
    const sdk = await import("@aws-sdk/client-iam");
    const iam = new sdk.IAMClient(clientOptions({ region }, live.aws));
    try {
        return await answered(`${whose} rights`, () => ask(iam, sdk), live.aws);
    } finally {
        iam.destroy();
    }
}

/** The user that an access key is of. IAM tells only who is in the same account. */
function ownerOf(AccessKeyId: string, asking: Asking, live: Live): Promise<string> {
    return withIam(asking, live, async (iam, sdk) => {
        const { UserName } = await iam.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId }));
        if (UserName === undefined) {
            throw new CouldNotCheck("IAM does not say whose their access key is");
        }
        const { User } = await iam.send(new sdk.GetUserCommand({ UserName }));
        if (User?.Arn === undefined) {
            throw new CouldNotCheck(`IAM does not say who user ${UserName} is`);
        }
        return User.Arn;
    });
}

/** The role of the stack that Pod Identity hands to a service account, by whom it trusts; its name has a random end. */
function trustingRole(pods: PodIdentity, cluster: string, live: Live) {
    return withIam(pods, live, async (iam, sdk) => {
        for await (const { Roles } of sdk.paginateListRoles({ client: iam }, { PathPrefix: "/kof/" })) {
            if (Roles === undefined) {
                throw new CouldNotCheck("IAM lists no roles");
            }
            const found = Roles.find(({ AssumeRolePolicyDocument = "" }) => {
                const trust = decodeURIComponent(AssumeRolePolicyDocument);
                return [pods.serviceAccount, cluster].every((each) => trust.includes(JSON.stringify(each)));
            });
            if (found?.Arn !== undefined) {
                return found.Arn;
            }
        }
        return undefined;
    });
}

/**
 * The actions that somebody's policies do not allow on a resource, asked for in a region; `undefined` where there is no such user or
 * role.
 *
 * @throws CouldNotCheck when the user may not ask IAM, or IAM does not answer for all of them.
 */
export async function deniedActions(
    arn: string,
    actions: readonly string[],
    resource: string,
    asking: Asking,
    live: Live,
): Promise<string[] | undefined> {
    return withIam(asking, live, async (iam, sdk) => {
        const simulation = new sdk.SimulatePrincipalPolicyCommand({
            PolicySourceArn: arn,
            ActionNames: [...actions],
            ResourceArns: [resource],
            ContextEntries: [
                {
                    ContextKeyName: "aws:RequestedRegion",
                    ContextKeyType: "string",
                    ContextKeyValues: [asking.region],
                },
            ],
        });
        const answer = await iam.send(simulation).catch((error: unknown) => {
            if (error instanceof sdk.NoSuchEntityException) {
                return undefined;
            }
            throw error;
        });
        if (!answer) {
            return undefined;
        }
        const { EvaluationResults = [] } = answer;
        const decided = new Map(
            EvaluationResults.map(({ EvalActionName, EvalDecision }) => [EvalActionName, EvalDecision]),
        );
        if (!actions.every((action) => decided.has(action))) {
            throw new CouldNotCheck("what answers for IAM is no simulation of its policies");
        }
        return actions.filter((action) => decided.get(action) !== "allowed");
    });
}
