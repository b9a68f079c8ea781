import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { GetRootResourceResponse, SetRootResourceResponse } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import {
    RegisterResourceResponse,
    type RegisterResourceRequest,
    SupportsFeatureResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { parse } from "yaml";

import { bound, unaryMethod } from "../../tools/engine/providers/server";

/**
 * What a program prints that is started as Pulumi's language host does, by an engine that takes everything.
 *
 * @param tracing the URL that is told of spans. Default: none.
 */
async function printedBy(program: string, tracing?: string): Promise<unknown> {
    const engine = new grpc.Server();
    engine.addService(EngineService, {
        log: unaryMethod(() => new Empty()),
        getRootResource: unaryMethod(() => new GetRootResourceResponse()),
        setRootResource: unaryMethod(() => new SetRootResourceResponse()),
    });
    engine.addService(ResourceMonitorService, {
        supportsFeature: unaryMethod(() => new SupportsFeatureResponse().setHassupport(true)),
        registerResource: unaryMethod((request: RegisterResourceRequest) =>
            new RegisterResourceResponse().setUrn(`urn:pulumi:s::p::${request.getType()}::${request.getName()}`),
        ),
        registerResourceOutputs: unaryMethod(() => new Empty()),
        signalAndWaitForShutdown: unaryMethod(() => new Empty()),
    });
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-started-"));
    try {
        const address = `127.0.0.1:${String(await bound(engine))}`;
        fs.writeFileSync(path.join(folder, "index.js"), program);
        fs.writeFileSync(path.join(folder, "package.json"), "{}");
        fs.symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"));
        const project = parse(fs.readFileSync("Pulumi.yaml", "utf8")) as { runtime: { options: { nodeargs: string } } };
        const args = [
            ...project.runtime.options.nodeargs.split(" "),
            "node_modules/@pulumi/pulumi/cmd/run",
            ...["--monitor", address, "--engine", address, "--project", "p", "--stack", "s", "--pwd", folder],
            ...(tracing === undefined ? [] : ["--tracing", tracing]),
            folder,
        ];
        // Pulumi traces a program only then.
        const env = { ...process.env, PULUMI_EXPERIMENTAL: tracing === undefined ? "" : "true" };
        const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env });
        assert.equal(stderr, "");
        return JSON.parse(stdout);
    } finally {
        engine.forceShutdown();
        fs.rmSync(folder, { recursive: true });
    }
}

describe("A program that Pulumi starts", () => {
    const loaded = `[
        ...process.moduleLoadList.filter((each) => each === "NativeModule inspector"),
        ...new Set(Object.values(require.cache).flatMap(({ filename }) =>
            /node_modules.(source-map|typescript|@npmcli.arborist|normalize-package-data|@opentelemetry.(?!api\\b)[^/]+|@pulumi.pulumi.automation)\\b/
                .exec(filename)?.[0] ?? [])),
    ]`;

    it("knows its stack, and has loaded nothing of Pulumi's that it does not need, but has it when it asks", async () => {
        const printed = await printedBy(`
            const pulumi = require("@pulumi/pulumi");
            module.exports = async () => {
                const part = new pulumi.ComponentResource("kof:test:Part", "a", {});
                const serialized = await pulumi.runtime.serializeFunction(() => before.length);
                console.log(JSON.stringify({
                    of: [pulumi.getProject(), pulumi.getStack(), await new Promise((resolve) => part.urn.apply(resolve))],
                    unneeded: before,
                    serialized: /before.length/.test(serialized.text),
                    automation: [typeof pulumi.automation.LocalWorkspace.createStack, "Stack" in { ...pulumi.automation }],
                }));
            };
            const before = ${loaded};`);
        const urn = "urn:pulumi:s::p::kof:test:Part::a";
        assert.deepEqual(printed, {
            of: ["p", "s", urn],
            unneeded: [],
            serialized: true,
            automation: ["function", true],
        });
    });

    it("is traced where the engine asks for it", async () => {
        const spans: string[] = [];
        const collector = http.createServer((request, response) => {
            void text(request).then((body) => {
                spans.push(...(JSON.parse(body) as { name: string }[]).map(({ name }) => name));
                response.end();
            });
        });
        await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
        const { port } = collector.address() as AddressInfo;
        try {
            await printedBy("console.log(1);", `http://127.0.0.1:${String(port)}`);
            assert.ok(
                spans.some((name) => name.startsWith("language-runtime.")),
                String(spans),
            );
        } finally {
            collector.close();
        }
    });
});
