import assert from "node:assert/strict";

import type { AnyObject } from "../../tools/servers/crds";
import { endToEnd, fluxPaths, namespace, succeed } from "./run";
import { prepareUmbrella } from "../../tools/engine/umbrella";

const [from, to] = ["1.9.0", "1.10.0"];

// A chart that KOF_CHART names is of one version.
if (!process.env.KOF_CHART) {
    endToEnd(
        "an upgrade",
        (run) => {
            const older = run.routes.management!;
            const upgraded = { ...older, version: to, storage: { logs: { size: "50Gi" }, traces: { size: "50Gi" } } };
            const claims: readonly AnyObject[] = ["vmstorage-db-0", "vlstorage-volume-0", "vtstorage-volume-0"].map(
                (name) => ({
                    apiVersion: "v1",
                    kind: "PersistentVolumeClaim",
                    metadata: { name, namespace: "kof" },
                    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "50Gi" } } },
                }),
            );
            const storageClass = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "kof" } };
            const uids = () =>
                Promise.all(
                    [namespace, storageClass, ...claims].map(
                        async (object) => (await run.cluster.read(object))?.metadata.uid as string | undefined,
                    ),
                );
            const newer = prepareUmbrella(to);
            after(() => {
                newer.remove();
            });

            it(`to ${to} keeps every volume, uninstalls nothing that goes on, and does not go back`, async () => {
                await run.deploy(older);
                await run.cluster.apply(...claims);
                const there = await uids();

                run.stack.configure({ ...older, version: to, chart: newer.chart });
                const larger = await run.stack.preview();
                assert.ok(!larger.ok && larger.output.includes("a StatefulSet's template is immutable"), larger.output);

                // What the plan says to do by hand.
                for (const name of ["kof-storage", "kof-collectors"]) {
                    const release = { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease" };
                    const object = { ...release, metadata: { name, namespace: "kof" } };
                    await run.cluster.merge(object, { spec: { suspend: true } });
                }
                run.flux.events.length = 0;
                run.stack.configure({ ...upgraded, chart: newer.chart });
                await succeed(run.stack.up());
                assert.deepEqual(await run.objects(), run.expectedObjects(upgraded));
                const gone = run.flux.events.filter((event) => /^(uninstall|leave) /.test(event));
                assert.deepEqual(gone.sort(), ["leave kof-collectors", "leave kof-storage"]);
                assert.deepEqual(await uids(), there);
                await succeed(run.stack.expectNoChanges());

                run.configure(older);
                const back = await run.stack.preview();
                assert.ok(!back.ok && back.output.includes(`downgrades from ${to} to ${from}`), back.output);
                assert.deepEqual(await uids(), there);
                const charts = await run.cluster.api.list<AnyObject>(fluxPaths.HelmChart);
                assert.equal(charts.find(({ metadata }) => metadata.name === "kof-mothership")?.spec.version, to);
            });
        },
        [from],
    );
}
