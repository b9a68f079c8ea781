import assert from "node:assert/strict";

import { runOffline } from "../../cli/program";
import { cases, find, routes, stackFile, type Raw } from "../support";
import { sample } from "../sampled";

const folder = { "kubernetes:renderYamlToDirectory": "clusters/prod" };
const existing = { kind: "existingSecret", name: "mine" };

/** The same settings with every Secret made elsewhere. */
function withoutSecrets(raw: Raw): Raw {
    const grafana = { enabled: true, existingSecret: "grafana" };
    const { cloudwatch } = raw as { cloudwatch?: object };
    return { ...raw, grafana, ...(cloudwatch ? { cloudwatch: { ...cloudwatch, credentials: existing } } : {}) };
}

describe("a stack that is written to a folder for Argo CD or Flux", () => {
    const run = (raw: Raw, more: Readonly<Record<string, string>> = folder) =>
        runOffline(stackFile(raw, more), { preview: false });

    for (const { version, name, raw } of sample(cases, 12)) {
        it(`has no Secret and reads none from a cluster (sampled): KOF ${version}, ${name}`, async () => {
            const { resources } = await run(withoutSecrets(raw));
            assert.equal(find(resources, "pulumi:providers:kubernetes").inputs.renderYamlToDirectory, "clusters/prod");
            assert.deepEqual(
                resources.filter(({ type }) => type.endsWith(":Secret") || type.startsWith("random:")),
                [],
            );
        });
    }

    it("has several destinations as any stack has them, whose Secrets are made elsewhere", async () => {
        const vendor = { endpoint: "https://otlp.example.net", auth: { kind: "headers", secret: "vendor" } };
        const several = {
            ...routes.management,
            signals: { logs: ["management", "vendor", "cloudwatch"], traces: ["vendor"] },
            destinations: { vendor },
        };
        const cloudwatch = { region: "us-east-2", credentials: existing };
        const valuesIn = async (more: Readonly<Record<string, string>>) => {
            const { resources } = await run({ ...several, cloudwatch }, more);
            assert.deepEqual(
                resources.filter(({ type }) => type.endsWith(":Secret")),
                [],
            );
            return (find(resources, "kubernetes:helm.sh/v4:Chart").inputs as any).values;
        };
        const [folderValues, clusterValues] = [await valuesIn(folder), await valuesIn({})];
        assert.deepEqual(folderValues, clusterValues);
        assert.match(JSON.stringify(folderValues), /"forward\/vendor"/);
        await assert.rejects(
            run({ ...several, cloudwatch: { region: "us-east-2" } }),
            /has this stack make Secret kof\/cloudwatch-credentials/,
        );
    });

    it("is refused where the program would make Secrets, all of them at once, with what to write instead", async () => {
        await assert.rejects(run({ ...routes.cloudwatch, grafana: { enabled: true } }), {
            name: "UserError",
            message: `Pulumi.test.yaml has 2 problems. Nothing was changed.

  kof:cloudwatch.credentials has this stack make Secret kof/cloudwatch-credentials, which kubernetes:renderYamlToDirectory would write into git in plain text. Have the Secret made on the cluster (Sealed Secrets, External Secrets, SOPS), and name it
    Allowed: existingSecret, or without any Secret on EKS: podIdentity, irsa
    Paste:   kof:cloudwatch:
               credentials:
                 kind: existingSecret
                 name: cloudwatch-credentials

  kof:grafana.existingSecret has this stack make Secret kof/grafana-admin-credentials, which kubernetes:renderYamlToDirectory would write into git in plain text. Have the Secret made on the cluster (Sealed Secrets, External Secrets, SOPS), and name it
    Allowed: the name of a Secret with the keys GF_SECURITY_ADMIN_USER and GF_SECURITY_ADMIN_PASSWORD
    Paste:   kof:grafana:
               existingSecret: grafana-admin-credentials`,
        });
    });

    it("is not what an empty folder name means", async () => {
        const raw = { ...routes.cloudwatch, grafana: { enabled: true } };
        const { resources } = await run(raw, { "kubernetes:renderYamlToDirectory": "" });
        assert.equal(resources.filter(({ type }) => type.endsWith(":Secret")).length, 2);
    });

    it("can have a Grafana whose Secret is made elsewhere, as any stack can", async () => {
        const { resources } = await run({ route: "none", grafana: { enabled: true, existingSecret: "mine" } }, {});
        const { values } = find(resources, "kubernetes:helm.sh/v4:Chart").inputs as any;
        assert.deepEqual(values["kof-mothership"].values.grafana, {
            enabled: true,
            security: { create_secret: false, credentials_secret_name: "mine" },
        });
        assert.deepEqual(
            resources.filter(({ type }) => /Secret|Grafana|random/.test(type)),
            [],
        );
    });
});
