import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { exportChecks } from "../../live/collectors";
import { runCheck, type Live } from "../../live/findings";
import { Kubernetes } from "../../live/kubernetes";
import { releases } from "../../live/releases";
import { workloads } from "../../live/workloads";
import { HttpStandIn, type Reply } from "../../tools/servers/standins";
import { deploymentFor, routes } from "../support";

const pods = Array.from({ length: 1500 }, (_, i) => ({
    metadata: {
        name: `daemon-${String(i)}`,
        labels: {
            "app.kubernetes.io/component": "opentelemetry-collector",
            "app.kubernetes.io/instance": "kof.kof-collectors-daemon",
        },
    },
    status: { phase: "Running" },
}));
const tooMany = (after: string): Reply => [429, "", { "retry-after": after }];
const unreachable: Reply = [
    503,
    JSON.stringify({ kind: "Status", message: "error trying to reach service: connection refused" }),
];

describe("a cluster of many nodes", () => {
    let server: HttpStandIn;
    let asked: string[];
    let nodes: number;
    let [underWay, most] = [0, 0];
    let answer: (path: string, times: number) => Reply | undefined;

    before(async () => {
        server = await HttpStandIn.start(async ({ url: { pathname } }) => {
            asked.push(pathname);
            most = Math.max(most, ++underWay);
            await sleep(20);
            underWay -= 1;
            const own = answer(pathname, asked.filter((each) => each === pathname).length);
            const list = pathname.endsWith("/pods")
                ? [200, JSON.stringify({ items: pods.slice(0, nodes) })]
                : undefined;
            return own ?? (list as Reply | undefined) ?? [/\/(metrics|log)$/.test(pathname) ? 200 : 404];
        });
    });
    beforeEach(() => {
        // As many as a case takes to show what it shows.
        [asked, underWay, most, nodes] = [[], 0, 0, 300];
        answer = () => undefined;
    });
    after(() => server.stop());

    /** What the checks find, side by side as doctor has them. */
    const findings = async (checks: readonly (typeof exportChecks)[number][]) => {
        const endpoint = `http://127.0.0.1:${String(server.port)}`;
        const live: Live = {
            deployment: deploymentFor({ ...routes.management, version: "1.10.0" }),
            kubernetes: new Kubernetes({
                cluster: { name: "test", server: endpoint, skipTLSVerify: false },
            }).snapshot(),
            aws: {},
        };
        const results = await Promise.all(checks.map((check) => runCheck(check, live)));
        return results.flatMap((result) => result.findings.map(({ what }) => what));
    };

    it("has each collector asked twice, many side by side but not all", async () => {
        nodes = 1500;
        assert.deepEqual(await findings(exportChecks), []);
        // Its list, its resource, and of each pod the metrics and the log: at 200 ms each, 50 side by side take 12 seconds.
        assert.equal(asked.length, 1 + 1 + 2 * nodes);
        assert.equal(most, 50);
    });

    it("has asked again what the server had no time for", async () => {
        answer = (path, times) => (/[05]\//.test(path) && times === 1 ? tooMany("0") : undefined);
        assert.deepEqual(await findings(exportChecks), []);
        assert.ok(asked.length > 2 + 2 * nodes);
        assert.ok(most <= 50);
    });

    it("does not wait long for each unreachable pod", async () => {
        answer = (path) => (/[13579]\/proxy\/metrics$|[13579]:8888\//.test(path) ? unreachable : undefined);
        const found = await findings(exportChecks);
        assert.equal(found.length, nodes / 2);
        assert.match(found[0] ?? "", /^could not check: metrics of pod daemon-1 \(port 8888\): HTTP 503$/);
        assert.equal(asked.length, 2 + 2 * nodes);
    });

    it("does not wait for each of them while the server is overloaded", async () => {
        answer = (path) => (path.endsWith("/log") ? tooMany("8") : undefined);
        const [, files] = exportChecks;
        assert.equal((await findings([files!])).length, nodes);
        // The first 50 waited, and were asked once more.
        assert.equal(asked.length, 1 + nodes + 50);
    }).timeout(60_000);

    it("has each object read once, however many checks want it", async () => {
        const namespace = JSON.stringify({ status: { phase: "Active" } });
        answer = (path) => (path.endsWith("/namespaces/kof") ? [200, namespace] : undefined);
        await findings([...releases, ...workloads]);
        assert.deepEqual(
            asked.filter((path, i) => asked.indexOf(path) !== i && !path.endsWith("/log")),
            [],
        );
        assert.ok(asked.some((path) => path.includes("helmreleases/kof-child")));
    });
});
