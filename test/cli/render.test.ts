import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parse, parseAllDocuments } from "yaml";

import { readFolder, writeFolder } from "../../cli/folder";
import { renderAll } from "../../cli/rendered";
import { isRenderedFile, renderStack } from "../../cli/renderStack";
import { UserError } from "../../core/lib/errors";
import { readStackFile } from "../../cli/stackFile";
import { cases, command, commandHere, hasRegionless, deploymentFor, stackFile, type Raw } from "../support";
import { sample } from "../sampled";

/** As render begins a file, with something after that. */
const rendered = (what: string) => `# dev: route none, KOF 1.10.0\n${what}\n`;
const [old, fresh] = [rendered("old"), rendered("new")];

describe("npm run render", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    const collectors = ["cluster-stats", "controller-k0s-daemon", "daemon", "ta-daemon"];
    const files = [
        "aws.yaml",
        ...collectors.map((name) => `collectors/${name}.yaml`),
        "kof-values.yaml",
        "kubernetes.yaml",
    ];

    it("writes values, objects, AWS resources, collectors and a summary, and the same bytes again", async () => {
        const out = path.join(folder, "deep", "out");
        const options = ["--config", "examples/Pulumi.cloudwatch.yaml", "--out", out];
        assert.deepEqual(command("render", options).status, 0);
        const first = readFolder(out);
        assert.deepEqual(Object.keys(first).sort(), [...files, "summary.md"]);
        const { stdout } = await commandHere("render", options);
        assert.deepEqual(
            stdout.trim().split("\n").sort(),
            Object.keys(first)
                .map((file) => path.join(out, file))
                .sort(),
        );
        assert.deepEqual(readFolder(out), first);
        assert.deepEqual(fs.readdirSync(path.dirname(out)), ["out"]);
        assert.deepEqual(await renderStack(readStackFile({ config: "examples/Pulumi.cloudwatch.yaml" })), first);
    });

    it("leaves no collector behind that a stack no longer has", () => {
        writeFolder(folder, { "summary.md": old, "collectors/controller-k0s-daemon.yaml": old }, isRenderedFile);
        writeFolder(folder, { "summary.md": fresh }, isRenderedFile);
        assert.deepEqual(readFolder(folder), { "summary.md": fresh });
    });

    for (const file of [
        "thesis.txt",
        "collectors/thesis.txt",
        "deep/summary.md",
        "kubernetes.yaml",
        "collectors/mine.yaml",
    ]) {
        it(`leaves a folder alone that holds ${file}`, () => {
            fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
            fs.writeFileSync(path.join(folder, file), "the only copy");
            assert.throws(
                () => {
                    writeFolder(folder, { "summary.md": "" }, isRenderedFile);
                },
                {
                    name: "UserError",
                    message: `${folder} holds ${file}, which render has not written. Choose a new folder with --out.`,
                },
            );
            assert.deepEqual(readFolder(folder), { [file]: "the only copy" });
        });
    }

    it("keeps what was there when it cannot write", () => {
        writeFolder(path.join(folder, "out"), { "summary.md": old }, isRenderedFile);
        const files = { "summary.md": fresh, "summary.md/impossible": "" };
        assert.throws(() => {
            writeFolder(path.join(folder, "out"), files, isRenderedFile);
        }, /out cannot be written \(EEXIST\)\.$/);
        assert.deepEqual(readFolder(folder), { "out/summary.md": old });
    });

    it("puts back what was there when the new folder cannot take its place", () => {
        const out = path.join(folder, "out");
        writeFolder(out, { "summary.md": old }, isRenderedFile);
        // Without a file there is no new folder to put there, which is noticed when the old one is out of the way.
        assert.throws(() => {
            writeFolder(out, {}, isRenderedFile);
        }, /out cannot be written \(ENOENT\)\.$/);
        assert.deepEqual(readFolder(folder), { "out/summary.md": old });
    });

    const wrong: readonly [readonly string[], RegExp][] = [
        [["--stack", "dev"], /^--out is missing\.\n\nUsage: npm run render/],
        [["--all", "--stack", "dev"], /^--all takes no --stack, --config or --chart\./],
        [["--stack", "dev", "--check", "--out", "x"], /^--check goes with --all\./],
        [["--stack", "dev", "--compare"], /^--compare needs --chart\./],
    ];
    for (const [options, message] of wrong) {
        it(`says what is wrong with ${options.join(" ")}`, async () => {
            const { status, stderr } = await commandHere("render", options);
            assert.equal(status, 1);
            assert.match(stderr, message);
        });
    }

    describe("with --all", () => {
        /** As the command does, without a process of its own for each time. */
        const all = async (option?: "--check") => {
            const before = process.cwd();
            process.chdir(folder);
            try {
                const stdout = `${await renderAll("rendered", { check: option !== undefined })}\n`;
                return { status: 0, stdout, stderr: "" };
            } catch (error) {
                assert.ok(error instanceof UserError);
                return { status: 1, stdout: "", stderr: `${error.message}\n` };
            } finally {
                process.chdir(before);
            }
        };
        const stack = (file: string, settings: string) => {
            fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
            fs.writeFileSync(path.join(folder, file), `config: {${settings}}`);
        };
        const page = (name: string) => fs.readFileSync(path.join(folder, "rendered", name, "summary.md"), "utf8");

        it("writes every stack file, says with --check what is stale, and writes it again", async () => {
            stack("Pulumi.one.yaml", "kof:route: management");
            stack("examples/Pulumi.two.yaml", "kof:route: none");
            assert.match(
                (await commandHere("render", ["--all", "--check"], { cwd: folder })).stderr,
                /^Stale:\n {2}rendered\/one \(aws\.yaml, .*\)\n {2}rendered\/examples\/two \(/,
            );
            assert.equal(fs.existsSync(path.join(folder, "rendered")), false);
            assert.equal((await all()).status, 0);
            assert.match(page("one"), /^# one: route management, /);
            assert.match(page("examples/two"), /^# two: route none, /);
            assert.deepEqual(await all("--check"), { status: 0, stdout: "2 stack files, 0 changes\n", stderr: "" });

            stack("Pulumi.one.yaml", "kof:route: management, kof:clusterName: other");
            const { status, stderr } = await all("--check");
            assert.equal(status, 1);
            assert.match(
                stderr,
                /^Stale:\n {2}rendered\/one \(collectors\/[^]*\nRun "npm run render -- --all" and commit the result\.\n$/,
            );
            assert.equal((await all()).status, 0);
            assert.match(page("one"), /`other`/);
        });

        it("removes what an earlier stack left, and nothing else", async () => {
            stack("Pulumi.one.yaml", "kof:route: management");
            await all();
            fs.renameSync(path.join(folder, "Pulumi.one.yaml"), path.join(folder, "Pulumi.two.yaml"));
            fs.writeFileSync(path.join(folder, "rendered", "README.md"), "mine");
            fs.mkdirSync(path.join(folder, "rendered", "other", "deep"), { recursive: true });
            fs.writeFileSync(path.join(folder, "rendered", "other", "deep", "kubernetes.yaml"), "kind: Namespace");
            assert.match(
                (await all("--check")).stderr,
                /rendered\/one\/collectors\/daemon\.yaml \(no stack file is rendered to it\)/,
            );
            assert.equal((await all()).status, 0);
            assert.deepEqual(fs.readdirSync(path.join(folder, "rendered")).sort(), ["README.md", "other", "two"]);
            assert.deepEqual(readFolder(path.join(folder, "rendered", "other")), {
                "deep/kubernetes.yaml": "kind: Namespace",
            });
        });

        it("leaves copies of what it has written alone: under another name, deeper, or behind a link", async () => {
            stack("Pulumi.one.yaml", "kof:route: none");
            await all();
            const at = (...names: string[]) => path.join(folder, ...names);
            for (const copy of ["one-before", "backup/one", "examples/a/one"]) {
                fs.cpSync(at("rendered", "one"), at("rendered", copy), { recursive: true });
            }
            fs.cpSync(at("rendered", "one"), at("elsewhere", "gone"), { recursive: true });
            fs.symlinkSync(at("elsewhere"), at("rendered", "examples", "linked"));
            fs.symlinkSync(at("rendered"), at("rendered", "again"));
            const files = Object.keys(readFolder(at("elsewhere")));
            assert.deepEqual([(await all()).status, (await all("--check")).status], [0, 0]);
            for (const copy of [
                "rendered/one-before",
                "rendered/backup/one",
                "rendered/examples/a/one",
                "elsewhere/gone",
            ]) {
                assert.ok(fs.existsSync(at(copy, "summary.md")), copy);
            }
            assert.deepEqual(Object.keys(readFolder(at("elsewhere"))), files);
            stack("Pulumi.one.yaml", "kof:route: management");
            fs.symlinkSync(at("elsewhere"), at("rendered", "one", "mine"));
            assert.match((await all()).stderr, /rendered\/one holds mine, which render has not written/);
            assert.deepEqual(Object.keys(readFolder(at("elsewhere"))), files);
        });

        it("renders what is right although another stack file is wrong, and keeps what that had", async () => {
            stack("Pulumi.a.yaml", "kof:route: management");
            await all();
            stack("Pulumi.a.yaml", "kof:route: nowhere");
            stack("Pulumi.b.yaml", "kof:route: none");
            const { status, stderr } = await all();
            assert.equal(status, 1);
            assert.match(stderr, /^Pulumi\.a\.yaml has 1 problem\./);
            assert.match(page("a"), /route management/);
            assert.match(page("b"), /route none/);
        });

        it("finds what is committed up to date", async () => {
            assert.match(await renderAll("rendered", { check: true }), / 0 changes$/);
        });
    });

    describe("writes", () => {
        /** Routes with metrics on a KOF store. */
        const stores = ["management", "regional", "regionless"];
        /** Those of them where the store is on this cluster. */
        const evaluated = ["management", "regionless"];
        /** What is rendered of each case, once. */
        const known = new Map<Raw, ReturnType<typeof renderStack>>();
        const renderedOf = (raw: Raw) => {
            const rendered = known.get(raw) ?? renderStack(stackFile({ ...raw, grafana: { enabled: true } }));
            known.set(raw, rendered);
            return rendered;
        };

        for (const { version, name, raw } of sample(cases, 12)) {
            it(`for KOF ${version}, ${name} what the program deploys, masked (sampled)`, async () => {
                const settings = { ...raw, grafana: { enabled: true } };
                const rendered = await renderedOf(raw);
                assert.deepEqual(parse(rendered["kof-values.yaml"]!) ?? {}, deploymentFor(settings).values);
                const objects = parseAllDocuments(rendered["kubernetes.yaml"]!).map((document) => document.toJS());
                assert.deepEqual(
                    objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
                    [
                        "Namespace kof",
                        ...(stores.includes(String(raw.route)) ? ["ConfigMap kof-storage-routes-alerts"] : []),
                        ...(raw.route === "cloudwatch" ? ["Secret cloudwatch-credentials"] : []),
                        "Secret grafana-admin-credentials",
                        ...(evaluated.includes(String(raw.route)) ? ["VMRule kof-storage-routes-alerts"] : []),
                        "StorageClass kof",
                    ],
                );
                for (const { kind, stringData } of objects) {
                    assert.ok(kind !== "Secret" || Object.values(stringData).every((value) => value === "[secret]"));
                }
                const types = (parse(rendered["aws.yaml"]!) as any[]).map(({ type }) => type);
                const groups = hasRegionless(version) ? 2 : 1;
                assert.deepEqual(types.length, raw.route === "cloudwatch" ? groups + 3 : 0);
                assert.doesNotMatch(JSON.stringify(rendered), /4dabf18193072939515e22adb298388d|04da6b54/);
            });
        }

        it("policies as documents", async () => {
            const rendered = await renderStack(readStackFile({ config: "examples/Pulumi.cloudwatch.yaml" }));
            const policy = (parse(rendered["aws.yaml"]!) as any[]).find(
                ({ type }) => type === "aws:iam/userPolicy:UserPolicy",
            );
            assert.deepEqual(policy.inputs.policy.Statement[0].Resource, [
                "arn:aws:logs:us-east-2:ACCOUNT:log-group:/kof/mothership:*",
                "arn:aws:logs:us-east-2:ACCOUNT:log-group:/kof/mothership-audit:*",
            ]);
        });

        it("each collector with its image, environment, mounts and complete configuration", async () => {
            const rendered = await renderStack(stackFile({ route: "management", version: "1.9.0" }));
            const daemon = parse(rendered["collectors/daemon.yaml"]!);
            assert.equal(daemon.image, "ghcr.io/k0rdent/kof/kof-opentelemetry-collector-contrib:v1.9.0");
            assert.equal(daemon.mode, "daemonset");
            assert.deepEqual(daemon.args, { "feature-gates": "-processor.resourcedetection.propagateerrors" });
            assert.deepEqual(daemon.env.at(-1), { name: "PKI_PATH", value: "var/lib/k0s" });
            assert.deepEqual(daemon.volumes[0], { name: "hostfs", hostPath: { path: "/" } });
            assert.equal(daemon.volumeMounts[0].mountPath, "/hostfs");
            assert.deepEqual(daemon.config.processors.k8sattributes.filter, {
                node_from_env_var: "OTEL_K8S_NODE_NAME",
            });
            assert.equal(daemon.config.receivers.kubeletstats.endpoint, "https://${env:OTEL_K8S_NODE_IP}:10250");
            assert.deepEqual(Object.keys(daemon.config), [
                "receivers",
                "processors",
                "exporters",
                "extensions",
                "service",
            ]);
            const stats = parse(rendered["collectors/cluster-stats.yaml"]!);
            assert.equal(stats.image, "otel/opentelemetry-collector-contrib:0.143.0");
            assert.equal(stats.config.processors.k8sattributes.filter, undefined);
        });

        it("no configuration with an empty component that the charts define (sampled)", async () => {
            for (const { raw } of sample(cases, 12)) {
                for (const [file, text] of Object.entries(await renderedOf(raw))) {
                    const config = file.startsWith("collectors/") ? parse(text).config : {};
                    const empty = ["receivers", "processors", "extensions", "connectors"].flatMap((kind) =>
                        Object.entries(config[kind] ?? {}).filter(
                            ([, settings]) => Object.keys(settings as object).length === 0,
                        ),
                    );
                    assert.deepEqual(
                        empty.filter(([id]) => id !== "nop"),
                        [],
                        file,
                    );
                }
            }
        });
    });
});
