import * as fs from "node:fs";
// As live/http.ts has them.
import http = require("node:http");
import https = require("node:https");

import type { Cluster, User } from "@kubernetes/client-node/dist/config_types.js";

import { execCredential, isFresh, type ExecConfig, type ExecCredential } from "./execCredential";
import type { Access, KnownCluster, KnownUser } from "./kubeconfig";

/** What goes along with every request to a cluster: who asks, and how to reach it. */
export interface Login {
    readonly request: https.RequestOptions;
    readonly isFresh: () => boolean;
}

/**
 * Logs in as kubectl does, by whatever way the kubeconfig has.
 *
 * @throws Error when a program or a file that the kubeconfig names does not give what it should.
 */
export async function logIn({ cluster, user }: Access): Promise<Login> {
    const exec = user?.exec as ExecConfig | null | undefined;
    const credential = exec ? await execCredential(exec, clusterInfo(cluster)) : undefined;
    const request = await requestOptions(cluster, user && credential ? asUser(user, credential) : user);
    request.headers = { ...(request.headers as http.OutgoingHttpHeaders | undefined), ...user?.impersonation };
    if (cluster.proxyUrl === undefined) {
        request.agent = new (isPlain(cluster) ? http : https).Agent({ keepAlive: true });
    }
    return { request, isFresh: () => credential === undefined || isFresh(credential) };
}

async function requestOptions(cluster: Cluster, user: User | undefined): Promise<https.RequestOptions> {
    const provider = user?.authProvider as { readonly config?: { readonly tokenFile?: string } } | undefined;
    const tokenFile = provider?.config?.tokenFile;
    // Proxies, and what kubectl itself no longer knows. To load the client takes as long as half a preview.
    if (cluster.proxyUrl !== undefined || (provider && tokenFile === undefined)) {
        const { KubeConfig } = await import("@kubernetes/client-node");
        const config = new KubeConfig();
        // The client refuses http:// unless it is told not to check a certificate. kubectl does not ask for that.
        const server = { ...cluster, skipTLSVerify: cluster.skipTLSVerify || isPlain(cluster) };
        config.loadFromClusterAndUser(server, user ?? { name: "nobody" });
        const request: https.RequestOptions = {};
        await config.applyToHTTPSOptions(request);
        return request;
    }
    const { tlsServerName, skipTLSVerify, caFile, caData } = cluster;
    const token = tokenFile ? fs.readFileSync(tokenFile, "utf8").trim() : user?.token;
    return given({
        rejectUnauthorized: skipTLSVerify ? false : undefined,
        servername: tlsServerName,
        ca: dataOrFile(caData, caFile),
        cert: dataOrFile(user?.certData, user?.certFile),
        key: dataOrFile(user?.keyData, user?.keyFile),
        auth: user?.username ? `${user.username}:${user.password ?? ""}` : undefined,
        headers: given({
            authorization: token ? `Bearer ${token}` : undefined,
            "impersonate-user": user?.impersonateUser,
        }),
    });
}

/** Without what is not given: null as well, which is what a kubeconfig has for it. */
function given<T extends object>(object: T): { [K in keyof T]?: NonNullable<T[K]> } {
    const entries = Object.entries(object).filter(([, value]) => value !== undefined && value !== null);
    return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

/** What a kubeconfig has itself counts before the file that it names. */
function dataOrFile(data: string | undefined, file: string | undefined): Buffer | undefined {
    return data ? Buffer.from(data, "base64") : file ? fs.readFileSync(file) : undefined;
}

function isPlain({ server }: Cluster): boolean {
    return server.startsWith("http:");
}

/** Who asks with what a program gave in place of the program. */
function asUser(user: KnownUser, { token, clientCertificateData, clientKeyData }: ExecCredential): User {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const { token: _own, ...rest } = user;
    return {
        ...rest,
        exec: undefined,
        authProvider: undefined,
        ...(token === undefined ? {} : { token }),
        ...(clientCertificateData === undefined ? {} : { certData: base64(clientCertificateData) }),
        ...(clientKeyData === undefined ? {} : { keyData: base64(clientKeyData) }),
    };
}

/** What a program that logs in may know of the cluster: `spec.cluster` of an ExecCredential. */
function clusterInfo(cluster: KnownCluster): object {
    const { server, caData, caFile, tlsServerName, skipTLSVerify, proxyUrl, execConfig } = cluster;
    return {
        server,
        "certificate-authority-data": dataOrFile(caData, caFile)?.toString("base64"),
        "tls-server-name": tlsServerName,
        "insecure-skip-tls-verify": skipTLSVerify || undefined,
        "proxy-url": proxyUrl,
        config: execConfig,
    };
}
