import { BlockList, isIP } from "node:net";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import {
    newClusters,
    newContexts,
    newUsers,
    type Cluster,
    type Context,
    type User,
} from "@kubernetes/client-node/dist/config_types.js";
import { parse, YAMLError } from "yaml";

import { UserError } from "../core/lib/errors";
import { isMap } from "../core/lib/values";
import { asHelm, yamlFault } from "../core/lib/yaml/read";

/** Which cluster, as the `kubernetes:` configuration of a stack says it. */
export interface ClusterChoice {
    /** Path of a kubeconfig, or one. Default: where kubectl looks. */
    readonly kubeconfig?: string | undefined;
    /** Default: the current one. */
    readonly context?: string | undefined;
    /** Which of the kubeconfig's clusters. Default: the context's. */
    readonly cluster?: string | undefined;
}

/** A cluster, and who asks there: a context of a kubeconfig. */
export interface Access {
    readonly cluster: Cluster;
    /** Default: nobody in particular. */
    readonly user?: User | undefined;
}

/** What one or more kubeconfigs have. */
interface Kubeconfig {
    readonly clusters: readonly Cluster[];
    readonly users: readonly User[];
    readonly contexts: readonly Context[];
    readonly current?: unknown;
}

/**
 * The way to a cluster, read from the kubeconfig as kubectl reads it.
 *
 * @throws UserError when there is no such kubeconfig, context or cluster.
 */
export function loadKubeconfig({ kubeconfig, context, cluster }: ClusterChoice): Access {
    const { clusters, users, contexts, current } = read(kubeconfig);
    if (context !== undefined && !contexts.some(({ name }) => name === context)) {
        throw new UserError(`The kubeconfig has no context ${context}. It has: ${namesOf(contexts)}.`);
    }
    if (cluster !== undefined && !clusters.some(({ name }) => name === cluster)) {
        throw new UserError(`The kubeconfig has no cluster ${cluster}. It has: ${namesOf(clusters)}.`);
    }
    const chosen = contexts.find(({ name }) => name === (context ?? current));
    const found = chosen && clusters.find(({ name }) => name === (cluster ?? chosen.cluster));
    if (!found) {
        throw new UserError(
            "The kubeconfig has no current context. Name one: pulumi config set kubernetes:context NAME",
        );
    }
    return { cluster: { ...found, ...proxyOf(found) }, user: users.find(({ name }) => name === chosen.user) };
}

function namesOf(all: readonly { readonly name: string }[]): string {
    return all.map(({ name }) => name).join(", ");
}

/** @throws UserError when it cannot be read. */
function read(kubeconfig: string | undefined): Kubeconfig {
    try {
        if (kubeconfig !== undefined && /\n|^\s*\{|^\s*[\w-]+: /.test(kubeconfig)) {
            return parsed(kubeconfig);
        }
        if (kubeconfig) {
            return fromFile(kubeconfig.replace(/^~(?=\/)/, os.homedir()));
        }
        const list = variable("KUBECONFIG") ?? path.join(os.homedir(), ".kube", "config");
        const files = list.split(path.delimiter).filter((name) => fs.existsSync(name));
        if (files.length > 0) {
            return files.map(fromFile).reduce(together);
        }
        const host = process.env.KUBERNETES_SERVICE_HOST;
        if (host) {
            return ofPod(host);
        }
        throw new Error(`there is no ${list}. Set KUBECONFIG.`);
    } catch (error) {
        // What is no YAML may have a token in the line that is not.
        const what = error instanceof YAMLError ? yamlFault(error) : (error as Error).message;
        throw new UserError(`The kubeconfig cannot be read: ${what}`);
    }
}

/** Kubernetes' client in part: what knows the kinds of all objects takes longer to load than everything else that commands load. */
function parsed(text: string): Kubeconfig {
    const found: unknown = parse(text, asHelm);
    const content = isMap(found) ? found : {};
    return {
        clusters: newClusters(content.clusters),
        users: newUsers(content.users),
        contexts: newContexts(content.contexts),
        // Of several files with none the next one's counts.
        current: content["current-context"] === "" ? undefined : content["current-context"],
    };
}

/** Paths in a file are relative to its folder. */
function fromFile(file: string): Kubeconfig {
    const { clusters, users, ...more } = parsed(fs.readFileSync(file, "utf8"));
    const absolute = <K extends string>(object: Readonly<Partial<Record<K, string>>>, key: K) =>
        object[key] ? { [key]: path.resolve(path.dirname(file), object[key]) } : {};
    return {
        ...more,
        clusters: clusters.map((each) => ({ ...each, ...absolute(each, "caFile") })),
        users: users.map((each) => ({ ...each, ...absolute(each, "certFile"), ...absolute(each, "keyFile") })),
    };
}

/** Puts files together as kubectl does: what comes first counts. */
function together(first: Kubeconfig, second: Kubeconfig): Kubeconfig {
    const joined = <T extends { readonly name: string }>(some: readonly T[], more: readonly T[]) => [
        ...some,
        ...more.filter(({ name }) => !some.some((each) => each.name === name)),
    ];
    return {
        clusters: joined(first.clusters, second.clusters),
        users: joined(first.users, second.users),
        contexts: joined(first.contexts, second.contexts),
        current: first.current ?? second.current,
    };
}

/** What a pod has in place of a kubeconfig. */
function ofPod(host: string): Kubeconfig {
    const name = "pod";
    const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
    const port = process.env.KUBERNETES_SERVICE_PORT ?? "443";
    const scheme = ["80", "8080", "8001"].includes(port) ? "http" : "https";
    const server = `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
    return {
        clusters: [{ name, server, caFile: path.join(folder, "ca.crt"), skipTLSVerify: false }],
        users: [{ name, authProvider: { name: "tokenFile", config: { tokenFile: path.join(folder, "token") } } }],
        contexts: [{ name, cluster: name, user: name }],
        current: name,
    };
}

/** A variable of the environment. An empty one is none. */
function variable(name: string): string | undefined {
    const value = process.env[name];
    return value === "" ? undefined : value;
}

/** The proxy on the way to a cluster: the kubeconfig's, else the environment's, which the client does not read. */
function proxyOf({ server, proxyUrl }: { readonly server: string; readonly proxyUrl?: string }): { proxyUrl?: string } {
    const proxy = proxyUrl ?? (URL.canParse(server) ? environmentProxy(new URL(server)) : undefined);
    return proxy === undefined ? {} : { proxyUrl: proxy };
}

/**
 * The proxy that the environment names for an address, as kubectl and Pulumi's provider read it (Go's
 * golang.org/x/net/http/httpproxy): `HTTPS_PROXY` or `HTTP_PROXY`, unless `NO_PROXY` excepts the address. This machine never has one.
 */
function environmentProxy({ protocol, hostname, port }: URL): string | undefined {
    const read = (name: string) => variable(name) ?? variable(name.toLowerCase());
    const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
    const proxy = read(protocol === "http:" ? "HTTP_PROXY" : "HTTPS_PROXY");
    const excepted = (read("NO_PROXY") ?? "").split(",").map((entry) => entry.trim().toLowerCase());
    const address = { host, port: port || (protocol === "http:" ? "80" : "443") };
    if (proxy === undefined || isLoopback(host) || excepted.some((entry) => excepts(entry, address))) {
        return undefined;
    }
    return proxy.includes("://") ? proxy : `http://${proxy}`;
}

function isLoopback(host: string): boolean {
    return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** Whether an entry of `NO_PROXY` means an address: `*`, an IP address, a range of them, a domain with what is below it. */
function excepts(entry: string, { host, port }: { readonly host: string; readonly port: string }): boolean {
    if (entry === "" || entry === "*") {
        return entry === "*";
    }
    const range = /^(?<network>.+)\/(?<bits>\d+)$/.exec(entry)?.groups;
    if (range) {
        return inRange(host, range.network ?? "", Number(range.bits));
    }
    const [, name = "", only] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? "" : entry) ?? [];
    const domain = (isIP(entry) === 6 ? entry : name).replace(/^\*(?=\.)/, "");
    const isMeant = domain.startsWith(".") ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
    return isMeant && (only === undefined || only === port);
}

function inRange(host: string, network: string, bits: number): boolean {
    const families = { 0: undefined, 4: "ipv4", 6: "ipv6" } as const;
    const family = families[isIP(network) as 0 | 4 | 6];
    if (family === undefined || isIP(network) !== isIP(host) || bits > (family === "ipv4" ? 32 : 128)) {
        return false;
    }
    const list = new BlockList();
    list.addSubnet(network, bits, family);
    return list.check(host, family);
}
