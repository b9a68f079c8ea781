import { nounOf } from "../../charts";
import { kofNamespace } from "../../charts/namespace";
import { regionsText, type Regions } from "../../charts/multiCluster";
import { archiveKinds, type ArchiveKind } from "../../charts/archives";
import { exporterSchedule } from "../../charts/archives";
import type { Archive, ArchiveBucket } from "../../routes/archives";
import type { Deployment } from "../../routes/deployment";
import { keptOf } from "../../routes/volumes";
import { stackFile } from "../../settings/explain";
import type { Consequence } from "./consequence";

/** What happens to an archive. */
export interface ArchiveChange {
    readonly kind: ArchiveKind;
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
    const stays = (bucket: ArchiveBucket) => !deletes(bucket, to);
    return [
        ...[...after].map(([place, archive]): ArchiveChange => ({
            kind: archive.kind,
            place,
            operation: before.has(place) ? "kept" : "created",
            archive,
        })),
        ...[...before]
            .filter(([place]) => !after.has(place))
            .map(([place, archive]): ArchiveChange => ({
                kind: archive.kind,
                place,
                operation: stays(archive.bucket) ? "left" : "deleted",
                archive,
            })),
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
export function archiveConsequences(from: Deployment, to: Deployment): Consequence[] {
    return [
        ...from.archives.filter(({ bucket }) => deletes(bucket, to)).map(deletion),
        ...archiveKinds.flatMap((kind) => {
            const [was, is] = [from, to].map(({ archives }) => archives.find((each) => each.kind === kind));
            const own =
                was === undefined
                    ? is === undefined
                        ? []
                        : newArchive(is)
                    : is === undefined
                      ? [endedArchive(to, was)]
                      : change(to, was, is);
            return [...own, ...regionalChange(to, was, is)];
        }),
    ];
}

function deletion({ kind, bucket }: Archive): Consequence {
    return {
        severity: "impossible",
        key: `kof:${kind}.keepBucket`,
        message:
            `was false in the last deployment, so that this one would delete bucket ${bucket.name} ${bucketAddress(bucket)}. S3 refuses that while ` +
            "anything is in it, and so the deployment would fail",
        way: "deploy keepBucket: true first, and the bucket stays with what is in it; or empty it, and then acknowledge it",
        acknowledge: `delete bucket ${bucket.name}`,
    };
}

const hours = `${String(exporterSchedule.catchUpHours)} hours`;

function newArchive({ kind, bucket, signals }: Archive): Consequence[] {
    const what = `begins with the last ${hours} of what is stored: ${signals.map(nounOf).join(", ")}. What is older is not archived`;
    return [
        ...(signals.length > 0 ? [{ severity: "notice", key: `kof:${kind}`, message: what } as const] : []),
        ...lockedFrom(kind, bucket),
    ];
}

/** The time from which nobody can delete. */
function lockedFrom(kind: ArchiveKind, { objectLock, name }: ArchiveBucket): Consequence[] {
    return objectLock === undefined
        ? []
        : [
              {
                  severity: "notice",
                  key: `kof:${kind}.objectLock`,
                  message:
                      `keeps every object in bucket ${name} from being deleted for ${String(objectLock.days)} days from its upload` +
                      (objectLock.mode === "COMPLIANCE" ? ", by anybody: nor can the bucket be emptied before" : "") +
                      ". Destroying the stack does not change that",
              },
          ];
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
    if (was.signals.length === 0) {
        // Regions say the rest of themselves.
        const rest = deletes(was.bucket, to) ? "" : `. What is in ${archivePlace(was)} stays there`;
        return { severity: "notice", key: `kof:${was.kind}`, message: `is gone${rest}` };
    }
    const since = `hat came in since the last full hour ${keptInStores(to, was)}`;
    return {
        severity: "notice",
        key: `kof:${was.kind}`,
        message:
            `is gone: ${was.signals.map(nounOf).join(", ")} are no longer archived. ` +
            (deletes(was.bucket, to) ? `W${since}` : `What is in ${archivePlace(was)} stays there; w${since}`),
    };
}

/** What follows for what regions store. */
function regionalChange(to: Deployment, was: Archive | undefined, is: Archive | undefined): Consequence[] {
    const [before, after] = [was?.regional, is?.regional];
    if (was === undefined || before === undefined) {
        return is === undefined || after === undefined
            ? []
            : [
                  regionalNotice(
                      is,
                      `has ${is.name} installed on ${regionsText(after.regions)}, ${beginsThere(after.signals)}`,
                  ),
              ];
    }
    if (is === undefined || after === undefined) {
        return [regionalNotice(was, `is gone: ${takenOffRegions(to, was, regionsText(before.regions))}`)];
    }
    const joining = regionsOnlyIn(after.regions, before.regions);
    const leaving = regionsOnlyIn(before.regions, after.regions);
    const gone = before.signals.filter((signal) => !after.signals.includes(signal));
    const added = after.signals.filter((signal) => !before.signals.includes(signal));
    return [
        ...(leaving === undefined
            ? []
            : [regionalNotice(was, `is another selection: ${takenOffRegions(to, was, leaving)}`)]),
        ...(joining === undefined
            ? []
            : [regionalNotice(is, `has ${is.name} installed on ${joining} as well, ${beginsThere(after.signals)}`)]),
        ...(gone.length === 0
            ? []
            : [
                  regionalNotice(
                      is,
                      `no longer has ${gone.map(nounOf).join(" and ")} of regional clusters. What is archived stays; what came in since the last ` +
                          "full hour stays in their stores alone, where they still have one",
                  ),
              ]),
        ...(added.length === 0
            ? []
            : [
                  regionalNotice(
                      is,
                      `has ${added.map(nounOf).join(" and ")} of regional clusters as well, beginning with the last ${hours}`,
                  ),
              ]),
    ];
}

function regionalNotice({ kind }: Archive, message: string): Consequence {
    return { severity: "notice", key: `kof:${kind}.regions`, message };
}

function beginsThere(signals: Archive["signals"]): string {
    return `which begins with the last ${hours} of what each stores: ${signals.map(nounOf).join(", ")}`;
}

/** What becomes of the archive of regions that an exporter is taken off. */
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

function change(to: Deployment, was: Archive, is: Archive): Consequence[] {
    const key = `kof:${is.kind}`;
    const gone = was.signals.filter((signal) => !is.signals.includes(signal));
    const added = is.signals.filter((signal) => !was.signals.includes(signal));
    const moved = archivePlace(was) !== archivePlace(is);
    return [
        ...(gone.length > 0
            ? [
                  {
                      severity: "notice",
                      key: `${key}.signals`,
                      message:
                          `no longer has ${gone.map(nounOf).join(" and ")}. What is archived stays; what came in since the last full hour ` +
                          keptInStores(to, { signals: gone }),
                  } as const,
              ]
            : []),
        ...(added.length > 0 && !moved
            ? [
                  {
                      severity: "notice",
                      key: `${key}.signals`,
                      message: `has ${added.map(nounOf).join(" and ")} as well, beginning with the last ${hours}`,
                  } as const,
              ]
            : []),
        ...(was.signingKey !== undefined && is.signingKey !== undefined && was.signingKey !== is.signingKey
            ? [
                  {
                      severity: "notice",
                      key: "kof:clusterName",
                      message:
                          `has the manifests of ${key} signed with ${is.signingKey} from now on. The signatures of those that are there ` +
                          `are checked with ${was.signingKey}`,
                  } as const,
              ]
            : []),
        ...revokedOnRegions(was, is),
        ...(moved ? movedArchive(was, is) : []),
        ...sameBucket(was, is),
    ];
}

/** A key that AWS no longer takes, where a region may still have it: nobody here sees which one a region has. */
function revokedOnRegions(was: Archive, is: Archive): Consequence[] {
    const [before, after] = [was.credentials, is.credentials];
    if (was.regional === undefined || is.regional === undefined || before.kind !== "accessKey") {
        return [];
    }
    const left = after.kind === "accessKey" ? after.generations : [];
    const revoked = before.generations.filter((each) => !left.includes(each));
    return revoked.length === 0
        ? []
        : [
              {
                  severity: "notice",
                  key: `kof:${is.kind}.credentials`,
                  message:
                      `revokes access key ${revoked.join(" and ")}, which KOF has copied to ${regionsText(was.regional.regions)}. A region to which KOF has not ` +
                      `brought a newer one archives nothing from then on, and catches up with ${hours} at most: look there first, ` +
                      `kubectl --context REGION get secret -n ${kofNamespace} ${was.secret?.name ?? ""} -o yaml`,
              },
          ];
}

function movedArchive(was: Archive, is: Archive): Consequence[] {
    const isOther = bucketId(was.bucket) !== bucketId(is.bucket);
    const taken =
        isOther && is.bucket.create && was.bucket.name === is.bucket.name && is.bucket.endpoint === was.bucket.endpoint;
    return [
        taken
            ? {
                  severity: "impossible",
                  key: `kof:${is.kind}.region`,
                  message: `would make a second bucket ${is.bucket.name}, ${bucketAddress(is.bucket)}: a name is one bucket's in all regions, and this one is ${bucketAddress(was.bucket)}`,
                  way: "another name",
                  paste: stackFile([is.kind, "bucket"], renamed(is.bucket.name, is.bucket.region)),
              }
            : {
                  severity: "notice",
                  key: `kof:${is.kind}.${isOther ? "bucket" : "prefix"}`,
                  message:
                      `leads to ${archivePlace(is)}, which begins with the last ${hours} once more. What is archived so far stays in ` +
                      archivePlace(was),
              },
        ...(isOther ? lockedFrom(is.kind, is.bucket) : []),
    ];
}

/** Another name for a bucket, which fits. */
function renamed(name: string, more: string): string {
    return `${name.slice(0, 62 - more.length).replace(/[-.]+$/, "")}-${more}`;
}

/** What becomes of a bucket that stays the archive's. */
function sameBucket(was: Archive, is: Archive): Consequence[] {
    const [before, after] = [was.bucket, is.bucket];
    const key = `kof:${is.kind}`;
    if (bucketId(before) !== bucketId(after)) {
        return [];
    }
    const both = before.create && after.create;
    return [
        ...(!before.create && after.create
            ? [
                  {
                      severity: "notice",
                      key: `${key}.createBucket`,
                      message:
                          `takes bucket ${after.name} back, if this stack made it once (its tags say so), and sets it up as the settings have it. ` +
                          "One of anybody else is refused before anything is changed, with createBucket: false to paste",
                  } as const,
              ]
            : []),
        ...(before.create && !after.create && before.keep
            ? [
                  {
                      severity: "notice",
                      key: `${key}.createBucket`,
                      message:
                          `has the stack let bucket ${before.name} go. It stays with what is in it, as it is set up (private, encrypted, versioned` +
                          `${before.lifecycle.length > 0 ? ", its lifecycle" : ""}${before.objectLock ? ", its Object Lock" : ""}), and from then on nobody ` +
                          "sets that right but you. createBucket: true takes it back",
                  } as const,
              ]
            : []),
        ...lockChange(is.kind, before, after, both),
        ...(both && before.kmsKeyArn !== after.kmsKeyArn
            ? [
                  {
                      severity: "notice",
                      key: `${key}.kmsKeyArn`,
                      message:
                          `encrypts new objects of bucket ${after.name} with ${keyText(after)}. Those that are there stay as they are` +
                          (before.kmsKeyArn === undefined ? "" : `, and cannot be read without ${before.kmsKeyArn}`),
                  } as const,
              ]
            : []),
        ...(both && JSON.stringify(before.lifecycle) !== JSON.stringify(after.lifecycle)
            ? [
                  {
                      severity: "notice",
                      key: `${key}.lifecycle`,
                      message: `is another one, for what is in bucket ${after.name} as well: what moves to a colder class never moves back`,
                  } as const,
              ]
            : []),
    ];
}

function keyText({ kmsKeyArn }: ArchiveBucket): string {
    return kmsKeyArn ?? "S3's own keys";
}

function lockChange(kind: ArchiveKind, before: ArchiveBucket, after: ArchiveBucket, both: boolean): Consequence[] {
    const [was, is] = [before.objectLock, after.objectLock];
    if (!both || (was?.mode === is?.mode && was?.days === is?.days)) {
        return [];
    }
    const key = `kof:${kind}.objectLock`;
    if (was === undefined || is === undefined) {
        return [
            {
                severity: "impossible",
                key,
                message:
                    was === undefined
                        ? `cannot be had by bucket ${after.name}, which was made without: this program turns Object Lock on only when it makes a bucket, so that ` +
                          "all that is in it is locked"
                        : `cannot be taken from bucket ${after.name}: Object Lock stays on for as long as a bucket is there`,
                way:
                    was === undefined
                        ? "another bucket, and this one stays with what is in it"
                        : "leave it, or take another bucket",
                paste:
                    was === undefined
                        ? stackFile([kind, "bucket"], renamed(after.name, "locked"))
                        : stackFile([kind, "objectLock"], was),
            },
        ];
    }
    const until = `those of before stay locked for ${String(was.days)} days from their upload (${was.mode})`;
    return [
        {
            severity: "notice",
            key,
            message: `is ${is.mode} for ${String(is.days)} days from now on, for objects that are new in bucket ${after.name}: ${until}`,
        },
    ];
}
