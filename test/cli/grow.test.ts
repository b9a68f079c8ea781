import assert from "node:assert/strict";
import * as fs from "node:fs";

import { volumesToGrow } from "../../cli/grow";
import { claimNames } from "../../core/routes/volumes";
import { growVolumes } from "../../live/growth";
import { NoAnswer, type Kubernetes } from "../../live/kubernetes";
import { commandHere, routes, stackFile } from "../support";

/** An API server that has claims of these sizes, and is told of nothing that it should not be. */
function server(sizes: readonly string[], refusal?: string) {
    const asked: string[] = [];
    const api = {
        get: (path: string) => {
            const storage = sizes[Number(/-(\d+)$/.exec(path)?.[1])];
            return Promise.resolve(storage && { spec: { resources: { requests: { storage } } } });
        },
        list: () => Promise.resolve([]),
        request: (method: string, path: string) => {
            asked.push(`${method} ${path.split("?")[1] ?? ""}`);
            return Promise.resolve({
                status: refusal ? 403 : 200,
                body: JSON.stringify({ kind: "Status", message: refusal }),
            });
        },
    };
    return { api: api as unknown as Kubernetes, asked };
}

describe("npm run grow", () => {
    const volume = { workload: "vlstorage", count: 2 };
    const options = { say: () => undefined, patience: 0 };

    it("is for volumes that no setting can make larger", () => {
        const file = stackFile(routes.management!);
        assert.deepEqual([volumesToGrow(file, "logs").workload, volumesToGrow(file, "logs").count], ["vlstorage", 2]);
        assert.equal(volumesToGrow(file, "traces").workload, "vtstorage");
        for (const signal of ["metrics", "audit"]) {
            assert.throws(() => volumesToGrow(file, signal), {
                name: "UserError",
                message: new RegExp(`Volumes of ${signal} grow by their setting[^]*kof:storage\\.${signal}\\.size`),
            });
        }
        assert.throws(
            () => volumesToGrow(stackFile(routes.none!), "logs"),
            /Route none has no volumes of logs on this/,
        );
    });

    it("changes nothing when a claim is missing, larger already, or refused", async () => {
        const cases: readonly [readonly string[], string | undefined, RegExp, readonly string[]][] = [
            [
                ["50Gi"],
                undefined,
                /^There is no claim vlstorage-volume-\S+-1 in namespace kof\. Nothing was changed/,
                [],
            ],
            [["50Gi", "200Gi"], undefined, /^100Gi is smaller than 200Gi, and no volume can become smaller/, []],
            [["50Gi", "50Gi"], "must support resize", /refuses \S+-0: must support resize$/, ["PATCH dryRun=All"]],
        ];
        for (const [sizes, refusal, message, expected] of cases) {
            const { api, asked } = server(sizes, refusal);
            await assert.rejects(growVolumes(api, volume, "100Gi", options), { name: "UserError", message });
            assert.deepEqual(asked, expected);
        }
    });

    it("leaves the StatefulSet alone while the driver is not done", async () => {
        const { api, asked } = server(["50Gi", "50Gi"]);
        await assert.rejects(
            growVolumes(api, volume, "100Gi", options),
            /Not large yet[^]*kubectl describe pvc -n kof/,
        );
        assert.deepEqual(asked, ["PATCH dryRun=All", "PATCH dryRun=All", "PATCH ", "PATCH "]);
    });

    it("believes no size that it does not know, and waits no longer once the driver has given up", async () => {
        for (const [status, message] of [
            [{ capacity: { storage: "107374182400000m" } }, /^Not large yet: \S+-0 \S+-1\./],
            [{ capacity: {} }, /^Not large yet/],
            [
                { capacity: { storage: "50Gi" }, allocatedResourceStatuses: { storage: "ControllerResizeInfeasible" } },
                /^The driver cannot make them that large: \S+-0 \S+-1\. The StatefulSet was not touched\./,
            ],
        ] as const) {
            const { api, asked } = server(["50Gi", "50Gi"]);
            const claim = { spec: { resources: { requests: { storage: "50Gi" } } }, status };
            const seen = Object.assign(api, { get: () => Promise.resolve(claim) });
            const patience = message.source.includes("driver") ? 60_000 : 0;
            await assert.rejects(growVolumes(seen, volume, "100Gi", { ...options, patience }), { message });
            assert.ok(!asked.some((each) => each.startsWith("DELETE")));
        }
    });

    it("deletes the StatefulSet and nothing with it, when the driver is done", async () => {
        const name = "kof-storage-victoria-logs-cluster-vlstorage";
        const asked: string[] = [];
        const api = {
            get: (path: string) => {
                const storage = "100Gi";
                const claim = { spec: { resources: { requests: { storage } } }, status: { capacity: { storage } } };
                return Promise.resolve(path.includes("persistentvolumeclaims") ? claim : undefined);
            },
            list: (path: string) => {
                const spec = { volumeClaimTemplates: [{ metadata: { name: "vlstorage-volume" } }] };
                const statefulSets = [
                    { metadata: { name: "other" }, spec: {} },
                    { metadata: { name, uid: "1" }, spec },
                ];
                return Promise.resolve(path.endsWith("statefulsets") ? statefulSets : []);
            },
            request: (method: string, path: string) => {
                asked.push(`${method} ${path}`);
                return Promise.resolve({ status: 200, body: "{}" });
            },
        };
        await growVolumes(api as unknown as Kubernetes, volume, "100Gi", options);
        assert.deepEqual(
            asked.filter((each) => each.startsWith("DELETE")),
            [`DELETE /apis/apps/v1/namespaces/kof/statefulsets/${name}?propagationPolicy=Orphan`],
            "or its pods would go as well",
        );
    });

    describe("with installers, which it pauses", () => {
        const release = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/kof/helmreleases/kof-storage";
        const set = "/apis/k0rdent.mirantis.com/v1beta1/namespaces/kcm-system/servicesets/mgmt";
        const annotation = "k0rdent.mirantis.com/service-set-paused";
        /** An API server on which both install kof-storage, and that refuses what it is told to refuse. */
        const cluster = ({
            refuses = () => false,
            loses = () => false,
            paused = [],
            isLarge = true,
        }: {
            refuses?: (path: string, body: string) => boolean;
            /** Whether the connection is lost, before or after what is asked was done. */
            loses?: (path: string, body: string) => boolean;
            paused?: readonly string[];
            isLarge?: boolean;
        }) => {
            const state = { [release]: paused.includes(release), [set]: paused.includes(set) };
            const said: string[] = [];
            const lost = () => Promise.reject(new NoAnswer("The API server does not answer: socket hang up"));
            const api = {
                get: (path: string) => {
                    if (loses(path, "")) {
                        return lost();
                    }
                    const storage = isLarge ? "100Gi" : "50Gi";
                    const claim = { spec: { resources: { requests: { storage } } }, status: { capacity: { storage } } };
                    return Promise.resolve(
                        path.includes("claims")
                            ? claim
                            : path === release
                              ? { spec: { suspend: state[release] } }
                              : undefined,
                    );
                },
                list: (path: string) =>
                    Promise.resolve(
                        path.endsWith("servicesets")
                            ? [
                                  {
                                      metadata: {
                                          name: "mgmt",
                                          namespace: "kcm-system",
                                          annotations: state[set] ? { [annotation]: "true" } : {},
                                      },
                                      spec: { provider: { selfManagement: true }, services: [{ name: "kof-storage" }] },
                                  },
                              ]
                            : [],
                    ),
                request: (_method: string, path: string, { body }: { body: string }) => {
                    if (loses(path, body)) {
                        const busy = { status: 503, body: "", headers: { "retry-after": "1" } };
                        return path === release ? Promise.resolve(busy) : lost();
                    }
                    if (refuses(path, body)) {
                        return Promise.resolve({
                            status: 403,
                            body: JSON.stringify({ kind: "Status", message: "forbidden" }),
                        });
                    }
                    if (path === release || path === set) {
                        state[path] = body.includes("true");
                    }
                    return Promise.resolve({ status: 200, body: "{}" });
                },
            };
            const grow = (more: object = {}) =>
                growVolumes(api as unknown as Kubernetes, volume, "100Gi", {
                    patience: 0,
                    outage: 400,
                    say: (step) => said.push(step),
                    ...more,
                });
            return { grow, state, said };
        };
        const running = { [release]: false, [set]: false };

        it("has them go on when it is done, and when it fails", async () => {
            const done = cluster({});
            await done.grow();
            assert.deepEqual(done.state, running);
            assert.deepEqual(
                done.said.filter((step) => /paused|resumed/.test(step)),
                ["paused", "resumed"].flatMap((word) => [
                    `${word} helmrelease -n kof kof-storage`,
                    `${word} serviceset -n kcm-system mgmt`,
                ]),
            );
            const small = cluster({ isLarge: false });
            await assert.rejects(small.grow(), /Not large yet/);
            assert.deepEqual(small.state, running);
        });

        it("has the first go on when the second may not be paused", async () => {
            const { grow, state } = cluster({ refuses: (path, body) => path === set && body.includes('"true"') });
            await assert.rejects(grow(), {
                name: "UserError",
                message: /^The API server refuses .*servicesets\/mgmt: forbidden$/,
            });
            assert.deepEqual(state, running);
        });

        it("does not say that something is paused which may be changed in no way", async () => {
            const { grow, state, said } = cluster({ refuses: (path) => path === set });
            await assert.rejects(grow(), {
                name: "UserError",
                message: /^The API server refuses .*servicesets\/mgmt: forbidden$/,
            });
            assert.deepEqual(state, running);
            assert.ok(said.includes("resumed helmrelease -n kof kof-storage"));
        });

        it("pauses nothing when it was stopped before", async () => {
            const { grow, said } = cluster({});
            await assert.rejects(grow({ signal: AbortSignal.abort() }), { name: "AbortError" });
            assert.deepEqual(said, []);
        });

        it("ends at once when it is stopped while the API server is away, before it pauses anything", async () => {
            const stopped = new AbortController();
            const { grow, said } = cluster({
                loses: (path) => {
                    if (path.includes("dryRun")) {
                        stopped.abort();
                    }
                    return stopped.signal.aborted;
                },
            });
            await assert.rejects(grow({ signal: stopped.signal }), { name: "AbortError" });
            assert.deepEqual(said, []);
        });

        it("has the second go on when the first may not, and says what is left to do", async () => {
            const { grow, state } = cluster({ refuses: (path, body) => path === release && body.includes("false") });
            await assert.rejects(grow(), {
                name: "UserError",
                message:
                    `Still paused. Let it go on by hand:\nThe API server refuses ${release}: forbidden\n` +
                    `  kubectl patch helmrelease -n kof kof-storage --type merge -p '{"spec":{"suspend":false}}'`,
            });
            assert.deepEqual(state, { [release]: true, [set]: false });
        });

        it("asks again where an answer is lost, also where somebody stops it meanwhile", async () => {
            const stopped = new AbortController();
            const asked: string[] = [];
            // Once what changes something, and once what is looked at while something is paused.
            const loses = (path: string, body: string) => {
                const isPaused = asked.some((each) => each.includes("true"));
                const key = [path, body, isPaused].join();
                const isFirst = !asked.includes(key);
                asked.push(key);
                if (body.includes("false")) {
                    stopped.abort();
                }
                return isFirst && (body !== "" || (path.includes("claims") && isPaused));
            };
            const { grow, state, said } = cluster({
                loses: (path, body) => !path.includes("dryRun") && loses(path, body),
            });
            await grow({ outage: 10_000, signal: stopped.signal });
            assert.deepEqual(state, running);
            assert.deepEqual(said.slice(-2), [
                "resumed helmrelease -n kof kof-storage",
                "resumed serviceset -n kcm-system mgmt",
            ]);
        });

        it("gives up on an API server that does not come back, and says what is left to do of all that it may have paused", async () => {
            const { grow, said } = cluster({ loses: (path, body) => path === set && body !== "" });
            await assert.rejects(grow(), {
                name: "UserError",
                message:
                    "The API server does not answer: socket hang up\nStill paused. Let it go on by hand:\n" +
                    "The API server does not answer: socket hang up\n" +
                    `  kubectl patch serviceset -n kcm-system mgmt --type merge -p '{"metadata":{"annotations":{"${annotation}":null}}}'`,
            });
            assert.equal(said.at(-1), "resumed helmrelease -n kof kof-storage");
            let asked = 0;
            const gone = cluster({ loses: (path, body) => path === release && body.includes("false") && ++asked > 0 });
            await assert.rejects(gone.grow(), /Still paused[^]*kubectl patch helmrelease -n kof kof-storage/);
            assert.deepEqual(gone.state, { [release]: true, [set]: false });
            assert.equal(asked, 1, "no sooner than the server says");
        });

        it("leaves paused what somebody else had paused", async () => {
            const { grow, state, said } = cluster({ paused: [release, set] });
            await grow();
            assert.deepEqual(state, { [release]: true, [set]: true });
            assert.ok(said.includes("helmrelease -n kof kof-storage was paused already, and stays so"));
        });

        it("has them go on when somebody stops it while the driver works", async () => {
            const { grow, state, said } = cluster({ isLarge: false });
            const stopped = new AbortController();
            const grown = grow({ patience: 60_000, signal: stopped.signal });
            setTimeout(() => {
                stopped.abort();
            }, 50);
            await assert.rejects(grown, { name: "AbortError" });
            assert.deepEqual(state, running);
            assert.ok(said.includes("resumed serviceset -n kcm-system mgmt"));
        });
    });

    it("does not wait for a StatefulSet that its controller has recreated", async () => {
        const sets = [
            {
                metadata: { name: "x", uid: "old" },
                spec: { volumeClaimTemplates: [{ metadata: { name: "vlstorage-volume" } }] },
            },
        ];
        const storage = "100Gi";
        const api = {
            get: (path: string) =>
                Promise.resolve(
                    path.includes("claims")
                        ? { spec: { resources: { requests: { storage } } }, status: { capacity: { storage } } }
                        : path.includes("statefulsets/")
                          ? { metadata: { name: "x", uid: "new" } }
                          : undefined,
                ),
            list: (path: string) => Promise.resolve(path.endsWith("statefulsets") ? sets : []),
            request: () => Promise.resolve({ status: 200, body: "{}" }),
        };
        const said: string[] = [];
        sets[0]!.metadata.name = claimNames(volume.workload, 0, 1)[0]!
            .replace("vlstorage-volume-", "")
            .replace(/-0$/, "");
        await growVolumes(api as unknown as Kubernetes, volume, "100Gi", {
            patience: 0,
            say: (step) => said.push(step),
        });
        assert.match(said.join("\n"), /StatefulSet \S+ deleted/);
    });

    it("says how it is used", async () => {
        for (const [wrong, ...words] of [
            ["--signal is missing.\n--size is missing."],
            ["--size is missing.", "--signal", "logs"],
            ["--size 100GB is no quantity of Kubernetes. Write 200Gi.", "--signal", "logs", "--size", "100GB"],
        ]) {
            const { status, stderr } = await commandHere("grow", words);
            assert.equal(status, 1);
            assert.equal(stderr.split("Usage: npm run grow -- --stack NAME --signal logs")[0], `${String(wrong)}\n\n`);
        }
    });
});

describe("docs/storage.md", () => {
    it("has the headings that the program refers to", () => {
        const anchors = fs
            .readFileSync("docs/storage.md", "utf8")
            .split("\n")
            .filter((line) => line.startsWith("#"))
            .map((line) => line.replace(/^#+ /, "").toLowerCase().replaceAll(" ", "-"));
        const sources = fs
            .readdirSync("core/review/plan")
            .map((file) => fs.readFileSync(`core/review/plan/${file}`, "utf8"));
        const referred = sources.flatMap((text) =>
            [...text.matchAll(/docs\/storage\.md#([\w-]+)/g)].map(([, at]) => at!),
        );
        assert.ok(referred.length >= 2);
        for (const anchor of referred) {
            assert.ok(anchors.includes(anchor), anchor);
        }
    });
});
