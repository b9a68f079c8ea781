import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";

import { parse, parseAllDocuments } from "yaml";

import { useCluster } from "../tools/servers/cluster";
import { broughtBy, type AnyObject } from "../tools/servers/crds";

/** The files of `rendered/` below a folder, or with a name. */
const files = fs
    .readdirSync("rendered", { recursive: true, encoding: "utf8" })
    .map((name) => path.join("rendered", name))
    .filter((name) => name.endsWith(".yaml"))
    .sort();

// KOF's own HelmReleases are not here: its charts render them of kof-values.yaml. Those of archives are, and the definitions that the
// test's server has of Flux's kinds take any content.
describe("Kubernetes takes what rendered/ holds, with every field of it:", () => {
    const cluster = useCluster();
    before(async () => {
        for (const name of ["kof", "kcm-system"]) {
            await cluster().apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
        }
        await cluster().define(...Object.values(broughtBy).flat());
    });

    const manifests = files.filter((name) => path.basename(name) === "kubernetes.yaml");
    const objectsIn = (name: string) =>
        parseAllDocuments(fs.readFileSync(name, "utf8")).map((document) => document.toJS() as AnyObject);

    it("there is one of every kind that the program makes itself", () => {
        const kinds = new Set(manifests.flatMap(objectsIn).map(({ kind }) => kind));
        assert.deepEqual([...kinds].sort(), [
            "ConfigMap",
            "HelmChart",
            "HelmRelease",
            "Namespace",
            "Secret",
            "StorageClass",
            "VMRule",
        ]);
    });

    for (const name of manifests) {
        it(name, async () => {
            for (const object of objectsIn(name)) {
                await cluster().check(object);
            }
        });
    }

    // The operator makes pods of what a collector's file holds beside its configuration.
    const collectors = files.filter((name) => path.basename(path.dirname(name)) === "collectors");
    const workloadOf = (collector: any): AnyObject => {
        const { affinity, env, hostNetwork, image, podAnnotations, resources, securityContext } = collector;
        const { tolerations, volumeMounts, volumes } = collector;
        const labels = { app: "collector" };
        const container = { name: "otc-container", env, image, resources, securityContext, volumeMounts };
        const spec = { affinity, containers: [container], hostNetwork, tolerations, volumes };
        return {
            apiVersion: "apps/v1",
            kind: "DaemonSet",
            metadata: { name: "collector", namespace: "kof" },
            spec: {
                selector: { matchLabels: labels },
                template: { metadata: { annotations: podAnnotations, labels }, spec },
            },
        };
    };

    for (const name of collectors) {
        it(name, () => cluster().check(workloadOf(parse(fs.readFileSync(name, "utf8")))));
    }

    it("but not a field that it does not know, nor a volume that is not there", async () => {
        const { metadata, ...more } = objectsIn("rendered/dev/kubernetes.yaml").find(
            ({ kind }) => kind === "StorageClass",
        )!;
        await assert.rejects(cluster().check({ metadata, ...more, reclaim: "Retain" }), /reclaim.* field not declared/);
        const daemon = parse(fs.readFileSync("rendered/dev/collectors/daemon.yaml", "utf8"));
        await assert.rejects(cluster().check(workloadOf({ ...daemon, volumes: [] })), /volumeMounts.*Not found/);
    });
});
