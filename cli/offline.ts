import * as pulumi from "@pulumi/pulumi";
import type { ReadResourceRequest, RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import * as runtimeState from "@pulumi/pulumi/runtime/state";

import { bucketArnOf, logGroupArn } from "../core/lib/arns";
import { UserError } from "../core/lib/errors";
import type { Cluster, Connect } from "../stacks/place";
import type { StackFile } from "./stackFile";

// Exported but not declared.
const runtime = runtimeState as unknown as { getStore: () => { supportsTransforms: boolean } };

/** A resource that the program declared. */
export interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    readonly parent: string;
    /** Whether it is only read, because something else made it. */
    readonly read: boolean;
    readonly inputs: Readonly<Record<string, unknown>>;
    /** URNs of what comes first. */
    readonly dependencies: readonly string[];
    readonly provider: string;
    /** Everything that the program says of it, its options among that. */
    readonly request: ResourceRequest;
}

/** The result of running the program. */
export interface OfflineRun {
    readonly resources: readonly Resource[];
    readonly outputs: Readonly<Record<string, unknown>>;
    /** What the program said, as `warning: …` or `info: …`. */
    readonly messages: readonly string[];
}

/** A Pulumi program: what it returns are the stack's outputs. It reaches the cluster by what it is given. */
type Program = (stackFile: string, connect: Connect) => unknown;

/** Stands for what AWS or the engine will only know later. */
export const secretPlaceholder = "[secret]";

/** How to run a program. */
export interface RunOptions {
    /** Whether the program runs as in a preview. */
    readonly preview: boolean;
    /** The outputs of the stack's last deployment. Default: there was none. */
    readonly outputs?: Readonly<Record<string, unknown>>;
    /** The cluster. Default: nothing may be contacted. */
    readonly cluster?: Cluster;
    /** Further outputs of a resource from its provider, by the resource's name. */
    readonly state?: Readonly<Record<string, object>>;
    /** What providers answer to a function, by its token. Default: that nothing is there yet. */
    readonly answers?: Readonly<Record<string, (inputs: Readonly<Record<string, unknown>>) => object>>;
}

/**
 * Runs a Pulumi program in this process, without an engine, providers, a cluster or a network.
 *
 * @throws UserError for what the program refuses.
 */
export async function runProgram(program: Program, stackFile: StackFile, options: RunOptions): Promise<OfflineRun> {
    const resources: Resource[] = [];
    const messages: string[] = [];
    const silenced = silenceLog(messages);
    // Pulumi takes a stack trace of every promise, which is a third of a run. Where something failed is in the first line.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 1;
    try {
        await pulumi.runtime.setMocks(
            { newResource: newResource(options), call: answer(options) },
            "kof",
            stackFile.stack,
            options.preview,
            "organization",
        );
        recordInto(resources);
        // Mocks know nothing of transforms, and would refuse a program that has any.
        runtime.getStore().supportsTransforms = true;
        pulumi.runtime.setAllConfig({ ...stackFile.config }, [...stackFile.secretKeys]);
        // An error thrown within the stack would appear a second time, as an unhandled rejection.
        let failure: Error | undefined;
        const outputs = (await pulumi.runtime.runInPulumiStack(async () => {
            try {
                return (await program(stackFile.file, () => Promise.resolve(options.cluster))) as object;
            } catch (error) {
                failure = error instanceof Error ? error : new Error(String(error));
                return {};
            }
        })) as Record<string, unknown>;
        await pulumi.runtime.disconnect();
        if (failure) {
            throw failure instanceof pulumi.RunError ? new UserError(failure.message) : failure;
        }
        return { resources, outputs: await resolvedOutputs(outputs), messages };
    } finally {
        Error.stackTraceLimit = stackTraceLimit;
        silenced.restore();
    }
}

/** The values of outputs. Through `apply` a rejected or unknown output would never come, and the run would hang. */
function resolvedOutputs(outputs: Record<string, unknown>): Promise<Record<string, unknown>> {
    return (pulumi.output(outputs) as unknown as { promise(): Promise<Record<string, unknown>> }).promise();
}

/** The program's messages, which without an engine would go to the console. */
function silenceLog(messages: string[]): { restore: () => void } {
    const original = { info: pulumi.log.info, warn: pulumi.log.warn };
    const log = pulumi.log as { info: typeof pulumi.log.info; warn: typeof pulumi.log.warn };
    const record = (severity: string) => (message: string) => {
        messages.push(`${severity}: ${message}`);
        return Promise.resolve();
    };
    Object.assign(log, { info: record("info"), warn: record("warning") });
    return { restore: () => Object.assign(log, original) };
}

function newResource({ outputs = {}, state = {} }: RunOptions): pulumi.runtime.Mocks["newResource"] {
    return ({ type, name, inputs, id }) => {
        const given = inputs as Record<string, unknown>;
        const known = type === "pulumi:pulumi:StackReference" ? { outputs } : computed(type, name, given);
        // An import that was not asked for comes as an empty string.
        return {
            id: id === undefined || id === "" ? `${name}-id` : id,
            state: { ...given, ...known, ...state[name] },
        };
    };
}

/** What providers add to the inputs, as far as the program uses it. */
function computed(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
    switch (type) {
        case "aws:cloudwatch/logGroup:LogGroup":
            return { arn: logGroupArn(String(inputs.region), "ACCOUNT", String(inputs.name)) };
        case "aws:iam/user:User":
            return { name };
        case "aws:iam/role:Role":
            return { name, arn: "ARN of the role", ...inputs };
        case "aws:s3/bucket:Bucket":
            return { arn: bucketArnOf(String(inputs.region), String(inputs.bucket)) };
        case "aws:iam/accessKey:AccessKey":
            // AWS knows when it made a key. Offline none is made.
            return { secret: pulumi.secret(secretPlaceholder), createDate: "made with pulumi up" };
        case "random:index/randomPassword:RandomPassword":
            return { result: pulumi.secret(secretPlaceholder) };
        default:
            return {};
    }
}

/** Nothing is contacted, so nothing is there yet. */
const nothingThere: RunOptions["answers"] = {
    "aws:cloudwatch/getLogGroups:getLogGroups": () => ({ arns: [], logGroupNames: [] }),
    // Neither there nor not: a stack may be told that its bucket exists.
    "aws:s3/getBucket:getBucket": () => ({}),
};

function answer({ answers }: RunOptions): pulumi.runtime.Mocks["call"] {
    const all = { ...nothingThere, ...answers };
    return ({ token, inputs }) => {
        const found = all[token];
        if (!found) {
            throw new Error(`The program calls ${token}, which has no answer offline.`);
        }
        return found(inputs as Record<string, unknown>);
    };
}

/** A request to register a resource, or one to read it, which has no options. */
type ResourceRequest = Pick<ReadResourceRequest, "getType" | "getName" | "getParent" | "getProvider"> &
    Pick<ReadResourceRequest, "getDependenciesList"> &
    Partial<Pick<ReadResourceRequest, "getProperties"> & RegisterResourceRequest>;

type Callback = (error: unknown, response: { getUrn(): string } | undefined) => void;
type Register = (request: ResourceRequest, callback: Callback) => Promise<void>;

/** Pulumi's mocks receive neither parents nor options, so these are read from the requests. The mocks have no hooks. */
function recordInto(resources: Resource[]): void {
    const monitor = pulumi.runtime.getMonitor() as unknown as {
        registerResource: Register;
        readResource: Register;
        registerResourceHook?: (request: unknown, callback: (error: unknown) => void) => void;
    };
    monitor.registerResourceHook = (_, callback) => {
        callback(null);
    };
    for (const method of ["registerResource", "readResource"] as const) {
        const original = monitor[method].bind(monitor);
        monitor[method] = (request, callback) =>
            original(request, (error, response) => {
                if (response) {
                    resources.push({
                        urn: response.getUrn(),
                        type: request.getType(),
                        name: request.getName(),
                        parent: request.getParent(),
                        read: method === "readResource",
                        inputs: (request.getObject?.() ?? request.getProperties?.())?.toJavaScript() ?? {},
                        dependencies: request.getDependenciesList(),
                        provider: request.getProvider(),
                        request,
                    });
                }
                callback(error, response);
            });
    }
}
