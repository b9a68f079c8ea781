import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stringify } from "yaml";

import { diff } from "../../cli/diff";
import { renderAll } from "../../cli/rendered";
import { commandHere } from "../support";

describe("npm run diff", () => {
    const root = process.cwd();
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "diff-"));
        process.chdir(folder);
        git("init", "-q");
    });
    afterEach(() => {
        process.chdir(root);
        fs.rmSync(folder, { recursive: true });
    });

    const git = (...args: string[]) => {
        const identity = ["-c", "user.name=a", "-c", "user.email=a@example.net"];
        assert.equal(spawnSync("git", [...identity, ...args], { cwd: folder }).status, 0);
    };
    const write = (name: string, settings: Readonly<Record<string, unknown>>, more: object = {}) => {
        const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`kof:${key}`, value]));
        fs.mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
        fs.writeFileSync(path.join(folder, name), stringify({ config: { ...config, ...more } }));
    };
    const commit = () => {
        git("add", ".");
        git("commit", "-qm", "x");
    };
    const render = () => renderAll("rendered", { check: false });
    const run = (...options: string[]) => commandHere("diff", options, { cwd: folder });
    const rows = (text: string) =>
        [...text.matchAll(/^\| `(.*?)` \| (.*?) \|/gm)].map(([, name, fate]) => `${name}: ${fate}`);

    it("reports every stack that changed, appeared or went, those in examples/ too, and no other", async () => {
        write("Pulumi.prod.yaml", { route: "management" });
        write("Pulumi.same.yaml", { route: "management" });
        write("Pulumi.gone.yaml", { route: "none" });
        write("examples/Pulumi.example.yaml", { route: "none" });
        await render();
        fs.writeFileSync(path.join(folder, "rendered/same/notes.md"), "not of render");
        commit();
        write("Pulumi.prod.yaml", { route: "none" }, { "aws:token": { secure: "hidden" } });
        write("Pulumi.new.yaml", { route: "none" });
        write("examples/Pulumi.example.yaml", { route: "none", clusterName: "other" });
        fs.rmSync(path.join(folder, "Pulumi.gone.yaml"));
        const { text: stdout, wrong } = await diff("HEAD");
        assert.deepEqual(wrong, []);
        assert.deepEqual(rows(stdout), [
            "prod: **loses stored data** (refused until acknowledged)",
            "gone: **no longer looked after**",
            "examples/example: nothing that is stored is lost",
            "new: new",
        ]);
        assert.match(stdout, /4 of 5 stacks change\./);
        assert.match(stdout, /collectors\/daemon\.yaml<\/code>[^]*?: no longer there/);
        assert.doesNotMatch(stdout, /hidden/);
    });

    it("shows what the program renders differently, with the version that was deployed", async () => {
        write("Pulumi.prod.yaml", { route: "none" });
        write("Pulumi.old.yaml", { route: "management" });
        await render();
        const edit = (file: string, from: RegExp, to: string) => {
            const text = fs.readFileSync(path.join(folder, file), "utf8");
            assert.match(text, from);
            fs.writeFileSync(path.join(folder, file), text.replace(from, to));
        };
        edit("rendered/prod/kof-values.yaml", /^\{\}$/m, "a: 1");
        edit("rendered/old/summary.md", /KOF 1\.10\.0/, "KOF 1.9.0");
        commit();
        const { text: stdout } = await diff("HEAD");
        assert.deepEqual(rows(stdout), ["old: **cannot be done** (refused)", "prod: changed by the program"]);
        assert.match(stdout, /- version: "1\.9\.0"\n\+ version: "1\.10\.0"/);
    });

    it("reports the other stacks where a stack file is wrong, and exits with 1", async () => {
        write("Pulumi.bad.yaml", { route: "none" });
        write("Pulumi.mended.yaml", { route: "nowhere" });
        commit();
        write("Pulumi.bad.yaml", { route: "nowhere" });
        write("Pulumi.mended.yaml", { route: "none" });
        const { status, stdout, stderr } = await run("HEAD");
        assert.deepEqual([status, stderr], [1, "Wrong stack files: Pulumi.bad.yaml. The report says what is wrong.\n"]);
        assert.deepEqual(rows(stdout), ["bad: **the stack file is wrong**", "mended: new"]);
        assert.match(stdout, /Pulumi\.bad\.yaml has 1 problem/);
        assert.match(stdout, /It was wrong before:\n\n```text\nPulumi\.mended\.yaml has 1 problem/);
    });

    it("compares what the stack files resolve to where nothing is committed in rendered/", async () => {
        const made = { storageClass: { name: "kof", preset: "aws-ebs" } };
        const region = { "aws:region": "eu-west-1" };
        write("Pulumi.prod.yaml", { route: "none", ...made }, region);
        write("Pulumi.same.yaml", { route: "none" });
        commit();
        write("Pulumi.prod.yaml", { route: "management", ...made }, region);
        const { text: stdout } = await diff("HEAD");
        assert.match(stdout, /\| volumes, a month \| 28\.16 USD in eu-west-1 \| \*\*80\.96 USD in eu-west-1\*\* \|/);
        assert.deepEqual(rows(stdout), ["prod: nothing that is stored is lost"]);
        assert.match(stdout, /\+ kof-mothership\.|\+ kof-child\./);
    });

    it("works in a folder of a repository", async () => {
        write("deep/Pulumi.prod.yaml", { route: "none" });
        process.chdir("deep");
        await render();
        commit();
        assert.match((await diff("HEAD")).text, /None of 1 stacks changes/);
    });

    it("says what Pulumi would do, after the report or alone, also where a file is missing", async () => {
        const file = path.join(root, "test/core/review/report/preview.json");
        write("Pulumi.prod.yaml", { route: "none" });
        commit();
        const alone = await run("--preview", `prod=${file}`, "--preview", "dev=nowhere.json");
        assert.equal(alone.status, 0, alone.stderr);
        assert.match(alone.stdout, /^## `prod`: what Pulumi would do\n\nResources: 1 replaced/);
        assert.match(
            alone.stdout,
            /\n\n## `dev`: what Pulumi would do\n\n\*\*Could not preview\*\*: there is no JSON of it\./,
        );
        const after = await run("HEAD", "--preview", `prod=${file}`);
        const [first, second] = [await run("HEAD"), await run("--preview", `prod=${file}`)];
        assert.equal(after.stdout, `${first.stdout}\n${second.stdout}`);
    });

    it("says of every preview that names no stack or file what it has to be", async () => {
        const { status, stdout, stderr } = await run("--preview", "prod", "--preview", "=x.json");
        assert.deepEqual([status, stdout], [1, ""]);
        assert.equal(
            stderr,
            '--preview is "prod" and has to be STACK=FILE: --preview prod=preview.json\n' +
                '--preview is "=x.json" and has to be STACK=FILE: --preview prod=preview.json\n',
        );
    });

    it("reports what a branch changes, and not what it does not have yet", async () => {
        write("Pulumi.prod.yaml", { route: "none" });
        commit();
        git("branch", "docs");
        write("Pulumi.prod.yaml", { route: "management" });
        write("Pulumi.new.yaml", { route: "management" });
        commit();
        git("branch", "ahead");
        git("checkout", "-q", "docs");
        assert.match((await diff("ahead")).text, /None of 1 stacks changes/);
        fs.writeFileSync(path.join(folder, "README.md"), "x");
        commit();
        assert.match((await diff("ahead")).text, /None of 1 stacks changes/);
        const plan = await commandHere("plan", ["--stack", "prod", "--base", "ahead"], { cwd: folder });
        assert.deepEqual([plan.status, plan.stdout.split("\n")[0]], [0, "# none, KOF 1.10.0"]);
        const both = await commandHere("plan", ["--stack", "prod", "--base", "ahead", "--head", "docs"], {
            cwd: folder,
        });
        assert.deepEqual([both.status, both.stdout], [0, plan.stdout]);
    });

    it("says that a clone is too shallow to tell where a branch began", async () => {
        write("Pulumi.prod.yaml", { route: "none" });
        commit();
        git("branch", "other");
        write("Pulumi.prod.yaml", { route: "management" });
        commit();
        git("checkout", "-q", "other");
        fs.writeFileSync(path.join(folder, "README.md"), "x");
        commit();
        git("clone", "-q", "--depth=1", "--no-single-branch", `file://${folder}`, "shallow");
        process.chdir("shallow");
        const master = spawnSync("git", ["for-each-ref", "--format=%(refname:short)", "refs/remotes/origin"], {
            encoding: "utf8",
        })
            .stdout.split("\n")
            .find((name) => /^origin\/(main|master)$/.test(name));
        await assert.rejects(diff(String(master)), /UserError: This clone is too shallow .* git fetch --unshallow$/);
    });

    it("takes no option of git for a revision", async () => {
        write("Pulumi.prod.yaml", { route: "none" });
        commit();
        const out = path.join(folder, "written");
        for (const [name, options] of [
            ["diff", ["--", `--output=${out}`]],
            ["plan", ["--stack", "prod", `--base=--output=${out}`]],
            ["plan", ["--stack", "prod", "--base", "HEAD", `--head=--output=${out}`]],
        ] as const) {
            const { status, stderr } = await commandHere(name, options, { cwd: folder });
            assert.equal(status, 1);
            assert.match(
                stderr,
                /^--output=\S+ is no revision of git\. Give a branch, a tag or a commit: origin\/main/,
            );
        }
        assert.deepEqual(fs.readdirSync(folder).sort(), [".git", "Pulumi.prod.yaml"]);
    });

    it("says that git does not know the revision, and how it is used", async () => {
        write("Pulumi.prod.yaml", { route: "none" });
        commit();
        const unknown = await run("nowhere");
        assert.deepEqual([unknown.status, unknown.stdout], [1, ""]);
        assert.match(unknown.stderr, /^git knows no revision nowhere here\. /);
        for (const [wrong, ...options] of [["BASE is missing."], ["Give one BASE, not HEAD HEAD.", "HEAD", "HEAD"]]) {
            const { status, stderr } = await run(...options);
            assert.deepEqual([status, stderr.split("Usage: npm run diff")[0]], [1, `${String(wrong)}\n\n`]);
        }
    });
});
