import type { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { Chart } from "@pulumi/kubernetes/helm/v4/chart";
import * as pulumi from "@pulumi/pulumi";

import type { HelmValues } from "../core/lib/values";
import { kofNamespace } from "../core/charts/namespace";

/** Inputs of {@link Kof}. */
interface KofArgs {
    /** The umbrella chart: an OCI address, the URL of a chart repository that has `kof`, or a local folder. */
    readonly chart: string;
    /** KOF version. */
    readonly version: string;
    /**
     * The umbrella's values, as plain data. With an unknown in them, the preview would show nothing. A secret in them would be readable
     * in the HelmRelease.
     */
    readonly values: HelmValues;
    /**
     * The Secret that the collectors' pods read, and their HelmRelease. The Secret and its key are removed after the collectors. Default:
     * the stack makes no such Secret.
     */
    readonly collectorsSecret?: { readonly secret: Secret; readonly release: string } | undefined;
    /** For each HelmRelease, a value that asks Flux once to retry. */
    readonly retries: Readonly<Record<string, string>>;
}

/**
 * KOF's Helm releases. The umbrella chart renders one Flux HelmRelease per component, and each is a resource of its own here.
 * Pulumi shows them in the preview, creates them in the order of `dependsOn`, waits for each, and removes them in the reverse order.
 */
export class Kof extends pulumi.ComponentResource {
    /** Known when every release is ready. Whatever depends on it comes later. */
    readonly installed: pulumi.Output<string>;

    constructor(name: string, args: KofArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:Kof", name, {}, opts);
        const retries = Object.keys(args.retries).length > 0 ? [JSON.stringify(args.retries)] : [];
        const chart = new Chart(
            name,
            {
                name: "kof",
                namespace: kofNamespace,
                ...chartSource(args.chart, args.version),
                values: args.values,
                // The path is relative to the project, where Pulumi runs it, so it is the same on every machine.
                postRenderer: { command: "node", args: ["components/postRenderer.js", ...retries] },
            },
            { parent: this, transforms: args.collectorsSecret ? [uninstalledBefore(args.collectorsSecret)] : [] },
        );
        this.installed = chart.urn;
        this.registerOutputs({});
    }
}

/**
 * Makes Pulumi uninstall the collectors before it removes their Secret, on a route without that Secret. The provider makes the umbrella's
 * objects and does not know the Secret, so a transform adds the dependency. There the engine ignores `dependsOn`, and only applies the
 * transforms of a resource itself (Pulumi 3.274.1, `RegisterResource` in pkg/resource/deploy/source_eval.go). `replaceWith` orders the
 * two just as well, and does nothing else, since the Secret is updated and never replaced.
 */
function uninstalledBefore({ secret, release }: NonNullable<KofArgs["collectorsSecret"]>): pulumi.ResourceTransform {
    return ({ type, name, props, opts }) =>
        type.endsWith(":HelmRelease") && name.endsWith(`/${release}`)
            ? { props, opts: { ...opts, replaceWith: [...(opts.replaceWith ?? []), secret] } }
            : undefined;
}

/** Whether a chart is a folder, whose version is fixed. */
export function isFolder(chart: string): boolean {
    return !/^(oci|https?):\/\//.test(chart);
}

function chartSource(chart: string, version: string) {
    if (isFolder(chart)) {
        return { chart };
    }
    return chart.startsWith("oci://") ? { chart, version } : { chart: "kof", version, repositoryOpts: { repo: chart } };
}
