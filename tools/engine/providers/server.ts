import { isDeepStrictEqual } from "node:util";

import * as grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** Inputs or outputs of a resource, arguments or the answer of a function. */
export type Properties = Readonly<Record<string, any>>;

/** What a provider does for the resources of one type. A resource's outputs are its inputs and what is computed. */
export interface ResourceType {
    /** Inputs that cannot be changed in place. */
    readonly replaces: readonly string[];
    /** Inputs that the provider works out where the program leaves them out, so that leaving them out changes nothing. Default: none. */
    readonly computed?: readonly string[];
    /** Whether a resource gets a name of its own, after its name in the program, where the program gives none. */
    readonly autonamed?: boolean;
    create(inputs: Properties): Promise<{ readonly id: string; readonly computed: Properties }>;
    /** What is there now, for `refresh` and imports; `undefined` when it is gone. @param before the outputs so far, none for an import. */
    read(
        id: string,
        before: Properties,
    ): Promise<{ readonly inputs: Properties; readonly computed: Properties } | undefined>;
    update(id: string, inputs: Properties, before: Properties): Promise<void>;
    /** Whatever is gone already is fine. */
    delete(id: string, outputs: Properties): Promise<void>;
}

/** A Pulumi provider. */
export interface Provider {
    /** That of the SDK whose provider it stands for: the engine compares them. */
    readonly version: string;
    readonly resources: Readonly<Record<string, ResourceType>>;
    readonly functions: Readonly<Record<string, (args: Properties) => Promise<Properties>>>;
    /** Takes the configuration of the provider, before anything else is asked. */
    configure?(config: Properties): void;
}

/**
 * Serves a provider at the port in this process's argument, to every engine that PULUMI_DEBUG_PROVIDERS leads here, until the process
 * ends. A provider that each engine starts would spend most of its time starting. The SDK's own server (`@pulumi/pulumi/provider`)
 * does not show a provider its configuration. For a function call, the region of an AWS provider is only in that configuration.
 */
export async function serve(served: Provider): Promise<void> {
    const of = (urn: string): ResourceType => {
        const type = urn.split("::")[2]!.split("$").at(-1)!;
        const found = served.resources[type];
        if (!found) {
            throw new Error(`${type} is not among what this stand-in for a provider has: ${urn}`);
        }
        return found;
    };
    const server = new grpc.Server();
    server.addService(ResourceProviderService, {
        attach: unaryMethod(() => new Empty()),
        getPluginInfo: unaryMethod(() => new PluginInfo().setVersion(served.version)),
        checkConfig: unaryMethod((request: provider.CheckRequest) =>
            new provider.CheckResponse().setInputs(request.getNews()),
        ),
        configure: unaryMethod((request: provider.ConfigureRequest) => {
            served.configure?.(propertiesOf(request.getArgs()));
            // The engine then keeps secrets to itself, and marks the outputs that the SDK says are secret.
            return new provider.ConfigureResponse().setAcceptsecrets(false);
        }),
        cancel: unaryMethod(() => new Empty()),
        invoke: unaryMethod(async (request: provider.InvokeRequest) => {
            const call = served.functions[request.getTok()];
            if (!call) {
                throw new Error(`${request.getTok()} is not among what this stand-in for a provider has.`);
            }
            return new provider.InvokeResponse().setReturn(struct(await call(propertiesOf(request.getArgs()))));
        }),
        check: unaryMethod((request: provider.CheckRequest) => {
            const { autonamed = false } = of(request.getUrn());
            const inputs = propertiesOf(request.getNews());
            const { name = `${request.getName()}-${suffix(request.getRandomseed_asU8())}` } = propertiesOf(
                request.getOlds(),
            );
            return new provider.CheckResponse().setInputs(
                struct(autonamed && inputs.name === undefined ? { ...inputs, name, __defaults: ["name"] } : inputs),
            );
        }),
        diff: unaryMethod((request: provider.DiffRequest) => {
            const [before, inputs] = [propertiesOf(request.getOldInputs()), propertiesOf(request.getNews())];
            const { replaces, computed = [] } = of(request.getUrn());
            const changed = Object.keys({ ...before, ...inputs }).filter(
                (key) =>
                    !key.startsWith("__") &&
                    !sameProperty(before[key], inputs[key]) &&
                    !(inputs[key] === undefined && computed.includes(key)),
            );
            const replacing = changed.filter((key) => replaces.includes(key));
            // There cannot be two of a name that the program has chosen. As terraform-bridge has it.
            const taken = inputs.name !== undefined && !inputs.__defaults && !replacing.includes("name");
            const { DIFF_SOME, DIFF_NONE } = provider.DiffResponse.DiffChanges;
            return new provider.DiffResponse()
                .setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE)
                .setDiffsList(changed)
                .setReplacesList(replacing)
                .setDeletebeforereplace(replacing.length > 0 && taken);
        }),
        create: unaryMethod(async (request: provider.CreateRequest) => {
            const inputs = propertiesOf(request.getProperties());
            const { id, computed } = await of(request.getUrn()).create(inputs);
            return new provider.CreateResponse().setId(id).setProperties(struct({ ...inputs, ...computed }));
        }),
        read: unaryMethod(async (request: provider.ReadRequest) => {
            const found = await of(request.getUrn()).read(request.getId(), propertiesOf(request.getProperties()));
            if (!found) {
                return new provider.ReadResponse();
            }
            const { __defaults } = propertiesOf(request.getInputs());
            const inputs = { ...found.inputs, __defaults };
            return new provider.ReadResponse()
                .setId(request.getId())
                .setInputs(struct(inputs))
                .setProperties(struct({ ...inputs, ...found.computed }));
        }),
        update: unaryMethod(async (request: provider.UpdateRequest) => {
            const [before, inputs] = [propertiesOf(request.getOlds()), propertiesOf(request.getNews())];
            await of(request.getUrn()).update(request.getId(), inputs, before);
            const computed = Object.entries(before).filter(([key]) => !(key in propertiesOf(request.getOldInputs())));
            return new provider.UpdateResponse().setProperties(struct({ ...Object.fromEntries(computed), ...inputs }));
        }),
        delete: unaryMethod(async (request: provider.DeleteRequest) => {
            await of(request.getUrn()).delete(request.getId(), propertiesOf(request.getProperties()));
            return new Empty();
        }),
    });
    await listen(server, process.argv[2]);
}

/** Listens at a port, by default any, and says at which: an engine that has started this process reads that. */
export async function listen(server: grpc.Server, wanted = "0"): Promise<void> {
    console.log(await bound(server, wanted));
}

/** Listens at a port, by default any. @returns which. */
export function bound(server: grpc.Server, wanted = "0"): Promise<number> {
    return new Promise((resolve, reject) => {
        server.bindAsync(`127.0.0.1:${wanted}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
            if (error) {
                reject(error);
            } else {
                resolve(port);
            }
        });
    });
}

/** A method of a service, by what it answers. */
export function unaryMethod<Request, Response>(method: (request: Request) => Response | Promise<Response>) {
    return (call: { request: Request }, callback: grpc.sendUnaryData<Response>) => {
        Promise.resolve()
            .then(() => method(call.request))
            .then(
                (response) => {
                    callback(null, response);
                },
                (error: unknown) => {
                    callback({ code: grpc.status.UNKNOWN, details: (error as Error).message });
                },
            );
    };
}

function propertiesOf(properties: Struct | undefined): Properties {
    return properties?.toJavaScript() ?? {};
}

function struct(properties: Properties): Struct {
    // Without what is undefined, which has no place in a Struct.
    return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, never>);
}

/** Whether a provider takes two values for one. Policies are JSON, which AWS writes in its own way. */
function sameProperty(before: unknown, now: unknown): boolean {
    return isDeepStrictEqual(parsed(before), parsed(now));
}

function parsed(value: unknown): unknown {
    try {
        return typeof value === "string" && value.startsWith("{") ? JSON.parse(value) : value;
    } catch {
        return value;
    }
}

/** The same in a preview and in the deployment that follows. */
function suffix(seed: Uint8Array): string {
    return Buffer.from(seed).toString("hex").slice(0, 7);
}
