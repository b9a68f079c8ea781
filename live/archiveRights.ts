import type { IAMClient } from "@aws-sdk/client-iam";

import { arnParts } from "../core/lib/arns";
import { CouldNotCheck } from "../core/lib/errors";
import type { Archive } from "../core/routes/archives";
import { awsReason, clientOptions, limited } from "./awsClient";
import type { Live } from "./findings";
import { keysOf } from "./s3";
import { secretValues } from "./secrets";

/**
 * The user or role that an archive's exporter is at AWS; `undefined` before the stack has made it, or where its Secret is missing.
 *
 * @throws CouldNotCheck when AWS does not say.
 */
export async function exporterArn(archive: Archive, live: Live): Promise<string | undefined> {
    const { credentials, roleName, bucket, secret, serviceAccount } = archive;
    switch (credentials.kind) {
        case "irsa": {
            const { partition, account } = arnParts(credentials.oidcProviderArn);
            return `arn:${partition}:iam::${account}:role/kof/${roleName ?? ""}`;
        }
        case "podIdentity":
            return trustingRole(serviceAccount, credentials.clusterName, bucket.region, live);
        case "accessKey":
        case "existingSecret": {
            const name = secret?.name ?? "";
            return (await secretValues(live, name)) === undefined
                ? undefined
                : ownerOf((await keysOf(name, live)).accessKeyId, bucket.region, live);
        }
    }
}

type Sdk = typeof import("@aws-sdk/client-iam");

async function withIam<T>(region: string, live: Live, ask: (iam: IAMClient, sdk: Sdk) => Promise<T>): Promise<T> {
    // Loaded only here: most stacks have nothing in AWS.
    const sdk = await import("@aws-sdk/client-iam");
    const iam = new sdk.IAMClient(clientOptions({ region }, live.aws));
    try {
        return await ask(iam, sdk);
    } catch (error) {
        throw error instanceof CouldNotCheck ? error : new CouldNotCheck(`the exporter's rights: ${awsReason(error)}`);
    } finally {
        iam.destroy();
    }
}

/** The user that an access key is of. IAM tells only who is in the same account. */
function ownerOf(AccessKeyId: string, region: string, live: Live): Promise<string> {
    return withIam(region, live, async (iam, sdk) => {
        const { UserName } = await iam.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId }), limited());
        if (UserName === undefined) {
            throw new CouldNotCheck("the exporter's rights: IAM does not say whose its access key is");
        }
        const { User } = await iam.send(new sdk.GetUserCommand({ UserName }), limited());
        if (User?.Arn === undefined) {
            throw new CouldNotCheck(`the exporter's rights: IAM does not say who user ${UserName} is`);
        }
        return User.Arn;
    });
}

/** The role of the stack that Pod Identity hands to a service account, by whom it trusts; its name has a random end. */
function trustingRole(serviceAccount: string, cluster: string, region: string, live: Live) {
    return withIam(region, live, async (iam, sdk) => {
        for await (const { Roles } of sdk.paginateListRoles({ client: iam }, { PathPrefix: "/kof/" }, limited())) {
            if (Roles === undefined) {
                throw new CouldNotCheck("the exporter's rights: IAM lists no roles");
            }
            const found = Roles.find(({ AssumeRolePolicyDocument = "" }) => {
                const trust = decodeURIComponent(AssumeRolePolicyDocument);
                return [serviceAccount, cluster].every((each) => trust.includes(JSON.stringify(each)));
            });
            if (found?.Arn !== undefined) {
                return found.Arn;
            }
        }
        return undefined;
    });
}

/**
 * The actions that somebody's policies do not allow on a resource; `undefined` where there is no such user or role.
 *
 * @throws CouldNotCheck when whoever runs the command may not ask IAM, or it does not answer for all of them.
 */
export async function deniedActions(
    arn: string,
    actions: readonly string[],
    resource: string,
    region: string,
    live: Live,
): Promise<string[] | undefined> {
    return withIam(region, live, async (iam, sdk) => {
        const simulation = new sdk.SimulatePrincipalPolicyCommand({
            PolicySourceArn: arn,
            ActionNames: [...actions],
            ResourceArns: [resource],
        });
        const answer = await iam.send(simulation, limited()).catch((error: unknown) => {
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
            throw new CouldNotCheck("the exporter's rights: what answers for IAM is no simulation of its policies");
        }
        return actions.filter((action) => decided.get(action) !== "allowed");
    });
}
