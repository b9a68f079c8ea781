import { isDeepStrictEqual } from "node:util";

import { nounOf } from "../../charts";
import { kofNamespace } from "../../charts/namespace";
import { regionsText, type Regions } from "../../charts/multiCluster";
import { archiveKinds, exporterSchedule, type ArchiveKind } from "../../charts/archives";
import type { Archive, ArchiveBucket } from "../../routes/archives";
import type { Deployment } from "../../routes/deployment";
import { keptOf } from "../../routes/volumes";
import { stackFile } from "../../settings/explain";
import { notice, type Consequence, type Consequences } from "./consequence";

/** What happens to an archive. */
export interface ArchiveChange {
    /** Where it is: `s3://acme-kof-cold/telemetry/ in eu-west-1`. */
    readonly place: string;
    /**
     * `kept`: written to before and after. `left`: no longer written to; the bucket stays with what is in it. `deleted`: the last
     * deployment said not to keep the bucket, which S3 deletes only when it is empty.
     */
    readonly operation: "created" | "kept" | "left" | "deleted";
    readonly archive: Archive;
}

/** The archives before and after, by where they are. */
export function archiveChanges(from: Deployment, to: Deployment): ArchiveChange[] {
    const [before, after] = [placesOf(from), placesOf(to)];
    return [
        ...[...after].map(
            ([place, archive]) => ({ place, operation: before.has(place) ? "kept" : "created", archive }) as const,
        ),
        ...[...before]
            .filter(([place]) => !after.has(place))
            .map(
                ([place, archive]) =>
                    ({ place, operation: deletes(archive.bucket, to) ? "deleted" : "left", archive }) as const,
            ),
    ];
}

function placesOf({ archives }: Deployment): Map<string, Archive> {
    return new Map(archives.map((each) => [archivePlace(each), each]));
}

/** Where an archive is, human-readable. */
export function archivePlace({ bucket, prefix }: Archive): string {
    return `s3://${bucket.name}/${prefix}/ ${bucketAddress(bucket)}`;
}

function bucketAddress({ endpoint, region }: ArchiveBucket): string {
    return endpoint === undefined ? `in ${region}` : `at ${endpoint}`;
}

/** The same bucket, whatever the settings say of it. */
export function bucketId({ name, region, endpoint }: ArchiveBucket): string {
    return `${endpoint ?? "s3"} ${region} ${name}`;
}

/** Whether a deployment deletes a bucket that the one before made: a bucket that is somebody's already stays. */
function deletes(bucket: ArchiveBucket, to: Deployment): boolean {
    const stillMade = to.archives.some((each) => each.bucket.create && bucketId(each.bucket) === bucketId(bucket));
    return bucket.create && !bucket.keep && !stillMade;
}

/** What follows for what is archived. */
export function* archiveConsequences(from: Deployment, to: Deployment): Consequences {
    for (const { kind, bucket } of from.archives.filter((each) => deletes(each.bucket, to))) {
        yield {
            severity: "impossible",
            key: `kof:${kind}.keepBucket`,
            message:
                `was false in the last deployment, so that this one would delete bucket ${bucket.name} ${bucketAddress(bucket)}. S3 refuses that while ` +
                "anything is in it, and so the deployment would fail",
            way: "deploy keepBucket: true first, and the bucket stays with what is in it; or empty it, and then acknowledge it",
            acknowledge: `delete bucket ${bucket.name}`,
        };
    }
    for (const kind of archiveKinds) {
        const [was, is] = [from, to].map(({ archives }) => archives.find((each) => each.kind === kind));
        if (was && is) {
            yield* change(to, was, is);
        } else if (was) {
            yield endedArchive(to, was);
        } else if (is) {
            yield* newArchive(is);
        }
        yield* regionalChange(to, was, is);
    }
}

const hours = `${String(exporterSchedule.catchUpHours)} hours`;

function* newArchive({ kind, bucket, signals }: Archive): Consequences {
    if (signals.length > 0) {
        yield notice(
            `kof:${kind}`,
            `begins with the last ${hours} of what is stored: ${signals.map(nounOf).join(", ")}. What is older is not archived`,
        );
    }
    yield* lockedFrom(kind, bucket);
}

/** The time from which nobody can delete. */
function* lockedFrom(kind: ArchiveKind, { objectLock, name }: ArchiveBucket): Consequences {
    if (objectLock) {
        yield notice(
            `kof:${kind}.objectLock`,
            `keeps every object in bucket ${name} from being deleted for ${String(objectLock.days)} days from its upload` +
                (objectLock.mode === "COMPLIANCE" ? ", by anybody: nor can the bucket be emptied before" : "") +
                ". Destroying the stack does not change that",
        );
    }
}

/** The stores of what is no longer archived, and how long they keep it. Other parts of the plan describe the other volumes. */
function keptInStores(to: Deployment, { signals }: Pick<Archive, "signals">): string {
    const storeOf = (signal: Archive["signals"][number]) =>
        to.stores.find((each) => each.signal === signal && each.retention !== undefined);
    const kept = signals.flatMap((signal) => {
        const store = storeOf(signal);
        return store ? [`${nounOf(signal)} for ${keptOf(store)}`] : [];
    });
    const gone = signals.filter((signal) => storeOf(signal) === undefined).map(nounOf);
    if (kept.length === 0) {
        return "was in its store alone, which this cluster no longer has";
    }
    return (
        `stays in its store alone (${kept.join(", ")})` +
        (gone.length === 0 ? "" : `, but this cluster no longer has a store of ${gone.join(" and ")}`)
    );
}

function endedArchive(to: Deployment, was: Archive): Consequence {
    const isDeleted = deletes(was.bucket, to);
    const key = `kof:${was.kind}`;
    const stays = `What is in ${archivePlace(was)} stays there`;
    if (was.signals.length === 0) {
        // Regions say the rest of themselves.
        return notice(key, `is gone${isDeleted ? "" : `. ${stays}`}`);
    }
    const since = `hat came in since the last full hour ${keptInStores(to, was)}`;
    return notice(
        key,
        `is gone: ${was.signals.map(nounOf).join(", ")} are no longer archived. ${isDeleted ? "W" : `${stays}; w`}${since}`,
    );
}

/** What follows for what regions store. */
function* regionalChange(to: Deployment, was: Archive | undefined, is: Archive | undefined): Consequences {
    const [before, after] = [was?.regional, is?.regional];
    const about = ({ kind }: Archive, message: string) => notice(`kof:${kind}.regions`, message);
    if (is && after && !before) {
        yield about(is, `has ${is.name} installed on ${regionsText(after.regions)}, ${beginsThere(after.signals)}`);
    }
    if (was && before && !after) {
        yield about(was, `is gone: ${takenOffRegions(to, was, regionsText(before.regions))}`);
    }
    if (!was || !is || !before || !after) {
        return;
    }
    const joining = regionsOnlyIn(after.regions, before.regions);
    const leaving = regionsOnlyIn(before.regions, after.regions);
    const gone = before.signals.filter((signal) => !after.signals.includes(signal));
    const added = after.signals.filter((signal) => !before.signals.includes(signal));
    if (leaving !== undefined) {
        yield about(was, `is another selection: ${takenOffRegions(to, was, leaving)}`);
    }
    if (joining !== undefined) {
        yield about(is, `has ${is.name} installed on ${joining} as well, ${beginsThere(after.signals)}`);
    }
    if (gone.length > 0) {
        yield about(
            is,
            `no longer has ${gone.map(nounOf).join(" and ")} of regional clusters. What is archived stays; what came in since the last ` +
                "full hour stays in their stores alone, where they still have one",
        );
    }
    if (added.length > 0) {
        yield about(
            is,
            `has ${added.map(nounOf).join(" and ")} of regional clusters as well, beginning with the last ${hours}`,
        );
    }
}

function beginsThere(signals: Archive["signals"]): string {
    return `which begins with the last ${hours} of what each stores: ${signals.map(nounOf).join(", ")}`;
}

/** What happens to the archive of regions that an exporter is taken off, as a sentence. */
function takenOffRegions(to: Deployment, was: Archive, regions: string): string {
    const place = archivePlace({ ...was, prefix: `${was.prefix}/regions` });
    const since =
        to.regionalStores.length > 0
            ? "stays in the stores of the regions alone"
            : "was in the stores of the regions alone, from which this deployment takes KOF";
    const kept = deletes(was.bucket, to) ? "W" : `What is in ${place} stays there; w`;
    return `${was.name} is taken off ${regions}. ${kept}hat came in since the last full hour ${since}`;
}

/** The regions that are among some and not among others, human-readable; `undefined` where there is none. */
function regionsOnlyIn(some: Regions, others: Regions): string | undefined {
    if (others === "all") {
        return undefined;
    }
    if (some === "all") {
        return `every regional cluster but ${others.join(", ").replace(/, ([^,]*)$/, " and $1")}`;
    }
    const left = some.filter((name) => !others.includes(name));
    return left.length === 0 ? undefined : regionsText(left);
}

function* change(to: Deployment, was: Archive, is: Archive): Consequences {
    const key = `kof:${is.kind}`;
    const gone = was.signals.filter((signal) => !is.signals.includes(signal));
    const added = is.signals.filter((signal) => !was.signals.includes(signal));
    const isMoved = archivePlace(was) !== archivePlace(is);
    if (gone.length > 0) {
        yield notice(
            `${key}.signals`,
            `no longer has ${gone.map(nounOf).join(" and ")}. What is archived stays; what came in since the last full hour ` +
                keptInStores(to, { signals: gone }),
        );
    }
    if (added.length > 0 && !isMoved) {
        yield notice(
            `${key}.signals`,
            `has ${added.map(nounOf).join(" and ")} as well, beginning with the last ${hours}`,
        );
    }
    if (was.signingKey !== undefined && is.signingKey !== undefined && was.signingKey !== is.signingKey) {
        yield notice(
            "kof:clusterName",
            `has the manifests of ${key} signed with ${is.signingKey} from now on. The signatures of those that are there ` +
                `are checked with ${was.signingKey}`,
        );
    }
    yield* revokedOnRegions(was, is);
    if (isMoved) {
        yield* movedArchive(was, is);
    }
    if (bucketId(was.bucket) === bucketId(is.bucket)) {
        yield* sameBucket(is.kind, was.bucket, is.bucket);
    }
}

/** A key that AWS no longer takes, where a region may still have it: nobody here sees which one a region has. */
function* revokedOnRegions(was: Archive, is: Archive): Consequences {
    const [before, after] = [was.credentials, is.credentials];
    if (was.regional === undefined || is.regional === undefined || before.kind !== "accessKey") {
        return;
    }
    const left = after.kind === "accessKey" ? after.generations : [];
    const revoked = before.generations.filter((each) => !left.includes(each));
    if (revoked.length > 0) {
        yield notice(
            `kof:${is.kind}.credentials`,
            `revokes access key ${revoked.join(" and ")}, which KOF has copied to ${regionsText(was.regional.regions)}. A region to which KOF has not ` +
                `brought a newer one archives nothing from then on, and catches up with ${hours} at most: look there first, ` +
                `kubectl --context REGION get secret -n ${kofNamespace} ${was.secret?.name ?? ""} -o yaml`,
        );
    }
}

function* movedArchive(was: Archive, is: Archive): Consequences {
    const [before, after] = [was.bucket, is.bucket];
    const isOther = bucketId(before) !== bucketId(after);
    const isTaken = isOther && after.create && before.name === after.name && after.endpoint === before.endpoint;
    if (isTaken) {
        yield {
            severity: "impossible",
            key: `kof:${is.kind}.region`,
            message: `would make a second bucket ${after.name}, ${bucketAddress(after)}: a name is one bucket's in all regions, and this one is ${bucketAddress(before)}`,
            way: "another name",
            paste: stackFile([is.kind, "bucket"], nameWithSuffix(after.name, after.region)),
        };
    } else {
        yield notice(
            `kof:${is.kind}.${isOther ? "bucket" : "prefix"}`,
            `leads to ${archivePlace(is)}, which begins with the last ${hours} once more. What is archived so far stays in ` +
                archivePlace(was),
        );
    }
    if (isOther) {
        yield* lockedFrom(is.kind, after);
    }
}

/** Another name for a bucket, which fits. */
function nameWithSuffix(name: string, more: string): string {
    return `${name.slice(0, 62 - more.length).replace(/[-.]+$/, "")}-${more}`;
}

/** What changes of a bucket that stays the archive's. */
function* sameBucket(kind: ArchiveKind, was: ArchiveBucket, is: ArchiveBucket): Consequences {
    const key = `kof:${kind}`;
    if (!was.create && is.create) {
        yield notice(
            `${key}.createBucket`,
            `takes bucket ${is.name} back, if this stack made it once (its tags say so), and sets it up as the settings have it. ` +
                "One of anybody else is refused before anything is changed, with createBucket: false to paste",
        );
    }
    if (was.create && !is.create && was.keep) {
        yield notice(
            `${key}.createBucket`,
            `has the stack let bucket ${was.name} go. It stays with what is in it, as it is set up (private, encrypted, versioned` +
                `${was.lifecycle.length > 0 ? ", its lifecycle" : ""}${was.objectLock ? ", its Object Lock" : ""}), and from then on nobody ` +
                "sets that right but you. createBucket: true takes it back",
        );
    }
    if (!was.create || !is.create) {
        return;
    }
    yield* lockChange(kind, was, is);
    if (was.kmsKeyArn !== is.kmsKeyArn) {
        yield notice(
            `${key}.kmsKeyArn`,
            `encrypts new objects of bucket ${is.name} with ${is.kmsKeyArn ?? "S3's own keys"}. Those that are there stay as they are` +
                (was.kmsKeyArn === undefined ? "" : `, and cannot be read without ${was.kmsKeyArn}`),
        );
    }
    if (!isDeepStrictEqual(was.lifecycle, is.lifecycle)) {
        yield notice(
            `${key}.lifecycle`,
            `is another one, for what is in bucket ${is.name} as well: what moves to a colder class never moves back`,
        );
    }
}

function* lockChange(kind: ArchiveKind, before: ArchiveBucket, { objectLock: is, name }: ArchiveBucket): Consequences {
    const { objectLock: was } = before;
    const key = `kof:${kind}.objectLock`;
    if (isDeepStrictEqual(was, is)) {
        return;
    }
    if (was === undefined) {
        yield {
            severity: "impossible",
            key,
            message:
                `cannot be had by bucket ${name}, which was made without: this program turns Object Lock on only when it makes a bucket, so that ` +
                "all that is in it is locked",
            way: "another bucket, and this one stays with what is in it",
            paste: stackFile([kind, "bucket"], nameWithSuffix(name, "locked")),
        };
    } else if (is === undefined) {
        yield {
            severity: "impossible",
            key,
            message: `cannot be taken from bucket ${name}: Object Lock stays on for as long as a bucket is there`,
            way: "leave it, or take another bucket",
            paste: stackFile([kind, "objectLock"], was),
        };
    } else {
        const until = `those of before stay locked for ${String(was.days)} days from their upload (${was.mode})`;
        yield notice(
            key,
            `is ${is.mode} for ${String(is.days)} days from now on, for objects that are new in bucket ${name}: ${until}`,
        );
    }
}
