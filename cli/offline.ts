import * as pulumi from "@pulumi/pulumi";

import { UserError } from "../errors";
import type { StackFile } from "./stackFile";

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
    readonly options: {
        readonly retainOnDelete: boolean;
        readonly deleteBeforeReplace: boolean;
        readonly replaceOnChanges: readonly string[];
    };
}

/** What came of running the program. */
export interface OfflineRun {
    readonly resources: readonly Resource[];
    readonly outputs: Readonly<Record<string, unknown>>;
    /** What the program said, as `warning: …` or `info: …`. */
    readonly messages: readonly string[];
}

/** A Pulumi program: what it returns are the stack's outputs. */
export type Program = (stackFile?: string) => unknown;

/** Stands for what AWS or the engine will only know later. */
export const secretPlaceholder = "[secret]";

/** How to run a program. */
export interface RunOptions {
    /** Whether the program is told that it runs for a preview. */
    readonly preview: boolean;
    /** The outputs of the stack's last deployment. Default: there was none. */
    readonly outputs?: Readonly<Record<string, unknown>>;
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
    try {
        await pulumi.runtime.setMocks(
            { newResource: newResource(options), call: refuseCall },
            "kof",
            stackFile.stack,
            options.preview,
            "organization",
        );
        recordInto(resources);
        pulumi.runtime.setAllConfig({ ...stackFile.config }, [...stackFile.secretKeys]);
        // Thrown within the stack, an error would come a second time as a rejection that nobody handles.
        let failure: Error | undefined;
        const outputs = (await pulumi.runtime.runInPulumiStack(async () => {
            try {
                return (await program(stackFile.file)) as object;
            } catch (error) {
                failure = error instanceof Error ? error : new Error(String(error));
                return {};
            }
        })) as Record<string, unknown>;
        await pulumi.runtime.disconnect();
        if (failure) {
            throw failure instanceof pulumi.RunError ? new UserError(failure.message) : failure;
        }
        return { resources, outputs: await resolve(outputs), messages };
    } finally {
        silenced.restore();
    }
}

/** The values of outputs. Through `apply` a rejected or unknown output would never come, and the run would hang. */
function resolve(outputs: Record<string, unknown>): Promise<Record<string, unknown>> {
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

function newResource({ outputs = {} }: RunOptions): pulumi.runtime.Mocks["newResource"] {
    return ({ type, name, inputs, id }) => {
        const given = inputs as Record<string, unknown>;
        const known = type === "pulumi:pulumi:StackReference" ? { outputs } : computed(type, given);
        // An import that was not asked for comes as an empty string.
        return { id: id === undefined || id === "" ? `${name}-id` : id, state: { ...given, ...known } };
    };
}

/** What providers add to the inputs, as far as the program uses it. */
function computed(type: string, inputs: Record<string, unknown>): Record<string, unknown> {
    switch (type) {
        case "aws:cloudwatch/logGroup:LogGroup":
            return { arn: `arn:aws:logs:${String(inputs.region)}:ACCOUNT:log-group:${String(inputs.name)}` };
        case "aws:iam/user:User":
            return { name: "cloudwatch" };
        case "aws:iam/accessKey:AccessKey":
            return { secret: pulumi.secret(secretPlaceholder) };
        case "random:index/randomPassword:RandomPassword":
            return { result: pulumi.secret(secretPlaceholder) };
        default:
            return {};
    }
}

function refuseCall({ token }: pulumi.runtime.MockCallArgs): never {
    throw new Error(`The program calls ${token}, which has no answer offline.`);
}

interface RegisterRequest {
    getType(): string;
    getName(): string;
    getParent(): string;
    getProvider(): string;
    getDependenciesList(): string[];
    getObject?(): { toJavaScript(): Record<string, unknown> } | undefined;
    getProperties?(): { toJavaScript(): Record<string, unknown> } | undefined;
    getRetainondelete?(): boolean;
    getDeletebeforereplace?(): boolean;
    getReplaceonchangesList?(): string[];
}

type Callback = (error: unknown, response: { getUrn(): string } | undefined) => void;
type Register = (request: RegisterRequest, callback: Callback) => Promise<void>;

/** Pulumi's mocks are told neither parents nor options, so they are taken from the requests themselves. */
function recordInto(resources: Resource[]): void {
    const monitor = pulumi.runtime.getMonitor() as unknown as { registerResource: Register; readResource: Register };
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
                        options: {
                            retainOnDelete: request.getRetainondelete?.() ?? false,
                            deleteBeforeReplace: request.getDeletebeforereplace?.() ?? false,
                            replaceOnChanges: request.getReplaceonchangesList?.() ?? [],
                        },
                    });
                }
                callback(error, response);
            });
    }
}
