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
import { parseAllDocuments } from "yaml";

import { UserError } from "../core/lib/errors";
import { isMap, textOf, type HelmValue, type HelmValues } from "../core/lib/values";
import { asHelm, yamlFault } from "../core/lib/yaml/read";

/** A cluster as a kubeconfig has it, with what a program that logs in is given of it. */
export type KnownCluster = Cluster & { readonly execConfig?: unknown };

/** A user as a kubeconfig has it, with the headers that make another of it. */
export type KnownUser = User & { readonly impersonation?: Readonly<Record<string, string[]>> };

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
    readonly cluster: KnownCluster;
    /** Default: nobody in particular. */
    readonly user?: KnownUser | undefined;
}

/** What one or more kubeconfigs have. */
interface Kubeconfig {
    readonly clusters: readonly KnownCluster[];
    readonly users: readonly KnownUser[];
    readonly contexts: readonly Context[];
    readonly current?: string | undefined;
}

/**
 * The way to a cluster, read from the kubeconfig as kubectl reads it.
 *
 * @throws UserError when there is no such kubeconfig, context, cluster or user.
 */
export function loadKubeconfig({ kubeconfig, context, cluster }: ClusterChoice): Access {
    const { clusters, users, contexts, current } = loadFiles(kubeconfig);
    const name = context ?? current;
    if (name === undefined) {
        throw new UserError(
            "The kubeconfig has no current context. Name one: pulumi config set kubernetes:context NAME",
        );
    }
    const named: Partial<Context> = entryCalled("context", name, contexts);
    const found = entryCalled("cluster", cluster ?? named.cluster ?? "", clusters);
    return {
        cluster: { ...found, ...proxyOf(found) },
        user: named.user ? entryCalled("user", named.user, users) : undefined,
    };
}

/** @throws UserError where a kubeconfig has no entry of that name. */
function entryCalled<T extends { readonly name: string }>(kind: string, name: string, all: readonly T[]): T {
    const found = all.find((each) => each.name === name);
    if (!found) {
        const known = all.map((each) => each.name).join(", ");
        throw new UserError(`The kubeconfig has no ${kind} ${name}. It has: ${known === "" ? "none" : known}.`);
    }
    return found;
}

function loadFiles(kubeconfig: string | undefined): Kubeconfig {
    if (kubeconfig !== undefined && /\n|^\s*\{|^\s*[\w-]+: /.test(kubeconfig)) {
        return parsed("", kubeconfig, process.cwd());
    }
    if (kubeconfig) {
        return readFile(kubeconfig.replace(/^~(?=\/)/, os.homedir()));
    }
    const list = variable("KUBECONFIG") ?? path.join(os.homedir(), ".kube", "config");
    const files = list.split(path.delimiter).filter((name) => fs.existsSync(name));
    if (files.length > 0) {
        return files.map(readFile).reduce(mergedKubeconfigs);
    }
    const host = process.env.KUBERNETES_SERVICE_HOST;
    if (host) {
        return ofPod(host);
    }
    throw unreadable("", new Error(`there is no ${list}. Set KUBECONFIG.`));
}

function unreadable(file: string, error: unknown): UserError {
    const { code, message } = error as NodeJS.ErrnoException;
    const known: Readonly<Record<string, string>> = {
        EISDIR: "it is a folder",
        ENOENT: "there is no such file",
        EACCES: "you may not read it",
    };
    const why = known[code ?? ""] ?? message;
    return new UserError(`The kubeconfig ${file === "" ? "" : `${file} `}cannot be read: ${why}`);
}

function readFile(file: string): Kubeconfig {
    let text: string;
    try {
        text = fs.readFileSync(file, "utf8");
    } catch (error) {
        throw unreadable(file, error);
    }
    return parsed(file, text, path.resolve(path.dirname(file)));
}

/** Puts files together as kubectl does: what comes first counts. */
function mergedKubeconfigs(first: Kubeconfig, second: Kubeconfig): Kubeconfig {
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

/**
 * The entries of a kubeconfig that are whole. The client does not read everything as kubectl does (client-go 0.36, `tools/clientcmd`),
 * so this reads empty files and lists, paths from the kubeconfig's folder, data before files, and `tokenFile`. It loads only a part
 * of the client: the part that knows the kinds of all objects takes longer to load than everything else that commands load.
 *
 * @param folder where relative paths start.
 */
function parsed(file: string, text: string, folder: string): Kubeconfig {
    const found = kubeconfigContent(file, text);
    const at = (name: unknown) => (typeof name === "string" && name !== "" ? path.resolve(folder, name) : undefined);
    const entries = (
        kind: "clusters" | "users" | "contexts",
        change: (each: HelmValues) => Readonly<Record<string, unknown>>,
    ) => {
        const key = kind.slice(0, -1);
        const all = [found[kind] ?? []].flat().filter(isMap);
        return all.map((each) => ({ name: textOf(each.name), [key]: change(isMap(each[key]) ? each[key] : {}) }));
    };
    /** A file whose content is not in the kubeconfig itself. */
    const fileOf = (each: HelmValues, name: string) => (each[`${name}-data`] ? undefined : at(each[name]));
    const clusters = entries("clusters", (each) => ({
        ...each,
        "certificate-authority": fileOf(each, "certificate-authority"),
    }));
    const users = entries("users", (each) => {
        const tokenFile = at(each.tokenFile);
        return {
            ...each,
            "client-certificate": fileOf(each, "client-certificate"),
            "client-key": fileOf(each, "client-key"),
            exec: isMap(each.exec) ? { ...each.exec, command: commandAt(each.exec.command, folder) } : undefined,
            ...(tokenFile === undefined ? {} : { "auth-provider": { name: "tokenFile", config: { tokenFile } } }),
        };
    });
    // An entry that is not whole is missed where it is asked for.
    const whole = { onInvalidEntry: "filter" } as const;
    const current = found["current-context"];
    return {
        clusters: newClusters(clusters, whole).map((each) => ({
            ...each,
            execConfig: execConfigOf(clusters.find(({ name }) => name === each.name)?.cluster),
        })),
        users: newUsers(users, whole).map((each) => ({
            ...each,
            impersonation: impersonationOf(users.find(({ name }) => name === each.name)?.user),
        })),
        contexts: newContexts(
            entries("contexts", (each) => each),
            whole,
        ),
        // Of several files with none the next one's counts.
        current: current === undefined || current === null || current === "" ? undefined : textOf(current),
    };
}

/** What a program that logs in is given of a cluster (`client.authentication.k8s.io/exec`). */
function execConfigOf(cluster: unknown): HelmValue | undefined {
    const extensions = isMap(cluster) ? [cluster.extensions ?? []].flat().filter(isMap) : [];
    return extensions.find(({ name }) => name === "client.authentication.k8s.io/exec")?.extension;
}

/** The headers that make of a user another with these groups. The client sends the name alone. */
function impersonationOf(user: unknown): NonNullable<KnownUser["impersonation"]> {
    if (!isMap(user) || user.as === undefined) {
        return {};
    }
    const { "as-uid": uid, "as-groups": groups, "as-user-extra": extra } = user;
    const lists = { "Impersonate-Uid": uid, "Impersonate-Group": groups };
    const extras = Object.entries(isMap(extra) ? extra : {}).map(
        ([key, value]) => [`Impersonate-Extra-${encodeURIComponent(key.toLowerCase())}`, value] as const,
    );
    return Object.fromEntries(
        [...Object.entries(lists), ...extras].flatMap(([name, value]) => {
            const all = [value ?? []].flat().map(textOf);
            return all.length === 0 ? [] : [[name, all]];
        }),
    );
}

function kubeconfigContent(file: string, text: string): HelmValues {
    let found: unknown;
    try {
        const [document] = parseAllDocuments(text, { ...asHelm, logLevel: "silent" });
        const [fault] = document?.errors ?? [];
        if (fault) {
            throw fault;
        }
        found = document?.toJS() ?? {};
    } catch (error) {
        throw unreadable(file, new Error(yamlFault(error as Error)));
    }
    if (!isMap(found)) {
        throw unreadable(file, new Error("it is no map with clusters, users and contexts"));
    }
    return found;
}

/** A program by its name is looked for in PATH, and any other in the kubeconfig's folder. */
function commandAt(command: unknown, folder: string): string {
    const name = typeof command === "string" ? command : "";
    return name.includes(path.sep) ? path.resolve(folder, name) : name;
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
