import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import * as pulumi from "@pulumi/pulumi";

import type { KcmObject } from "../core/charts/multiCluster";
import type { FluxObject } from "../core/charts/umbrella";
import { Bucket, type BucketArgs } from "./bucket";
import { declareIdentity, type AwsCredentials, type IdentityArgs } from "./identity";
import { archivePolicy, type ArchivedTo } from "./policies";
import { releaseAnnotations } from "./postRenderer";

/** Inputs of {@link S3Archive}. */
export interface S3ArchiveArgs {
    /** The bucket to make. Default: it is there. */
    readonly bucket?: BucketArgs | undefined;
    /** What the exporter may do. Its bucket's ARN is known without the bucket. */
    readonly rights: ArchivedTo;
    /** How the exporter authenticates. */
    readonly credentials: AwsCredentials;
    /** The exporter's service account, which a role is for. */
    readonly serviceAccount: string;
    /** What a warning of the access key's age calls it. */
    readonly keyOf: IdentityArgs["keyOf"];
    /** Tags of the user or role. */
    readonly tags: Readonly<Record<string, string>>;
    /** The exporter's chart and its release. Default: this cluster has none, and only regions have. */
    readonly exporter?: { readonly chart: FluxObject; readonly release: FluxObject } | undefined;
    /** What has KCM install the exporter on regional clusters. Default: they have none. */
    readonly onRegions?: { readonly template: KcmObject; readonly service: KcmObject } | undefined;
    /** A value that asks Flux, once, to try the release again. */
    readonly retry: string | undefined;
    /** What the release comes after, and goes before. */
    readonly after: readonly pulumi.Resource[];
}

/**
 * An archive in S3: its bucket, an identity with which KOF's exporter can write below one prefix and delete nothing, and the
 * exporter's release. Pulumi waits for this release and uninstalls it like KOF's own. The bucket's content stays.
 */
export class S3Archive extends pulumi.ComponentResource {
    /** Per generation of the access key when it was made, in RFC 3339. */
    readonly accessKeys: Readonly<Record<string, pulumi.Output<string>>>;
    /** Known once the exporter is installed, where this cluster has one. */
    readonly installed: pulumi.Output<string>;

    constructor(name: string, args: S3ArchiveArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:S3Archive", name, {}, opts);
        const bucket = args.bucket && new Bucket(name, args.bucket, { parent: this });
        const identity = declareIdentity(
            name,
            {
                credentials: args.credentials,
                policy: JSON.stringify(archivePolicy(args.rights)),
                pods: { who: "Exporter", names: [args.serviceAccount] },
                secretKeys: { id: "S3_ACCESS_KEY", secret: "S3_SECRET_KEY" },
                keyOf: args.keyOf,
                tags: args.tags,
            },
            this,
        );
        this.accessKeys = identity.accessKeys;
        // Its first run is at the next hour: it finds the bucket, and its key.
        const before = [bucket, identity.secret].filter((each) => each !== undefined);
        this.installed = args.exporter ? this.exporter(name, args, args.exporter, before) : pulumi.output("");
        if (args.onRegions) {
            const { template, service } = args.onRegions;
            // Named apart from what this cluster has. KCM deletes no template that something uses, and that is gone only when it has
            // left every region; nobody waits until it has reached all of them.
            const known = applied(`${name}-regions`, template, {}, { parent: this, dependsOn: [...args.after] });
            applied(`${name}-regions`, service, {}, { parent: this, dependsOn: [...args.after, known, ...before] });
        }
        this.registerOutputs({ accessKeys: this.accessKeys });
    }

    private exporter(
        name: string,
        { after, retry }: S3ArchiveArgs,
        { chart, release }: NonNullable<S3ArchiveArgs["exporter"]>,
        before: readonly pulumi.Resource[],
    ): pulumi.Output<string> {
        const known = applied(name, chart, {}, { parent: this, dependsOn: [...after] });
        const annotations = releaseAnnotations(release.metadata.labels, {}, retry);
        return applied(name, release, annotations, { parent: this, dependsOn: [...after, known, ...before] }).urn;
    }
}

function applied(
    name: string,
    { apiVersion, kind, metadata, spec }: FluxObject | KcmObject,
    annotations: Readonly<Record<string, string>>,
    opts: pulumi.CustomResourceOptions,
): CustomResource {
    const all = { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) };
    return new CustomResource(name, { apiVersion, kind, metadata: all, spec }, opts);
}
