import assert from "node:assert/strict";

import type { Collector } from "../../../core/collectors/effective";
import { danglingReferences } from "../../../core/collectors/references";

describe("dangling references", () => {
    const sound: Collector = {
        key: "daemon",
        name: "kof-collectors-daemon",
        mode: "daemonset",
        hostNetwork: false,
        image: "",
        env: [{ name: "TOKEN", valueFrom: {} }],
        pods: { volumes: [{ name: "fs" }], volumeMounts: [{ name: "fs", mountPath: "/var/fs" }] },
        config: {
            extensions: { "basicauth/x": { password: "${env:TOKEN}" }, "file_storage/q": { directory: "/var/fs/q" } },
            receivers: { otlp: {} },
            processors: { batch: {} },
            exporters: {
                otlphttp: { auth: { authenticator: "basicauth/x" }, sending_queue: { storage: "file_storage/q" } },
            },
            service: {
                extensions: ["basicauth/x", "file_storage/q"],
                pipelines: { logs: { receivers: ["otlp"], processors: ["batch"], exporters: ["otlphttp"] } },
            },
        },
    };
    const broken = (change: (config: any) => void, env: Collector["env"] = sound.env): string[] => {
        const config = structuredClone(sound.config);
        change(config);
        return danglingReferences({ ...sound, config, env });
    };

    it("are none in a sound configuration", () => {
        assert.deepEqual(danglingReferences(sound), []);
    });
    const faults: readonly [string, (config: any) => void, string][] = [
        [
            "a component that is not defined",
            (c) => delete c.exporters.otlphttp,
            "pipeline logs names otlphttp, which is not among the exporters",
        ],
        [
            "a pipeline without receivers",
            (c) => (c.service.pipelines.logs.receivers = []),
            "pipeline logs has no receivers",
        ],
        [
            "an extension that is not defined",
            (c) => delete c.extensions["file_storage/q"],
            "service.extensions lists file_storage/q, which is not among the extensions",
        ],
        [
            "an authenticator that is not enabled",
            (c) => c.service.extensions.shift(),
            "exporters otlphttp uses basicauth/x, which is not in service.extensions",
        ],
        [
            "a storage that is not enabled",
            (c) => c.service.extensions.pop(),
            "exporters otlphttp uses file_storage/q, which is not in service.extensions",
        ],
        [
            "an exporter that is null",
            (c) => (c.exporters.unused = null),
            "exporter unused is null, which the collector refuses even unused",
        ],
    ];
    for (const [what, change, problem] of faults) {
        it(`are ${what}`, () => {
            assert.deepEqual(broken(change), [problem]);
        });
    }

    it("are variables that Kubernetes would read as something else, since the chart writes them without quotes", () => {
        const lost = ["no", "456", "null", "1_000", '"quoted"', "a: b", "a #b", "'", "- a", "a\nb"];
        const found = broken(
            () => undefined,
            [...sound.env, ...lost.map((value, i) => ({ name: `V${String(i)}`, value }))],
        );
        assert.deepEqual(
            found,
            lost.map(
                (value, i) =>
                    `env has V${String(i)}: ${value}, which the chart writes without quotes, so that Kubernetes reads something else`,
            ),
        );
        assert.equal(broken(() => undefined, [...sound.env, { name: "NO", value: "x" }]).length, 1);
        const kept = ["mothership", "a'b", "a:b#c", "1:30", "k8s.cluster.name=456", "2001-01-01", "/var/lib", "a, b"];
        assert.deepEqual(
            broken(() => undefined, [...sound.env, ...kept.map((value) => ({ name: "V", value }))]),
            [],
        );
    });

    it("are variables that nothing sets", () => {
        assert.deepEqual(
            broken(() => undefined, []),
            ["extensions basicauth/x uses the variable TOKEN, which is not in env"],
        );
    });

    it("are not what a collector does not expand", () => {
        // Each tried with a collector of contrib 0.143.0 (2026-11-27).
        for (const [text, missing] of [
            ["${env:A}", "A"],
            ["x$${env:A}", undefined],
            ["x$$${env:A}", "A"],
            ["x$$$${env:A}", undefined],
            ["${env:A:-text}", undefined],
            ["${A}", "A"],
        ] as const) {
            const [found, ...others] = broken((c) => (c.extensions["basicauth/x"].client_auth = { username: text }));
            assert.equal(
                found,
                missing && `extensions basicauth/x uses the variable ${missing}, which is not in env`,
                text,
            );
            assert.deepEqual(others, []);
        }
    });
});
