import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stringify } from "yaml";

import { validateCollectors } from "../../cli/otelcol";
import { renderStack } from "../../cli/renderStack";
import { routes, stackFile } from "../support";

describe("render --otelcol", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "otelcol-test-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    /** Stands for a collector: a program that gets its arguments, configuration and environment. */
    function collector(body: string): string {
        const file = path.join(folder, "otelcol");
        const start = `#!${process.execPath}
            const fs = require("node:fs");
            const args = process.argv.slice(2);
            const text = fs.readFileSync(args.find((arg) => arg.startsWith("--config=")).slice(9), "utf8");`;
        fs.writeFileSync(file, `${start}\n${body}`, { mode: 0o755 });
        return file;
    }

    const files = (document: object) => ({ "summary.md": "", "collectors/x.yaml": stringify(document) });
    const sound = { env: [], config: { receivers: { nop: {} } } };

    it("says of each collector whether its configuration is accepted", async () => {
        const binary = collector(
            `if (args[0] !== "validate" || text.includes("ta-daemon")) { console.error("Error: no ta"); process.exit(1); }`,
        );
        const rendered = await renderStack(stackFile({ ...routes.management, version: "1.10.0" }));
        const { accepted, refused } = validateCollectors(binary, rendered);
        assert.deepEqual(
            accepted,
            ["cluster-stats", "controller-k0s-daemon", "daemon"].map((name) => `${name}: valid`),
        );
        assert.deepEqual(refused, ["ta-daemon: refused by otelcol\nError: no ta"]);
    });

    it("lays out the files that a node would have, and nothing that was not mounted", () => {
        const binary = collector(`
            const at = (name) => new RegExp(name + ": (\\\\S+)").exec(text)[1].replace("\${env:PKI}", process.env.PKI);
            const ok = fs.statSync(at("cert_file")).isFile() && fs.statSync(at("directory")).isDirectory() && at("other") === "/etc/other";
            process.exit(ok ? 0 : 1);`);
        const document = {
            env: [{ name: "PKI", value: "etc/pki" }],
            volumeMounts: [
                { name: "a", mountPath: "/hostfs" },
                { name: "b", mountPath: "/var/fs" },
            ],
            config: {
                tls: { cert_file: "/hostfs/${env:PKI}/ca.crt" },
                store: { directory: "/var/fs/q" },
                other: "/etc/other",
            },
        };
        assert.deepEqual(validateCollectors(binary, files(document)), { accepted: ["x: valid"], refused: [] });
        assert.deepEqual(
            fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith("otelcol-x")),
            [],
        );
    });

    it("gives it the collector's environment and feature gates, and none of ours", () => {
        const binary = collector(`
            const { TOKEN, NODE, HOME } = process.env;
            process.exit(TOKEN === "placeholder" && NODE === "127.0.0.1" && HOME === undefined && args.includes("--feature-gates=-x") ? 0 : 1);`);
        const env = [
            { name: "TOKEN", valueFrom: { secretKeyRef: { name: "a", key: "b" } } },
            { name: "NODE", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
        ];
        assert.deepEqual(
            validateCollectors(binary, files({ ...sound, env, args: { "feature-gates": "-x" } })).refused,
            [],
        );
    });

    it("stands in for the cluster: numbers that Go reads, Kubernetes' address, and no token that is not there", () => {
        const binary = collector(`
            const { GOMEMLIMIT, KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT } = process.env;
            const ok = [GOMEMLIMIT, KUBERNETES_SERVICE_PORT].every((text) => /^\\d+$/.test(text)) && KUBERNETES_SERVICE_HOST;
            process.exit(ok && text.match(/auth_type: none/g).length === 2 && !text.includes("serviceAccount") ? 0 : 1);`);
        const config = {
            receivers: { kubeletstats: { auth_type: "serviceAccount" } },
            processors: { resourcedetection: { detectors: ["env", "k8snode"] }, other: { detectors: ["env"] } },
        };
        assert.deepEqual(validateCollectors(binary, files({ ...sound, config })).refused, []);
    });

    it("tries again without feature gates that its version does not have, and says so", () => {
        const complaint = `invalid argument: feature gate "x" is stable, can not be disabled`;
        const binary = collector(
            `if (args.some((arg) => arg.includes("gates"))) { console.error(${JSON.stringify(complaint)}); process.exit(1); }`,
        );
        const { accepted } = validateCollectors(binary, files({ ...sound, args: { "feature-gates": "-x" } }));
        assert.deepEqual(accepted, [
            `x: valid, without its feature gates (feature gate "x" is stable, can not be disabled)`,
        ]);
    });

    it("says that there is no such collector", () => {
        assert.throws(() => validateCollectors("/nowhere/otelcol", files(sound)), {
            name: "UserError",
            message: "/nowhere/otelcol cannot be run (ENOENT).",
        });
    });
});
