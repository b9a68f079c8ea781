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
    /** The bucket to make. Default: it exists. */
    readonly bucket?: BucketArgs | undefined;
    /** The exporter's policy. The ARN of its bucket is known before the bucket exists. */
    readonly rights: ArchivedTo;
    /** How the exporter authenticates. */
    readonly credentials: AwsCredentials;
    /** The exporter's service account, for a role. */
    readonly serviceAccount: string;
    /** The name of the access key in a warning about its age. */
    readonly keyOf: IdentityArgs["keyOf"];
    /** Tags of the user or role. */
    readonly tags: Readonly<Record<string, string>>;
    /** The exporter's chart and its release. Default: this cluster has none, and only regions have. */
    readonly exporter?: { readonly chart: FluxObject; readonly release: FluxObject } | undefined;
    /** What has KCM install the exporter on regional clusters. Default: they have none. */
    readonly onRegions?: { readonly template: KcmObject; readonly service: KcmObject } | undefined;
    /** A value that asks Flux once to retry the release. */
    readonly retry: string | undefined;
    /** What the release is created after, and removed before. */
    readonly after: readonly pulumi.Resource[];
}

/**
 * An archive in S3: its bucket, an identity with which KOF's exporter can write below one prefix and delete nothing, and the
 * exporter's release. Pulumi waits for this release and uninstalls it like KOF's own. The bucket's content stays.
 */
export class S3Archive extends pulumi.ComponentResource {
    /** When the access key of each generation was made, in RFC 3339. */
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
        const declare = (
            resourceName: string,
            { apiVersion, kind, metadata, spec }: FluxObject | KcmObject,
            before: readonly pulumi.Resource[] = [],
        ) =>
            new CustomResource(
                resourceName,
                { apiVersion, kind, metadata, spec },
                { parent: this, dependsOn: [...args.after, ...before] },
            );
        // Its first run is at the next hour: it finds the bucket, and its key.
        const needed = [bucket, identity.secret].filter((each) => each !== undefined);
        this.installed = pulumi.output("");
        if (args.exporter) {
            const { chart, release } = args.exporter;
            const annotations = releaseAnnotations(release.metadata.labels, {}, args.retry);
            const annotated = { ...release, metadata: { ...release.metadata, annotations } };
            this.installed = declare(name, annotated, [declare(name, chart), ...needed]).urn;
        }
        if (args.onRegions) {
            const { template, service } = args.onRegions;
            // Its name differs from this cluster's. KCM deletes a template only when nothing uses it, which takes until the exporter has
            // left every region. Nothing waits until it has reached all regions.
            const onRegions = `${name}-regions`;
            declare(onRegions, service, [declare(onRegions, template), ...needed]);
        }
        this.registerOutputs({ accessKeys: this.accessKeys });
    }
}
