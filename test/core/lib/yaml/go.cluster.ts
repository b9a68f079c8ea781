import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";

import fc from "fast-check";
import { parse, parseDocument } from "yaml";

import { postRender } from "../../../../components/postRenderer";
import { parseSettings } from "../../../../core/routes/parse";
import { programs } from "../../../../tools/build";
import { asHelm } from "../../../../core/lib/yaml/read";
import { writeYaml } from "../../../../core/lib/yaml/write";
import { skipWithout, useCluster } from "../../../../tools/servers/cluster";
import { canonical, runs, text, value, words } from "./texts";

/** What Helm cannot write: what settings may not have (core/settings/templateRules.ts), and keys of more than a thousand characters. */
const lostByHelm = /[\x7f-\x9f\u2028\u2029\ufffe\uffff]|"<<":|"[^"]{900,}":/;

describe("Go's own reader, as in Helm, Flux and Kubernetes,", () => {
    let program: string;
    before(async function () {
        this.timeout(5 * 60_000);
        try {
            program = path.join(await programs("yaml"), "yaml");
        } catch (error) {
            skipWithout(this, error);
        }
    });

    /** What comes of each request, in one run of the program. */
    function ask(requests: readonly object[]): { text: string; error?: string }[] {
        const { status, stdout, stderr } = spawnSync(program, {
            input: JSON.stringify(requests),
            encoding: "utf8",
            maxBuffer: 2 ** 28,
        });
        assert.equal(status, 0, stderr);
        return JSON.parse(stdout) as { text: string; error?: string }[];
    }

    const read = (texts: readonly string[]) => ask(texts.map((each) => ({ read: each })));
    const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1e9);
    const sample = <T>(arbitrary: fc.Arbitrary<T>) => fc.sample(arbitrary, { seed, ...runs(2000) });

    it(`reads what is written (seed ${String(seed)})`, () => {
        const values = sample(value);
        const texts = values.map((given) => writeYaml({ given }));
        read(texts).forEach((found, i) => {
            assert.equal(found.error, undefined, texts[i]);
            assert.equal(canonical(JSON.parse(found.text)), canonical({ given: values[i] }), texts[i]);
        });
    });

    it(`reads words without quotes as it is thought to (seed ${String(seed)})`, () => {
        const numbers = fc.stringMatching(/^[-+]?[0-9][0-9obxXBO_.eE]{0,6}$/);
        const dates = fc.stringMatching(/^[12]\d{3}-[01]?\d-[0-3]?\d$/);
        const plain = [...words, ...sample(fc.oneof(numbers, dates))].filter((word) => /^[\w.+:=~<-]*$/.test(word));
        read(plain.map((word) => `a: ${word}`)).forEach((found, i) => {
            let ours: unknown;
            try {
                ours = parse(`a: ${plain[i]!}`, asHelm);
            } catch {
                ours = undefined;
            }
            const theirs = found.error === undefined ? (JSON.parse(found.text) as unknown) : undefined;
            assert.equal(canonical(ours), canonical(theirs), plain[i]);
        });
    });

    it("reads tags as it is thought to", () => {
        const texts = [
            ...["!!int '5'", "!!int 0o17", "!!float '5'", "!!bool 'yes'", "!!null ''", "!!binary aGVsbG8=", "!!str 5"],
            ...["!!timestamp 2026-01-01", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]", "!custom x"],
            ...["!!int x", "!!bool 1", "!!null 0", "!!float 1e400", "!!binary '!!'"],
        ].map((value) => `a: ${value}`);
        read(texts).forEach((found, i) => {
            const { errors } = parseDocument(texts[i]!, asHelm);
            assert.equal(errors.length > 0, found.error !== undefined, texts[i]);
            if (found.error === undefined) {
                assert.equal(canonical(parse(texts[i]!, asHelm)), canonical(JSON.parse(found.text)), texts[i]);
            }
        });
    });

    it("loses what Helm writes with a character that settings may not have, and only then", () => {
        const points = Array.from({ length: 0x10000 }, (_, point) => point).filter(
            (point) => (point < 0xd800 || point > 0xdfff) && (point < 0x3000 || point >= 0xfb00 || point % 97 === 0),
        );
        const around = [
            (c: string) => c,
            (c: string) => `a${c}b`,
            (c: string) => `a ${c} b`,
            (c: string) => `a\n${c}b\n`,
        ];
        const texts = points.flatMap((point) => around.map((put) => put(String.fromCodePoint(point))));
        const written = ask(texts.map((each) => ({ write: { a: each, [`k${each}`]: 1 } })));
        const found = read(written.map((each) => each.text));
        const isLost = texts.map((each, i) => {
            const { error, text: json } = found[i]!;
            return (
                written[i]!.error !== undefined || error !== undefined || (JSON.parse(json) as { a: string }).a !== each
            );
        });
        const isRefused = (character: string) => {
            try {
                const values = { "kof-mothership": { values: { commonLabels: { a: character } } } };
                parseSettings({ values }, "x");
                return false;
            } catch {
                return true;
            }
        };
        for (const [i, point] of points.entries()) {
            const lost = isLost.slice(i * around.length, (i + 1) * around.length).some(Boolean);
            // These two it writes, but where a template indents that, as the umbrella does, it is no YAML any more.
            const breaks = point === 0x2028 || point === 0x2029;
            assert.equal(isRefused(String.fromCodePoint(point)), lost || breaks, `U+${point.toString(16)}`);
        }
    });

    it(`reads the same after the post-renderer as before (seed ${String(seed)})`, () => {
        const values = sample(value).filter((given) => !lostByHelm.test(JSON.stringify(given)));
        const releases = values.map((given) => ({
            apiVersion: "helm.toolkit.fluxcd.io/v2",
            kind: "HelmRelease",
            metadata: { name: "x", namespace: "kof", annotations: { "helm.sh/resource-policy": "keep" } },
            spec: { values: { given } },
        }));
        const byHelm = ask(releases.map((release) => ({ write: release })));
        assert.deepEqual(
            byHelm.filter(({ error }) => error !== undefined),
            [],
        );
        read(byHelm.map((each) => postRender(each.text))).forEach((found, i) => {
            const object = JSON.parse(found.text) as (typeof releases)[number];
            assert.equal(canonical(object.spec), canonical(releases[i]!.spec), byHelm[i]!.text);
            assert.deepEqual(Object.keys(object.metadata.annotations), [
                "kof-storage-routes/metadata",
                "pulumi.com/timeoutSeconds",
                "pulumi.com/waitFor",
            ]);
        });
    });
});

describe("a Kubernetes API server", () => {
    const cluster = useCluster();

    afterEach(() => cluster().reset());

    it("reads what is written", async () => {
        const data = Object.fromEntries(
            [...words, ...fc.sample(text, 200)].map((word, i) => [`key-${String(i)}`, word]),
        );
        const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "no", namespace: "default" } };
        await cluster().apply(map);
        const applied = await cluster().api.request(
            "PATCH",
            "/api/v1/namespaces/default/configmaps/no?fieldManager=test&force=true",
            { headers: { "content-type": "application/apply-patch+yaml" }, body: writeYaml({ ...map, data }) },
        );
        assert.equal(applied.status, 200, applied.body);
        assert.deepEqual((await cluster().read(map)).data, data);
    });
});
