import assert from "node:assert/strict";

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

    it("names keys of a namespace that nobody reads, and leaves those of others alone", async () => {
        const text = await refusal(
            {},
            { "kubernets:context": "prod", "Kof:route": "none", "awsx:a": "b", "gcp:a": "b" },
        );
        assert.equal(
            text,
            "  kubernets:context is read by nobody. Did you mean kubernetes:context?\n    Allowed: kof:…, kubernetes:…, aws:…\n\n" +
                "  Kof:route is read by nobody. Did you mean kof:route?\n    Allowed: kof:…, kubernetes:…, aws:…",
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
