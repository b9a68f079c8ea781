import type { AuditArchiveSettings, ColdStorageSettings } from "./settings";

/** How the exporter of an archive authenticates at its bucket. */
export type ArchiveCredentials = NonNullable<ColdStorageSettings["credentials"]>;

/** The settings of an archive, with the defaults filled in. */
export interface ResolvedArchiveSettings extends Omit<
    ColdStorageSettings,
    "region" | "createBucket" | "credentials" | "existingSecret" | "signals"
> {
    readonly region: string;
    readonly createBucket: boolean;
    readonly credentials: ArchiveCredentials;
    readonly objectLock?: AuditArchiveSettings["objectLock"];
}

/** The region of a store whose settings name none (`s3.region` of both exporters' charts). */
const regionByDefault = "us-east-1";

/** The settings of an archive with their defaults and short forms resolved. */
export function resolvedArchive(given: ColdStorageSettings | AuditArchiveSettings): ResolvedArchiveSettings {
    const { existingSecret, credentials, region = regionByDefault, ...rest } = given;
    return {
        ...rest,
        region,
        createBucket: given.createBucket ?? given.endpoint === undefined,
        credentials:
            credentials ??
            (existingSecret === undefined
                ? { kind: "accessKey", generations: ["1"] }
                : { kind: "existingSecret", name: existingSecret }),
    };
}
