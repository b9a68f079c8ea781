import type { IAM } from "@aws-sdk/client-iam";

import { partitionOf } from "../core/lib/arns";
import { CouldNotCheck, couldNotCheck } from "../core/lib/errors";
import { shellWord } from "../core/lib/shell";
import { roleArnOf } from "../core/routes/roles";
import type { AwsIdentity } from "../core/settings/settings";
import { answered, clientOptions, notAws } from "./awsClient";
import type { Finding, Findings, Live } from "./findings";

/** What pods are at AWS, as a stack has it, and what they have to be allowed there. */
interface PodIdentity {
    /** Whose rights cannot be checked, for a message: `the exporter's`, `your`. */
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
    /** @param arn of what they are. */
    readonly needed: (arn: string) => readonly Needed[];
    /** What to say of the actions that policies do not allow: as many findings. */
    readonly about: (
        arn: string,
        denied: readonly string[],
        needed: Needed,
    ) => readonly Pick<Finding, "what" | "why">[];
    /** Whether the stack is deployed, so that their role has to be there. */
    readonly isInstalled: () => Promise<boolean>;
    /** What happens without their role. */
    readonly withoutRole: Pick<Finding, "what" | "why">;
}

/**
 * Whether pods may do at AWS what they have to, by the policies of their user or role.
 *
 * @throws CouldNotCheck when AWS does not say.
 */
export async function podRights(pods: PodIdentity, live: Live): Promise<Findings> {
    const { credentials, serviceAccount, withoutRole } = pods;
    const arn = await podArn(pods, live);
    const decided = arn === undefined ? undefined : await decisions(arn, pods.needed(arn), pods, live);
    if (arn !== undefined && decided) {
        return rightsFindings(decided, (denied, needed) => pods.about(arn, denied, needed));
    }
    // Before pulumi up there is no role, and a Secret that is missing is another check's.
    const isRole = credentials.kind === "irsa" || credentials.kind === "podIdentity";
    return (
        isRole &&
        (await pods.isInstalled()) && {
            severity: "problem",
            what: `there is no role for service account ${serviceAccount}, and ${withoutRole.what}`,
            why: withoutRole.why,
            fix: "pulumi up --refresh",
        }
    );
}

/** The user or role that pods are; `undefined` before the stack has made it, or where their Secret is missing. */
async function podArn(pods: PodIdentity, live: Live): Promise<string | undefined> {
    const { credentials, roleName } = pods;
    switch (credentials.kind) {
        case "irsa":
            return roleArnOf(roleName ?? "", credentials.oidcProviderArn);
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

async function withIam<T>({ whose, region }: Asking, live: Live, ask: (iam: IAM, sdk: Sdk) => Promise<T>): Promise<T> {
    // Loaded only here: most stacks have nothing in AWS.
    const sdk = await import("@aws-sdk/client-iam");
    const iam = new sdk.IAM(clientOptions({ region }, live.aws));
    try {
        return await answered(`${whose} rights`, () => ask(iam, sdk), live.aws);
    } finally {
        iam.destroy();
    }
}

/** The user that an access key is of. IAM tells only who is in the same account. */
function ownerOf(AccessKeyId: string, asking: Asking, live: Live): Promise<string> {
    return withIam(asking, live, async (iam) => {
        const { UserName } = await iam.getAccessKeyLastUsed({ AccessKeyId });
        if (UserName === undefined) {
            throw new CouldNotCheck("IAM does not say whose their access key is");
        }
        const { User } = await iam.getUser({ UserName });
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

/** The role that somebody has assumed by its own ARN, as far as that of the session says it; any other ARN as it is. */
export function principalOf(arn: string): string {
    return arn.replace(/^arn:([\w-]+):sts::(\d+):assumed-role\/([^/]+)\/.*$/, "arn:$1:iam::$2:role/$3");
}

/**
 * Who IAM knows policies of: behind a session of an assumed role the role itself, with its path, which a session's ARN leaves out. Roles
 * of IAM Identity Center (SSO) have one.
 *
 * @returns also why the path of the role could not be looked up: most roles have none.
 */
export async function policyHolder(
    identity: string,
    asking: Asking,
    live: Live,
): Promise<{ readonly arn: string; readonly noPath?: string }> {
    const withoutPath = principalOf(identity);
    if (withoutPath === identity) {
        return { arn: identity };
    }
    const RoleName = withoutPath.split("/").at(-1) ?? "";
    const given = live.aws.assumeRoles?.at(-1)?.roleArn;
    if (given?.endsWith(`/${RoleName}`) === true) {
        return { arn: given };
    }
    const found = await withIam(asking, live, (iam) => iam.getRole({ RoleName })).catch(couldNotCheck);
    if (found instanceof CouldNotCheck) {
        return { arn: withoutPath, noPath: found.message };
    }
    return found.Role?.Arn === undefined ? { arn: withoutPath, noPath: notAws() } : { arn: found.Role.Arn };
}

/** Actions, and what each has to be allowed on. */
export interface Needed {
    readonly actions: readonly string[];
    /** ARNs. Policies name one thing in several ways: one of each list is enough. */
    readonly resources: readonly (readonly string[])[];
}

/**
 * What is wrong by {@link decisions}.
 *
 * @param about what to say of the actions that policies do not allow: as many findings.
 */
export function rightsFindings(
    decided: readonly Decided[],
    about: (denied: readonly string[], needed: Needed) => readonly Pick<Finding, "what" | "why">[],
): Findings {
    return decided.map(({ needed, denied, unknown, ask }) => [
        denied.length > 0 && about(denied, needed).map((each) => ({ severity: "problem" as const, ...each, fix: ask })),
        unknown,
    ]);
}

/** What IAM decides about something that is needed. */
interface Decided {
    readonly needed: Needed;
    /** The actions that policies do not allow. */
    readonly denied: readonly string[];
    /** What policies allow under conditions only, which IAM does not know. */
    readonly unknown: Findings;
    /** The command that asks the same. */
    readonly ask: string;
}

/**
 * Whether somebody's policies allow what is needed in a region; `undefined` where there is no such user or role.
 *
 * @throws CouldNotCheck when the user may not ask IAM, or IAM does not answer for all of it.
 */
export async function decisions(
    arn: string,
    needed: readonly Needed[],
    asking: Asking,
    live: Live,
): Promise<Decided[] | undefined> {
    return withIam(asking, live, async (iam, sdk) => {
        const looks = needed.map((each) => decisionOf(arn, each, asking.region, iam, sdk));
        // Nothing is asked any more when the client is gone.
        await Promise.allSettled(looks);
        try {
            return await Promise.all(looks);
        } catch (error) {
            if (error instanceof sdk.NoSuchEntityException) {
                return undefined;
            }
            throw error;
        }
    });
}

async function decisionOf(arn: string, needed: Needed, region: string, client: IAM, sdk: Sdk): Promise<Decided> {
    const { actions, resources } = needed;
    const [context, requested] = ["aws:RequestedRegion", regionOf(actions, region)];
    const asked = {
        PolicySourceArn: arn,
        ActionNames: [...actions],
        ResourceArns: resources.flat(),
        ContextEntries: [{ ContextKeyName: context, ContextKeyType: "string" as const, ContextKeyValues: [requested] }],
    };
    const allowed = new Set<string>();
    const conditions = new Map<string, string[]>();
    for await (const { EvaluationResults = [] } of sdk.paginateSimulatePrincipalPolicy({ client }, asked)) {
        for (const {
            EvalActionName: action = "",
            ResourceSpecificResults: each = [],
            ...result
        } of EvaluationResults) {
            const known = conditions.get(action) ?? [];
            conditions.set(action, known);
            const results = each.map((one) => ({ ...one, EvalDecision: one.EvalResourceDecision }));
            for (const { EvalDecision, EvalResourceName = "*", MissingContextValues = [] } of each.length > 0
                ? results
                : [result]) {
                if (EvalDecision === "allowed") {
                    allowed.add(`${action} ${EvalResourceName}`);
                } else {
                    known.push(...MissingContextValues);
                }
            }
        }
    }
    if (!actions.every((action) => conditions.has(action))) {
        throw new CouldNotCheck(`what answers for IAM is no simulation of what ${arn} may do`);
    }
    const refused = actions.filter(
        (action) => !resources.every((names) => [...names, "*"].some((name) => allowed.has(`${action} ${name}`))),
    );
    const conditional = refused.filter((action) => conditions.get(action)?.length);
    const keys = [...new Set(conditional.flatMap((action) => conditions.get(action) ?? []))];
    const ask =
        `aws iam simulate-principal-policy --policy-source-arn ${arn} --action-names ${actions.join(" ")} ` +
        `--resource-arns ${resources.flat().map(shellWord).join(" ")} --context-entries ` +
        `ContextKeyName=${context},ContextKeyType=string,ContextKeyValues=${requested}`;
    return {
        needed,
        denied: refused.filter((action) => !conditional.includes(action)),
        unknown: conditional.length > 0 && {
            severity: "unknown",
            what: `could not check: whether ${arn} may ${conditional.join(", ")} depends on conditions (${keys.join(", ")})`,
            why: "Policies may allow it where it is done from, or as what it is done: IAM was not told that.",
            fix: ask,
        },
        ask,
    };
}

/**
 * IAM is asked in one region of each partition, no matter which region the rest is in ("aws:RequestedRegion" in the IAM user guide,
 * 2026-11).
 */
function regionOf(actions: readonly string[], region: string): string {
    const isGlobal = actions.every((action) => action.startsWith("iam:"));
    const homes: Readonly<Record<string, string>> = {
        aws: "us-east-1",
        "aws-cn": "cn-north-1",
        "aws-us-gov": "us-gov-west-1",
    };
    return isGlobal ? (homes[partitionOf(region)] ?? region) : region;
}
