import { archiveKinds, exporterCharts, type ArchiveKind } from "../../charts/archives";
import { compact } from "../../lib/compact";
import { kofNamespace } from "../../charts/namespace";
import type { Archive } from "../../routes/archives";
import type { Deployment } from "../../routes/deployment";
import { cloudwatchSecretName } from "../../routes/cloudwatch";
import { stackFile } from "../../settings/explain";
import type { CloudWatchParts } from "../../routes/parts";
import type { ArchiveCredentials } from "../../settings/archives";
import { awsIdentityOf, isInOrder } from "../../settings/settings";
import { notice, type Consequences } from "./consequence";

/** What happens to one of the credentials that a stack runs with. */
export interface CredentialChange {
    /** The program makes and revokes what is its own; Secrets that are not are read, and roles assumed. */
    readonly operation: "made" | "kept" | "revoked" | "read" | "no longer read" | "assumed" | "no longer assumed";
    readonly what: string;
}

/** The credentials that the program makes and revokes, or reads. */
export function credentialChanges(from: Deployment, to: Deployment): CredentialChange[] {
    const [before, after] = [storedCredentials(from), storedCredentials(to)];
    const isAmong = (all: readonly Credential[], { id }: Credential) => all.some((each) => each.id === id);
    return [
        ...after.map((each): CredentialChange => {
            const operation = isAmong(before, each) ? "kept" : operations[each.kind][0];
            return { operation, what: each.what };
        }),
        ...before
            .filter((each) => !isAmong(after, each))
            .map(({ what, kind }): CredentialChange => ({ operation: operations[kind][1], what })),
    ];
}

interface Credential {
    /** The same for what stays: of a Secret that the program does not make, whichever of its keys are read. */
    readonly id: string;
    readonly what: string;
    /** Whether the program makes it, or it is a Secret, or a role, of somebody else. */
    readonly kind: keyof typeof operations;
}

const operations = {
    own: ["made", "revoked"],
    secret: ["read", "no longer read"],
    role: ["assumed", "no longer assumed"],
} as const;

/** What a stack authenticates with, human-readable: its keys and roles in AWS, then Secrets. */
function storedCredentials(deployment: Deployment): Credential[] {
    const { cloudwatch, archives } = deployment;
    const { central } = cloudwatch ?? {};
    const collectors = { pods: "the collectors' pods", accounts: "the collectors' service accounts" };
    const secrets = deployment.secrets.flatMap(({ name, keys, maker, reader }): Credential[] => {
        if (maker === "stack") {
            // Of those with an access key, the key is what matters.
            return reader === "grafana" ? [made(`random password of Grafana's admin in Secret ${name}`)] : [];
        }
        const kof = reader === "grafana" ? "which KOF makes" : "which KOF makes for the region";
        const by = maker === "you" ? "made elsewhere" : kof;
        return [{ id: `${name}, ${by}`, what: `${keys.join(" and ")} in Secret ${name}, ${by}`, kind: "secret" }];
    });
    return compact(
        ...(cloudwatch ? awsCredentials(cloudwatch, "cloudwatch", collectors).map(made) : []),
        central && {
            id: central.roleArn,
            what: `IAM role ${central.roleArn}, made by account ${central.account}`,
            kind: "role",
        },
        ...archives.flatMap((archive) => {
            const { name } = archive;
            const exporter = { pods: `the pods of ${name}`, accounts: `the service account of ${name}` };
            return awsCredentials(archive, name, exporter).map(made);
        }),
        ...secrets,
    );
}

function made(what: string): Credential {
    return { id: what, what, kind: "own" };
}

/** What the program makes in AWS. @param whose the pods and the service accounts that sign in with it. */
function awsCredentials(
    { credentials, roleName = "" }: Pick<CloudWatchParts | Archive, "credentials" | "roleName">,
    user: string,
    whose: { readonly pods: string; readonly accounts: string },
): string[] {
    switch (credentials.kind) {
        case "accessKey":
            return credentials.generations.map((generation) => `access key ${generation} of IAM user ${user}`);
        case "podIdentity":
            return [`IAM role for ${whose.pods} on EKS cluster ${credentials.clusterName}`];
        case "irsa":
            return [`IAM role ${roleName} for ${whose.accounts}`];
        case "existingSecret":
            return [];
    }
}

/** AWS's quota, which cannot be raised (IAM and AWS STS quotas, "Access keys assigned to an IAM user"). */
const keysPerUser = 2;

/** What follows from other credentials for AWS: rotations that AWS refuses or that leave no overlap, and Secrets that are there. */
export function* credentialConsequences(from: Deployment, to: Deployment): Consequences {
    const { cloudwatch } = to.settings;
    const { path = [] } = cloudwatch ? awsIdentityOf(cloudwatch.credentials) : {};
    yield* rotationConsequences(generationsOf(from), generationsOf(to), path, {
        user: "the collectors use",
        then: "has them use",
        until: "The deployment waits until all of them have restarted, and fails where one does not",
    });
    for (const kind of archiveKinds) {
        const [before = [], after = []] = [from, to].map(({ archives }) =>
            keysOf(archives.find((each) => each.kind === kind)?.credentials),
        );
        // An exporter reads its key when a run begins.
        yield* rotationConsequences(before, after, [kind, "credentials"], {
            user: `${exporterCharts[kind].chart} uses`,
            then: "has it use",
            until: "A run that has begun fails with the old one, and the next one does what it left out",
        });
    }
    yield* secretConsequences(from, to, path);
    for (const kind of archiveKinds) {
        yield* exporterSecretConsequences(from, to, kind);
    }
    yield* accountConsequences(from, to);
}

/** The generations of the access key, from old to new; none where the collectors authenticate otherwise. */
function generationsOf({ cloudwatch }: Deployment): readonly string[] {
    return keysOf(cloudwatch?.credentials);
}

function keysOf(credentials: ArchiveCredentials | CloudWatchParts["credentials"] | undefined): readonly string[] {
    return credentials?.kind === "accessKey" ? credentials.generations : [];
}

/** Whether a change deletes an access key. */
export function keysDeleted({ from, to }: { readonly from: Deployment; readonly to: Deployment }): boolean {
    return generationsOf(from).some((generation) => !generationsOf(to).includes(generation));
}

/** Who uses an access key, and what happens to them when it is gone, as it follows the key and the next one. */
interface KeyUse {
    readonly user: string;
    readonly then: string;
    readonly until: string;
}

/** @param path of the settings that say what the users of the keys are at AWS. */
function* rotationConsequences(
    before: readonly string[],
    after: readonly string[],
    path: readonly string[],
    { user, then, until }: KeyUse,
): Consequences {
    const key = `kof:${path.join(".")}.generations`;
    const [was, is] = [before.at(-1), after.at(-1)];
    const paste = (generations: readonly string[]) => stackFile(path, { kind: "accessKey", generations });
    const [first, ...further] = stepsBetween(before, after);
    if (first) {
        const lists = further.map((each) => `, then [${each.map((label) => `"${label}"`).join(", ")}]`);
        yield {
            severity: "impossible",
            key,
            message:
                `would need the access keys ${together(before, after).join(", ")} at once, because a new key is made before an old one is ` +
                `deleted, and AWS allows ${String(keysPerUser)} for a user`,
            way: `deploy these first${lists.join("")}, and then what the stack file says now`,
            paste: paste(first),
        };
    } else if (was !== undefined && is !== undefined && !after.includes(was)) {
        yield notice(
            key,
            `leaves no overlap: access key ${was}, which ${user}, is deleted in the same deployment that ${then} ${is}. ${until}`,
            isInOrder([was, is])
                ? { way: `keep both for one deployment, and drop ${was} in the next`, paste: paste([was, is]) }
                : {},
        );
    }
}

/**
 * The keys to have in between, in a deployment each, so that there are never more at once than AWS allows; none where there are not.
 */
function stepsBetween(before: readonly string[], after: readonly string[]): (readonly string[])[] {
    const [was, is] = [before.at(-1), after.at(-1)];
    if (was === undefined || is === undefined || together(before, after).length <= keysPerUser) {
        return [];
    }
    // With two keys already, the one that is not in use has to go first. Both are there for a while where labels go from old to new.
    const next = before.length === keysPerUser ? [was] : isInOrder([was, is]) ? [was, is] : [is];
    return [next, ...stepsBetween(next, after)];
}

function together(before: readonly string[], after: readonly string[]): string[] {
    return [...new Set([...before, ...after])];
}

/** A Secret that the program made and somebody else is to make from now on, or the reverse. */
interface MakerChange {
    readonly secret: string;
    readonly is: "program" | "elsewhere";
    /** The setting that names a Secret made elsewhere, and one with another name to paste. */
    readonly named: { readonly key: string; readonly paste: object };
    /** The setting that has the program make it, and how to delete the one that is there. */
    readonly made: { readonly key: string; readonly after: string };
}

function* makerConsequences({ secret, is, named, made: own }: MakerChange, { settings }: Deployment): Consequences {
    if (is === "elsewhere") {
        yield {
            severity: "impossible",
            key: named.key,
            message: `is ${secret}, the Secret with the program's own access key, which this deployment deletes`,
            way: "give the Secret that is made elsewhere another name",
            paste: named.paste,
        };
    } else if (!settings.adopt) {
        yield {
            severity: "impossible",
            key: own.key,
            message: `is accessKey, whose Secret ${secret} exists already, made elsewhere: the deployment would fail`,
            way: `delete it first (kubectl delete secret -n ${kofNamespace} ${secret})${own.after}`,
            acknowledge: `Secret ${secret}`,
        };
    }
}

/** The Secret with the program's own key has a name that a Secret made elsewhere may have as well. */
function* secretConsequences(from: Deployment, to: Deployment, path: readonly string[]): Consequences {
    const secret = cloudwatchSecretName;
    const [was, is] = [from, to].map((each) => makerOf(each, secret));
    const credentials = to.cloudwatch?.credentials;
    const isNamed = credentials?.kind === "existingSecret" && credentials.name === secret;
    // What else reads it has no setting that names one made elsewhere.
    if (was === undefined || is === undefined || was === is || (is === "elsewhere" && !isNamed)) {
        return;
    }
    const key = `kof:${path.join(".")}`;
    const named = { key: `${key}.name`, paste: stackFile(path, { kind: "existingSecret", name: "aws-credentials" }) };
    const after = ", which does not affect running collectors, and then acknowledge it";
    yield* makerConsequences({ secret, is, named, made: { key: `${key}.kind`, after } }, to);
}

/** The same of the Secret of an archive's exporter. */
function* exporterSecretConsequences(from: Deployment, to: Deployment, kind: ArchiveKind): Consequences {
    const [before, secret] = [from, to].map(
        ({ archives }) => archives.find((each) => each.kind === kind)?.secret?.name,
    );
    if (secret === undefined || before !== secret) {
        return;
    }
    const [was, is] = [from, to].map((each) => makerOf(each, secret));
    if (is === undefined || was === is) {
        return;
    }
    const name = "s3-credentials";
    const named =
        to.settings[kind]?.existingSecret === undefined
            ? {
                  key: `kof:${kind}.credentials.name`,
                  paste: stackFile([kind, "credentials"], { kind: "existingSecret", name }),
              }
            : { key: `kof:${kind}.existingSecret`, paste: stackFile([kind, "existingSecret"], name) };
    const after = ": a run that has begun goes on. Then acknowledge it";
    yield* makerConsequences({ secret, is, named, made: { key: `kof:${kind}.credentials`, after } }, to);
}

/** Logs that come from now on are in another account, and those before stay where they are. */
function* accountConsequences(from: Deployment, to: Deployment): Consequences {
    const [was, is] = [from, to].map(
        ({ cloudwatch }) =>
            cloudwatch && (cloudwatch.central ? `account ${cloudwatch.central.account}` : "the stack's own account"),
    );
    if (was !== undefined && is !== undefined && was !== is) {
        yield notice(
            "kof:cloudwatch.credentials",
            `leads to ${is}, where it was ${was}. What is stored there stays there, and is read there. ` +
                "What waits on the nodes goes to the new account",
        );
    }
}

/** Who makes a Secret, the program or somebody else; `undefined` where nothing reads it. */
function makerOf({ secrets }: Deployment, secret: string): MakerChange["is"] | undefined {
    const makers = secrets.flatMap(({ name, maker }) => (name === secret ? [maker] : []));
    return makers.length === 0 ? undefined : makers.includes("stack") ? "program" : "elsewhere";
}
