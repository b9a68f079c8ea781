import { BlockList, isIP } from "node:net";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import type { KubeConfig } from "@kubernetes/client-node";

import { UserError } from "../core/lib/errors";

/** Which cluster, as the `kubernetes:` configuration of a stack says it. */
export interface ClusterChoice {
    /** Path of a kubeconfig, or one. Default: where kubectl looks. */
    readonly kubeconfig?: string | undefined;
    /** Default: the current one. */
    readonly context?: string | undefined;
    /** Which of the kubeconfig's clusters. Default: the context's. */
    readonly cluster?: string | undefined;
}

/**
 * The kubeconfig that leads to a cluster, read as kubectl reads it.
 *
 * @throws UserError when there is no such kubeconfig, context or cluster.
 */
export function loadKubeconfig({ kubeconfig, context, cluster }: ClusterChoice): KubeConfig {
    const config = emptyKubeconfig();
    try {
        load(config, kubeconfig);
    } catch (error) {
        // What is no YAML is shown below the first line, with the token in it.
        const [what = ""] = (error as Error).message.split("\n");
        throw new UserError(`The kubeconfig cannot be read: ${what}`);
    }
    if (context !== undefined) {
        const known = config.getContexts().map(({ name }) => name);
        if (!known.includes(context)) {
            throw new UserError(`The kubeconfig has no context ${context}. It has: ${known.join(", ")}.`);
        }
        config.setCurrentContext(context);
    }
    if (cluster !== undefined) {
        chooseCluster(config, cluster);
    }
    if (!config.getCurrentCluster()) {
        throw new UserError(
            "The kubeconfig has no current context. Name one: pulumi config set kubernetes:context NAME",
        );
    }
    config.clusters = config.getClusters().map((each) => ({
        ...each,
        // The client refuses http:// unless it is told not to check a certificate. kubectl does not ask for that.
        skipTLSVerify: each.skipTLSVerify || each.server.startsWith("http:"),
        ...proxyOf(each),
    }));
    return config;
}

/** A kubeconfig with nothing in it. The client is loaded where a cluster is asked: that takes twice as long as all else that commands load. */
export function emptyKubeconfig(): KubeConfig {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const client = require("@kubernetes/client-node") as typeof import("@kubernetes/client-node");
    return new client.KubeConfig();
}

/** Has the current context lead to another of the kubeconfig's clusters. */
function chooseCluster(config: KubeConfig, cluster: string): void {
    const known = config.getClusters().map(({ name }) => name);
    if (!known.includes(cluster)) {
        throw new UserError(`The kubeconfig has no cluster ${cluster}. It has: ${known.join(", ")}.`);
    }
    const current = config.getCurrentContext();
    config.contexts = config.getContexts().map((each) => (each.name === current ? { ...each, cluster } : each));
}

function load(config: KubeConfig, kubeconfig: string | undefined): void {
    if (kubeconfig !== undefined && /\n|^\s*\{|^\s*[\w-]+: /.test(kubeconfig)) {
        config.loadFromString(kubeconfig);
    } else if (kubeconfig) {
        config.loadFromFile(kubeconfig.replace(/^~(?=\/)/, os.homedir()));
    } else {
        const list = variable("KUBECONFIG") ?? path.join(os.homedir(), ".kube", "config");
        const files = list.split(path.delimiter).filter((name) => fs.existsSync(name));
        if (files.length > 0) {
            loadFiles(config, files);
        } else if (process.env.KUBERNETES_SERVICE_HOST) {
            config.loadFromCluster();
        } else {
            // Otherwise the client would try http://localhost:8080.
            throw new Error(`there is no ${list}. Set KUBECONFIG.`);
        }
    }
}

/** Puts files together as kubectl does: what comes first counts. The client takes the last context, and no missing file. */
function loadFiles(config: KubeConfig, [first = "", ...rest]: readonly string[]): void {
    config.loadFromFile(first);
    for (const file of rest) {
        const more = emptyKubeconfig();
        more.loadFromFile(file);
        more.clusters = more.clusters.filter(({ name }) => !config.getCluster(name));
        more.users = more.users.filter(({ name }) => !config.getUser(name));
        more.contexts = more.contexts.filter(({ name }) => !config.getContextObject(name));
        config.mergeConfig(more, Boolean(config.currentContext));
    }
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
