import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import * as http from "node:http";
import type * as https from "node:https";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { isatty } from "node:tty";

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

    it("is not hidden by files that are empty, or have nothing", () => {
        const nothing = [
            "",
            "# nothing yet\n",
            "clusters: null\nusers:\ncontexts: []\n",
            "clusters: [null, {name: b}]\n",
        ];
        for (const text of nothing) {
            const file = path.join(folder, "nothing");
            fs.writeFileSync(file, text);
            assert.equal(connected(file, write("one")), "https://one.example.net", text);
            assert.equal(connected(write("one"), file), "https://one.example.net", text);
            assert.throws(() => connected(file), /^UserError: The kubeconfig has no current context\. Name one: /);
        }
    });

    it("says of which file or entry what is wrong", () => {
        const file = path.join(folder, "wrong");
        const context = '"contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}], "current-context": "a"';
        const cluster = '"clusters": [{"name": "c", "cluster": {"server": "https://c.example.net"}}]';
        for (const [text, message] of [
            ["a: [\n  token: hunter2", /kubeconfig \S+\/wrong cannot be read: .*, line \d$/],
            ["a: *b", /\/wrong cannot be read: Unresolved alias/],
            ["- a", /\/wrong cannot be read: it is no map with clusters, users and contexts$/],
            ['{"current-context": "prod"}', /has no context prod\. It has: none\.$/],
            [`{${context}}`, /has no cluster c\. It has: none\.$/],
            [`{${context}, "clusters": [{"name": "c", "cluster": {}}]}`, /has no cluster c\. It has: none\.$/],
            [`{${context}, ${cluster}, "users": [{"name": "v"}]}`, /has no user u\. It has: v\.$/],
        ] as const) {
            fs.writeFileSync(file, text);
            assert.throws(() => connected(file), { name: "UserError", message }, text);
        }
        assert.throws(() => connected(folder), { message: `The kubeconfig ${folder} cannot be read: it is a folder` });
        assert.throws(() => Kubernetes.connect({ kubeconfig: path.join(folder, "no") }), {
            message: `The kubeconfig ${folder}/no cannot be read: there is no such file`,
        });
    });

    it("has the files that it names in its own folder, unless it has what would be in them", () => {
        const file = path.join(folder, "config");
        const config = JSON.parse(fs.readFileSync(write("one"), "utf8")) as Record<string, any>;
        const files = { "client-certificate": "tls/crt", "client-key": "/tls/key" };
        config.clusters[0].cluster["certificate-authority"] = "ca.crt";
        config.users[0].user = { ...files, exec: { command: "./bin/login" } };
        const read = () => {
            fs.writeFileSync(file, JSON.stringify(config));
            const loaded = loadKubeconfig({ kubeconfig: path.relative(process.cwd(), file) });
            const { caFile } = loaded.cluster;
            const { certFile, keyFile, exec } = loaded.user!;
            return [caFile, certFile, keyFile, exec.command];
        };
        const at = (name: string) => path.join(folder, name);
        assert.deepEqual(read(), [at("ca.crt"), at("tls/crt"), "/tls/key", at("bin/login")]);
        config.clusters[0].cluster["certificate-authority-data"] = "eA==";
        Object.assign(config.users[0].user, { "client-certificate-data": "eA==", "client-key-data": "eA==" });
        // By its name it is looked for in PATH.
        config.users[0].user.exec.command = "login";
        assert.deepEqual(read(), [undefined, undefined, undefined, "login"]);
    });

    it("is checked by its certificate where nobody logs in, too", async () => {
        const config = JSON.parse(fs.readFileSync(write("one"), "utf8")) as Record<string, any>;
        config.clusters[0].cluster["certificate-authority-data"] = Buffer.from("x").toString("base64");
        delete config.contexts[0].context.user;
        const { request } = await logIn(loadKubeconfig({ kubeconfig: JSON.stringify(config) }));
        assert.deepEqual(request.ca, Buffer.from("x"));
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
                assert.match(error.message, /^The kubeconfig \S+ cannot be read: .+, line 3$/);
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
            [
                { "client-certificate": "cert", "client-key": "key" },
                { "certificate-authority": path.join(folder, "ca") },
            ],
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

    it("has the CA that the kubeconfig itself has, whether anybody logs in or not", async () => {
        fs.writeFileSync(path.join(folder, "ca"), "another");
        const cluster = { "certificate-authority": "ca", "certificate-authority-data": "Q0E=" };
        const file = path.join(folder, "config");
        for (const context of ['"cluster":"a","user":"a"', '"cluster":"a"']) {
            const text = kubeconfigFor("https://a.example.net", { token: "t" }, cluster);
            fs.writeFileSync(file, text.replace('"cluster":"a","user":"a"', context));
            const { request } = await logIn(loadKubeconfig({ kubeconfig: file }));
            assert.equal(String(request.ca), "CA");
            assert.equal("authorization" in (request.headers as object), context.includes("user"));
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
        const api = connect(credential({ token: "t1" }), { provideClusterInfo: true, interactiveMode: "Never" });
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

    it("is told what the kubeconfig has for it, and who uses it may act as another", async () => {
        const asked: http.IncomingHttpHeaders[] = [];
        const server = await HttpStandIn.start(({ headers }) => {
            asked.push(headers);
            return [200, JSON.stringify(kubeSystem)];
        });
        const exec = {
            command: "sh",
            args: ["-c", `echo "$KUBERNETES_EXEC_INFO" >> ${folder}/runs; ${credential({ token: "t1" })}`],
            provideClusterInfo: true,
        };
        const other = { as: "eve", "as-groups": ["a", "b"], "as-uid": "1", "as-user-extra": { "Why/not": ["x"] } };
        const extensions = [{ name: "client.authentication.k8s.io/exec", extension: { audience: "me" } }];
        const address = `http://127.0.0.1:${String(server.port)}`;
        await Kubernetes.connect({ kubeconfig: kubeconfigFor(address, { exec, ...other }, { extensions }) }).get(place);
        await server.stop();
        assert.deepEqual(
            (JSON.parse(runs().at(-1) ?? "") as { spec: { cluster: { config: object } } }).spec.cluster.config,
            { audience: "me" },
        );
        const [sent] = asked;
        assert.deepEqual(
            [
                "authorization",
                "impersonate-user",
                "impersonate-group",
                "impersonate-uid",
                "impersonate-extra-why%2fnot",
            ].map((name) => sent?.[name]),
            ["Bearer t1", "eve", "a, b", "1", "x"],
        );
    });

    it("may leave a token in a file, which is read again when it is refused", async () => {
        const tokenFile = path.join(folder, "token");
        fs.writeFileSync(tokenFile, "t1\n");
        const user = { tokenFile, token: "of before" };
        const api = Kubernetes.connect({
            kubeconfig: kubeconfigFor(`http://127.0.0.1:${String(cluster.port)}`, user),
        });
        assert.deepEqual(await api.get(place), kubeSystem);
        good = "t2";
        fs.writeFileSync(tokenFile, "t2");
        assert.deepEqual(await api.get(place), kubeSystem);
        fs.rmSync(tokenFile);
        good = "t3";
        await assert.rejects(api.get(place), /^CouldNotCheck: Nobody could log in to http:\S+: ENOENT/);
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

    it("does not wait for an answer where there is no terminal to ask at", async () => {
        const ask = { command: "sh", args: ["-c", 'read answer; echo "$answer"'] } as const;
        // As the test has no terminal, or one that nobody looks at.
        await assert.rejects(
            execCredential({ ...ask, interactiveMode: "Never" }, {}, 60_000),
            /sh cannot log in: its answer is not an ExecCredential/,
        );
        if (!isatty(0)) {
            await assert.rejects(execCredential({ ...ask, interactiveMode: "Always" }, {}), {
                message: "sh cannot log in: it has to ask somebody, and there is no terminal",
            });
        }
    });

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

    it("may write what is not there as null", async () => {
        const pod = { metadata: { name: "a", annotations: null }, status: { conditions: null, phase: "Running" } };
        const { api, stop } = await answers([200, JSON.stringify({ items: [pod] })]);
        assert.deepEqual(await api.list(place), [{ metadata: { name: "a" }, status: { phase: "Running" } }]);
        await stop();
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
