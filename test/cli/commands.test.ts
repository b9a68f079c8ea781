import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import fc from "fast-check";
import { stringify } from "yaml";

import { runOffline } from "../../cli/program";
import { renderStack } from "../../cli/renderStack";
import { parseStackFile, readStackFile, stackFilesIn } from "../../cli/stackFile";
import { command, commandHere } from "../support";
import { runs } from "../sampled";

const examples = stackFilesIn("examples");

describe("commands", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    // Only what makes a client of the AWS SDK shows it, and only on Node 20.
    it("print no warning of the AWS SDK about the version of Node", () => {
        const file = path.join(folder, "kubeconfig");
        const nowhere = "http://127.0.0.1:9";
        fs.writeFileSync(
            file,
            stringify({
                "current-context": "x",
                contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
                clusters: [{ name: "x", cluster: { server: nowhere } }],
                users: [{ name: "x", user: {} }],
            }),
        );
        const { stdout, stderr } = command("left", ["--config", "examples/Pulumi.cloudwatch.yaml"], {
            env: {
                KUBECONFIG: file,
                AWS_ENDPOINT_URL: nowhere,
                AWS_ACCESS_KEY_ID: "a",
                AWS_SECRET_ACCESS_KEY: "b",
                AWS_MAX_ATTEMPTS: "1",
                // Mocha has set it for itself, by the same file.
                AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: undefined,
            },
        });
        assert.match(stdout, /^Nothing was found where it could be checked\.$/m);
        assert.match(stdout, /AWS does not list log group \S+: connect ECONNREFUSED 127\.0\.0\.1:9/);
        assert.equal(stderr, "");
    });

    it("say how they are used for -h as for --help", async () => {
        for (const option of ["-h", "--help"]) {
            const { status, stdout } = await commandHere("doctor", ["--stack", "x", option]);
            assert.equal(status, 0);
            assert.match(stdout, /^Usage: npm run doctor /);
        }
    });

    it("answer in JSON what they cannot do, where they were asked for JSON", async () => {
        const { status, stdout, stderr } = await commandHere("doctor", ["--config", "nowhere.yaml", "--json"]);
        assert.equal(status, 1);
        assert.match(stderr, /^There is no nowhere\.yaml\./);
        assert.match((JSON.parse(stdout) as { error: string }).error, /^There is no nowhere\.yaml\./);
    });

    describe("npm start", () => {
        it("previews dev, without colours when piped", () => {
            const { status, stdout, stderr } = command("start", []);
            assert.deepEqual([status, stderr], [0, ""]);
            assert.match(stdout, /^Preview \(dev\) offline: nothing was contacted/);
            assert.match(stdout, /^ \+ {3}├─ pulumi:providers:kubernetes +kubernetes +create$/m);
            assert.match(
                stdout,
                /^ \+ {3}│ {5}└─ kubernetes:helm\.toolkit\.fluxcd\.io\/v2:HelmRelease +kof:kof\/kof-child +create$/m,
            );
            assert.match(stdout, /^ {4}metrics {2}VictoriaMetrics on this cluster: http:\/\/vminsert-cluster:8480\//m);
            assert.match(stdout, /^ {4}\+ 24 to create$/m);
            // eslint-disable-next-line no-control-regex
            assert.doesNotMatch(stdout, /\u001b/);
        });

        it("says that a stack file is missing, and how to make one", async () => {
            const { status, stdout, stderr } = await commandHere("start", ["--stack", "prod"]);
            assert.deepEqual([status, stdout], [1, ""]);
            assert.equal(
                stderr,
                "There is no Pulumi.prod.yaml.\nStack files here: Pulumi.dev.yaml.\n" +
                    `To start one from an example (${examples.join(", ")}):\n` +
                    "  cp examples/Pulumi.management.yaml Pulumi.prod.yaml\n",
            );
        });

        const many = (count: number) => Array.from({ length: count }, (_, i) => `key${String(i)}: 1`).join(", ");
        const unusable: readonly [string, string, RegExp][] = [
            ["no YAML", "config: [", /x\.yaml is not YAML: /],
            ["a list", "- a", /x\.yaml is not a stack file: it needs a map under "config:"/],
            [
                "a manifest",
                "apiVersion: k0rdent.mirantis.com/v1beta1\nkind: ClusterDeployment",
                /x\.yaml is not a stack file, but a Kubernetes manifest \(ClusterDeployment\): it needs a map under "config:"/,
            ],
            [
                "values of the umbrella chart",
                "global: {}\nkof-mothership: {enabled: true}",
                /is not a stack file, but a values file of the umbrella chart \(npm run adopt makes a stack file of it\): /,
            ],
            ["settings of no config", "kof:route: none", /is not a stack file, as its settings are not below config: /],
            ["anything", "a: 1", /is not a stack file \(it has a\): it needs a map under "config:"/],
            [
                "keys without a namespace",
                "config: {route: none}",
                /x\.yaml has 1 problem\. [^]*"route" under "config:" has no namespace\. Write kof:route\./,
            ],
            [
                "settings below one key",
                "config: {kof: {route: none}}",
                /"kof" under "config:" has no namespace\. Write each of its keys below "config:" by itself: kof:route\./,
            ],
            [
                "misspelt namespaces, all at once",
                "config: {kofs:route: none, kubernets:context: prod, other:key: 1}",
                /has 2 problems\. [^]*kofs:route is read by nobody\. Did you mean kof:route\?[^]*Did you mean kubernetes:context\?/,
            ],
            [
                "environments in the wrong place",
                "config: {kof:route: none, environment: [prod]}",
                /environment under "config:" is read by nobody\. Write it beside "config:", not below it\./,
            ],
            ["an alias of itself", "config: &a {kof:values: *a}", /x\.yaml has aliases that cannot be resolved: /],
            [
                "aliases without end",
                "config: {a:a: &a [1,1,1,1,1,1], a:b: &b [*a,*a,*a,*a,*a,*a], a:c: &c [*b,*b,*b,*b,*b,*b], a:d: [*c,*c,*c,*c]}",
                /x\.yaml has aliases that cannot be resolved: /,
            ],
            ["nothing", "{}", /x\.yaml is not a stack file: it needs a map under "config:"/],
            ["a second document", "config: {kof:route: none}\n---\nconfig: {}\n", /more than one YAML document/],
            ["a key twice", "config: {kof:a: 1,\n  kof:a: 2}", /"kof:a" in line 2 is there twice/],
            ["a number and the same in quotes", "config: {kof:values: {1: a, '1': b}}", /"1" in line 1 is there twice/],
            ["a key that is none", "config: {kof:values: {[a]: 1}}", /a key in line 1 is not text\. Quote it/],
            ["a key that is nothing", "config: {kof:values: {~: 1}}", /a key in line 1 is not text\. Quote it/],
            ["a merge in quotes", "config: {kof:values: {'<<': {a: 1}}}", /has the key "<<" in line 1/],
            [
                "a key that JavaScript has",
                "config: {kof:values: {__proto__: {a: 1}}}",
                /has the key "__proto__" in line 1/,
            ],
            ["a tag", "config: {kof:values: !!set {a, b}}", /has a value with the tag tag:yaml\.org,2002:set/],
            ["a setting by a name of JavaScript", "config: {kof:constructor: 1}", /kof:constructor is not a setting/],
            [
                "too much",
                `config: {kof:values: {a: ${"x".repeat(600_000)}}}`,
                /has 6000\d\d characters; at most 524288/,
            ],
            ["too many", `config: {kof:values: {${many(6000)}}}`, /has more than 5000 entries/],
            ["too deep", `config: {kof:values: ${"[".repeat(60)}${"]".repeat(60)}}`, /more than 50 levels deep/],
            ["far too deep", `config: {kof:values: ${"[".repeat(3000)}`, /thousands of levels deep/],
            ["a secret in what is no YAML", "config: {kof:a: 'x' hunter2}", /^(?![^]*hunter2)[^]*is not YAML: /],
            ["a wrong setting", "config: {kof:route: nowhere}", /x\.yaml has 1 problem\. [^]* kof:route is "nowhere"/],
            ["a wrong type", "config: {kof:istio: [1]}", /kof:istio is \[1\], which is not allowed here/],
        ];
        for (const [what, text, message] of unusable) {
            it(`says what is wrong with a stack file that holds ${what}`, async () => {
                const file = path.join(folder, "x.yaml");
                fs.writeFileSync(file, text);
                const preview = async () => runOffline(readStackFile({ config: file }), { preview: true });
                await assert.rejects(preview, { name: "UserError", message });
            });
        }

        it("takes the name of a stack in full, as Pulumi does", () => {
            for (const stack of ["dev", "acme/dev", "acme/kof/dev"]) {
                assert.equal(readStackFile({ stack }).file, "Pulumi.dev.yaml");
            }
            const wrong = {
                "acme/other/dev": /is of the project other/,
                "a/b/c/d": /is no name/,
                "../../x": /is no name/,
            };
            for (const [stack, message] of Object.entries({ ...wrong, "": /is no name/, "a//b": /is no name/ })) {
                assert.throws(() => readStackFile({ stack }), { name: "UserError", message });
            }
        });

        it("says that nothing sets the route", async () => {
            const file = path.join(folder, "x.yaml");
            fs.writeFileSync(file, "config: {kubernetes:context: prod}");
            const { status, stderr } = await commandHere("start", ["--config", file]);
            assert.deepEqual(
                [status, stderr],
                [0, `warning: ${file} does not set kof:route. Nothing of this cluster is collected: route none.\n`],
            );
        });

        describe("with environments of Pulumi ESC", () => {
            /** What a command says of a stack file, with a Pulumi that answers with this script, or without any. */
            function start(text: string, pulumi?: string) {
                const bin = path.join(folder, "bin");
                fs.rmSync(bin, { recursive: true, force: true });
                fs.mkdirSync(bin);
                if (pulumi !== undefined) {
                    fs.writeFileSync(path.join(bin, "pulumi"), `#!/bin/sh\n${pulumi}\n`, { mode: 0o755 });
                }
                fs.writeFileSync(path.join(folder, "Pulumi.x.yaml"), text);
                const file = path.join(folder, "Pulumi.x.yaml");
                return commandHere("plan", ["--from", file, "--to", file], { env: { PATH: `${bin}:/usr/bin:/bin` } });
            }

            it("says that it cannot know the route without Pulumi", async () => {
                const { status, stdout, stderr } = await start("environment: [prod, {shared: {merge: false}}]");
                assert.deepEqual([status, stdout], [1, ""]);
                assert.match(
                    stderr,
                    /environments of Pulumi ESC \(prod, shared\), which only Pulumi can read, and .* it is not installed/,
                );
            });

            it("goes on with a warning where the stack file has the route", async () => {
                const { status, stderr } = await start(
                    "environment: {imports: [prod]}\nconfig: {kof:route: management}",
                    "echo 'error: not logged in' >&2; exit 255",
                );
                assert.equal(status, 0);
                assert.match(
                    stderr,
                    /^warning: .*ESC \(prod\).* does not: not logged in\. What follows is of .*Pulumi\.x\.yaml alone\./,
                );
            });

            it("has what Pulumi reads, secrets as secrets", async () => {
                const values = {
                    "kof:route": { value: "cloudwatch", secret: false },
                    "kof:cloudwatch": { secret: true },
                };
                const asked =
                    'test "$*" = "config --json --open --non-interactive --stack x --config-file $8" || exit 9';
                const { stderr } = await start(
                    "environment: [prod]",
                    `${asked}; test -s "$8" || exit 8; cat <<'EOF'\n${JSON.stringify(values)}\nEOF`,
                );
                assert.match(stderr, /kof:cloudwatch is encrypted/);
            });
        });

        it("reads any text, or says what is wrong with it (sampled)", () => {
            const text = fc.oneof(
                fc.stringMatching(/^[config:krute na{}[\]&*,|>\-#'"!\n\t]*$/),
                fc.jsonValue().map((value) => stringify({ config: value })),
            );
            fc.assert(
                fc.property(text, (written) => {
                    try {
                        parseStackFile(written, "x.yaml");
                    } catch (error) {
                        assert.equal((error as Error).name, "UserError", String((error as Error).stack));
                    }
                }),
                runs(60, 500),
            );
        });

        it("prints no stack trace for a mistake, and neither does render, which writes nothing then", async () => {
            const file = path.join(folder, "x.yaml");
            const out = path.join(folder, "out");
            fs.writeFileSync(file, "config: {kof:route: nowhere}");
            for (const options of [["start"], ["render", "--out", out]] as const) {
                const [name, ...more] = options;
                const { status, stdout, stderr } = await commandHere(name, ["--config", file, ...more]);
                assert.deepEqual([status, stdout], [1, ""]);
                assert.equal(stderr.split("\n").length, 6, stderr);
                assert.equal(fs.existsSync(out), false);
            }
        });

        it("says what a word on the command line can be", async () => {
            const { status, stderr } = await commandHere("start", ["--frobnicate"]);
            assert.equal(status, 1);
            assert.match(stderr, /^Unknown option '--frobnicate'[^]*Usage: npm start/);
            assert.throws(() => readStackFile({ stack: "a", config: "b" }), /not both/);
        });

        it("says that a folder cannot be read as a stack file", () => {
            assert.throws(() => readStackFile({ config: folder }), /cannot be read \(EISDIR\)\.$/);
        });
    });

    it("run a TypeScript file as it is now, whatever it was before", () => {
        const file = path.join(folder, "x.ts");
        for (const text of ["one", "two", "one"]) {
            fs.writeFileSync(file, `const text: string = "${text}";\nconsole.log(text satisfies string);\n`);
            const { stdout } = spawnSync(process.execPath, ["-r", "./cli/register.js", file], { encoding: "utf8" });
            assert.equal(stdout, `${text}\n`);
        }
    });

    it("have an example for every route", async () => {
        assert.deepEqual(examples, [
            "Pulumi.archives.yaml",
            "Pulumi.cloudwatch.yaml",
            "Pulumi.management.yaml",
            "Pulumi.none.yaml",
            "Pulumi.otlp.yaml",
            "Pulumi.regional-istio.yaml",
            "Pulumi.regional.yaml",
            "Pulumi.regionless.yaml",
            "Pulumi.signals.yaml",
        ]);
        for (const example of examples) {
            assert.match(fs.readFileSync(path.join("examples", example), "utf8"), /^# yaml-language-server: \S+\n# \w/);
            await renderStack(readStackFile({ config: path.join("examples", example) }));
        }
    });
});
