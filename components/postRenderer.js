// Run by Helm, by way of Pulumi, with whatever `node` is there and without a build step: hence JavaScript.
// @ts-check
"use strict";

const { createHash } = require("node:crypto");

const { parseAllDocuments, stringify } = require("yaml");

/**
 * @typedef {object} KubernetesObject
 * @property {string} apiVersion
 * @property {string} kind
 * @property {{ name: string, namespace?: string, annotations?: Record<string, string>, labels?: Record<string, string> }} metadata
 * @property {{ chartRef?: Reference, dependsOn?: Reference[] | null, sourceRef?: Reference }} [spec]
 *
 * @typedef {object} Reference
 * @property {string} [kind]
 * @property {string} name
 * @property {string} [namespace]
 */

const helm = "helm.toolkit.fluxcd.io";
const source = "source.toolkit.fluxcd.io";

/**
 * Annotations of the umbrella (charts/kof/templates/helmreleases.yaml, KOF 1.8.0 to 1.11.0-rc0) that stand in the way: the
 * first two change with every run, the last one makes an uninstall leave everything running.
 */
const unwanted = ["reconcile.fluxcd.io/requestedAt", "reconcile.fluxcd.io/forceAt", "helm.sh/resource-policy"];

/** Flux gives up on an install after 20 minutes (`flux.timeout`) and then says why; Pulumi has to wait longer than that. */
const timeoutSeconds = 25 * 60;

/**
 * Makes Pulumi treat the umbrella's objects as Flux does: a HelmRelease comes after its HelmChart and after the releases it
 * depends on, a HelmChart after its HelmRepository, and a HelmRelease is done when it is Ready. Where Flux has given up on one,
 * it is asked to try again.
 *
 * @param {KubernetesObject[]} objects what the umbrella renders
 * @param {Record<string, string>} retries per HelmRelease a value that asks for that, once (stacks/retries.ts)
 * @returns {KubernetesObject[]} the same objects, with annotations that Pulumi's Kubernetes provider reads
 */
function postRender(objects, retries = {}) {
    return objects.map((object) => {
        const group = object.apiVersion.split("/")[0];
        if (group === source && object.kind === "HelmChart") {
            return annotate(wanted(object), dependencies(object, [object.spec?.sourceRef], source));
        }
        if (group === helm && object.kind === "HelmRelease") {
            const { chartRef, dependsOn } = object.spec ?? {};
            const retry = retries[object.metadata.name];
            return waitedFor(
                annotate(wanted(object), {
                    ...(retry === undefined
                        ? {}
                        : { "reconcile.fluxcd.io/requestedAt": retry, "reconcile.fluxcd.io/resetAt": retry }),
                    ...dependencies(object, [chartRef], source, dependsOn ?? []),
                    "pulumi.com/timeoutSeconds": String(timeoutSeconds),
                }),
            );
        }
        return object;
    });
}

/**
 * @param {KubernetesObject} object
 * @param {(Reference | undefined)[]} sources what it is made from
 * @param {string} group API group of those
 * @param {Reference[]} releases HelmReleases that come first
 * @returns {Record<string, string>}
 */
function dependencies(object, sources, group, releases = []) {
    /** @type {(group: string, reference: Reference | undefined, kind?: string) => string[]} */
    const identifier = (apiGroup, reference, kind = reference?.kind) =>
        reference
            ? [`${apiGroup}/namespaces/${reference.namespace ?? object.metadata.namespace}/${kind}/${reference.name}`]
            : [];
    const all = [
        ...sources.flatMap((reference) => identifier(group, reference)),
        ...releases.flatMap((reference) => identifier(helm, reference, "HelmRelease")),
    ];
    return all.length > 0 ? { "config.kubernetes.io/depends-on": all.join(",") } : {};
}

/** Says which labels and annotations a release has. */
const fingerprint = "kof-storage-routes/metadata";

/**
 * Has Pulumi wait until a release is Ready with the labels and annotations that it has here. The provider takes what it has seen
 * last for what is there, and tells an older view by its generation, which labels and annotations do not change: a release that
 * was Ready before went into the state as it was before, and the next preview proposed them again (pulumi-kubernetes,
 * `ObjectObserver.Observe` in provider/pkg/await/condition/observer.go; tried on 2026-11-27).
 *
 * @param {KubernetesObject} object
 * @returns {KubernetesObject}
 */
function waitedFor(object) {
    const waitFor = "pulumi.com/waitFor";
    const { annotations = {}, labels = {} } = object.metadata;
    const others = Object.entries({ ...labels, ...annotations }).filter(
        ([key]) => key !== waitFor && key !== fingerprint,
    );
    const hash = createHash("sha256").update(JSON.stringify(others.sort())).digest("hex").slice(0, 16);
    return annotate(object, {
        [fingerprint]: hash,
        [waitFor]: JSON.stringify(["condition=Ready", `jsonpath={.metadata.annotations['${fingerprint}']}=${hash}`]),
    });
}

/**
 * @param {KubernetesObject} object
 * @returns {KubernetesObject} without the annotations that stand in the way
 */
function wanted(object) {
    const kept = Object.entries(object.metadata.annotations ?? {}).filter(([key]) => !unwanted.includes(key));
    return { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(kept) } };
}

/**
 * @param {KubernetesObject} object
 * @param {Record<string, string>} annotations
 * @returns {KubernetesObject}
 */
function annotate(object, annotations) {
    return {
        ...object,
        metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
    };
}

/**
 * @param {string} manifest YAML documents
 * @param {Record<string, string>} [retries] as {@link postRender} takes them
 * @returns {string} the same documents, post-rendered
 */
function postRenderManifest(manifest, retries) {
    const documents = parseAllDocuments(manifest);
    const objects = [...documents].map((document) => {
        if (document.errors[0]) {
            throw document.errors[0];
        }
        return document.toJS();
    });
    const rendered = postRender(
        objects.filter((object) => object !== null),
        retries,
    );
    return rendered
        .map((object) => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`)
        .join("");
}

if (require.main === module) {
    const [retries = "{}"] = process.argv.slice(2);
    process.stdout.write(postRenderManifest(require("node:fs").readFileSync(0, "utf8"), JSON.parse(retries)));
}

module.exports = { postRender, postRenderManifest };
