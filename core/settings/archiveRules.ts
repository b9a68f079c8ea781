import { versions } from "../charts";
import { archiveKinds, exporterSecretKeys, oldestArchived, type ArchiveKind } from "../charts/archives";
import { kofNamespace } from "../charts/namespace";
import { arnParts, partitionOf } from "../lib/arns";
import { signedOut } from "../lib/secrets";
import { nearestOf } from "../lib/spelling";
import { isMap, textOf } from "../lib/values";
import { awsPlaceProblems } from "./awsRules";
import { makesBucket, resolvedArchive } from "./archives";
import { stackFile, type Values } from "./explain";
import { brief, type Problem } from "./problems";
import regions = require("./regions.json");
import { tellsAudit } from "./routing";
import type { AuditArchiveSettings, ColdStorageSettings } from "./settings";

/*
 * What is wrong with `kof:coldStorage` and `kof:auditArchive` although each of their settings is right by itself. What is wrong by what
 * is stored on the cluster, core/routes/archives.ts knows.
 */

type Given = ColdStorageSettings | AuditArchiveSettings;

/** The rules of archives that need only the settings. */
export function archiveProblems(values: Values, raw: Readonly<Record<string, unknown>>): Problem[] {
    return [
        ...archiveKinds.flatMap((kind): Problem[] => {
            const given = values[kind];
            // A list of one is taken for what is in it.
            const [found] = [raw[kind]].flat();
            const written = isMap(found) ? found : {};
            if (given === undefined) {
                return [];
            }
            const isVain = isAwsInVain(given);
            const meant = isVain ? { ...given, endpoint: undefined } : given;
            return [
                ...versionProblems(kind, values.version),
                ...(isVain ? [awsEndpoint(kind, given)] : []),
                ...regionProblems(kind, meant, values),
                ...bucketProblems(kind, meant, written),
                ...credentialProblems(kind, meant, written),
                ...placeProblems(kind, meant),
                ...lifecycleProblems(kind, meant),
                ...everyRegionProblems(kind, meant, values),
            ];
        }),
        ...sharedProblems(values),
    ];
}

function versionProblems(kind: ArchiveKind, version: Values["version"]): Problem[] {
    return version === undefined || tellsAudit(version)
        ? []
        : [
              {
                  key: `kof:${kind}`,
                  message: `needs KOF ${oldestArchived} or later: the exporters, and a store for audit logs, came with that. The version is ${version}`,
                  allowed: `version ${versions.filter(tellsAudit).join(" or ")}`,
                  paste: stackFile(["version"], oldestArchived),
              },
          ];
}

/** S3's own public address: `s3.eu-west-1.amazonaws.com`, not that of a VPC endpoint. */
const ownHost =
    /^https?:\/\/(?:[^/]+\.)?s3[.-](?:([a-z]{2}(?:-[a-z]+)+-\d)\.)?amazonaws\.com(?:\.cn)?(?::\d+)?(?:\/|$)/;

/** S3's own address as the endpoint of another store, with nothing to sign in there. */
function isAwsInVain({ endpoint, credentials, existingSecret }: Given): boolean {
    const hasSecret = existingSecret !== undefined || credentials?.kind === "existingSecret";
    return endpoint !== undefined && !hasSecret && ownHost.test(endpoint);
}

function awsEndpoint(kind: ArchiveKind, { endpoint = "", region }: Given): Problem {
    const there = ownHost.exec(endpoint)?.[1] ?? "eu-west-1";
    return {
        key: `kof:${kind}.endpoint`,
        message: `is ${brief(endpoint)}, where S3 is anyway. Remove it, and the region says where the bucket is`,
        allowed: "the address of another store than S3",
        ...(region === undefined ? { paste: stackFile([kind, "region"], there) } : {}),
    };
}

function regionProblems(kind: ArchiveKind, given: Given, { cloudwatch }: Values): Problem[] {
    const { region, endpoint, kmsKeyArn } = given;
    if (endpoint !== undefined || region === undefined || regions.includes(region)) {
        return [];
    }
    // A bucket is where its key is.
    const ofKey = kmsKeyArn === undefined ? "" : arnParts(kmsKeyArn).region;
    const meant =
        regions.find((each) => each === ofKey) ?? nearestOf(region, regions) ?? cloudwatch?.region ?? "eu-west-1";
    return [
        {
            key: `kof:${kind}.region`,
            message: `is ${brief(region)}, which is no region of AWS`,
            allowed:
                "an AWS region, for example us-east-2, eu-central-1, us-gov-west-1; or the endpoint of another store",
            paste: stackFile([kind, "region"], meant),
        },
    ];
}

/** What only a bucket has that the stack makes, and in AWS. */
function bucketProblems(kind: ArchiveKind, given: Given, written: Readonly<Record<string, unknown>>): Problem[] {
    const { endpoint, createBucket, lifecycle, keepBucket, kmsKeyArn, tags } = given;
    const problems: Problem[] = [];
    const noEffect = (setting: string, why: string) => {
        problems.push({ key: `kof:${kind}.${setting}`, message: `has no effect ${why}. Remove it` });
    };
    if (endpoint !== undefined && createBucket === true) {
        problems.push({
            key: `kof:${kind}.createBucket`,
            message: `is true, but the stack makes buckets in AWS alone, and the endpoint is ${brief(signedOut(endpoint))}`,
            allowed: "false: the bucket is there",
            paste: stackFile([kind, "createBucket"], false),
        });
        return problems;
    }
    if (!makesBucket(given)) {
        const why = "on a bucket that the stack does not make";
        if (lifecycle.length > 0) {
            noEffect("lifecycle", why);
        }
        if (written.keepBucket !== undefined && !keepBucket) {
            noEffect("keepBucket", `${why}, and never deletes`);
        }
    }
    if (endpoint !== undefined) {
        const why = `with endpoint ${brief(signedOut(endpoint))}, which is not AWS`;
        if (kmsKeyArn !== undefined) {
            noEffect("kmsKeyArn", why);
        }
        if (Object.keys(tags).length > 0) {
            noEffect("tags", why);
        }
    }
    return problems;
}

function credentialProblems(kind: ArchiveKind, given: Given, written: Readonly<Record<string, unknown>>): Problem[] {
    const { credentials, endpoint } = given;
    // Another rule reports what is wrong with the setting alone.
    const has = (setting: string) => written[setting] !== undefined;
    if (credentials !== undefined && has("existingSecret")) {
        return [
            {
                key: `kof:${kind}.existingSecret`,
                message: "stands beside credentials, which say the same or contradict it. Remove one of them",
            },
        ];
    }
    if (endpoint === undefined) {
        return [];
    }
    const name = "s3-credentials";
    if (credentials !== undefined && credentials.kind !== "existingSecret") {
        return [
            {
                key: `kof:${kind}.credentials`,
                message: `is ${credentials.kind}, which AWS alone has, but the endpoint is ${brief(signedOut(endpoint))}. Remove it, and name a Secret in existingSecret`,
                allowed: "{kind: existingSecret, name: NAME}",
            },
        ];
    }
    return has("existingSecret") || has("credentials")
        ? []
        : [
              {
                  key: `kof:${kind}.existingSecret`,
                  message: `is missing: nothing can be made to sign in to ${brief(signedOut(endpoint))} with, which is not AWS`,
                  allowed: `the name of a Secret in the kof namespace with the keys ${exporterSecretKeys.join(" and ")}`,
                  run: `kubectl create secret generic -n ${kofNamespace} ${name} ${exporterSecretKeys.map((key) => `--from-file=${key}`).join(" ")}`,
                  paste: stackFile([kind, "existingSecret"], name),
              },
          ];
}

/** Exporters on regional clusters, where there are none, or that no region could sign in with. */
function everyRegionProblems(kind: ArchiveKind, given: Given, { route }: Values): Problem[] {
    const { credentials } = resolvedArchive(given);
    const key = `kof:${kind}.regions`;
    if (given.regions === undefined) {
        return [];
    }
    if (route === "regionless") {
        return [{ key, message: "has no effect on route regionless, which has no regional clusters. Remove it" }];
    }
    return credentials.kind === "accessKey" || credentials.kind === "existingSecret"
        ? []
        : [
              {
                  key,
                  message: `is ${textOf(given.regions)}, but credentials are ${credentials.kind}: a role is for the service account of this cluster, and other clusters have issuers of their own. Remove one of them`,
                  allowed: "with credentials {kind: accessKey, …} or {kind: existingSecret, name: NAME}",
              },
          ];
}

/** ARNs have to be of the place where they are used. */
function placeProblems(kind: ArchiveKind, given: Given): Problem[] {
    const { region, kmsKeyArn, credentials, endpoint } = given;
    if (endpoint !== undefined || region === undefined || !regions.includes(region)) {
        return [];
    }
    return awsPlaceProblems({
        ...{ path: [kind], region, encrypted: "a bucket", kmsKeyArn },
        ...{ identity: credentials, identityPath: [kind, "credentials"] },
    });
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

/** The classes that objects move to from each, and from there no further. */
const movesTo: Readonly<Record<Transition["storageClass"], readonly Transition["storageClass"][]>> = {
    STANDARD_IA: ["INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"],
    INTELLIGENT_TIERING: ["ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"],
    ONEZONE_IA: ["GLACIER", "DEEP_ARCHIVE"],
    GLACIER_IR: ["GLACIER", "DEEP_ARCHIVE"],
    GLACIER: ["DEEP_ARCHIVE"],
    DEEP_ARCHIVE: [],
};

function lifecycleProblems(kind: ArchiveKind, { lifecycle }: Given): Problem[] {
    const said = lifecycle.flatMap((move, i): string[] => {
        const before = lifecycle[i - 1];
        const least = daysBefore[move.storageClass] ?? 0;
        if (move.days < least) {
            return [
                `moves to ${move.storageClass} after ${String(move.days)} days, which S3 does after ${String(least)} at the earliest`,
            ];
        }
        if (before === undefined) {
            return [];
        }
        if (!movesTo[before.storageClass].includes(move.storageClass)) {
            return [
                `moves from ${before.storageClass} to ${move.storageClass}, which S3 does not: the colder class comes later, and once`,
            ];
        }
        const stays = Math.max(daysWithin[before.storageClass] ?? 0, 1);
        return move.days - before.days < stays
            ? [
                  `moves to ${move.storageClass} ${String(move.days - before.days)} days after ${before.storageClass}, where S3 keeps objects for ${String(stays)} at least`,
              ]
            : [];
    });
    return said.length === 0
        ? []
        : [
              {
                  key: `kof:${kind}.lifecycle`,
                  message: said.join("; and "),
                  allowed:
                      "the colder class later; STANDARD_IA and ONEZONE_IA from 30 days on and for 30 days, GLACIER_IR and GLACIER for 90 days",
                  paste: stackFile([kind, "lifecycle"], mendedLifecycle(lifecycle)),
              },
          ];
}

/** The last day on which the setting has an object move. */
const latestDay = 36500;

/** The same classes in an order that S3 takes, at the days that were meant or the first ones that it takes. */
function mendedLifecycle(lifecycle: readonly Transition[]): Transition[] {
    const classes = Object.keys(movesTo) as Transition["storageClass"][];
    const inOrder = [...lifecycle].sort((a, b) => classes.indexOf(a.storageClass) - classes.indexOf(b.storageClass));
    const mended: Transition[] = [];
    for (const { days, storageClass } of inOrder) {
        const before = mended.at(-1);
        if (before && !movesTo[before.storageClass].includes(storageClass)) {
            continue;
        }
        const earliest = before ? before.days + Math.max(daysWithin[before.storageClass] ?? 0, 1) : 0;
        const from = Math.max(days, earliest, daysBefore[storageClass] ?? 0);
        if (from <= latestDay) {
            mended.push({ days: from, storageClass });
        }
    }
    return mended;
}

/** Both archives in one bucket: it has to be there already, and each writes below its own prefix. */
function sharedProblems({ coldStorage: cold, auditArchive: audit }: Values): Problem[] {
    if (cold === undefined || audit === undefined) {
        return [];
    }
    if (cold.bucket !== audit.bucket || cold.endpoint !== audit.endpoint) {
        return [];
    }
    const [one, other] = [resolvedArchive(cold), resolvedArchive(audit)];
    if (one.createBucket || other.createBucket) {
        const name = `${audit.bucket.slice(0, 63 - "-audit".length).replace(/[-.]+$/, "")}-audit`;
        return [
            {
                key: "kof:auditArchive.bucket",
                message: `is ${brief(audit.bucket)}, which kof:coldStorage has as well: a bucket that the stack makes is one archive's own`,
                allowed: "another bucket, or for both one that is there already: createBucket: false",
                paste: stackFile(["auditArchive", "bucket"], name),
            },
        ];
    }
    if (
        one.endpoint === undefined &&
        one.region !== other.region &&
        partitionOf(one.region) === partitionOf(other.region)
    ) {
        return [
            {
                key: "kof:auditArchive.region",
                message: `is ${brief(other.region)}, but kof:coldStorage has the same bucket in ${one.region}: a name is one bucket's in all regions`,
                allowed: "the region that the bucket is in, in both; or another bucket",
                paste: stackFile(["auditArchive", "region"], one.region),
            },
        ];
    }
    const isBelow = (inner: string, outer: string) => `${inner}/`.startsWith(`${outer}/`);
    return isBelow(one.prefix, other.prefix) || isBelow(other.prefix, one.prefix)
        ? [
              {
                  key: "kof:auditArchive.prefix",
                  message: `is ${brief(audit.prefix)}, but kof:coldStorage writes below ${brief(cold.prefix)} of the same bucket`,
                  allowed: "a prefix that neither is the other one nor within it",
                  paste: stackFile(["auditArchive", "prefix"], `${cold.prefix.split("/")[0] ?? ""}-audit`),
              },
          ]
        : [];
}
