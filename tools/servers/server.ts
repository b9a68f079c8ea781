import { generateKeyPairSync, randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stringify } from "yaml";

import { Kubernetes } from "../../live/kubernetes";
import { programs } from "../build";
import { atEnd } from "./children";
import { lessCollecting, onFreePorts, programOptions, ServerProcess } from "./program";

/** A running control plane. */
export interface Server {
    /** Path of its kubeconfig, with all rights. */
    readonly kubeconfig: string;
    /** Ends it, and removes all that it stored. */
    stop(): Promise<void>;
    /** Takes the API server away, and returns what brings it back with all that it knew. */
    readonly interrupt: () => Promise<() => Promise<void>>;
    /** Has the controllers know kinds that have been defined just now, which otherwise takes them up to half a minute. */
    readonly restartControllers: () => Promise<void>;
}

/**
 * Starts etcd, an API server and the controllers that need no node (garbage collection, namespaces, service accounts,
 * StatefulSets, …) on free ports of the loopback device, with their data in a temporary folder. There is no kubelet and no
 * scheduler, so nothing runs. They end with this process at the latest.
 *
 * @param prepare is done before the controllers start. The garbage collector takes half a minute to notice a kind that is defined
 * later. Until then, no object of that kind can be deleted in the foreground.
 * @throws MissingTool when they cannot be built here.
 */
export async function startServer(prepare?: (kubeconfig: string) => Promise<void>): Promise<Server> {
    const binaries = await programs("kubernetes");
    return onFreePorts(3, (etcd = 0, peer = 0, api = 0) => startOn(binaries, { etcd, peer, api }, prepare));
}

async function startOn(
    binaries: string,
    ports: Readonly<Record<"etcd" | "peer" | "api", number>>,
    prepare: (kubeconfig: string) => Promise<void> = () => Promise.resolve(),
): Promise<Server> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-cluster-"));
    const removeFolder = () => {
        fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    };
    const keepFolder = atEnd(removeFolder);
    const started: ServerProcess[] = [];
    const start = (name: string, args: Readonly<Record<string, string>>) => {
        const program = new ServerProcess(path.join(binaries, name), programOptions(args), {
            log: path.join(folder, `${name}.log`),
            env: { ...process.env, ...lessCollecting },
        });
        started.push(program);
        return program;
    };
    const stop = async () => {
        for (const program of started.reverse()) {
            // Nothing of what it has to put in order first is kept.
            await program.stop("SIGKILL");
        }
        keepFolder();
        removeFolder();
    };
    try {
        const etcdUrl = `http://127.0.0.1:${String(ports.etcd)}`;
        const peerUrl = `http://127.0.0.1:${String(ports.peer)}`;
        const etcd = start("etcd", {
            name: "test",
            "data-dir": path.join(folder, "etcd"),
            "listen-client-urls": etcdUrl,
            "advertise-client-urls": etcdUrl,
            "listen-peer-urls": peerUrl,
            "initial-advertise-peer-urls": peerUrl,
            "initial-cluster": `test=${peerUrl}`,
            "log-level": "warn",
            "unsafe-no-fsync": "true",
        });
        await etcd.until(async () => (await fetch(`${etcdUrl}/health`)).ok);

        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
        const serviceAccountKey = path.join(folder, "service-accounts.key");
        fs.writeFileSync(serviceAccountKey, privateKey.export({ type: "pkcs8", format: "pem" }));
        const token = randomUUID();
        const tokens = path.join(folder, "tokens.csv");
        fs.writeFileSync(tokens, `${token},admin,admin,system:masters\n`);
        const certificates = path.join(folder, "certificates");
        const apiOptions = {
            "etcd-servers": etcdUrl,
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": String(ports.api),
            "cert-dir": certificates,
            "endpoint-reconciler-type": "none",
            "authorization-mode": "RBAC",
            "token-auth-file": tokens,
            "service-cluster-ip-range": "10.0.0.0/24",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": serviceAccountKey,
            "service-account-signing-key-file": serviceAccountKey,
            // No more than a few ask at a time.
            "enable-priority-and-fairness": "false",
        };
        let api = start("kube-apiserver", apiOptions);
        const certificate = path.join(certificates, "apiserver.crt");
        await api.until(() => fs.existsSync(certificate) && fs.readFileSync(certificate).length > 0);
        const kubeconfig = path.join(folder, "kubeconfig");
        const url = `https://127.0.0.1:${String(ports.api)}`;
        fs.writeFileSync(kubeconfig, kubeconfigText(url, fs.readFileSync(certificate), token), { mode: 0o600 });
        await api.until(() => isReady(kubeconfig));
        await prepare(kubeconfig);
        const controllerOptions = {
            kubeconfig,
            "leader-elect": "false",
            "secure-port": "0",
            "service-account-private-key-file": serviceAccountKey,
            "root-ca-file": certificate,
            controllers: "*,-node-ipam-controller,-node-route-controller,-node-lifecycle-controller",
        };
        let controllers = start("kube-controller-manager", controllerOptions);
        let restarted = Promise.resolve();
        // One after the other: two at once would leave one more running.
        const restartControllers = () =>
            (restarted = restarted.then(async () => {
                await controllers.stop("SIGKILL");
                controllers = start("kube-controller-manager", controllerOptions);
            }));
        const interrupt = async () => {
            // It would wait for a minute for those who watch it.
            await api.stop("SIGKILL");
            return async () => {
                api = start("kube-apiserver", apiOptions);
                await api.until(() => isReady(kubeconfig));
            };
        };
        return { kubeconfig, stop, interrupt, restartControllers };
    } catch (error) {
        await stop();
        throw error;
    }
}

function kubeconfigText(server: string, certificate: Buffer, token: string): string {
    return stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "test", cluster: { server, "certificate-authority-data": certificate.toString("base64") } }],
        users: [{ name: "admin", user: { token } }],
        contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
        "current-context": "test",
    });
}

async function isReady(kubeconfig: string): Promise<boolean> {
    return (await Kubernetes.connect({ kubeconfig }).request("GET", "/readyz")).status === 200;
}
