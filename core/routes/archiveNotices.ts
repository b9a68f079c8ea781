import { compact } from "../lib/compact";
import { nounOf } from "../charts";
import { exporterCharts, exporterSchedule } from "../charts/archives";
import { childrenStoreHere } from "../charts/installed";
import { regionsText } from "../charts/multiCluster";
import { distributionOf } from "../settings/distributions";
import type { Archive } from "./archives";
import type { Deployment } from "./deployment";
import { isOfEks } from "./roles";

/** What a reader of the preview should know of the archives in S3. */
export function archiveNotices(deployment: Deployment): string[] {
    const { archives, settings, catalog } = deployment;
    const newer = archives.filter(({ version }) => version !== catalog.version);
    const audit = archives.find(({ kind }) => kind === "auditArchive");
    const proxied = settings.proxy !== undefined && archives.some(({ bucket }) => bucket.endpoint === undefined);
    return compact(
        newer.length > 0 &&
            `The exporters of archives are those of KOF ${newer[0]?.version ?? ""}: those of ${catalog.version} cannot work (the names of ` +
                "their images and a tag are wrong, and the images have no CAs to trust S3 by).",
        proxied &&
            "The exporters of archives know no proxy: kof:proxy is for the collectors. They have to reach S3 without it, for example " +
                "through a VPC endpoint.",
        ...archives.flatMap((archive) => [...credentialNotices(deployment, archive), ...sharedNotices(archive)]),
        ...(audit ? auditArchiveNotices(deployment, audit) : []),
        ...archives.flatMap((archive) => foreignNotices(deployment, archive)),
        ...archives.flatMap(regionalNotices),
    );
}

/**
 * What is in a store that gets nothing from this cluster's own collectors. VMAlert writes the results of recording rules into that of
 * metrics (kof-mothership, `victoriametrics.vmalert.spec.remoteWrite`, KOF 1.8 to 1.11).
 */
function foreignNotices({ destinations, umbrella }: Deployment, { kind, signals }: Archive): string[] {
    return signals.flatMap((signal) => {
        const { [signal]: where } = destinations;
        if (where.stored && where.ends.some(({ on }) => on === "cluster")) {
            return [];
        }
        const held = compact(
            signal === "metrics" && "what KOF's recording rules (VMAlert) make of what is in it",
            childrenStoreHere({ umbrella }) && "what child clusters send",
            "what others write there",
        );
        return [
            `kof:${kind} archives none of this cluster's own ${nounOf(signal)} (${where.stored ? "stored elsewhere" : where.why}). The store of ` +
                `${nounOf(signal)} has ${new Intl.ListFormat("en-GB").format(held)}.`,
        ];
    });
}

function regionalNotices({ kind, name, regional, secret, prefix, signals }: Archive): string[] {
    return regional
        ? compact(
              signals.length === 0 &&
                  `kof:${kind} archives nothing of this cluster, which stores no such thing: ${name} runs on regional clusters alone.`,
              `kof:${kind}.regions has KCM install ${name} on ${regionsText(regional.regions)}, and copy Secret ${secret?.name ?? ""} to each: whoever reads ` +
                  `it there can write below ${prefix}/ of the bucket. npm run doctor says what KCM has brought there, npm run verify what of each region is in the bucket; the exporters themselves are not seen from here.`,
          )
        : [];
}

function credentialNotices({ settings }: Deployment, { kind, credentials }: Archive): string[] {
    const { distribution } = settings;
    if (distribution !== "eks" && isOfEks(credentials)) {
        return [
            `kof:${kind}.credentials is ${credentials.kind}, which EKS hands out, but kof:distribution is ${distribution}. On EKS set ` +
                "kof:distribution: eks; elsewhere the exporter gets no credentials, and nothing is archived.",
        ];
    }
    return compact(
        credentials.kind === "accessKey" &&
            distribution === "eks" &&
            `kof:${kind}.credentials is an access key, which does not expire and can be copied. On EKS there is a way without any ` +
                "secret: credentials: {kind: podIdentity, clusterName: NAME}.",
    );
}

/** What two exporters do that write below one prefix. */
function sharedNotices({ kind, bucket, prefix, name }: Archive): string[] {
    return compact(
        !bucket.create &&
            `kof:${kind} writes below ${prefix}/ of bucket ${bucket.name}, which the stack does not make. No other cluster may write there` +
                (kind === "auditArchive" ? "" : " under the same kof:clusterName") +
                `: ${name} regards an hour that has its ${exporterCharts[kind].lastObject} as archived, no matter who wrote that.`,
    );
}

function auditArchiveNotices({ settings }: Deployment, audit: Archive): string[] {
    const { objectLock } = audit.bucket;
    const { controlPlaneOf, title } = distributionOf(settings.distribution);
    return compact(
        `The manifests of kof:auditArchive are signed with ${audit.signingKey ?? ""}, which stands in each of them. A signature proves that a ` +
            "file is whole and which cluster wrote it, not that nobody has changed both: KOF's exporter has no other key, and no KMS.",
        objectLock === undefined &&
            "kof:auditArchive has no objectLock: whoever may delete in the bucket may delete audit logs. This program turns Object Lock on " +
                "only for a bucket that it makes.",
        controlPlaneOf !== undefined &&
            audit.signals.length > 0 &&
            `kof:auditArchive has no audit logs of this cluster: ${controlPlaneOf} runs the API server of ${title}, which writes them to no ` +
                `node's /var/log/kubernetes, where KOF reads them. ` +
                (settings.route === "regionless"
                    ? "Those of child clusters are archived."
                    : `Each hour is archived all the same, as one without events.`),
    );
}

/** When archives are written and what they miss, human-readable: one sentence each. */
export function archiveTimes(): string[] {
    const { catchUpHours } = exporterSchedule;
    return [
        "Five minutes after each full hour, UTC, the hour before is archived. What comes into the store later than that, as after an " +
            "outage that collectors have bridged, is not archived: it stays in the store alone, for as long as that keeps it.",
        `Each run also archives hours of the last ${String(catchUpHours)} that are missing. What is older, where the exporter or S3 was down ` +
            "for longer, is not archived any more.",
    ];
}
