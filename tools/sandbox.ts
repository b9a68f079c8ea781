import * as fs from "node:fs";
import * as path from "node:path";

import { defaultVersion } from "../core/charts";
import { startMoto, type Moto } from "./servers/moto";
import { startCluster } from "./servers/cluster";
import type { AnyObject } from "./servers/crds";
import { FluxStandIn } from "./servers/flux";
import { MissingTool } from "./build";
import { parseOptions, run, whenStopped } from "../cli/command";

const usage = `Usage: npm run sandbox

Runs what 'pulumi up' talks to, on this machine, until Ctrl-C: a Kubernetes API server without nodes, a stand-in for Flux that
marks HelmReleases as ready, and an AWS emulator. Nothing of KOF runs. Nothing that runs elsewhere is
used, and several may run at once.

Nothing is required. Needs Go for the API server and Python 3 for AWS.`;

/** Without Python the rest is still worth playing with. */
async function emulator(): Promise<Moto | undefined> {
    try {
        return await startMoto();
    } catch (error) {
        if (!(error instanceof MissingTool)) {
            throw error;
        }
        console.log(`Without AWS: ${error.message}`);
        return undefined;
    }
}

const release = `kcm-${defaultVersion.replaceAll(".", "-")}`;
/** What KCM brings, as far as anything here reads it. */
export const fromKcm: readonly AnyObject[] = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "kcm-system" } },
    // A pod waits for it, and its controller may take a moment.
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "kcm-system" } },
    {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
            name: "cert-manager",
            namespace: "kcm-system",
            labels: { "app.kubernetes.io/name": "cert-manager" },
        },
        spec: { automountServiceAccountToken: false, containers: [{ name: "cert-manager", image: "none" }] },
        status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    },
    {
        apiVersion: "k0rdent.mirantis.com/v1beta1",
        kind: "Management",
        metadata: { name: "kcm" },
        spec: { release },
        status: { release, conditions: [{ type: "Ready", status: "True" }] },
    },
];

/** What to paste into a shell. */
function exportsFor(kubeconfig: string, moto: Moto | undefined): string {
    // It goes with the cluster that it is about, and each of two sandboxes has its own.
    const state = path.join(path.dirname(kubeconfig), "state");
    fs.mkdirSync(state);
    const variables = {
        KUBECONFIG: kubeconfig,
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE: "sandbox",
        ...(moto && {
            AWS_ENDPOINT_URL: moto.endpoint,
            AWS_ACCESS_KEY_ID: "sandbox",
            AWS_SECRET_ACCESS_KEY: "sandbox",
            AWS_REGION: "us-east-2",
        }),
    };
    return Object.entries(variables)
        .map(([name, value]) => `  export ${name}=${value}`)
        .join("\n");
}

async function main(): Promise<void> {
    parseOptions(usage, {});
    console.log("Starting an API server: seconds, or half an hour where it has to be built first ...");
    // A control plane of its own, whatever it names: the sandbox is for trying what one would not do elsewhere.
    delete process.env.KUBECONFIG;
    const cluster = await startCluster();
    await cluster.apply(...fromKcm);
    const flux = new FluxStandIn(cluster, (event) => {
        console.log(`flux: ${event}`);
    }).start();
    console.log("Starting an AWS emulator: seconds, or minutes where it has to be installed first ...");
    const moto = await emulator();
    console.log(
        `\nPaste this into another shell:\n\n${exportsFor(cluster.kubeconfig, moto)}\n\nCtrl-C ends all of it.\n`,
    );
    // Until then, Ctrl-C ends everything that has been started. None of it keeps this process alive.
    const alive = setInterval(() => undefined, 60_000);
    await new Promise<void>(whenStopped);
    clearInterval(alive);
    console.log("Stopping ...");
    await moto?.stop();
    await flux.stop();
    await cluster.stop();
}

if (require.main === module) {
    run(main);
}
