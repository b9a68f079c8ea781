import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stringify } from "yaml";

import { readShapes } from "../../../tools/catalog/generateShapes";
import { parseTemplate } from "../../../tools/catalog/goTemplate";
import type { HelmValues } from "../../../core/lib/values";
import { write } from "./charts";

describe("what charts read", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "charts-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    /** The shape of a chart that is a dependency of another, by the texts of its templates. */
    function shapeOf(values: HelmValues, ...templates: string[]): unknown {
        const place = path.join(folder, String(fs.readdirSync(folder).length));
        chart(place, { dependencies: [{ name: "part", version: "1" }] }, {});
        chart(path.join(place, "charts", "part"), {}, values, ...templates);
        return read(readShapes("1", { kof: place }, {}), "kof/part");
    }

    function chart(place: string, file: object, values: HelmValues, ...templates: string[]): void {
        write(place, "Chart.yaml", stringify({ name: path.basename(place), version: "1", ...file }));
        write(place, "values.yaml", stringify(values));
        templates.forEach((text, i) => {
            write(place, `templates/${String(i)}.tpl`, text);
        });
    }

    function read(files: ReturnType<typeof readShapes>, name: string): unknown {
        const index = JSON.parse(files.get("1.json") ?? "{}") as { files: Record<string, string> };
        return JSON.parse(files.get(index.files[name] ?? "") ?? "null");
    }

    const cases: readonly [string, HelmValues, string[], unknown][] = [
        ["defaults, read or not", { a: { b: 1 }, c: "x" }, [], { a: { b: 1 }, c: "x" }],
        ["what only a template reads", { a: { b: 1 } }, ["{{ .Values.a.c }}"], { a: { b: 1, c: null } }],
        ["a condition", {}, ["{{ if and .Values.a.b (not .Values.c) }}{{ end }}"], { a: { b: null }, c: null }],
        [
            "the whole of a map",
            { a: { b: { c: 1 } } },
            ["{{ toYaml .Values.a | nindent 2 }}"],
            { a: { b: { c: 1, "*": null }, "*": null } },
        ],
        ["a map that is not looked at", { a: {} }, [], { a: { "*": null } }],
        [
            "a map that is merged with a part of itself",
            { a: { b: {} } },
            [
                '{{ define "defaults" }}{{ with .Values.a.b }}b: {{ toYaml . }}{{ end }}{{ end }}' +
                    '{{ toYaml (merge .Values.a (include "defaults" . | fromYaml)) }}',
            ],
            { a: { b: { b: null, "*": null }, "*": null } },
        ],
        ["keys of an empty map", { a: {} }, ["{{ with .Values.a }}{{ .b }}{{ end }}"], { a: { b: null } }],
        [
            "variables",
            {},
            ["{{ $a := .Values.a }}{{ if true }}{{ $a = $a.b }}{{ end }}{{ $a.c }}"],
            { a: { c: null, b: { c: null } } },
        ],
        [
            "any key",
            { a: {} },
            ["{{ range $k, $v := .Values.a }}{{ $k }}{{ $v.b }}{{ end }}"],
            { a: { "*": { b: null } } },
        ],
        [
            "a key by name",
            {},
            ['{{ index .Values "a" "b.c" }}{{ dig "d" "e" 1 .Values.f }}{{ hasKey .Values.g "h" }}'],
            { a: { "b.c": null }, f: { d: { e: null } }, g: { h: null } },
        ],
        [
            "named templates",
            {},
            [
                '{{ define "x" }}{{ .helm.Values.a }}{{ .own.b }}{{ end }}',
                '{{ include "x" (dict "helm" . "own" .Values.c) }}',
            ],
            { a: null, c: { b: null } },
        ],
        [
            "a named template by a name that is made",
            { ab: {} },
            [
                '{{ define "ab.x" }}{{ .y }}{{ end }}{{ define "other" }}{{ .z }}{{ end }}',
                '{{ $n := "ab" }}{{ include (printf "%s.x" $n) .Values.ab }}',
            ],
            { ab: { y: null } },
        ],
        [
            "what is merged",
            { a: { x: 1 }, b: {} },
            ["{{ $m := merge (deepCopy .Values.a) .Values.b }}{{ $m.y }}{{ toYaml $m.z }}"],
            { a: { x: 1, y: null, z: null }, b: { y: null, z: null } },
        ],
        [
            "what is set in the values",
            { a: {}, b: {} },
            ['{{ $_ := set .Values "a" .Values.b }}', "{{ .Values.a.c }}"],
            { a: { c: null }, b: { c: null } },
        ],
        [
            "text that becomes a map again",
            { a: { b: 1 } },
            ['{{ define "x" }}{{ toYaml (dict "a" .Values.a) }}{{ end }}', '{{ (fromYaml (include "x" .)).a.c }}'],
            { a: { b: 1, c: null } },
        ],
        [
            "text that does not",
            { a: { b: 1 } },
            ['{{ define "x" }}{{ toYaml (dict "a" .Values.a) }}{{ end }}', '{{ include "x" . | nindent 2 }}'],
            { a: { b: 1, "*": null } },
        ],
        [
            "defaults that are templates",
            { a: "{{ .Values.b.c }}", b: { d: 1 } },
            ["{{ tpl .Values.a . }}"],
            { a: "{{ .Values.b.c }}", b: { d: 1, c: null } },
        ],
        ["elements of lists", { a: [] }, ["{{ range .Values.a }}{{ .b }}{{ end }}"], { a: [] }],
        [
            "what may be a list or not",
            { a: "" },
            ['{{ if kindIs "map" .Values.a }}{{ .Values.a.b }}{{ end }}'],
            { a: null },
        ],
        [
            "all parts that are switched on",
            { a: { enabled: true }, b: {} },
            ["{{ range $k, $v := .Values }}{{ $v.c }}{{ end }}"],
            { a: { enabled: true, c: null }, b: { "*": null } },
        ],
        [
            "what is only handed over",
            { a: 1 },
            ['{{ define "x" }}{{ .b }}{{ end }}', '{{ include "x" (dict "c" .Values.c "b" .Values.b) }}'],
            { a: 1, b: null },
        ],
    ];
    for (const [what, values, templates, expected] of cases) {
        it(`is found: ${what}`, () => {
            assert.deepEqual(shapeOf(values, ...templates), expected);
        });
    }

    it("has what dependencies read: under their keys, the conditions of them, and `global`", () => {
        const place = path.join(folder, "outer");
        const inner = [{ name: "inner", alias: "also", version: "1", condition: "also.enabled,all.enabled" }];
        chart(place, { dependencies: [{ name: "part", version: "1", condition: "part.on" }] }, { global: { a: 1 } });
        write(place, "templates/a.yaml", "{{ .Values.global.registry }}{{ .Values.part.x }}");
        chart(path.join(place, "charts", "part"), { dependencies: inner }, { a: 1 });
        chart(path.join(place, "charts", "part", "charts", "inner"), {}, { b: 2 }, "{{ .Values.global.tag }}");
        const shapes = readShapes("1", { "kof-x": place }, {});
        assert.deepEqual(read(shapes, "kof-x/part"), {
            a: 1,
            all: { enabled: null },
            also: { b: 2, enabled: null, global: { tag: null } },
            global: { tag: null },
        });
        assert.deepEqual(read(shapes, "kof-x"), {
            global: { registry: null, tag: null },
            part: { x: null, on: null },
        });
    });

    it("says nothing of a chart of which there is nothing", () => {
        chart(path.join(folder, "outer"), { dependencies: [{ name: "part", version: "1" }] }, {});
        write(path.join(folder, "outer", "charts", "part"), "Chart.yaml", "{name: part, version: 1}");
        assert.equal(read(readShapes("1", { "kof-x": path.join(folder, "outer") }, {}), "kof-x/part"), null);
    });

    it("is not guessed from what is no template", () => {
        assert.throws(() => parseTemplate("{{ .Values.a ; }}"), /is not understood at ";/);
        assert.throws(() => parseTemplate("{{ end }}"), /outside of a block/);
    });
});
