import { versions } from "../charts";
import { archiveKinds, exporterSecretKeys, oldestArchived, type ArchiveKind } from "../charts/archives";
import { arnParts, partitionOf } from "../lib/arns";
import { signedOut } from "../lib/secrets";
import { nearestOf } from "../lib/spelling";
import { isMap, textOf } from "../lib/values";
import { identityProblems, keyProblems } from "./awsRules";
import { resolvedArchive } from "./archives";
import { problemAt, stackFile, type RawSettings, type Values } from "./explain";
import { brief, type Problem, type Problems } from "./problems";
import regions = require("./regions.json");
import { tellsAudit } from "./routing";
import { secretCommand } from "./secretRules";
import { archiveClasses, type AuditArchiveSettings, type ColdStorageSettings } from "./settings";

/*
 * What is wrong with `kof:coldStorage` and `kof:auditArchive` although each of their settings is right by itself.
 * core/routes/archives.ts has the rules that depend on what is stored on the cluster.
 */

type Given = ColdStorageSettings | AuditArchiveSettings;

/** The rules of archives that need only the settings. */
export function* archiveProblems(values: Values, raw: RawSettings): Problems {
    for (const kind of archiveKinds) {
        const given = values[kind];
        if (given === undefined) {
            continue;
        }
        // A list with one entry is treated as that entry.
        const [found] = [raw[kind]].flat();
        const written = isMap(found) ? found : {};
        yield* versionProblems(kind, values.version);
        const isVain = isAwsInVain(given);
        if (isVain) {
            yield awsEndpoint(kind, given);
        }
        const meant = isVain ? { ...given, endpoint: undefined } : given;
        yield* regionProblems(kind, meant, values);
        yield* bucketProblems(kind, meant, written);
        yield* credentialProblems(kind, meant, written);
        yield* placeProblems(kind, meant);
        yield* lifecycleProblems(kind, meant);
        yield* everyRegionProblems(kind, meant, values);
    }
    yield* sharedProblems(values);
}

function* versionProblems(kind: ArchiveKind, version: Values["version"]): Problems {
    if (version !== undefined && !tellsAudit(version)) {
        yield problemAt(
            [kind],
            `needs KOF ${oldestArchived} or later: the exporters, and a store for audit logs, came with that. The version is ${version}`,
            {
                allowed: `version ${versions.filter(tellsAudit).join(" or ")}`,
                paste: stackFile(["version"], oldestArchived),
            },
        );
    }
}

/** S3's own public address: `s3.eu-west-1.amazonaws.com`, not that of a VPC endpoint. */
const ownHost =
    /^https?:\/\/(?:[^/]+\.)?s3[.-](?:([a-z]{2}(?:-[a-z]+)+-\d)\.)?amazonaws\.com(?:\.cn)?(?::\d+)?(?:\/|$)/;

/** Whether the endpoint is S3's own address, with no Secret to authenticate there: then it should not be set. */
function isAwsInVain({ endpoint, credentials, existingSecret }: Given): boolean {
    const hasSecret = existingSecret !== undefined || credentials?.kind === "existingSecret";
    return endpoint !== undefined && !hasSecret && ownHost.test(endpoint);
}

function awsEndpoint(kind: ArchiveKind, { endpoint = "", region }: Given): Problem {
    const there = ownHost.exec(endpoint)?.[1] ?? "eu-west-1";
    return problemAt(
        [kind, "endpoint"],
        `is ${brief(endpoint)}, where S3 is anyway. Remove it, and the region says where the bucket is`,
        {
            allowed: "the address of another store than S3",
            paste: region === undefined ? stackFile([kind, "region"], there) : undefined,
        },
    );
}

function* regionProblems(kind: ArchiveKind, given: Given, { cloudwatch }: Values): Problems {
    const { region, endpoint, kmsKeyArn } = given;
    if (endpoint === undefined && region !== undefined && !regions.includes(region)) {
        // A bucket is in the region of its key.
        const ofKey = kmsKeyArn === undefined ? "" : arnParts(kmsKeyArn).region;
        const isOfKey = regions.includes(ofKey);
        const meant = isOfKey ? ofKey : (nearestOf(region, regions) ?? cloudwatch?.region ?? "eu-west-1");
        yield problemAt([kind, "region"], `is ${brief(region)}, which is no region of AWS`, {
            allowed:
                "an AWS region, for example us-east-2, eu-central-1, us-gov-west-1; or the endpoint of another store",
            value: meant,
        });
    }
}

/** Settings that only apply to a bucket that the stack makes, in AWS. */
function* bucketProblems(kind: ArchiveKind, given: Given, written: Readonly<Record<string, unknown>>): Problems {
    const { endpoint, createBucket, lifecycle, keepBucket, kmsKeyArn, tags } = given;
    const address = brief(signedOut(endpoint ?? ""));
    if (endpoint !== undefined && createBucket === true) {
        yield problemAt(
            [kind, "createBucket"],
            `is true, but the stack makes buckets in AWS alone, and the endpoint is ${address}`,
            { allowed: "false: the bucket is there", value: false },
        );
    }
    const noEffect = (setting: string, why: string) => problemAt([kind, setting], `has no effect ${why}. Remove it`);
    const notMade = "on a bucket that the stack does not make";
    const isMade = endpoint === undefined && resolvedArchive(given).createBucket;
    if (!isMade && lifecycle.length > 0) {
        yield noEffect("lifecycle", notMade);
    }
    if (!isMade && written.keepBucket !== undefined && !keepBucket) {
        yield noEffect("keepBucket", `${notMade}, and never deletes`);
    }
    const notAws = `with endpoint ${address}, which is not AWS`;
    if (endpoint !== undefined && kmsKeyArn !== undefined) {
        yield noEffect("kmsKeyArn", notAws);
    }
    if (endpoint !== undefined && Object.keys(tags).length > 0) {
        yield noEffect("tags", notAws);
    }
}

function* credentialProblems(kind: ArchiveKind, given: Given, written: Readonly<Record<string, unknown>>): Problems {
    const { credentials, endpoint } = given;
    // Another rule reports what is wrong with the setting alone.
    const has = (setting: string) => written[setting] !== undefined;
    if (credentials !== undefined && has("existingSecret")) {
        yield problemAt(
            [kind, "existingSecret"],
            "stands beside credentials, which say the same or contradict it. Remove one of them",
        );
    } else if (endpoint === undefined) {
        return;
    } else if (credentials !== undefined && credentials.kind !== "existingSecret") {
        yield problemAt(
            [kind, "credentials"],
            `is ${credentials.kind}, which AWS alone has, but the endpoint is ${brief(signedOut(endpoint))}. Remove it, and name a Secret in existingSecret`,
            { allowed: "{kind: existingSecret, name: NAME}" },
        );
    } else if (!has("existingSecret") && !has("credentials")) {
        const name = "s3-credentials";
        yield problemAt(
            [kind, "existingSecret"],
            `is missing: nothing can be made to sign in to ${brief(signedOut(endpoint))} with, which is not AWS`,
            {
                allowed: `the name of a Secret in the kof namespace with the keys ${exporterSecretKeys.join(" and ")}`,
                run: secretCommand(name, exporterSecretKeys),
                value: name,
            },
        );
    }
}

/** Archives of regional clusters, on a route without any, or with credentials that only work on this cluster. */
function* everyRegionProblems(kind: ArchiveKind, given: Given, { route }: Values): Problems {
    if (given.regions === undefined) {
        return;
    }
    const path = [kind, "regions"];
    const { credentials } = resolvedArchive(given);
    if (route === "regionless") {
        yield problemAt(path, "has no effect on route regionless, which has no regional clusters. Remove it");
    } else if (credentials.kind !== "accessKey" && credentials.kind !== "existingSecret") {
        yield problemAt(
            path,
            `is ${textOf(given.regions)}, but credentials are ${credentials.kind}: a role is for the service account of this cluster, and other clusters have issuers of their own. Remove one of them`,
            { allowed: "with credentials {kind: accessKey, …} or {kind: existingSecret, name: NAME}" },
        );
    }
}

function* placeProblems(kind: ArchiveKind, given: Given): Problems {
    const { region, kmsKeyArn, credentials, endpoint } = given;
    if (endpoint !== undefined || region === undefined || !regions.includes(region)) {
        return;
    }
    yield* keyProblems(kind, { region, kmsKeyArn }, "a bucket");
    if (credentials) {
        yield* identityProblems([kind, "credentials"], credentials, region);
    }
}

type Transition = Given["lifecycle"][number];

/**
 * The minimum days that an object stays in a class before a rule moves it on, and the minimum age at which it moves there. Source:
 * "Constraints and considerations for transitions" in the Amazon S3 user guide, and the errors `must be 30 days more than` and
 * `must be 90 days more than` of PutBucketLifecycleConfiguration (2026-11).
 */
const daysWithin: Readonly<Partial<Record<Transition["storageClass"], number>>> = {
    STANDARD_IA: 30,
    ONEZONE_IA: 30,
    GLACIER_IR: 90,
    GLACIER: 90,
};
const daysBefore: Readonly<Partial<Record<Transition["storageClass"], number>>> = { STANDARD_IA: 30, ONEZONE_IA: 30 };

/** Whether S3 moves objects from one class to another: to any colder one, with one exception. */
function canMove(from: Transition["storageClass"], to: Transition["storageClass"]): boolean {
    const isColder = archiveClasses.indexOf(to) > archiveClasses.indexOf(from);
    return isColder && !(from === "ONEZONE_IA" && to === "GLACIER_IR");
}

function* lifecycleProblems(kind: ArchiveKind, { lifecycle }: Given): Problems {
    const faults = lifecycle.flatMap((move, i) => moveFault(move, lifecycle[i - 1]) ?? []);
    if (faults.length > 0) {
        yield problemAt([kind, "lifecycle"], faults.join("; and "), {
            allowed:
                "the colder class later; STANDARD_IA and ONEZONE_IA from 30 days on and for 30 days, GLACIER_IR and GLACIER for 90 days",
            value: mendedLifecycle(lifecycle),
        });
    }
}

/** Why S3 would refuse a transition after the one before it. */
function moveFault({ days, storageClass }: Transition, before: Transition | undefined): string | undefined {
    const least = daysBefore[storageClass] ?? 0;
    if (days < least) {
        return `moves to ${storageClass} after ${String(days)} days, which S3 does after ${String(least)} at the earliest`;
    }
    if (before === undefined) {
        return undefined;
    }
    if (!canMove(before.storageClass, storageClass)) {
        return `moves from ${before.storageClass} to ${storageClass}, which S3 does not: the colder class comes later, and once`;
    }
    const stays = staysIn(before.storageClass);
    return days - before.days < stays
        ? `moves to ${storageClass} ${String(days - before.days)} days after ${before.storageClass}, where S3 keeps objects for ${String(stays)} at least`
        : undefined;
}

/** The fewest days between a move to a class and the next. */
function staysIn(storageClass: Transition["storageClass"]): number {
    return daysWithin[storageClass] ?? 1;
}

/** The highest number of days that the setting allows. */
const latestDay = 36500;

/** The same transitions in an order that S3 accepts, each on the day that was meant or the first day that S3 accepts. */
function mendedLifecycle(lifecycle: readonly Transition[]): Transition[] {
    const coldness = ({ storageClass }: Transition) => archiveClasses.indexOf(storageClass);
    const inOrder = [...lifecycle].sort((a, b) => coldness(a) - coldness(b));
    const mended: Transition[] = [];
    for (const { days, storageClass } of inOrder) {
        const before = mended.at(-1);
        if (before && !canMove(before.storageClass, storageClass)) {
            continue;
        }
        const earliest = before ? before.days + staysIn(before.storageClass) : 0;
        const from = Math.max(days, earliest, daysBefore[storageClass] ?? 0);
        if (from <= latestDay) {
            mended.push({ days: from, storageClass });
        }
    }
    return mended;
}

/** Both archives in one bucket: it has to be there already, and each writes below its own prefix. */
function* sharedProblems({ coldStorage: cold, auditArchive: audit }: Values): Problems {
    if (!cold || cold.bucket !== audit?.bucket || cold.endpoint !== audit.endpoint) {
        return;
    }
    const [one, other] = [resolvedArchive(cold), resolvedArchive(audit)];
    const isBelow = (inner: string, outer: string) => `${inner}/`.startsWith(`${outer}/`);
    if (one.createBucket || other.createBucket) {
        yield problemAt(
            ["auditArchive", "bucket"],
            `is ${brief(audit.bucket)}, which kof:coldStorage has as well: a bucket that the stack makes is one archive's own`,
            {
                allowed: "another bucket, or for both one that is there already: createBucket: false",
                value: `${audit.bucket.slice(0, 63 - "-audit".length).replace(/[-.]+$/, "")}-audit`,
            },
        );
    } else if (
        one.endpoint === undefined &&
        one.region !== other.region &&
        partitionOf(one.region) === partitionOf(other.region)
    ) {
        yield problemAt(
            ["auditArchive", "region"],
            `is ${brief(other.region)}, but kof:coldStorage has the same bucket in ${one.region}: a name is one bucket's in all regions`,
            { allowed: "the region that the bucket is in, in both; or another bucket", value: one.region },
        );
    } else if (isBelow(one.prefix, other.prefix) || isBelow(other.prefix, one.prefix)) {
        yield problemAt(
            ["auditArchive", "prefix"],
            `is ${brief(audit.prefix)}, but kof:coldStorage writes below ${brief(cold.prefix)} of the same bucket`,
            {
                allowed: "a prefix that neither is the other one nor within it",
                value: `${cold.prefix.split("/")[0] ?? ""}-audit`,
            },
        );
    }
}
