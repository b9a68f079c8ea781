import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import * as http from "node:http";
import type * as https from "node:https";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

import { KubeConfig } from "@kubernetes/client-node";

import { connect } from "../../cli/live";
import { CouldNotCheck } from "../../core/lib/errors";
import { Kubernetes, NoAnswer } from "../../live/kubernetes";
import { execCredential } from "../../live/execCredential";
import { loadKubeconfig } from "../../live/kubeconfig";
import { logIn } from "../../live/login";
import { HttpStandIn, type Reply } from "../../tools/servers/standins";
import { stackFile } from "../support";

describe("the cluster of KUBECONFIG", () => {
    let folder: string;
    const before = { ...process.env };
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kubeconfig-"));
        delete process.env.KUBERNETES_SERVICE_HOST;
    });
    afterEach(() => {
        for (const name of ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "HOME"]) {
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

    it("is where kubectl looks by itself where the variable is empty", () => {
        fs.mkdirSync(path.join(folder, ".kube"));
        fs.renameSync(write("home"), path.join(folder, ".kube", "config"));
        process.env.HOME = folder;
        assert.equal(connected(), "https://home.example.net");
    });

    it("is not http://localhost:8080 where none of them is there", () => {
        const missing = ["a", "b"].map((name) => path.join(folder, name));
        assert.throws(() => connected(...missing), {
            name: "UserError",
            message: `The kubeconfig cannot be read: there is no ${missing.join(path.delimiter)}. Set KUBECONFIG.`,
        });
    });

    it("is the pod's own where the program runs in one", () => {
        process.env.KUBERNETES_SERVICE_HOST = "fd00::1";
        process.env.KUBERNETES_SERVICE_PORT = "443";
        assert.equal(connected(path.join(folder, "missing")), "https://[fd00::1]:443");
        assert.equal(connected(write("one")), "https://one.example.net");
    });

    it("is not shown by a line that is no YAML", () => {
        process.env.KUBECONFIG = path.join(folder, "broken");
        fs.writeFileSync(process.env.KUBECONFIG, "users:\n- name: a\n  user: {token: hunter2: x}\n");
        assert.throws(
            () => Kubernetes.connect({}),
            (error: Error) => {
                assert.match(error.message, /^The kubeconfig cannot be read: .+, line 3$/);
                assert.doesNotMatch(error.message, /hunter2/);
                return true;
            },
        );
    });

    it("is asked in the same way as by Kubernetes' own client", async () => {
        for (const name of ["ca", "cert", "key", "token"]) {
            fs.writeFileSync(path.join(folder, name), `content of ${name}`);
        }
        const base64 = (text: string) => Buffer.from(text).toString("base64");
        const ca = { "certificate-authority": "ca" };
        const expires = { expiry: "2999-01-01T00:00:00Z" };
        const ways: readonly (readonly [user: object | null, cluster: object])[] = [
            [{}, ca],
            [null, { "certificate-authority-data": base64("CA") }],
            [{ token: "t" }, { ...ca, "tls-server-name": "other.example.net" }],
            [{ token: "t", as: "somebody" }, { "insecure-skip-tls-verify": true }],
            [{ username: "me", password: "pass:word" }, ca],
            [{ "client-certificate": "cert", "client-key": path.join(folder, "key") }, ca],
            [{ "client-certificate-data": base64("cert"), "client-key-data": base64("key") }, ca],
            [{ "auth-provider": { name: "any", config: { tokenFile: path.join(folder, "token") } } }, ca],
            [{ "auth-provider": { name: "azure", config: { "access-token": "t", ...expires } } }, ca],
            [{ "auth-provider": { name: "unknown" } }, ca],
        ];
        for (const [user, cluster] of ways) {
            const file = path.join(folder, "config");
            fs.writeFileSync(file, kubeconfigFor("https://a.example.net/", user, cluster));
            const client = new KubeConfig();
            client.loadFromFile(file);
            const wanted: https.RequestOptions = {};
            await client.applyToHTTPSOptions(wanted);
            const { request } = await logIn(loadKubeconfig({ kubeconfig: file }));
            const plain = ({ agent: _, headers = {}, ...options }: https.RequestOptions) => ({
                ...options,
                headers: Object.fromEntries(
                    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
                ),
            });
            assert.deepEqual(plain(request), plain(wanted), JSON.stringify([user, cluster]));
        }
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

    it("is the same for every command", () => {
        const serverOf = (more: Record<string, string>) =>
            connect(stackFile({ route: "none" }, { "kubernetes:kubeconfig": kubeconfig, ...more })).kubernetes.server;
        assert.equal(serverOf({}), "https://a.example.net");
        assert.equal(serverOf({ "kubernetes:context": "at-b" }), "https://b.example.net");
        assert.equal(serverOf({ "kubernetes:cluster": "b" }), "https://b.example.net");
    });
});

/** A kubeconfig of one cluster, which is its own. */
function kubeconfigFor(server: string, user: object | null = {}, more: object = {}): string {
    return JSON.stringify({
        clusters: [{ name: "a", cluster: { server, ...more } }],
        users: [{ name: "a", user }],
        contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
        "current-context": "a",
    });
}

const kubeSystem = { metadata: { name: "kube-system" } };
const place = "/api/v1/namespaces/kube-system";

describe("a cluster to which only a proxy leads", () => {
    let cluster: HttpStandIn;
    const proxy = http.createServer();
    const variables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "NO_PROXY"];
    const kept = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
    const forget = () => {
        for (const name of variables) {
            Reflect.deleteProperty(process.env, name);
        }
    };
    let address: string;
    before(async () => {
        cluster = await HttpStandIn.start(() => [200, JSON.stringify(kubeSystem)]);
        proxy.on("connect", (_request, socket) => {
            socket.write("HTTP/1.1 200 OK\r\n\r\n");
            socket.pipe(net.connect(cluster.port)).pipe(socket);
        });
        proxy.listen(0);
        await once(proxy, "listening");
        address = `http://127.0.0.1:${String((proxy.address() as net.AddressInfo).port)}`;
    });
    beforeEach(forget);
    after(async () => {
        forget();
        Object.assign(process.env, Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)));
        proxy.close();
        await cluster.stop();
    });

    const read = (more: object = {}, server = "http://cluster.invalid") =>
        Kubernetes.connect({ kubeconfig: kubeconfigFor(server, {}, more) }).get(place);

    it("is reached by the kubeconfig's proxy-url", async () => {
        assert.deepEqual(await read({ "proxy-url": address }), kubeSystem);
        await assert.rejects(read(), CouldNotCheck);
    });

    it("is reached by the environment's, which is for addresses that NO_PROXY does not except", async () => {
        process.env.HTTP_PROXY = address;
        assert.deepEqual(await read(), kubeSystem);
        process.env.HTTP_PROXY = address.replace("http://", "");
        assert.deepEqual(await read({}, "http://10.1.2.3"), kubeSystem);
        for (const [entry, server] of [
            ["cluster.invalid", "http://cluster.invalid"],
            ["invalid", "http://cluster.invalid"],
            [".invalid", "http://cluster.invalid"],
            ["*.invalid", "http://cluster.invalid"],
            ["cluster.invalid:80", "http://cluster.invalid"],
            ["a.example.net, *", "http://cluster.invalid"],
            ["127.0.0.0/8,::/0", "http://[::ffff:7f00:1]:1"],
        ] as const) {
            process.env.NO_PROXY = entry;
            await assert.rejects(read({}, server), CouldNotCheck, `${entry} excepts ${server}`);
        }
        for (const entry of ["uster.invalid", "cluster.invalid:443", "10.1.0.0/33", "10.1.2.0/24", "::/0", "x"]) {
            process.env.NO_PROXY = entry;
            assert.deepEqual(await read(), kubeSystem, `${entry} does not except cluster.invalid`);
        }
    });

    it("is not looked for behind a proxy where it is this machine", async () => {
        process.env.HTTP_PROXY = "http://127.0.0.1:1";
        assert.deepEqual(await read({}, `http://localhost:${String(cluster.port)}`), kubeSystem);
        assert.deepEqual(await read({}, `http://127.0.0.1:${String(cluster.port)}`), kubeSystem);
    });
});

describe("a program that logs in", () => {
    let folder: string;
    let cluster: HttpStandIn;
    let good = "t1";
    before(async () => {
        cluster = await HttpStandIn.start(({ headers }) =>
            headers.authorization === `Bearer ${good}`
                ? [200, JSON.stringify(kubeSystem)]
                : [401, JSON.stringify({ kind: "Status", message: "Unauthorized" })],
        );
    });
    after(() => cluster.stop());
    beforeEach(() => {
        good = "t1";
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "login-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    /** Writes down each of its runs, and what it was told. */
    const connect = (program: string, more: object = {}) => {
        const exec = {
            apiVersion: "client.authentication.k8s.io/v1",
            command: "sh",
            args: ["-c", `echo "$KUBERNETES_EXEC_INFO" >> ${folder}/runs; ${program}`],
            ...more,
        };
        return Kubernetes.connect({
            kubeconfig: kubeconfigFor(`http://127.0.0.1:${String(cluster.port)}`, { exec }),
        });
    };
    const runs = () => fs.readFileSync(path.join(folder, "runs"), "utf8").trim().split("\n");
    const credential = (status: object) => `echo '${JSON.stringify({ kind: "ExecCredential", status })}'`;

    it("runs once for all requests, and is told what kubectl tells it", async () => {
        const api = connect(credential({ token: "t1" }), { provideClusterInfo: true });
        assert.deepEqual(await Promise.all([api.get(place), api.get(place)]), [kubeSystem, kubeSystem]);
        assert.deepEqual(await api.get(place), kubeSystem);
        const [told, ...more] = runs();
        assert.deepEqual(more, []);
        const { apiVersion, kind, spec } = JSON.parse(told ?? "") as {
            [key: string]: unknown;
            spec: { cluster: object };
        };
        assert.deepEqual([apiVersion, kind], ["client.authentication.k8s.io/v1", "ExecCredential"]);
        assert.deepEqual(spec, { interactive: false, cluster: { server: api.server } });
    });

    it("runs once where nobody can read until when what it gave is good", async () => {
        const api = connect(credential({ token: "t1", expirationTimestamp: "soon" }));
        await api.get(place);
        await api.get(place);
        assert.equal(runs().length, 1);
    });

    it("runs again when what it gave has expired, or is refused", async () => {
        const expired = connect(credential({ token: "t1", expirationTimestamp: "2020-01-01T00:00:00Z" }));
        await expired.get(place);
        await expired.get(place);
        assert.equal(runs().length, 2);

        const refused = connect(`echo '{"status": {"token": "t'$(wc -l < ${folder}/runs)'"}}'`);
        good = "t3";
        assert.deepEqual(await refused.get(place), kubeSystem);
        good = "t4";
        assert.deepEqual(await refused.get(place), kubeSystem);
        assert.equal(runs().length, 4);
        good = "never";
        await assert.rejects(refused.get(place), { message: `GET ${place}: Unauthorized` });
        assert.equal(runs().length, 5);
    });

    const failures: readonly [string, string, object, RegExp][] = [
        [
            "fails",
            "echo 'SSO session has expired. Run aws sso login.' >&2; exit 255",
            {},
            /: sh cannot log in: SSO session has expired\. Run aws sso login\.$/,
        ],
        ["fails without a word", "exit 3", {}, /: sh cannot log in: exit code 3$/],
        [
            "answers something else",
            "echo welcome",
            {},
            /: sh cannot log in: its answer is not an ExecCredential with a status that has a token or a certificate and its key$/,
        ],
        [
            "gives nothing to log in with",
            `echo '{"status": {"clientCertificateData": "x"}}'`,
            {},
            /: sh cannot log in: its answer is not an ExecCredential with a status that has a token/,
        ],
        [
            "is not there",
            "",
            { command: "no-such-login", installHint: "Install it." },
            /: no-such-login cannot log in: it is not installed\. Install it\.$/,
        ],
    ];
    for (const [what, program, more, message] of failures) {
        it(`is quoted when it ${what}`, async () => {
            await assert.rejects(connect(program, more).get(place), (error: Error) => {
                assert.equal(error.name, "CouldNotCheck");
                assert.match(error.message, /^Nobody could log in to http:/);
                assert.match(error.message, message);
                return true;
            });
        });
    }

    it("has a limited time", async () => {
        await assert.rejects(execCredential({ command: "sleep", args: ["600"] }, {}, 100), {
            message: "sleep cannot log in: it did not end within 0.1 s",
        });
        await assert.rejects(execCredential({ command: "sh", args: ["-c", "sleep 3 & echo '{}'"] }, {}, 200), {
            message: "sh cannot log in: it did not end within 0.2 s",
        });
    });
});

describe("an API server that is busy, or is none", () => {
    const answers = async (...replies: readonly Reply[]) => {
        const rest = [...replies];
        const asked: string[] = [];
        const server = await HttpStandIn.start(({ method }) => {
            asked.push(method);
            return rest.shift() ?? [200, JSON.stringify(kubeSystem)];
        });
        const api = Kubernetes.connect({ kubeconfig: kubeconfigFor(`http://127.0.0.1:${String(server.port)}`) });
        return { api, asked, server, stop: () => server.stop() };
    };

    it("is asked again until it has time", async () => {
        const leader = JSON.stringify({ kind: "Status", message: "etcdserver: leader changed" });
        const { api, asked, server, stop } = await answers([429, "", { "retry-after": "0" }], [503], [500, leader]);
        assert.deepEqual(await api.get(place), kubeSystem);
        assert.equal(asked.length, 4);
        assert.equal(server.connections, 1);
        await stop();
    });

    it("is asked once for what changes something, and for what it refuses", async () => {
        const { api, asked, stop } = await answers([503], [403], [500, "other"]);
        assert.equal((await api.request("DELETE", place)).status, 503);
        await assert.rejects(api.get(place), { message: `GET ${place}: HTTP 403` });
        await assert.rejects(api.get(place), { message: `GET ${place}: HTTP 500` });
        assert.equal(asked.length, 3);
        await stop();
        await assert.rejects(api.request("PATCH", place), NoAnswer);
    });

    it("is not believed when a page answers in its place", async () => {
        const { api, stop } = await answers([200, "<html>Sign in</html>"], [200, "{}"]);
        await assert.rejects(
            api.get(place),
            /CouldNotCheck: GET .*: the answer is not JSON\. Is http:.* an API server\?$/,
        );
        await assert.rejects(api.list("/api/v1/nodes"), /CouldNotCheck: GET .*: the answer is not a list\./);
        await stop();
    });

    it("is not believed when what answers is no object, no list, or says that a page is not there", async () => {
        const failed = JSON.stringify({ kind: "Status", message: "no" });
        for (const body of ["null", "[]", '"x"', "1", failed]) {
            const { api, stop } = await answers([200, body]);
            await assert.rejects(api.get(place), /CouldNotCheck: GET .*: the answer is no object\./, body);
            await stop();
        }
        for (const body of [
            '{"items":[null]}',
            '{"items":["x"]}',
            '{"items":{}}',
            '{"kind":"NodeList"}',
            '{"items":[{}',
        ]) {
            const { api, stop } = await answers([200, body]);
            await assert.rejects(api.list(place), { name: "CouldNotCheck" }, body);
            await stop();
        }
        for (const body of ["<html>404 Not Found</html>", '{"type":"error","kind":"x"}']) {
            const { api, stop } = await answers([404, body]);
            await assert.rejects(api.get(place), /CouldNotCheck: GET .*: HTTP 404/, body);
            await stop();
        }
        for (const body of ["404 page not found\n", JSON.stringify({ kind: "Status", message: 'x "y" not found' })]) {
            const { api, stop } = await answers([404, body]);
            assert.equal(await api.get(place), undefined, body);
            await stop();
        }
    });

    it("is shown without whoever signs in by its address", () => {
        const { server } = Kubernetes.connect({ kubeconfig: kubeconfigFor("https://me:hunter2@a.example.net/x") });
        assert.equal(server, "https://a.example.net/x");
    });

    it("may close a connection that was kept", async () => {
        const { api, asked, stop } = await answers();
        await api.get(place);
        const { port } = new URL(api.server);
        await stop();
        const again = http.createServer((_request, response) => response.end(JSON.stringify(kubeSystem)));
        again.listen(Number(port));
        await once(again, "listening");
        assert.deepEqual(await api.get(place), kubeSystem);
        assert.equal(asked.length, 1);
        again.closeAllConnections();
        again.close();
    });
});
