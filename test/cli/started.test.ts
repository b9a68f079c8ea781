import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";

import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { GetRootResourceResponse, type LogRequest, SetRootResourceResponse } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import {
    RegisterResourceResponse,
    type RegisterResourceRequest,
    SupportsFeatureResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { parse } from "yaml";

import { answer, bound } from "../../tools/engine/providers/server";

const severities = ["debug", "info", "warning", "error"];

/** What an engine is told by a program that it starts as Pulumi's language host does, and what the program prints. */
async function started(program: string): Promise<{ readonly messages: string[]; readonly printed: any }> {
    const messages: string[] = [];
    const engine = new grpc.Server();
    engine.addService(EngineService, {
        log: answer((request: LogRequest) => {
            messages.push(`${severities[request.getSeverity()]!}: ${request.getMessage()}`);
            return new Empty();
        }),
        getRootResource: answer(() => new GetRootResourceResponse()),
        setRootResource: answer(() => new SetRootResourceResponse()),
    });
    engine.addService(ResourceMonitorService, {
        supportsFeature: answer(() => new SupportsFeatureResponse().setHassupport(true)),
        registerResource: answer((request: RegisterResourceRequest) =>
            new RegisterResourceResponse().setUrn(`urn:pulumi:s::p::${request.getType()}::${request.getName()}`),
        ),
        registerResourceOutputs: answer(() => new Empty()),
        signalAndWaitForShutdown: answer(() => {
            messages.push("end");
            return new Empty();
        }),
    });
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-started-"));
    try {
        const address = `127.0.0.1:${String(await bound(engine))}`;
        fs.writeFileSync(path.join(folder, "index.js"), program);
        fs.writeFileSync(path.join(folder, "package.json"), "{}");
        fs.symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"));
        const project = parse(fs.readFileSync("Pulumi.yaml", "utf8")) as { runtime: { options: { nodeargs: string } } };
        const { stdout, stderr } = await promisify(execFile)(
            process.execPath,
            [
                ...[...project.runtime.options.nodeargs.split(" "), "node_modules/@pulumi/pulumi/cmd/run"],
                ...[
                    "--monitor",
                    address,
                    "--engine",
                    address,
                    "--project",
                    "p",
                    "--stack",
                    "s",
                    "--pwd",
                    folder,
                    folder,
                ],
            ],
            { env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" } },
        );
        assert.equal(stderr, "");
        return { messages, printed: JSON.parse(stdout) };
    } finally {
        engine.forceShutdown();
        fs.rmSync(folder, { recursive: true });
    }
}

describe("A program that Pulumi starts", () => {
    let seen: Awaited<ReturnType<typeof started>>;

    before(async () => {
        seen = await started(`
            const pulumi = require("@pulumi/pulumi");
            module.exports = async () => {
                const names = ["a", "b"].map((name) => new pulumi.ComponentResource("kof:test:Part", name, {}));
                await pulumi.log.debug("first");
                pulumi.log.debug("second");
                pulumi.log.info("third");
                pulumi.log.debug("fourth");
                await pulumi.log.debug("of a part", names[0]);
                pulumi.log.debug("last");
                const serialized = await pulumi.runtime.serializeFunction(() => names.length);
                console.log(JSON.stringify({
                    of: [pulumi.getProject(), pulumi.getStack()],
                    heavy: [process.versions.node, ...before],
                    serialized: /names.length/.test(serialized.text),
                }));
            };
            const before = [
                ...process.moduleLoadList.filter((each) => each === "NativeModule inspector"),
                ...Object.values(require.cache).flatMap(({ filename }) =>
                    /node_modules.(source-map|typescript|@npmcli.arborist)\\b/.exec(filename)?.[0] ?? []),
            ];`);
    });

    it("knows its stack, and has loaded nothing with which Pulumi puts functions into its state or maps stack traces", () => {
        assert.deepEqual(seen.printed, { of: ["p", "s"], heavy: [process.versions.node], serialized: true });
    });

    it("tells the engine all of its steps, several at once and in their order", () => {
        assert.equal(seen.messages.at(-1), "end");
        const debug = seen.messages.filter((each) => each.startsWith("debug: "));
        const lines = debug.flatMap((each) => each.slice("debug: ".length).split("\n"));
        assert.ok(debug.length < lines.length / 2, `${String(debug.length)} messages of ${String(lines.length)} lines`);
        for (const name of ["a", "b"]) {
            assert.ok(lines.some((line) => line.startsWith(`Registering resource: t=kof:test:Part, name=${name}`)));
        }
        assert.match(lines.at(-1)!, /^RegisterResourceOutputs RPC finished: urn=\S+pulumi:pulumi:Stack::p-s/);
        const order = seen.messages
            .flatMap((each) => each.split("\n"))
            .map((line) => line.replace(/^\w+: /, ""))
            .filter((line) => /^(first|second|third|fourth|of a part|last)$/.test(line));
        assert.deepEqual(order, ["first", "second", "third", "fourth", "of a part", "last"]);
    });
});
