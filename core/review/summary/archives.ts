import { nounOf, signals } from "../../charts";
import { regionsText } from "../../charts/multiCluster";
import { archiveTimes } from "../../routes/archiveNotices";
import type { Archive, ArchiveBucket, RegionalExporter } from "../../routes/archives";
import type { Deployment } from "../../routes/deployment";
import { compact } from "../../lib/compact";
import { code, paragraphs, plain, section, table } from "../../lib/markdown";

/** What is archived where, by whom, for how long, and what is not; nothing without archives. */
export function archiveSection(deployment: Deployment): string {
    const { archives } = deployment;
    if (archives.length === 0) {
        return "";
    }
    return section(
        "Archives",
        paragraphs([
            table(
                ["exporter", "archives", "from", "to", "of storage class", "bucket", "authentication"],
                archives.flatMap((each) =>
                    compact(
                        each.signals.length > 0 && archiveRow(each),
                        each.regional && regionalRow(each, each.regional),
                    ),
                ),
            ),
            [...archiveTimes(), ...leftOut(deployment), ...archives.flatMap(archiveRemarks)]
                .map((line) => `- ${plain(line)}`)
                .join("\n"),
        ]),
    );
}

function archiveRow(archive: Archive): string[] {
    const { name, version, signals: archived, sources, bucket, prefix } = archive;
    return [
        code(`${name} ${version}`),
        archived.map(nounOf).join(", "),
        archived.map((signal) => code(sources[signal] ?? "")).join("<br>"),
        code(`s3://${bucket.name}/${prefix}/`),
        plain(classesText(bucket)),
        plain(bucketText(bucket)),
        plain(exporterAuthentication(archive)),
    ];
}

/** The same exporter on regions, which differs in what it reads and where below the bucket it writes. */
function regionalRow(archive: Archive, { regions, prefix, signals: archived, sources }: RegionalExporter): string[] {
    const [exporter = "", , , , ...rest] = archiveRow(archive);
    return [
        `${exporter} on ${regions === "all" ? "each regional cluster" : regionsText(regions)}`,
        archived.map(nounOf).join(", "),
        archived.map((signal) => code(sources[signal] ?? "")).join("<br>"),
        code(`s3://${archive.bucket.name}/${prefix}/`),
        ...rest,
    ];
}

/** Where a bucket is and what happens to it, human-readable. */
function bucketText({ endpoint, region, create, keep, kmsKeyArn }: ArchiveBucket): string {
    const where = endpoint === undefined ? region : `${endpoint}, ${region}`;
    const key = kmsKeyArn === undefined ? "" : `, encrypted with ${kmsKeyArn}`;
    const fate = create
        ? `made by this stack, ${keep ? "kept when it goes" : "deleted with it once empty"}`
        : "made elsewhere: it must exist";
    return `${where}: ${fate}${create || kmsKeyArn !== undefined ? key : ""}`;
}

function classesText({ endpoint, lifecycle, create }: ArchiveBucket): string {
    return endpoint !== undefined || !create
        ? "as the bucket has it"
        : ["STANDARD", ...lifecycle.map(({ days, storageClass }) => `${storageClass} after ${String(days)} days`)].join(
              ", ",
          );
}

function exporterAuthentication({ credentials, secret, roleName }: Archive): string {
    switch (credentials.kind) {
        case "accessKey":
            return `access key ${credentials.generations.at(-1) ?? ""} of an IAM user that may write here and delete nothing, in Secret ${secret?.name ?? ""}`;
        case "podIdentity":
            return `role by EKS Pod Identity of cluster ${credentials.clusterName}`;
        case "irsa":
            return `role ${roleName ?? ""} by the service account's token`;
        case "existingSecret":
            return `Secret ${credentials.name}, made elsewhere`;
    }
}

/** What is stored on this cluster and not archived. */
function leftOut({ archives, stores }: Deployment): string[] {
    const archived = archives.flatMap((each) => each.signals);
    const stored = signals.filter((signal) => stores.some((each) => each.signal === signal && each.retention));
    const absent = stored.filter((signal) => !archived.includes(signal));
    return compact(absent.length > 0 && `Stored on this cluster, and not archived: ${absent.map(nounOf).join(", ")}.`);
}

/** What to know of one archive. */
function archiveRemarks({ kind, name, bucket, signingKey }: Archive): string[] {
    const { objectLock, lifecycle, create } = bucket;
    const asleep = lifecycle.filter(({ storageClass }) => /^(GLACIER|DEEP_ARCHIVE)$/.test(storageClass));
    return compact(
        signingKey !== undefined &&
            `Each hour of audit logs has a manifest with the SHA-256 of its file and of the manifest before it, signed by HMAC-SHA256 with ` +
                `${signingKey}. The key stands in the manifest: a signature proves that the file is whole and which cluster wrote it, not that ` +
                "nobody has changed both.",
        objectLock &&
            `${lockText(objectLock)}${create ? "" : ", if the bucket's own default retention is the same"}. With Object Lock ${name} stops ` +
                "at an hour of which the file is there without its manifest, as after a run that was killed: somebody has to look.",
        asleep.length > 0 &&
            `What kof:${kind} has moved to ${asleep.map(({ storageClass }) => storageClass).join(" and ")} has to be restored before it can be ` +
                "read, which takes hours.",
        lifecycle.length > 0 && `Objects of kof:${kind} below 128 KB stay in STANDARD: S3 does not move them.`,
    );
}

/** Who cannot delete what, and for how long. */
function lockText({ mode, days }: NonNullable<ArchiveBucket["objectLock"]>): string {
    return mode === "COMPLIANCE"
        ? `Nobody can delete an object, or a version of one, for ${String(days)} days from its upload, the account's root user included (Object Lock, COMPLIANCE)`
        : `Only who has the right s3:BypassGovernanceRetention can delete an object, or a version of one, within ${String(days)} days from its upload (Object Lock, GOVERNANCE)`;
}
