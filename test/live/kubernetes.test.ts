import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

import { CouldNotCheck } from "../../core/lib/errors";
import { Kubernetes } from "../../live/kubernetes";
import { HttpStandIn } from "../../tools/servers/standins";

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

describe("a cluster to which only a proxy leads", () => {
    let cluster: HttpStandIn;
    const proxy = http.createServer();
    const variables = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
    before(async () => {
        cluster = await HttpStandIn.start(() => [200, JSON.stringify({ metadata: { name: "kube-system" } })]);
        proxy.on("connect", (_request, socket) => {
            socket.write("HTTP/1.1 200 OK\r\n\r\n");
            socket.pipe(net.connect(cluster.port)).pipe(socket);
        });
        proxy.listen(0);
        await once(proxy, "listening");
    });
    after(async () => {
        for (const name of variables) {
            Reflect.deleteProperty(process.env, name);
        }
        proxy.close();
        await cluster.stop();
    });

    const read = (more: object) => {
        const config = {
            clusters: [{ name: "a", cluster: { server: "http://cluster.invalid", ...more } }],
            users: [{ name: "a", user: {} }],
            contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
            "current-context": "a",
        };
        return Kubernetes.connect({ kubeconfig: JSON.stringify(config) }).get("/api/v1/namespaces/kube-system");
    };

    it("is reached by the kubeconfig's proxy-url, and not by the environment's", async () => {
        const address = `http://127.0.0.1:${String((proxy.address() as net.AddressInfo).port)}`;
        assert.deepEqual(await read({ "proxy-url": address }), { metadata: { name: "kube-system" } });
        for (const name of variables) {
            process.env[name] = address;
        }
        await assert.rejects(read({}), CouldNotCheck);
    });
});
