import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { readPasted } from "../../../tools/catalog/generatePasted";
import { write } from "./charts";

describe("values that templates write without quotes", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "charts-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    it("are those that are a whole value, or entry of a list", () => {
        write(folder, "Chart.yaml", "{name: a, version: 1}");
        write(
            folder,
            "templates/a.yaml",
            `{{- $known := .Values.known }}
{{- $parts := split ":" .Values.split }}
a: {{ .Values.plain }}
b.c/d-e: {{- .Values.trimmed -}}
- {{ $.Values.entry }}
- name: {{ index .Values "in-dex" "a" }}
    f: {{ .Values.other | default (include "x" .) }}
g: {{ default "x" .Values.before }}
h: {{ $known.below }}
{{- with .Values.within }}
  i: {{ .name }}
{{- end }}
j: {{ .Values.quoted | quote }}
k: "{{ .Values.inQuotes }}"
l: prefix-{{ .Values.part }}
m: {{ .Values.part }}-suffix
n: {{ toYaml .Values.yaml }}
o: {{ $parts._0 }}
{{ .Values.free }}
`,
        );
        write(folder, "templates/_b.tpl", '{{ define "b" }}\np: {{ .Values.named }}\n{{ end }}');
        assert.deepEqual(readPasted(folder), [
            "before",
            "entry",
            "in-dex.a",
            "known.below",
            "named",
            "other",
            "plain",
            "trimmed",
            "within.name",
        ]);
    });

    it("are those of the charts in it too, by the names that they have there", () => {
        const dependencies = "[{name: b}, {name: c, alias: d}, {name: missing}]";
        write(folder, "Chart.yaml", `{name: a, version: 1, dependencies: ${dependencies}}`);
        for (const name of ["b", "c"]) {
            write(folder, `charts/${name}/Chart.yaml`, `{name: ${name}, version: 1}`);
            write(folder, `charts/${name}/templates/a.yaml`, "a: {{ .Values.x }}\n");
        }
        assert.deepEqual(readPasted(folder), ["b.x", "d.x"]);
    });
});
