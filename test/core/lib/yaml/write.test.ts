import assert from "node:assert/strict";

import { loadYaml } from "@kubernetes/client-node";
import fc from "fast-check";
import { parse, parseAllDocuments } from "yaml";

import { renderStack } from "../../../../cli/renderStack";
import { asHelm, asPulumi } from "../../../../core/lib/yaml/read";
import { writeYaml } from "../../../../core/lib/yaml/write";
import { stackFile } from "../../../support";
import { canonical, text, value, words } from "./texts";
import { runs } from "../../../sampled";

/** Readers that are not the program's own, besides those that read as Go does: `write.cluster.ts` asks Go itself. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
    "YAML 1.2": (text) => parse(text),
    "YAML 1.1": (text) => parse(text, { version: "1.1" }),
    "Kubernetes' JavaScript client": (text) => loadYaml(text),
    Helm: (text) => parse(text, asHelm),
    Pulumi: (text) => parse(text, asPulumi),
};

describe("what is written", () => {
    for (const [name, read] of Object.entries(readers)) {
        it(`is read back the same by ${name}: every word, as a value and as a key`, () => {
            const all = { list: words, map: Object.fromEntries(words.map((word) => [word, word])) };
            assert.equal(canonical(read(writeYaml(all))), canonical(all));
        });

        it(`is read back the same by ${name}: anything (sampled)`, () => {
            fc.assert(
                fc.property(value, (given) => {
                    const written = writeYaml({ given });
                    assert.equal(canonical(read(written)), canonical({ given }), written);
                }),
                runs(40, 300),
            );
        });
    }

    it("is read the same by all of them: every file that render writes", async () => {
        const raw = {
            version: "1.10.0",
            route: "cloudwatch",
            clusterName: "no",
            clusterNamespace: "456",
            cloudwatch: {
                region: "us-east-2",
                logGroup: "1_000",
                logStream: "0x1F",
                tags: { off: "1e3", "010": "null" },
            },
            storageClass: { name: "y", provisioner: "ebs.csi.aws.com", parameters: { no: "off", type: "0o7" } },
            values: {
                "kof-mothership": { values: { commonLabels: { team: "off", build: "1_000", on: "2001-01-01" } } },
            },
        };
        const files = await renderStack(stackFile(raw));
        const all = Object.entries(files).filter(([file]) => file.endsWith(".yaml"));
        for (const [file, text] of all) {
            const documents = (options: object) =>
                [...parseAllDocuments(text, options)].map((each) => each.toJS() as unknown);
            assert.deepEqual(documents(asHelm), documents({}), file);
            assert.deepEqual(documents({ version: "1.1" }), documents({}), file);
        }
        assert.deepEqual(
            parse(files["kof-values.yaml"]!)["kof-mothership"].values.commonLabels,
            raw.values["kof-mothership"].values.commonLabels,
        );
        assert.match(files["kubernetes.yaml"]!, /name: "y"\n[^]*"no": "off"\n/);
        assert.match(files["aws.yaml"]!, /"off": "1e3"\n/);
        assert.equal(all.length, 7);
    });

    it("has no quotes that it can do without", () => {
        const plain =
            "a: b\nc: 30d\nd: ${env:HOST}:9090\ne: oci://a.example/b\nf: |\n  a: b\n  # c\ng: 1.5\nh: false\ni: 100Gi\nj: 0.0.0.0:4317\n";
        assert.equal(writeYaml(parse(plain)), plain);
    });

    it("is what PyYAML reads too, which knows no tab without quotes and takes 1e+21 for text (6.0, 2026-11-27)", () => {
        assert.equal(writeYaml({ a: "x\ty", b: 1e21 }), 'a: "x\\ty"\nb: 1.0e+21\n');
    });

    it("says everything twice, rather than by an alias", () => {
        const same = { a: ["b"] };
        assert.equal(writeYaml([same, same]), "- a:\n    - b\n- a:\n    - b\n");
    });

    it("is ASCII where a terminal or an editor would not show it", () => {
        fc.assert(
            fc.property(text, (given) => {
                // eslint-disable-next-line no-control-regex
                assert.doesNotMatch(writeYaml({ given }), /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]/);
            }),
        );
    });
});
