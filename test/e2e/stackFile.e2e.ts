import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import fc from "fast-check";

import { parseStackFile } from "../../cli/stackFile";
import { writeYaml } from "../../core/lib/yaml/write";
import { skipWithout } from "../../tools/servers/cluster";
import type { AnyObject } from "../../tools/servers/crds";
import { canonical, runs, text, words } from "../core/lib/yaml/texts";
import { prepareEngine, type Engine } from "../../tools/engine/engine";
import { endToEnd, fluxPaths } from "./run";

/**
 * What Pulumi loses, no matter who wrote it. It rewrites the configuration before it reads it (LoadProjectStackBytes, 3.274.1). Its
 * yaml.v3 indents several lines wrongly if the first begins with a blank, and merges a key `<<`.
 */
const lostByPulumi = /^\s[^]*\n|^\n|^<<$/;

endToEnd("a HelmRelease", (run) => {
    it("has every text as it was meant, as a value and as a key", async () => {
        const given = ["no", "y", "off", "null", "~", "0b1", "1_000", "010", "1:30", "1e3", "0x1F", "=", "true", "5."];
        const labels = Object.fromEntries([...given, ".inf", "1.10", "2001-01-01"].map((word) => [`_${word}`, word]));
        const configReloaders = { ...labels, ...Object.fromEntries(given.map((word) => [word, word])) };
        const defaultRules = { additionalRuleGroupLabels: { configReloaders } };
        await run.deploy({ ...run.routes.none!, values: { "kof-mothership": { values: { defaultRules } } } });
        const releases = await run.cluster.api.list<AnyObject>(fluxPaths.HelmRelease);
        const release = releases.find(({ metadata }) => metadata.name === "kof-mothership")!;
        const found = release.spec.values.defaultRules.additionalRuleGroupLabels;
        assert.deepEqual(found.configReloaders, configReloaders);
    });
});

describe("Pulumi", () => {
    let engine: Engine;
    let folder: string;
    let salt: string;
    before(async function () {
        // Without anything kept from before, the engine is built first.
        this.timeout(60 * 60_000);
        try {
            engine = await prepareEngine();
        } catch (error) {
            skipWithout(this, error);
        }
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-stack-file-"));
        fs.writeFileSync(path.join(folder, "Pulumi.yaml"), "name: kof\nruntime: nodejs\n");
        pulumi("stack", "init", "test");
        salt = fs.readFileSync(path.join(folder, "Pulumi.test.yaml"), "utf8");
    });
    after(() => {
        fs.rmSync(folder, { recursive: true, force: true });
    });

    function pulumi(...args: string[]): string {
        const { status, stdout, stderr } = spawnSync(path.join(engine.root, "bin", "pulumi"), args, {
            cwd: folder,
            encoding: "utf8",
            env: { ...process.env, ...engine.env, PULUMI_BACKEND_URL: `file://${folder}` },
        });
        assert.equal(status, 0, stderr);
        return stdout;
    }

    /** What Pulumi makes of the configuration in a stack file: the text that it hands to the program. */
    function configOf(stackFile: string): Record<string, string> {
        // Without the salt Pulumi would rewrite the file in its own way, and read that.
        fs.writeFileSync(path.join(folder, "Pulumi.test.yaml"), salt + stackFile);
        const found = JSON.parse(pulumi("config", "--json", "--stack", "test")) as Record<string, { value: string }>;
        return Object.fromEntries(Object.entries(found).map(([key, { value }]) => [key, value]));
    }

    const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1e9);

    it(`reads what is written (seed ${String(seed)})`, () => {
        const given = [...words, ...fc.sample(text, { seed, ...runs(500) })].filter((word) => !lostByPulumi.test(word));
        const map = Object.fromEntries(given.map((word) => [word, word]));
        const config = { "kof:list": given, "kof:map": map, ...keyed("word", given) };
        const found = configOf(writeYaml({ config }));
        assert.deepEqual(JSON.parse(found["kof:list"]!), given);
        assert.equal(canonical(JSON.parse(found["kof:map"]!)), canonical(map));
        given.forEach((word, i) => {
            assert.equal(found[`kof:word-${String(i)}`], word);
        });
    });

    it(`reads words without quotes as the commands do that run without it (seed ${String(seed)})`, () => {
        const numbers = fc.stringMatching(/^[-+]?[0-9][0-9obxXBO_.eE]{0,6}$/);
        const times = fc.stringMatching(
            /^[12]\d{3}-[01]?\d-[0-3]?\d(T\d?\d:\d\d:\d\d(\.\d+)?(Z|[-+]0[1-9]:30)| \d\d:\d\d:\d\d)?$/,
        );
        const plain = [...words, ...fc.sample(fc.oneof(numbers, times), { seed, ...runs(500) })].filter(
            (word) => /^[\w.+:=~ -]*[\w.+=~-]$|^$/.test(word) && !/^[- ]|: |inf$|nan$/i.test(word),
        );
        const stackFile = [
            "config:",
            ...plain.map((word, i) => `  kof:word-${String(i)}: ${word}`),
            "  kof:list:",
            ...plain.map((word) => `    - ${word}`),
            "  kof:map:",
            ...plain
                .filter((word) => /^(?!null$)([a-z]\w*|\d{1,6}|0[xob]\d{1,5})$/i.test(word))
                .map((word, i) => `    - {${word}: ${String(i)}}`),
            "",
        ].join("\n");
        const { config } = parseStackFile(stackFile, "Pulumi.test.yaml");
        const structured = (key: string, value: string) =>
            /^kof:(list|map)$/.test(key) ? (JSON.parse(value) as unknown) : value;
        const found = configOf(stackFile);
        for (const [key, value] of Object.entries(config)) {
            assert.deepEqual(
                structured(key, found[key]!),
                structured(key, value),
                stackFile.split("\n").find((line) => line.includes(`${key}:`)),
            );
        }
        assert.equal(Object.keys(found).length, Object.keys(config).length);
    });
});

function keyed(name: string, values: readonly string[]): Record<string, string> {
    return Object.fromEntries(values.map((value, i) => [`kof:${name}-${String(i)}`, value]));
}
