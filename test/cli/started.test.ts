import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
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

/** What a program prints that is started as Pulumi's language host does, by an engine that takes everything. */
async function printedBy(program: string): Promise<unknown> {
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
        const { stdout, stderr } = await promisify(execFile)(process.execPath, [
            ...project.runtime.options.nodeargs.split(" "),
            "node_modules/@pulumi/pulumi/cmd/run",
            ...["--monitor", address, "--engine", address, "--project", "p", "--stack", "s", "--pwd", folder],
            folder,
        ]);
        assert.equal(stderr, "");
        return JSON.parse(stdout);
    } finally {
        engine.forceShutdown();
        fs.rmSync(folder, { recursive: true });
    }
}

describe("A program that Pulumi starts", () => {
    it("knows its stack, and has loaded nothing with which Pulumi puts functions into its state or maps stack traces", async () => {
        const printed = await printedBy(`
            const pulumi = require("@pulumi/pulumi");
            module.exports = async () => {
                const part = new pulumi.ComponentResource("kof:test:Part", "a", {});
                const serialized = await pulumi.runtime.serializeFunction(() => before.length);
                console.log(JSON.stringify({
                    of: [pulumi.getProject(), pulumi.getStack(), await new Promise((resolve) => part.urn.apply(resolve))],
                    heavy: before,
                    serialized: /before.length/.test(serialized.text),
                }));
            };
            const before = [
                ...process.moduleLoadList.filter((each) => each === "NativeModule inspector"),
                ...Object.values(require.cache).flatMap(({ filename }) =>
                    /node_modules.(source-map|typescript|@npmcli.arborist)\\b/.exec(filename)?.[0] ?? []),
            ];`);
        const urn = "urn:pulumi:s::p::kof:test:Part::a";
        assert.deepEqual(printed, { of: ["p", "s", urn], heavy: [], serialized: true });
    });
});
