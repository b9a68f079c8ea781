// Run by Helm, by way of Pulumi, with whatever `node` is there and without a build step: hence JavaScript.
// @ts-check
"use strict";

const { createHash } = require("node:crypto");

const { isMap, isNode, isSeq, parseAllDocuments } = require("yaml");

/**
 * @typedef {import("yaml").Document.Parsed} Document
 * @typedef {import("yaml").YAMLMap} YAMLMap
 * @typedef {{ start: number, end: number, text: string }} Edit what to write in place of a part of the manifest
 */

const helmGroup = "helm.toolkit.fluxcd.io";
const sourceGroup = "source.toolkit.fluxcd.io";

/** Has Pulumi wait for something. */
const waitFor = "pulumi.com/waitFor";
/** Says which labels and annotations a release has. */
const fingerprint = "kof-storage-routes/metadata";

/**
 * Annotations of the umbrella (charts/kof/templates/helmreleases.yaml, KOF 1.8.0 to 1.11.0-rc0) that would interfere, and those that are
 * always set here. The first two change with every run. With the third one, an uninstall leaves everything running.
 */
const unwanted = [
    ...["reconcile.fluxcd.io/requestedAt", "reconcile.fluxcd.io/forceAt", "helm.sh/resource-policy"],
    ...[waitFor, fingerprint],
];

/** Flux gives up on an install after 20 minutes (`flux.timeout`) and then says why; Pulumi has to wait longer than that. */
const timeoutSeconds = 25 * 60;

/**
 * Makes Pulumi treat the umbrella's objects as Flux does. A HelmRelease comes after its HelmChart and after the releases it
 * depends on, and a HelmChart after its HelmRepository. A HelmRelease is done when it is Ready. If Flux has given up on a release,
 * Pulumi asks it to retry.
 *
 * It only writes annotations. Every other byte stays as Helm wrote it. Helm's YAML is version 1.1, and another reader and writer
 * could change a value.
 *
 * @param {string} manifest what the umbrella renders, as YAML documents
 * @param {Record<string, string>} retries per HelmRelease a value that asks for that, once (stacks/retries.ts)
 * @returns {string} the same documents, with annotations that Pulumi's Kubernetes provider reads
 * @throws {Error} for what is no YAML
 */
function postRender(manifest, retries = {}) {
    // Every scalar as the text that it is: names and annotations are text to Kubernetes, and nothing else is looked at.
    const documents = [...parseAllDocuments(manifest, { schema: "failsafe", uniqueKeys: false })];
    return documents
        .flatMap((document) => {
            if (document.errors[0]) {
                throw document.errors[0];
            }
            const metadata = document.get("metadata");
            const annotations = annotationsFor(document, retries);
            return annotations && isMap(metadata) ? [edit(manifest, metadata, annotations)] : [];
        })
        .reduceRight((all, { start, end, text }) => all.slice(0, start) + text + all.slice(end), manifest);
}

/**
 * @param {Document} document
 * @param {Record<string, string>} retries
 * @returns {Record<string, string> | undefined} all annotations of the object; nothing for one that stays as it is
 */
function annotationsFor(document, retries) {
    const [group] = String(document.get("apiVersion")).split("/");
    const kind = document.get("kind");
    const kept = Object.fromEntries(
        Object.entries(textsIn(document, "annotations")).filter(([name]) => !unwanted.includes(name)),
    );
    if (group === sourceGroup && kind === "HelmChart") {
        return { ...kept, ...dependencies(document, "sourceRef") };
    }
    if (group === helmGroup && kind === "HelmRelease") {
        const retry = retries[String(document.getIn(["metadata", "name"]))];
        return releaseAnnotations(
            textsIn(document, "labels"),
            { ...kept, ...dependencies(document, "chartRef") },
            retry,
        );
    }
    return undefined;
}

/**
 * Has Flux try again where it has given up, and Pulumi wait until a release is Ready with the labels and annotations that it has here.
 * The provider recognises an outdated view of an object by its generation, but labels and annotations do not change the generation. A
 * release that was Ready already went into the state without them, and the next preview proposed them again (pulumi-kubernetes,
 * `ObjectObserver.Observe` in provider/pkg/await/condition/observer.go; tried on 2026-11-27).
 *
 * @param {Readonly<Record<string, string>>} labels
 * @param {Readonly<Record<string, string>>} annotations
 * @param {string | undefined} retry the value that asks Flux to try again, once
 * @returns {Record<string, string>} all annotations of the release
 */
function releaseAnnotations(labels, annotations, retry) {
    const again =
        retry === undefined ? {} : { "reconcile.fluxcd.io/requestedAt": retry, "reconcile.fluxcd.io/resetAt": retry };
    const all = { ...annotations, ...again, "pulumi.com/timeoutSeconds": String(timeoutSeconds) };
    const text = JSON.stringify(Object.entries({ ...labels, ...all }).sort());
    const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
    return {
        ...all,
        [fingerprint]: hash,
        [waitFor]: JSON.stringify(["condition=Ready", `jsonpath={.metadata.annotations['${fingerprint}']}=${hash}`]),
    };
}

/**
 * @param {Document} document
 * @param {"annotations" | "labels"} field
 * @returns {Record<string, string>}
 */
function textsIn(document, field) {
    const given = document.getIn(["metadata", field]);
    return isMap(given) ? given.toJSON() : {};
}

/**
 * @param {Document} document
 * @param {string} reference the field of its spec that names what it is made from
 * @returns {Record<string, string>}
 */
function dependencies(document, reference) {
    const namespace = document.getIn(["metadata", "namespace"]);
    /** @type {(group: string, part: unknown, kind?: unknown) => string[]} */
    const identifier = (group, part, kind) =>
        isMap(part)
            ? [
                  `${group}/namespaces/${part.get("namespace") || namespace}/${kind || part.get("kind")}/${part.get("name")}`,
              ]
            : [];
    const releases = document.getIn(["spec", "dependsOn"]);
    const all = [
        ...identifier(sourceGroup, document.getIn(["spec", reference])),
        ...(isSeq(releases) ? releases.items : []).flatMap((release) => identifier(helmGroup, release, "HelmRelease")),
    ];
    return all.length > 0 ? { "config.kubernetes.io/depends-on": all.join(",") } : {};
}

/**
 * @param {string} manifest
 * @param {YAMLMap} metadata of an object in the manifest
 * @param {Record<string, string>} annotations
 * @returns {Edit} the object's annotations, in JSON, which is YAML of every version
 */
function edit(manifest, metadata, annotations) {
    const pair = metadata.items.find(({ key }) => String(key) === "annotations");
    const text = `annotations: ${JSON.stringify(annotations)}`;
    if (pair) {
        const end = rangeOf(pair.value)[1];
        return { start: rangeOf(pair.key)[0], end: manifest.slice(0, end).trimEnd().length, text };
    }
    const start = rangeOf(metadata.items[0]?.key)[0];
    const indent = manifest.slice(manifest.lastIndexOf("\n", start) + 1, start);
    return { start, end: start, text: text + (metadata.flow ? ", " : `\n${indent}`) };
}

/** @param {unknown} node of a document that was read */
function rangeOf(node) {
    if (!isNode(node) || !node.range) {
        throw new Error("metadata is not as Helm writes it");
    }
    return node.range;
}

if (require.main === module) {
    // It ends before what V8 would optimize in the background pays off: a quarter of its time (Node 20.20.2, 2026-11-28).
    require("node:v8").setFlagsFromString("--no-opt");
    const [retries = "{}"] = process.argv.slice(2);
    process.stdout.write(postRender(require("node:fs").readFileSync(0, "utf8"), JSON.parse(retries)));
}

module.exports = { postRender, releaseAnnotations };
