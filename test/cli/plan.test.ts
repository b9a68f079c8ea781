import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { command, commandHere } from "../support";

describe("npm run plan", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "plan-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    const write = (name: string, config: object) => {
        const file = path.join(folder, name);
        fs.writeFileSync(file, JSON.stringify({ config }));
        return file;
    };
    const plan = (...options: string[]) => commandHere("plan", options, { cwd: folder });

    it("exits with 0, 3 or 1, by what happens to stored data", async () => {
        const management = write("a.yaml", { "kof:route": "management" });
        const none = write("b.yaml", { "kof:route": "none" });
        const smaller = write("c.yaml", { "kof:route": "management", "kof:storage": { logs: { size: "10Gi" } } });
        for (const [from, to, status, text] of [
            [none, management, 0, /^# none -> management, KOF 1\.10\.0\n\nNothing that is stored is lost\./],
            [management, none, 3, /Loses stored data[^]*kof:acknowledge: management->none/],
            [management, smaller, 1, /^# management, [^]*Cannot be done[^]*size: 100Gi/],
        ] as const) {
            const options = ["--from", from, "--to", to];
            const result = status === 3 ? command("plan", options, { cwd: folder }) : await plan(...options);
            assert.equal(result.status, status, result.stderr);
            assert.match(result.stdout, text);
        }
    });

    it("says the same as JSON: per signal what is added, kept and removed, and the lines of both steps", async () => {
        const signals = { logs: ["cloudwatch"], audit: ["cloudwatch"] };
        const region = { "kof:cloudwatch": { region: "us-east-2" } };
        const from = write("a.yaml", { "kof:route": "management" });
        const to = write("b.yaml", { "kof:route": "management", "kof:signals": signals, ...region });
        const { status, stdout } = await plan("--from", from, "--to", to, "--json");
        const found = JSON.parse(stdout);
        assert.deepEqual([status, found.verdict], [3, "loses"]);
        const logs = found.signals.find(({ signal }: { signal: string }) => signal === "logs");
        assert.deepEqual(
            [logs.operation, logs.added, logs.kept, logs.removed.length],
            ["moves", ["CloudWatch Logs in us-east-2: /kof/mothership/logs"], [], 1],
        );
        const both = ["management", "cloudwatch"];
        const others = { metrics: ["management"], traces: ["management"] };
        assert.deepEqual(found.twoSteps, [
            { "kof:signals": { ...others, logs: both, audit: both } },
            { "kof:signals": { ...others, ...signals } },
        ]);
        assert.ok(found.volumes.some(({ operation }: { operation: string }) => operation === "orphaned"));
    });

    it("names what is wrong with the collectors together with what is wrong with the settings", async () => {
        const management = write("a.yaml", { "kof:route": "management" });
        const path = ["kof-child", "values", "fromManagement", "collectors", "opentelemetry-kube-stack", "collectors"];
        const service = { pipelines: { traces: { exporters: ["otlphttp/nowhere"] } } };
        const values = path.reduceRight<object>((inner, key) => ({ [key]: inner }), {
            daemon: { config: { service } },
        });
        const collectors = write("b.yaml", { "kof:route": "management", "kof:values": values });
        const both = write("c.yaml", { "kof:route": "management", "kof:values": values, "kof:istio": "maybe" });
        const alone = await plan("--from", management, "--to", collectors);
        assert.deepEqual([alone.status, alone.stdout], [1, ""]);
        assert.match(alone.stderr, /b\.yaml has 1 problem\.[^]*otlphttp\/nowhere/);
        const together = await plan("--from", management, "--to", both);
        assert.match(together.stderr, /c\.yaml has 2 problems\.[^]*kof:istio[^]*otlphttp\/nowhere/);
        // What runs is not refused.
        assert.equal((await plan("--from", collectors, "--to", management)).status, 0);
    });

    it("warns of a kubeconfig with a token in plain text, without the token", async () => {
        const kubeconfig = "users: [{name: a, user: {token: hunter2hunter2}}]";
        const plainText = write("a.yaml", { "kof:route": "management", "kubernetes:kubeconfig": kubeconfig });
        const { status, stdout, stderr } = await plan("--from", plainText, "--to", plainText);
        assert.equal(status, 0, stderr);
        assert.match(
            stderr,
            /^warning: kubernetes:kubeconfig has a token, [^]*pulumi config set --secret kubernetes:kubeconfig/,
        );
        assert.doesNotMatch(stdout + stderr, /hunter2/);
    });

    it("compares a stack file with what it was at a git revision", async () => {
        const git = (...args: string[]) => {
            const identity = ["-c", "user.name=a", "-c", "user.email=a@example.net"];
            assert.equal(spawnSync("git", [...identity, ...args], { cwd: folder }).status, 0);
        };
        write("Pulumi.prod.yaml", { "kof:route": "management" });
        git("init", "-q");
        git("add", ".");
        git("commit", "-qm", "x");
        write("Pulumi.prod.yaml", { "kof:route": "none" });
        const { status, stdout } = await plan("--stack", "prod", "--base", "HEAD");
        assert.deepEqual([status, stdout.split("\n")[0]], [3, "# management -> none, KOF 1.10.0"]);
        git("commit", "-qam", "y");
        const revisions = await plan("--stack", "prod", "--base", "HEAD", "--head", "HEAD~1");
        assert.deepEqual([revisions.status, revisions.stdout.split("\n")[0]], [0, "# none -> management, KOF 1.10.0"]);
        const unknown = await plan("--stack", "prod", "--base", "nowhere");
        assert.deepEqual([unknown.status, unknown.stdout], [1, ""]);
        assert.match(unknown.stderr, /^git knows no revision nowhere here\. [^]*git fetch origin\n$/);
        write("Pulumi.new.yaml", { "kof:route": "management" });
        const isNew = await plan("--stack", "new", "--base", "HEAD", "--json");
        assert.deepEqual(
            [isNew.status, isNew.stderr],
            [
                1,
                "There is no Pulumi.new.yaml at HEAD: the stack is new since then, and there is nothing to compare it with. " +
                    "See what it deploys:\n\n  npm start -- --config 'Pulumi.new.yaml'\n",
            ],
        );
        write("Pulumi.prod.yaml", { "kof:route": "nowhere" });
        git("commit", "-qam", "z");
        const wrong = await plan("--stack", "prod", "--base", "HEAD", "--head", "HEAD~1");
        assert.match(wrong.stderr, /^Pulumi\.prod\.yaml at HEAD has 1 problem\./);
        fs.rmSync(path.join(folder, ".git"), { recursive: true });
        const without = await plan("--stack", "prod", "--base", "HEAD");
        assert.match(without.stderr, /^This folder is in no git repository[^]* --from FILE --to FILE\n$/);
    });

    it("says what is wrong with a stack file, and how it is used", async () => {
        const wrong = write("a.yaml", { "kof:route": "nowhere" });
        const { stderr: problems } = await plan("--from", wrong, "--to", wrong);
        assert.match(problems, /a\.yaml has 1 problem\. Nothing was changed\./);
        for (const [missing, ...options] of [
            ["--base is missing, or --from and --to."],
            ["--to is missing.", "--from", wrong],
            ["--from is missing.", "--to", wrong],
            ["--base goes without --from and --to.", "--from", wrong, "--to", wrong, "--base", "HEAD"],
        ]) {
            const { status, stderr } = await plan(...options);
            assert.deepEqual([status, stderr.split("Usage: npm run plan")[0]], [1, `${String(missing)}\n\n`]);
        }
    });
});
