import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parse } from "yaml";

import { defaultVersion } from "../core/charts";
import { report } from "../core/review/report";

const folder = ".github/workflows";

interface Job {
    readonly permissions?: Readonly<Record<string, string>>;
    readonly if?: string;
    readonly uses?: string;
    readonly needs?: string;
    readonly with?: Readonly<Record<string, string>>;
    readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
    readonly steps?: readonly {
        readonly name?: string;
        readonly if?: string;
        readonly uses?: string;
        readonly run?: string;
    }[];
}

const workflows = fs.readdirSync(folder).map((file) => ({
    file,
    workflow: parse(fs.readFileSync(path.join(folder, file), "utf8")) as {
        readonly permissions: Readonly<Record<string, string>>;
        readonly jobs: Readonly<Record<string, Job>>;
    },
}));
const jobs = workflows.flatMap(({ file, workflow }) =>
    Object.entries(workflow.jobs).map(([name, job]) => ({ name: `${file} ${name}`, job, workflow })),
);

describe("workflows", () => {
    it("may write nothing but the comment, and ask for tokens only where Pulumi runs", () => {
        const writes = jobs.flatMap(({ name, job, workflow }) =>
            Object.entries(job.permissions ?? workflow.permissions)
                .filter(([, access]) => access !== "read")
                .map(([scope]) => `${name}: ${scope}`),
        );
        assert.deepEqual(writes.sort(), [
            "deploy.yml preview: id-token",
            "deploy.yml up: id-token",
            "drift.yml drift: id-token",
            "pull-request.yml comment: pull-requests",
            "pull-request.yml preview: id-token",
            "pulumi.yml run: id-token",
        ]);
    });

    it("neither comment on nor preview a pull request from a fork", () => {
        const own = "github.event.pull_request.head.repo.full_name == github.repository";
        const ofPullRequest = workflows.find(({ file }) => file === "pull-request.yml")!.workflow.jobs;
        const { preview, report, comment } = ofPullRequest;
        assert.deepEqual(Object.keys(ofPullRequest), ["report", "comment", "preview"]);
        assert.equal(preview!.if, own);
        assert.ok(comment!.if!.split(" && ").includes(own));
        const summary = report!.steps!.find(({ run }) => run?.includes("$GITHUB_STEP_SUMMARY"))!;
        assert.equal(summary.if, undefined);
    });

    it("run no code of a pull request with a token that writes", () => {
        for (const { name, job, workflow } of jobs) {
            const writes = Object.entries(job.permissions ?? workflow.permissions).some(
                ([scope, access]) => access !== "read" && scope !== "id-token",
            );
            const runsCode = (job.steps ?? []).some(
                ({ uses, run }) =>
                    uses?.startsWith("actions/checkout") === true || /npm|node|\.github\//.test(run ?? ""),
            );
            assert.ok(!(writes && runsCode), name);
        }
    });

    it("preview what is to be deployed before somebody is asked to approve it", () => {
        const { preview, up } = workflows.find(({ file }) => file === "deploy.yml")!.workflow.jobs;
        assert.deepEqual([preview!.with?.command, up!.with?.command, up!.needs], ["preview", "up", "preview"]);
    });

    it("run nothing that they have downloaded without its digest", () => {
        const scripts = jobs.flatMap(({ job }) => (job.steps ?? []).map(({ run }) => run ?? ""));
        const downloads = scripts.filter((script) => /\b(curl|wget)\b[^]*\/releases\//.test(script));
        assert.equal(downloads.length, 1);
        const collector = fs.readFileSync("rendered/dev/collectors/cluster-stats.yaml", "utf8");
        const [, version = ""] = /^image: otel\/opentelemetry-collector-contrib:(\S+)$/m.exec(collector) ?? [];
        for (const script of downloads) {
            assert.ok(script.indexOf("sha256sum --check") > 0 && !/curl[^\n]*\| *(tar|bash|sh)/.test(script));
            assert.ok(script.indexOf("sha256sum --check") < script.indexOf("tar -x"));
            // Whoever can change the archive can change the checksums beside it.
            const pinned = /^digest='[0-9a-f]{64} {2}otelcol-contrib_(\S+)_linux_amd64\.tar\.gz'$/m.exec(script);
            assert.equal(pinned?.[1], version, "the digest of the collector that KOF runs stands in the workflow");
            assert.doesNotMatch(script, /checksums\.txt/);
        }
    });

    it("use few actions, each at one commit", () => {
        const uses = jobs.flatMap(({ job }) => [job.uses, ...(job.steps ?? []).map((step) => step.uses)]);
        const known =
            /^(\.\/\.github\/workflows\/pulumi\.yml|(actions\/[\w-]+|pulumi\/actions|aws-actions\/configure-aws-credentials)@[0-9a-f]{40})$/;
        assert.deepEqual(
            uses.filter((use) => use !== undefined && !known.test(use)),
            [],
        );
    });

    it("put nothing that others wrote into a script", () => {
        const scripts = jobs.flatMap(({ job }) => (job.steps ?? []).map(({ run }) => run ?? ""));
        assert.deepEqual(
            scripts.filter((script) => script.includes("${{")),
            [],
        );
    });

    it("run only npm scripts that there are", () => {
        const { scripts } = JSON.parse(fs.readFileSync("package.json", "utf8"));
        const texts = [
            ...jobs.flatMap(({ job }) => (job.steps ?? []).map(({ run }) => run ?? "")),
            fs.readFileSync(".ci/run", "utf8"),
        ];
        const run = texts.flatMap((text) => [...text.matchAll(/npm (?:run (?:--\w+ )*([\w:]+)|(test)\b)/g)]);
        const names = run.map(([, script, test]) => script ?? test ?? "");
        assert.ok(names.includes("diff") && names.includes("render"));
        assert.deepEqual(
            names.filter((name) => !(name in scripts)),
            [],
        );
    });

    it("test on every major version of Node that is supported", () => {
        const { engines } = JSON.parse(fs.readFileSync("package.json", "utf8"));
        const tested = jobs.find(({ name }) => name === "tests.yml tests")?.job.strategy?.matrix.node;
        assert.deepEqual(
            tested,
            [...String(engines.node).matchAll(/[\^=](\d+)/g)].map(([, major]) => major),
        );
    });
});

describe("the comment on a pull request", () => {
    const { comment } = workflows.find(({ file }) => file === "pull-request.yml")!.workflow.jobs;
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "comment-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    /** What the job asks GitHub for, of which a stand-in lists the comment that is there. */
    const asked = (report: string, existing: string) => {
        const gh = `#!/usr/bin/env bash\nif [[ "$*" == *--paginate* ]]; then echo "${existing}"; else echo "$*" >> "$LOG"; fi\n`;
        fs.writeFileSync(path.join(folder, "gh"), gh, { mode: 0o755 });
        const log = path.join(folder, "log");
        const { status } = spawnSync("bash", ["-euo", "pipefail", "-c", comment!.steps![0]!.run!], {
            env: {
                PATH: `${folder}:${String(process.env.PATH)}`,
                LOG: log,
                RUNNER_TEMP: folder,
                GITHUB_REPOSITORY: "me/kof",
                NUMBER: "7",
                REPORT: report,
            },
        });
        assert.equal(status, 0);
        return fs.existsSync(log) ? fs.readFileSync(log, "utf8").trim() : "";
    };
    const text = "# Changes of stacks since `HEAD^1`\n\n1 of 2 stacks changes.";
    const none = "# Changes of stacks since `HEAD^1`\n\nNone of 2 stacks changes.";

    it("is made, or edited where it is there", () => {
        assert.match(asked(text, ""), /^api --silent repos\/me\/kof\/issues\/7\/comments -F body=@\S+$/);
        assert.equal(fs.readFileSync(path.join(folder, "comment.md"), "utf8"), `<!-- kof-report -->\n${text}\n`);
        assert.match(asked(text, "5"), /--method PATCH repos\/me\/kof\/issues\/comments\/5 -F body=@\S+$/);
    });

    it("is none where no stack changes, and goes where one did before", () => {
        assert.equal(asked(none, ""), "");
        assert.match(asked(none, "5"), /^api --silent --method DELETE repos\/me\/kof\/issues\/comments\/5$/);
        assert.match(report([], { base: "HEAD^1", total: 2 }), /^None of 2 stacks changes\.$/m);
    });
});

describe("Renovate", () => {
    const { customManagers } = JSON.parse(fs.readFileSync("renovate.json", "utf8")) as {
        customManagers: { managerFilePatterns: string[]; matchStrings: string[]; depNameTemplate?: string }[];
    };

    it("finds the versions that only this repository knows how to find", () => {
        const files = spawnSync("git", ["ls-files"], { encoding: "utf8" }).stdout.trim().split("\n");
        const found = customManagers.flatMap(({ managerFilePatterns, matchStrings, depNameTemplate }) =>
            files
                .filter((file) => managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(file)))
                .flatMap((file) => {
                    const text = fs.readFileSync(file, "utf8");
                    const matches = matchStrings.flatMap((each) => [...text.matchAll(new RegExp(each, "g"))]);
                    return matches.map(({ groups }) => [
                        file,
                        depNameTemplate ?? groups!.depName,
                        groups!.currentValue,
                    ]);
                }),
        );
        const engine = / github\.com\/pulumi\/pulumi\/sdk\/v3 v(\S+)/.exec(
            fs.readFileSync("tools/modules/pulumi/go.mod", "utf8").replaceAll("\t", " "),
        )![1];
        assert.deepEqual(
            found.map(([file, name]) => `${String(file)}: ${String(name)}`),
            [
                "Pulumi.yaml: ghcr.io/k0rdent/kof/charts/kof",
                ".github/workflows/e2e.yml: github.com/pulumi/pulumi/sdk/v3",
                ".github/workflows/pulumi.yml: github.com/pulumi/pulumi/sdk/v3",
                "package.json: github.com/rhysd/actionlint",
                "tools/build.ts: moto",
            ],
        );
        assert.equal(found[0]![2], defaultVersion);
        // What the workflows run is what the tests build.
        assert.deepEqual([found[1]![2], found[2]![2]], [engine, engine]);
    });
});

describe("the stacks that a workflow runs on", () => {
    let repository: string;

    beforeEach(() => {
        repository = fs.mkdtempSync(path.join(os.tmpdir(), "stacks-"));
        for (const stack of ["dev", "eu.west", "prod"]) {
            fs.writeFileSync(path.join(repository, `Pulumi.${stack}.yaml`), "");
        }
    });

    afterEach(() => {
        fs.rmSync(repository, { recursive: true });
    });

    /** Runs the script with a stand-in for GitHub's command line. */
    const find = (command: string, gh: string) => {
        fs.writeFileSync(path.join(repository, "gh"), `#!/usr/bin/env bash\n${gh}\n`, { mode: 0o755 });
        const [output, summary] = ["output", "summary"].map((name) => path.join(repository, name)) as [string, string];
        const { status } = spawnSync("bash", [path.resolve(".github/stacks.sh")], {
            cwd: repository,
            env: {
                PATH: `${repository}:${String(process.env.PATH)}`,
                COMMAND: command,
                GITHUB_REPOSITORY: "me/kof",
                GITHUB_OUTPUT: output,
                GITHUB_STEP_SUMMARY: summary,
            },
        });
        const read = (file: string) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined);
        return { status, output: read(output), summary: read(summary) };
    };

    it("are those with an environment for previews", () => {
        assert.deepEqual(find("preview", "printf '%s\\n' prod prod-preview eu.west-preview dev"), {
            status: 0,
            output: 'stacks=["eu.west","prod"]\n',
            summary: "- dev: left out, since there is no environment `dev-preview` with credentials (docs/ci.md).\n",
        });
    });

    it("are for a deployment those that somebody approves", () => {
        const gh = `[[ "$*" == *'required_reviewers'* ]] && echo prod || printf '%s\\n' prod dev`;
        const { output, summary } = find("up", gh);
        assert.equal(output, 'stacks=["prod"]\n');
        assert.match(
            summary!,
            /^- dev: left out, since there is no environment `dev` with required reviewers \(docs\/ci\.md\)\.$/m,
        );
    });

    for (const names of ["", "euxwest-preview my-prod-preview dev prod"]) {
        it(`can be none: ${names || "there is no environment"}`, () => {
            assert.equal(find("drift", `printf '%s\\n' ${names}`).output, "stacks=[]\n");
        });
    }

    it("are not none because GitHub does not answer", () => {
        const { status, output } = find("up", "echo 'HTTP 403' >&2; exit 1");
        assert.deepEqual([status, output], [1, undefined]);
    });
});
