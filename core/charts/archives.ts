import * as semver from "semver";

/** The kinds of archives: the settings that ask for them. */
export const archiveKinds = ["coldStorage", "auditArchive"] as const;
export type ArchiveKind = (typeof archiveKinds)[number];

/** What is known of the chart of an exporter, whose release, CronJob and service account are called as the chart is. */
export interface ExporterChart {
    readonly chart: "cold-storage-exporter" | "audit-logs-exporter";
    /** Repository of its image, whose tag is `v` and the version of the chart (`image.repository`, `templates/cronjob.yaml`). */
    readonly image: string;
    /** The Secret that it reads by default (`s3.secretName`). */
    readonly secretName: string;
    /** The object that it writes last of a window, and looks for before it writes one. */
    readonly lastObject: string;
    /** Objects that it writes for each hour of each tenant and cluster, or of each tenant. */
    readonly objectsPerWindow: number;
}

/**
 * The charts that export what KOF's stores hold into S3 (`charts/cold-storage-exporter` and `charts/audit-logs-exporter` of
 * {@link firstExporterVersion}; `kof-operator/internal/coldstorage` and `internal/audit` for what they write). They are no components
 * of the umbrella.
 */
export const exporterCharts: Readonly<Record<ArchiveKind, ExporterChart>> = {
    coldStorage: {
        chart: "cold-storage-exporter",
        image: "ghcr.io/k0rdent/kof/kof-cold-storage-exporter",
        secretName: "cold-storage-exporter-s3-credentials",
        lastObject: "_SUCCESS",
        objectsPerWindow: 2,
    },
    auditArchive: {
        chart: "audit-logs-exporter",
        image: "ghcr.io/k0rdent/kof/kof-audit-logs-exporter",
        secretName: "audit-logs-exporter-s3-credentials",
        lastObject: "manifest.json",
        objectsPerWindow: 3,
    },
};

/** The oldest KOF whose stores are archived: before, there are no exporters, and no store of audit logs. */
export const oldestArchived = "1.10.0";

/**
 * The oldest exporters that work. Those of 1.10.0 cannot: the name of their image, or the tag of the audit logs' image, was never
 * published, and neither image has CA certificates for S3.
 */
const firstExporterVersion = "1.11.0-rc0";

/** The version of the exporters' charts that goes with a version of KOF. */
export function exporterVersion(kof: string): string {
    return semver.lt(kof, firstExporterVersion) ? firstExporterVersion : kof;
}

/** The keys of the Secret that both charts read (`templates/cronjob.yaml`). Without a Secret the AWS SDK looks for a role. */
export const exporterSecretKeys = ["S3_ACCESS_KEY", "S3_SECRET_KEY"] as const;

/** When both run, in UTC, and how far back they look for hours that are not archived yet (`schedule`, `catchupHours`). */
export const exporterSchedule = { cron: "5 * * * *", catchUpHours: 24 } as const;
