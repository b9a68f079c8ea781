import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { runOffline } from "../../cli/program";
import type { StackFile } from "../../cli/stackFile";
import { routes, stackFile, type Raw } from "../support";

async function refusal(raw: Raw, more: Readonly<Record<string, string>> = {}, secretKeys: string[] = []) {
    const file: StackFile = { ...stackFile(raw, more), secretKeys };
    return runOffline(file, { preview: true }).then(
        () => assert.fail("no error"),
        (error: unknown) => {
            assert.equal((error as Error).name, "UserError", String(error));
            return (error as Error).message.split("\n\n").slice(1).join("\n\n");
        },
    );
}

describe("configuration", () => {
    it("is refused before anything is registered", async () => {
        assert.match(await refusal({ route: "nowhere" }), /^ {2}kof:route is "nowhere"/);
    });

    it("tells an archive that is set and says nothing from one that is not set, for which Pulumi hands on the same", async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-config-"));
        const run = (source: string) =>
            runOffline({ ...stackFile({ coldStorage: {} }), file: path.join(folder, source) }, { preview: true });
        try {
            for (const [name, line] of [
                ["Pulumi.set.yaml", "kof:coldStorage: {}"],
                ["Pulumi.not.yaml", "kof:route: none"],
            ] as const) {
                fs.writeFileSync(path.join(folder, name), `config:\n  ${line}\n`);
            }
            await assert.rejects(run("Pulumi.set.yaml"), /kof:coldStorage\.bucket is missing/);
            await run("Pulumi.not.yaml");
            // Where the file is elsewhere nobody can tell.
            await run("Pulumi.elsewhere.yaml");
        } finally {
            fs.rmSync(folder, { recursive: true });
        }
    });

    it("takes no secret, since Helm values are readable", async () => {
        assert.equal(
            await refusal({ values: { "kof-mothership": {} } }, {}, ["kof:values"]),
            "  kof:values is encrypted, but no setting takes a secret: put it in a Secret and refer to that by name",
        );
    });

    it("names a key that the Kubernetes provider does not have", async () => {
        assert.match(
            await refusal({}, { "kubernetes:contxt": "prod" }),
            /^ {2}kubernetes:contxt is not a setting of the Kubernetes provider\n {4}Allowed: alwaysRender, cluster, /,
        );
    });

    it("names keys of a misspelt namespace, and leaves those of other programs alone", async () => {
        const text = await refusal(
            {},
            {
                "kubernets:context": "prod",
                "Kof:route": "none",
                "k8s:context": "prod",
                "asw:region": "eu-west-1",
                "awsx:a": "b",
                "gcp:a": "b",
            },
        );
        assert.equal(
            text,
            "  kubernets:context is read by nobody. Did you mean kubernetes:context?\n    Allowed: kof:…, kubernetes:…, aws:…\n\n" +
                "  Kof:route is read by nobody. Did you mean kof:route?\n    Allowed: kof:…, kubernetes:…, aws:…\n\n" +
                "  k8s:context is read by nobody. Did you mean kubernetes:context?\n    Allowed: kof:…, kubernetes:…, aws:…\n\n" +
                "  asw:region is read by nobody. Did you mean aws:region?\n    Allowed: kof:…, kubernetes:…, aws:…",
        );
    });

    it("says when a folder has no chart, or one of another version", async () => {
        assert.equal(
            await refusal({ chart: "./test/nothing" }),
            '  kof:chart is "./test/nothing", which has no Chart.yaml\n    Allowed: a folder with the umbrella chart kof',
        );
        assert.equal(
            await refusal({ chart: "./test/charts/kof", version: "1.9.0" }),
            '  kof:chart is "./test/charts/kof", which holds kof 1.10.0, but kof:version is 1.9.0\n' +
                "    Allowed: the chart kof 1.9.0\n    Paste:   kof:version: 1.10.0",
        );
    });

    it("says when values would break a collector", async () => {
        const kubeStack = { defaultCRConfig: { env: [{ name: "HTTPS_PROXY", value: "http://proxy:3128" }] } };
        const values = { "kof-collectors": { values: { "opentelemetry-kube-stack": kubeStack } } };
        const text = await refusal({ ...routes.regional, version: "1.9.0", values });
        assert.match(
            text,
            /kof:values breaks the collectors .*kof-collectors-daemon, .*: extensions basicauth\/logs uses the variable KOF_VM_USER, which is not in env/,
        );
        assert.match(
            text,
            /kof:values breaks the collector kof-collectors-controller-k0s-daemon: receivers prometheus uses the variable PKI_PATH, which is not in env/,
        );
    });

    it("does not blame missing values for other settings' problems", async () => {
        const destinations = { vendor: { preset: "dynatrace", auth: { kind: "headers", secret: "vendor" } } };
        const wrong = { ...routes.management, signals: { logs: ["vendor"] }, destinations };
        assert.match(
            await refusal(wrong),
            /^ {2}kof:destinations\.vendor\.endpoint is missing, [^]*dynatrace\.com\/api\/v2\/otlp$/,
        );
    });

    it("keeps secrets of the providers' configuration secret", async () => {
        const file = {
            ...stackFile({}, { "kubernetes:kubeconfig": "apiVersion: v1" }),
            secretKeys: ["kubernetes:kubeconfig"],
        };
        const { resources } = await runOffline(file, { preview: false });
        const provider = resources.find(({ type }) => type === "pulumi:providers:kubernetes")!;
        assert.deepEqual(provider.inputs.kubeconfig, {
            "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
            value: "apiVersion: v1",
        });
    });

    it("encrypts a kubeconfig that signs in by itself, and says so where its stack file does not", async () => {
        const user = (user: object) => JSON.stringify({ apiVersion: "v1", users: [{ name: "me", user }] });
        const runOf = (kubeconfig: string) =>
            runOffline(stackFile({}, { "kubernetes:kubeconfig": kubeconfig }), { preview: false });
        for (const secret of [{ token: "Canary7" }, { password: "Canary7" }, { "client-key-data": "Canary7" }]) {
            const kubeconfig = user(secret);
            const { resources, messages } = await runOf(kubeconfig);
            const provider = resources.find(({ type }) => type === "pulumi:providers:kubernetes")!;
            assert.deepEqual(provider.inputs.kubeconfig, {
                "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
                value: kubeconfig,
            });
            const said = messages.filter((message) => message.includes("kubernetes:kubeconfig"));
            assert.equal(said.length, 1);
            assert.match(said[0]!, /in plain text.*cat FILE \| pulumi config set --secret kubernetes:kubeconfig/);
            assert.doesNotMatch(said[0]!, /Canary7/);
        }
        for (const open of ["/home/me/.kube/config", user({ exec: { command: "aws" } }), user({ tokenFile: "/a/b" })]) {
            const { resources, messages } = await runOf(open);
            const provider = resources.find(({ type }) => type === "pulumi:providers:kubernetes")!;
            assert.equal(provider.inputs.kubeconfig, open);
            assert.ok(!messages.some((message) => message.includes("kubernetes:kubeconfig")));
        }
    });

    it("refuses a provider's secret in plain text, with the command that encrypts it", async () => {
        const text = await refusal({}, { "aws:secretKey": "Canary7Canary7Canary7", "aws:token": "Canary7" });
        assert.match(text, /aws:secretKey is a secret in plain text/);
        assert.match(
            text,
            /aws:token is a secret in plain text.*\n.*\n {4}Run: {5}pulumi config set --secret aws:token$/,
        );
        assert.doesNotMatch(text, /Canary7/);
    });

    it("hands the AWS configuration on to the provider of the log groups", async () => {
        const more = {
            "aws:profile": "audit",
            "aws:assumeRoles": '[{"roleArn":"arn:aws:iam::1:role/x"}]',
            "aws:region": "eu-west-1",
        };
        const { resources } = await runOffline(stackFile(routes.cloudwatch!, more), { preview: false });
        const { inputs } = resources.find(({ type }) => type === "pulumi:providers:aws")!;
        assert.deepEqual([inputs.profile, inputs.region], ["audit", "us-east-2"]);
        assert.deepEqual(JSON.parse(String(inputs.assumeRoles)), [{ roleArn: "arn:aws:iam::1:role/x" }]);
    });
});
