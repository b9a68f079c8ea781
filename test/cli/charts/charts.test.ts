import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { helm } from "../../../cli/charts/helm";
import { collectorsOfCharts } from "../../../cli/charts/collectors";
import { compareCollectors } from "../../../cli/charts/compare";
import { effectiveCollectors } from "../../../core/collectors/effective";
import { commandHere, deploymentFor, routes } from "../../support";

describe("collectors from the real charts", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "charts-test-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    function writeCharts(version: string): void {
        for (const name of ["kof", "kof-child", "kof-regional", "kof-collectors"]) {
            fs.mkdirSync(path.join(folder, name));
            fs.writeFileSync(path.join(folder, name, "Chart.yaml"), `name: ${name}\nversion: ${version}`);
        }
    }

    it("need each chart, of the stack's version", async () => {
        const deployment = deploymentFor({ ...routes.management, version: "1.10.0" });
        await assert.rejects(collectorsOfCharts(deployment, folder), {
            name: "UserError",
            message: new RegExp(
                `${folder} has no chart kof \\(there is no .*\\)\\. Get each of kof, kof-child, kof-regional, kof-collectors with\n {2}helm pull --untar`,
            ),
        });
        writeCharts("1.10.0");
        fs.writeFileSync(path.join(folder, "kof-child/Chart.yaml"), "name: kof-child\nversion: 1.9.0");
        await assert.rejects(
            collectorsOfCharts(deployment, folder),
            /kof-child is of version 1\.9\.0, but the stack is on KOF 1\.10\.0\.$/,
        );
    });

    it("need Helm, and say how to get it", async () => {
        writeCharts("1.10.0");
        const options = [
            "--config",
            "examples/Pulumi.management.yaml",
            "--chart",
            folder,
            "--out",
            path.join(folder, "out"),
        ];
        const { status, stdout, stderr } = await commandHere("render", options, {
            env: { HELM: "/nowhere/helm" },
        });
        assert.deepEqual([status, stdout], [1, ""]);
        assert.equal(
            stderr,
            "/nowhere/helm was not found. Install Helm 3 (https://helm.sh/docs/intro/install/), or name it: HELM=/path/to/helm\n",
        );
        assert.equal(fs.existsSync(path.join(folder, "out")), false);
    });

    it("pass on what Helm complains of", async () => {
        const before = process.env.HELM;
        process.env.HELM = process.execPath;
        await assert.rejects(helm(["-e", "console.error('Error: no'); process.exit(2)"]), {
            name: "UserError",
            message: /failed:\nError: no$/,
        });
        assert.equal(await helm(["-e", "process.stdin.pipe(process.stdout)"], "values"), "values");
        if (before === undefined) {
            delete process.env.HELM;
        } else {
            process.env.HELM = before;
        }
    });

    it("are read as Kubernetes reads what Helm writes", async () => {
        writeCharts("1.9.0");
        const release =
            "{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: kof-collectors}, spec: {}}";
        const collector =
            "{apiVersion: opentelemetry.io/v1beta1, kind: OpenTelemetryCollector, metadata: {name: kof-collectors-daemon}, " +
            'spec: {mode: daemonset, env: [], config: {unquoted: [no, 010, 1_000], quoted: ["no", "010"]}}}';
        const file = path.join(folder, "helm");
        const script = `const of = {kof: ${JSON.stringify(release)}, "kof-collectors": ${JSON.stringify(collector)}};\nconsole.log(of[process.argv[3]] ?? "");`;
        fs.writeFileSync(file, `#!${process.execPath}\n${script}\n`, { mode: 0o755 });
        const before = process.env.HELM;
        process.env.HELM = file;
        try {
            const [found] = await collectorsOfCharts(deploymentFor({ ...routes.management, version: "1.9.0" }), folder);
            assert.deepEqual(found!.config, { unquoted: [false, 8, 1000], quoted: ["no", "010"] });
        } finally {
            if (before === undefined) {
                delete process.env.HELM;
            } else {
                process.env.HELM = before;
            }
        }
    });

    it("are compared with those of the catalog value by value", () => {
        const ours = effectiveCollectors(deploymentFor({ ...routes.management, version: "1.10.0" }));
        assert.deepEqual(compareCollectors(ours, structuredClone(ours)), []);
        const [first, ...rest] = structuredClone(ours) as [any, ...any[]];
        first.config.processors.batch.timeout = "2s";
        first.config.exporters.more = {};
        first.env.pop();
        delete first.pods.volumes;
        const lines = compareCollectors(ours, [first, ...rest.slice(1)]);
        const of = (name: string) => `kof-collectors-cluster-stats: ${name}`;
        const queues = "/var/lib/otelcol/file_storage/exporters-cluster-stats";
        assert.deepEqual(lines, [
            of('env[PKI_PATH].name is "PKI_PATH" in the catalog, nothing in the charts'),
            of('env[PKI_PATH].value is "var/lib/k0s" in the catalog, nothing in the charts'),
            of('volumes[fs-exporters].name is "fs-exporters" in the catalog, nothing in the charts'),
            of(`volumes[fs-exporters].hostPath.path is "${queues}" in the catalog, nothing in the charts`),
            of('volumes[fs-exporters].hostPath.type is "DirectoryOrCreate" in the catalog, nothing in the charts'),
            of('config.processors.batch.timeout is "1s" in the catalog, "2s" in the charts'),
            of("config.exporters.more is nothing in the catalog, {} in the charts"),
            "kof-collectors-controller-k0s-daemon: only the catalog has it",
        ]);
    });
});
