import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { Kubernetes } from "../../live/kubernetes";

describe("the cluster of KUBECONFIG", () => {
    let folder: string;
    const before = { ...process.env };
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kubeconfig-"));
        delete process.env.KUBERNETES_SERVICE_HOST;
    });
    afterEach(() => {
        for (const name of ["KUBECONFIG", "KUBERNETES_SERVICE_HOST"]) {
            if (before[name] === undefined) {
                Reflect.deleteProperty(process.env, name);
            } else {
                process.env[name] = before[name];
            }
        }
        fs.rmSync(folder, { recursive: true });
    });

    const write = (name: string) => {
        const file = path.join(folder, name);
        const named = (kind: string, content: object) => [{ name: "a", [kind]: content }];
        const config = {
            clusters: named("cluster", { server: `https://${name}.example.net` }),
            users: named("user", {}),
            contexts: named("context", { cluster: "a", user: "a" }),
            "current-context": "a",
        };
        fs.writeFileSync(file, JSON.stringify(config));
        return file;
    };
    const connected = (...files: readonly string[]) => {
        process.env.KUBECONFIG = files.join(path.delimiter);
        return Kubernetes.connect({}).server;
    };

    it("is in whichever of its files are there, as for kubectl", () => {
        const missing = path.join(folder, "missing");
        assert.equal(connected(write("one")), "https://one.example.net");
        assert.equal(connected(missing, write("one")), "https://one.example.net");
        assert.equal(connected(write("one"), missing), "https://one.example.net");
        // Both have a context of the same name, of which the first counts.
        assert.equal(connected(write("one"), write("two")), "https://one.example.net");
        assert.equal(connected(write("two"), missing, write("one")), "https://two.example.net");
    });

    it("is not http://localhost:8080 where none of them is there", () => {
        const missing = ["a", "b"].map((name) => path.join(folder, name));
        assert.throws(() => connected(...missing), {
            name: "UserError",
            message: `The kubeconfig cannot be read: there is no ${missing.join(path.delimiter)}. Set KUBECONFIG.`,
        });
    });
});

const kubeconfig = JSON.stringify({
    clusters: ["a", "b"].map((name) => ({ name, cluster: { server: `https://${name}.example.net` } })),
    users: [{ name: "me", user: { token: "token" } }],
    contexts: ["a", "b"].map((name) => ({ name: `at-${name}`, context: { cluster: name, user: "me" } })),
    "current-context": "at-a",
});

describe("the cluster that the kubernetes: configuration leads to", () => {
    it("is that of the current context, of another context, or another one of the kubeconfig", () => {
        assert.equal(Kubernetes.connect({ kubeconfig }).server, "https://a.example.net");
        assert.equal(Kubernetes.connect({ kubeconfig, context: "at-b" }).server, "https://b.example.net");
        assert.equal(Kubernetes.connect({ kubeconfig, cluster: "b" }).server, "https://b.example.net");
        assert.equal(Kubernetes.connect({ kubeconfig, context: "at-b", cluster: "a" }).server, "https://a.example.net");
        assert.throws(() => Kubernetes.connect({ kubeconfig, cluster: "c" }), {
            name: "UserError",
            message: "The kubeconfig has no cluster c. It has: a, b.",
        });
    });
});
