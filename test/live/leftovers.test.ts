import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { HttpStandIn, type Reply } from "../../tools/servers/standins";
import { commandHere } from "../support";

describe("what is left, on a cluster that does not show all of it", () => {
    let folder: string;
    let server: HttpStandIn;
    let answer: (path: string) => Reply;
    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "left-"));
        server = await HttpStandIn.start(({ url }) => answer(url.pathname));
        const kubeconfig = JSON.stringify({
            clusters: [{ name: "a", cluster: { server: `http://127.0.0.1:${String(server.port)}` } }],
            users: [{ name: "a", user: {} }],
            contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
            "current-context": "a",
        });
        const config = { "kof:route": "none", "kubernetes:kubeconfig": kubeconfig };
        fs.writeFileSync(path.join(folder, "Pulumi.prod.yaml"), JSON.stringify({ config }));
    });
    after(async () => {
        fs.rmSync(folder, { recursive: true });
        await server.stop();
    });
    const left = (...options: string[]) =>
        commandHere("left", ["--config", path.join(folder, "Pulumi.prod.yaml"), ...options]);
    const list = (...items: object[]): Reply => [200, JSON.stringify({ items })];
    const forbidden: Reply = [
        403,
        JSON.stringify({ kind: "Status", message: "no \u001b]0;x\u0007\u009b2J \u202efor you, password=hunter2" }),
    ];

    it("is all that can be seen: one kind that is refused hides no other, and nothing is said to be gone", async () => {
        const kept = { metadata: { name: "kof-a", annotations: { "meta.helm.sh/release-name": "kof-mothership" } } };
        const volume = (name: string, phase?: string) => ({
            metadata: { name },
            spec: { capacity: { storage: "1Gi" }, claimRef: { namespace: "kof", name: "c" } },
            ...(phase === undefined ? {} : { status: { phase } }),
        });
        answer = (at) =>
            at.endsWith("/servicetemplates")
                ? list(kept)
                : at.endsWith("/persistentvolumes")
                  ? list(volume("a", "Released"), volume("b", "Failed"), volume("c", "Bound"), volume("d"))
                  : forbidden;
        const { status, stdout } = await left("--json");
        const said = JSON.parse(stdout) as { left: { what: string }[]; unseen: string[] };
        assert.equal(status, 2);
        assert.deepEqual(said.left.map(({ what }) => what).sort(), [
            "1 servicetemplate of KOF",
            "volume a of 1Gi, which was c",
            "volume b of 1Gi, which was c",
        ]);
        assert.equal(said.unseen.length, 7);
    });

    it("is what the API server asks of a service that is gone, and of no other", async () => {
        const webhook = (name: string, of: string) => ({
            metadata: { name },
            webhooks: [
                { clientConfig: { url: "https://x.example" } },
                { clientConfig: { service: { namespace: of } } },
            ],
        });
        answer = (at) =>
            at === "/api/v1/namespaces/kof"
                ? [404, ""]
                : at.endsWith("/mutatingwebhookconfigurations")
                  ? list(webhook("kof-operators-mutation", "kof"), webhook("shop", "shop"), {
                        metadata: { name: "none" },
                    })
                  : list();
        const { stdout } = await left();
        assert.match(
            stdout,
            /\n {2}1 mutatingwebhookconfiguration that a service in namespace kof answers\n {6}kubectl delete mutatingwebhookconfigurations kof-operators-mutation\n$/,
        );
    });

    it("is a namespace that does not go, with what holds it", async () => {
        const held = [
            { type: "NamespaceDeletionContentFailure", status: "False", message: "all is well" },
            { type: "NamespaceFinalizersRemaining", status: "True", message: "x.example in 1 resource instances" },
        ];
        const phases: Record<string, string> = { Active: "", Terminating: "x" };
        for (const [phase, expected] of Object.entries(phases)) {
            const found = { metadata: { name: "kof" }, status: { phase, conditions: held } };
            answer = (at) => (at === "/api/v1/namespaces/kof" ? [200, JSON.stringify(found)] : list());
            const { status, stdout } = await left();
            assert.equal(status, 0);
            assert.match(
                stdout,
                expected === ""
                    ? /^Nothing is left\.\n$/
                    : /namespace kof, which is being deleted\. x\.example in 1 resource instances\n {6}kubectl get namespace kof/,
            );
        }
    });

    it("is shown without what a terminal would obey, and without secrets", async () => {
        answer = () => forbidden;
        for (const options of [[], ["--json"]]) {
            const { status, stdout } = await left(...options);
            assert.equal(status, 2);
            // eslint-disable-next-line no-control-regex
            assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]|hunter2|Nothing is left/);
            assert.match(stdout, /\\u202efor you, password=…/);
        }
    });

    it("is nothing only where a cluster says so, and no page in its place", async () => {
        answer = () => [404, JSON.stringify({ kind: "Status", message: "not found" })];
        assert.deepEqual(await left(), { status: 0, stdout: "Nothing is left.\n", stderr: "" });
        for (const page of [
            [200, "<html>Sign in</html>"],
            [200, "null"],
            [200, "{}"],
            [404, "<html>nginx</html>"],
            [200, '{"items":[{"metadata":{"na'],
        ] as const) {
            answer = () => page;
            const { status, stdout } = await left();
            assert.equal(status, 2);
            assert.match(stdout, /^Nothing was found where it could be checked\.\n {2}could not check: /, page[1]);
        }
    });
});
