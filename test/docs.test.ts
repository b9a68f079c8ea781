import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parse } from "yaml";

import { runOffline } from "../cli/program";
import { catalogOf, versions } from "../core/charts";
import { leaves, mergeValues } from "../core/lib/values";
import { flowchart } from "./core/review/summary/mermaid.mjs";
import { commandHere, deploymentFor, routes, stackFile } from "./support";

const pages = [
    ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"],
    ...fs
        .readdirSync("docs", { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".md"))
        .map((name) => path.join("docs", name)),
];
const { scripts, dependencies, devDependencies } = JSON.parse(fs.readFileSync("package.json", "utf8")) as Record<
    "scripts" | "dependencies" | "devDependencies",
    Readonly<Record<string, string>>
>;

const architecture = fs.readFileSync("docs/architecture.md", "utf8");

/** The lines of a page's shell blocks, without comments. */
function commands(page: string): string[] {
    const blocks = [...fs.readFileSync(page, "utf8").matchAll(/^ *```bash\n([^]*?)^ *```/gm)];
    return blocks.flatMap(([, block = ""]) =>
        block
            .replace(/\\\n/g, " ")
            .split("\n")
            .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
            .filter((line) => line !== ""),
    );
}

describe("documentation", () => {
    it("names scripts that there are", () => {
        const named = pages.flatMap((page) =>
            [...fs.readFileSync(page, "utf8").matchAll(/npm run (?:--silent )?([a-z][\w:]*)/g)].map(
                ([, name]) => name!,
            ),
        );
        assert.ok(["render", "plan", "doctor", "verify"].every((name) => named.includes(name)));
        assert.deepEqual([...new Set(named)].filter((name) => !Object.hasOwn(scripts, name)).sort(), []);
    });

    it("keeps npm's own lines out of files and JSON", () => {
        const read = pages.flatMap(commands).filter((line) => /^npm run .*(--json| > )/.test(line));
        assert.ok(read.length > 0);
        assert.deepEqual(
            read.filter((line) => !line.startsWith("npm run --silent ")),
            [],
        );
    });

    it("says what each dependency is for, and has each once", () => {
        const [, section = ""] = fs.readFileSync("CONTRIBUTING.md", "utf8").split("## Dependencies\n");
        const cells = section.split("\n## ")[0]!.matchAll(/^\| (`.*?) +\|/gm);
        const named = [...cells].flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
        assert.deepEqual(named.sort(), [...Object.keys(dependencies), ...Object.keys(devDependencies)].sort());
    });

    it("links to files that there are, and to headings in them", () => {
        const slug = (heading: string) =>
            heading
                .toLowerCase()
                .replace(/[^\w\- ]/g, "")
                .trim()
                .replaceAll(" ", "-");
        const headings = (page: string) =>
            [...fs.readFileSync(page, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => slug(heading));
        for (const page of pages) {
            for (const [, target = ""] of fs.readFileSync(page, "utf8").matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
                const [file = "", heading] = target.split("#");
                const found = path.join(path.dirname(page), file === "" ? path.basename(page) : file);
                assert.ok(fs.existsSync(found), `${page} links to ${target}`);
                assert.ok(heading === undefined || headings(found).includes(heading), `${page} links to ${target}`);
            }
        }
    });

    it("has a line of text that fits a screen, outside tables", () => {
        const wide = pages.flatMap((page) =>
            fs
                .readFileSync(page, "utf8")
                .split("\n")
                .flatMap((line, i) => (line.length > 140 && !/^ *\|/.test(line) ? [`${page}:${String(i + 1)}`] : [])),
        );
        assert.deepEqual(wide, []);
    });

    it("shows in the README what npm start prints", async () => {
        const [, block = ""] = /npm start\n```\n\n```text\n([^]*?)```/.exec(fs.readFileSync("README.md", "utf8")) ?? [];
        const { stdout } = await commandHere("start", []);
        assert.notEqual(block, "");
        let from = 0;
        for (const line of block.split("\n").filter((each) => each.trim() !== "" && each !== " …")) {
            const found = stdout.indexOf(`${line}\n`, from);
            assert.ok(found >= 0, `npm start does not print, or not there: ${line}`);
            from = found;
        }
    });

    it("shows the refusal of a change as the program words it", async () => {
        const [, block = ""] = /```text\n([^]*?)```/.exec(fs.readFileSync("docs/review.md", "utf8")) ?? [];
        const words = (text: string) => text.replace(/\s+/g, " ").trim();
        const [start = "", end = ""] = words(block).replace("Pulumi.prod.yaml", "Pulumi.test.yaml").split("…");
        const { outputs } = await runOffline(stackFile(routes.management!), { preview: true });
        await assert.rejects(runOffline(stackFile(routes.none!), { preview: true, outputs }), ({ message }: Error) => {
            assert.ok(words(message).startsWith(start), message);
            assert.ok(end !== "" && words(message).endsWith(end), message);
            return true;
        });
    });

    it("keeps the README to three screens", () => {
        assert.ok(fs.readFileSync("README.md", "utf8").split("\n").length <= 120);
    });

    it("leads to every page from its index", () => {
        const index = fs.readFileSync("docs/README.md", "utf8");
        const unlisted = fs
            .readdirSync("docs")
            .filter((name) => name.endsWith(".md") && name !== "README.md" && !index.includes(`](${name}`));
        assert.deepEqual(unlisted, []);
    });

    it("draws diagrams that Mermaid parses", async () => {
        const drawn = new Set<string>();
        for (const page of pages) {
            for (const [, diagram] of fs.readFileSync(page, "utf8").matchAll(/^```mermaid\n([^]*?)^```/gm)) {
                await flowchart(diagram!);
                drawn.add(page);
            }
        }
        assert.deepEqual([...drawn], ["README.md", "docs/architecture.md"]);
    });

    it("draws the layers that lint holds, and no arrow up", async () => {
        const [, text = ""] = /^```mermaid\n([^]*?)^```/m.exec(architecture) ?? [];
        const { nodes, links } = await flowchart(text);
        const [, layers = ""] =
            /const layers = (\[[^]*?\n\]);/.exec(fs.readFileSync("eslint.config.mjs", "utf8")) ?? [];
        const held = (parse(layers) as string[][]).map((names) => names.map((name) => path.basename(name)));
        const drawn = nodes.map(({ id }) => id).filter((id) => id !== "index");
        assert.deepEqual(
            drawn.sort(),
            held
                .flat()
                .filter((name) => name !== "test")
                .sort(),
        );
        // The program is above the layers, but for the commands that run it.
        const level = (id: string): number =>
            id === "index" ? level("cli") - 0.5 : held.findIndex((names) => names.includes(id));
        assert.deepEqual(
            links.filter(({ start, end }) => level(start) <= level(end)),
            [],
        );
    });

    it("shows where a setting ends, as the program has it", () => {
        const [stackFile, shown] = [...architecture.matchAll(/^ *```yaml\n([^]*?)^ *```/gm)].map(
            ([, text]) => parse(text!) as Record<string, any>,
        );
        const { values } = deploymentFor(
            Object.fromEntries(
                Object.entries(stackFile!.config as object).map(([key, value]) => [
                    key.replace("kof:", ""),
                    value as unknown,
                ]),
            ),
        );
        assert.deepEqual(mergeValues(values, shown!), values);
        assert.equal([...leaves(shown!)].length, 1);
    });

    it("names files that there are", () => {
        // Placeholders are in capitals.
        const named = pages.flatMap((page) =>
            [
                ...fs
                    .readFileSync(page, "utf8")
                    .matchAll(
                        /[`\s](?:\.\/)?((?:core|components|live|stacks|cli|tools|policy|test|examples)\/[\w./-]+)/g,
                    ),
            ]
                .map(([, file = ""]) => file.replace(/\.$/, ""))
                .filter((file) => !/[A-Z]{4}/.test(file)),
        );
        assert.ok(named.includes("core/charts/paths.ts"));
        assert.deepEqual(
            named.filter((file) => !fs.existsSync(file)),
            [],
        );
    });

    it("keeps a changelog, newest first, by kinds of change", () => {
        const text = fs.readFileSync("CHANGELOG.md", "utf8");
        const { version } = JSON.parse(fs.readFileSync("package.json", "utf8")) as { version: string };
        const releases = [...text.matchAll(/^## (.*)$/gm)].map(([, name]) => name);
        assert.deepEqual(releases.slice(0, 2), ["Unreleased", version]);
        const kinds = new Set([...text.matchAll(/^### (.*)$/gm)].map(([, name]) => name!));
        const known = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
        assert.deepEqual(
            [...kinds].filter((kind) => !known.includes(kind)),
            [],
        );
    });

    it("says that CRDs of VictoriaMetrics stay, as the charts of every version have it", () => {
        const says = "the CRDs of VictoriaMetrics: KOF's charts turn their cleanup off";
        assert.ok(fs.readFileSync("docs/destroying.md", "utf8").includes(says));
        for (const version of versions) {
            const operator = catalogOf(version).charts.kof?.values["victoria-metrics-operator"] as any;
            assert.equal(operator.values.crds.cleanup.enabled, false, version);
        }
    });

    it("says which taints collectors tolerate, as the charts of each version have it", () => {
        assert.match(
            fs.readFileSync("docs/troubleshooting.md", "utf8"),
            /The collectors of 1\.8\.0 tolerate only the taint `node-role\.kubernetes\.io\/master`/,
        );
        for (const version of versions) {
            const values = catalogOf(version).charts["kof-collectors"]?.values["opentelemetry-kube-stack"] as any;
            const taints = values.collectors["controller-k0s"].tolerations.map(
                ({ key }: { key: string }) => key,
            ) as string[];
            const both = ["node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"];
            assert.deepEqual(taints, version === "1.8.0" ? both.slice(0, 1) : both, version);
        }
    });

    it("shows commands that work, as far as they need nothing else", async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "docs-"));
        try {
            for (const name of fs.readdirSync(".").filter((each) => !/^(\.|Pulumi\.dev)/.test(each))) {
                fs.symlinkSync(path.resolve(name), path.join(folder, name));
            }
            const text = fs.readFileSync("examples/Pulumi.management.yaml", "utf8");
            const example = `${text}  kof:rates: { logs: { linesPerSecond: 10 } }\n`.replace(
                /\n {2}kof:rates:[^]*(?=\n {2}kof:rates)/,
                "",
            );
            for (const name of ["dev", "prod", "old", "new"]) {
                fs.writeFileSync(path.join(folder, `Pulumi.${name}.yaml`), example);
            }
            const offline =
                /^npm (start|run (--silent )?(render|plan|size|images))\b(?!.*(--all|--chart|--otelcol|--base|--mirror|>))/;
            const shown = [...new Set(pages.flatMap(commands))].filter((line) => offline.test(line));
            for (const script of ["plan", "size"]) {
                assert.ok(
                    shown.some((line) => line.startsWith(`npm run ${script} `)),
                    `no page shows how to ${script}`,
                );
            }
            for (const line of shown) {
                // As npm would run it: the shell makes words of what follows.
                const [, name = "", options = ""] = /^npm (?:run )?(?:--silent )?(\w+)(?: --(?= ))?(.*)$/.exec(line)!;
                const [, file = ""] = /^node -r \.\/cli\/register\.js cli\/(\w+)\.ts$/.exec(scripts[name]!)!;
                const { stdout: words } = spawnSync("bash", ["-c", `printf '%s\\0' ${options}`], {
                    cwd: folder,
                    encoding: "utf8",
                });
                const given = words.split("\0").filter((word) => word !== "");
                const { status, stderr } = await commandHere(file, given, { cwd: folder });
                assert.equal(status, 0, `${line}\n${stderr}`);
            }
        } finally {
            fs.rmSync(folder, { recursive: true });
        }
    });
});
