import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import fc from "fast-check";

import { parseStackFile, deploymentOfFile } from "../cli/stackFile";
import { adoption } from "../core/adopt";
import { UserError } from "../core/lib/errors";
import { isMap } from "../core/lib/values";
import { writeYaml } from "../core/lib/yaml/write";
import { planOf } from "../core/review/plan";
import { planText } from "../core/review/plan/text";
import { reportStack } from "../core/review/report/stack";
import { readPrices } from "../core/review/capacity/priceFile";
import { summaryPage } from "../core/review/summary/page";
import { deploymentOf } from "../core/routes";
import { parseSettings } from "../core/routes/parse";
import { validSettings } from "./settings";
import { commandHere, deploymentFor, type Raw } from "./support";
import { runs } from "./sampled";

/** What no output may contain, in a word that nothing else has. */
const canary = fc.stringMatching(/^[a-z0-9]{10}$/).map((end) => `Canary7${end}`);

/** A text that is a secret wherever it stands. */
const texts: readonly ((word: string) => string)[] = [
    (word) => `https://user:${word}@example.net/x`,
    (word) => `https://user:a/${word}@example.net`,
    (word) => `https://${word}@example.net:4318`,
    (word) => `user:${word}@proxy.example.net:3128`,
    (word) => `https://example.net/x?y=z&api_key=${word}`,
    (word) => `Bearer ${word}`,
    (word) => `Authorization: Basic ${word}`,
    (word) => `--storage.auth-token=${word}`,
    (word) => `x-team=a,api-key=${word}`,
    (word) => `-----BEGIN EC PRIVATE KEY-----\n${word}\n-----END EC PRIVATE KEY-----`,
    (word) => `receivers:\n  x:\n    password: "${word}"\n    y: z`,
    (word) => `ghp_${word}${"a1".repeat(12)}`,
    (word) => `${"x".repeat(60)} https://user:${word}@example.net`,
];

/** Something with a secret in it, by what is written or by the name that it stands under. */
const secret: fc.Arbitrary<(word: string) => unknown> = fc.oneof(
    fc.constantFrom(...texts),
    fc.constantFrom(...texts).map((text) => (word: string) => [["x", text(word)]]),
    fc.constantFrom(...texts).map((text) => (word: string) => ({ [text(word)]: 1 })),
    fc.constantFrom("password", "clientSecret", "DD_API_KEY", "x-auth-token", "Authorization", "token").chain((name) =>
        fc.constantFrom<((word: string) => unknown)[]>(
            (word) => ({ [name]: word }),
            (word) => ({ a: [{ [name]: word }] }),
            (word) => ({ headers: { [name]: [word] } }),
            (word) => [{ name, value: word }],
            (word) => ({
                env: [
                    { name: "A", value: "b" },
                    { value: word, name },
                ],
            }),
        ),
    ),
);

const kubeStack = ["values", "kof-collectors", "values", "opentelemetry-kube-stack"];
const shared = [...kubeStack, "defaultCRConfig"];
/** Where people write things, whether that is right or not. */
const places: readonly (readonly string[])[] = [
    ["token"],
    ["chart"],
    ["clusterName"],
    ["version"],
    ["acknowledge"],
    ["otlp", "endpoint"],
    ["otlp", "headers"],
    ["otlp", "headersSecret"],
    ["otlp", "apiKey"],
    ["otlp", "tls", "caSecret"],
    ["cloudwatch", "endpoint"],
    ["cloudwatch", "tags"],
    ["cloudwatch", "logStream"],
    ["cloudwatch", "credentials"],
    ["storageClass", "parameters"],
    ["storage", "logs", "size"],
    ["values"],
    ["values", "kof-mothership", "values", "dex", "config"],
    ["values", "kof-mothership", "values", "promxy", "extraArgs"],
    ["values", "kof-child", "values", "collectors", "kcm", "namespace"],
    [...kubeStack, "collectors", "daemon", "env"],
    [...kubeStack, "collectors", "daemon", "annotations", "a"],
    [...kubeStack, "collectors", "daemon", "replicas"],
    [...kubeStack, "collectors", "daemon", "image", "tag"],
    [...shared, "env"],
    [...shared, "config", "exporters", "otlphttp/x", "headers"],
    [...shared, "config", "exporters", "otlphttp/x", "endpoint"],
    [...shared, "config", "service", "pipelines", "logs", "exporters"],
];

function put(value: unknown, [step, ...rest]: readonly string[], leaf: unknown): unknown {
    return step === undefined
        ? leaf
        : { ...(isMap(value) ? value : {}), [step]: put(isMap(value) ? value[step] : undefined, rest, leaf) };
}

/** The message of our own error. Anything else is a fault. */
function refusalOf(act: () => unknown): string {
    try {
        act();
    } catch (error) {
        assert.ok(error instanceof UserError, String((error as Error).stack));
        return error.message;
    }
    return "";
}

describe("a secret", () => {
    it("in any place of settings is refused, and nothing shows it (sampled)", () => {
        fc.assert(
            fc.property(validSettings, fc.constantFrom(...places), secret, canary, (valid, place, make, word) => {
                const raw = put(valid, place, make(word)) as Raw;
                const message = refusalOf(() => parseSettings(raw, "Pulumi.test.yaml"));
                assert.match(message, /looks like a secret|password or token/);
                assert.doesNotMatch(message, new RegExp(word, "i"));

                // As a stack file, read by what renders, plans and reports.
                const config = Object.fromEntries(Object.entries(raw).map(([key, value]) => [`kof:${key}`, value]));
                const text = writeYaml({ config });
                const ofFile = refusalOf(() => deploymentOfFile(parseStackFile(text, "Pulumi.test.yaml")));
                assert.match(ofFile, /looks like a secret|password or token/);
                assert.doesNotMatch(ofFile, new RegExp(word, "i"));

                // As what a stack remembers of a version that took it.
                const outputs: unknown[] = [];
                outputs.push(
                    refusalOf(() => {
                        const after = deploymentFor(valid);
                        const settings = parseSettings(raw, "the last deployment", true);
                        outputs.push(settings);
                        const before = deploymentOf(settings);
                        outputs.push(summaryPage("test", before, before.notices), before.values, before.collectors);
                        outputs.push(planText(planOf(before, after)), planText(planOf(after, before)));
                        const change = {
                            ...{ stack: "test", file: "Pulumi.test.yaml" },
                            before: { deployment: before, files: {} },
                            after: { deployment: after, files: {} },
                        };
                        outputs.push(reportStack(change, readPrices()));
                    }),
                );
                assert.doesNotMatch(JSON.stringify(outputs), new RegExp(word, "i"));
            }),
            runs(4, 40),
        );
    });

    it("in values that are adopted is not copied, and nothing shows it (sampled)", () => {
        const ofValues = places.filter(([setting, component]) => setting === "values" && component !== undefined);
        fc.assert(
            fc.property(validSettings, fc.constantFrom(...ofValues), secret, canary, (valid, place, make, word) => {
                const { values, settings } = deploymentFor(valid);
                const text = writeYaml(put(values, place.slice(1), make(word)));
                const outputs: unknown[] = [];
                outputs.push(
                    refusalOf(() => {
                        outputs.push(adoption(text, { version: settings.version }));
                    }),
                    refusalOf(() => adoption(`${text}\nx: "${word}`)),
                );
                assert.doesNotMatch(JSON.stringify(outputs), new RegExp(word, "i"));
            }),
            runs(4, 40),
        );
    });

    it("is not shown where a stack file is no YAML", () => {
        const wrong = [
            '{password: "Canary7',
            "{password: Canary7]",
            "password: *Canary7",
            'password: "Canary7" "Canary7"',
            "a: b: Canary7",
        ];
        for (const text of wrong) {
            const message = refusalOf(() => parseStackFile(`config:\n  kof:values:\n    ${text}`, "Pulumi.test.yaml"));
            assert.match(
                message,
                /^Pulumi\.test\.yaml (is not YAML: .*, line 3|has aliases that cannot be resolved)/,
                text,
            );
            assert.doesNotMatch(message, /Canary7/, text);
        }
    });

    it("of a provider is refused in plain text, with the command that encrypts it", () => {
        for (const [key, value] of [
            ["aws:secretKey", "Canary7Canary7Canary7"],
            ["aws:accessKey", `AKIACANARYCANARY7CAN`],
            ["aws:token", "Canary7"],
            ["aws:httpProxy", "http://user:Canary7@proxy.example.net:3128"],
            ["aws:assumeRoleWithWebIdentity", { webIdentityToken: "Canary7" }],
        ] as const) {
            const text = writeYaml({ config: { "kof:route": "none", [key]: value } });
            const message = refusalOf(() => parseStackFile(text, "Pulumi.test.yaml"));
            assert.match(message, new RegExp(`${key} is a secret in plain text`));
            assert.match(message, new RegExp(`Run: {5}pulumi config set --secret ${key}$`));
            assert.doesNotMatch(message, /canary/i);
            const encrypted = { config: { "kof:route": "none", [key]: { secure: "v1:abc" } } };
            assert.equal(
                refusalOf(() => parseStackFile(writeYaml(encrypted), "Pulumi.test.yaml")),
                "",
            );
        }
        const open = { "aws:region": "us-east-2", "aws:profile": "prod", "kubernetes:context": "prod" };
        assert.equal(
            refusalOf(() => parseStackFile(writeYaml({ config: open }), "Pulumi.test.yaml")),
            "",
        );
    });

    it("is not shown by any command", async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "secrets-"));
        try {
            const file = (name: string, content: unknown) => {
                fs.writeFileSync(path.join(folder, name), writeYaml(content));
                return path.join(folder, name);
            };
            const headers = { Authorization: "Bearer Canary7" };
            const wrong = file("Pulumi.wrong.yaml", {
                config: { "kof:route": "otlp", "kof:otlp": { endpoint: "https://u:Canary7@example.net", headers } },
            });
            const right = file("Pulumi.right.yaml", { config: { "kof:route": "none" } });
            const exporters = { exporters: { "otlphttp/x": { endpoint: "https://example.net", headers } } };
            const values = file("values.yaml", {
                "kof-collectors": {
                    values: { "opentelemetry-kube-stack": { defaultCRConfig: { config: exporters } } },
                },
            });
            const runs = {
                render: ["--config", wrong, "--out", path.join(folder, "out")],
                plan: ["--from", right, "--to", wrong],
                doctor: ["--config", wrong],
                adopt: [values, "--version", "1.9.0", "--out", path.join(folder, "Pulumi.adopted.yaml")],
            };
            for (const [name, options] of Object.entries(runs)) {
                const { stdout, stderr } = await commandHere(name, options);
                assert.match(stdout + stderr, /secret|password or token/, name);
                assert.doesNotMatch(stdout + stderr, /Canary7/, name);
            }
            for (const name of fs.readdirSync(folder).filter((each) => each.includes("adopted"))) {
                assert.doesNotMatch(fs.readFileSync(path.join(folder, name), "utf8"), /Canary7/);
            }
        } finally {
            fs.rmSync(folder, { recursive: true });
        }
    });
});
