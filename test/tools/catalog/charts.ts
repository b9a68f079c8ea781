import * as fs from "node:fs";
import * as path from "node:path";

import { stringify } from "yaml";

import type { Catalog, CatalogLayer, CatalogVolume } from "../../../core/charts";
import { schemaFile } from "../../../core/charts/schemas";
import { mergeValues, nest, type HelmValues } from "../../../core/lib/values";

/** Writes a file, and the folders that it needs. */
export function write(folder: string, file: string, text: string): void {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), text);
}

/**
 * Writes a catalog's charts as `helm pull --untar` leaves them. Of their templates there is what decides about volumes, in the
 * fewest words that say the same as the real ones.
 */
export function writeCharts(catalog: Catalog, folder: string): string {
    for (const [name, { dependencies, ...chart }] of Object.entries(catalog.charts)) {
        const isDependency = name === "opentelemetry-kube-stack";
        const place = isDependency ? path.join(folder, "kof-collectors", "charts", name) : path.join(folder, name);
        const conditions = dependencies.map((each) => {
            const alias = catalog.schemas.find(({ chart: at, path: [key] }) => at === name && key === each.name);
            const named = alias && alias.name !== each.name ? { name: alias.name, alias: each.name } : {};
            return { ...each, ...named, condition: `${each.name}.enabled` };
        });
        write(place, "Chart.yaml", stringify({ name, ...chart, dependencies: conditions, values: undefined }));
        write(place, "values.yaml", stringify(chart.values));
    }
    const placeOf = (name: string) =>
        catalog.charts[name] && name.startsWith("kof") ? name : `kof-collectors/charts/${name}`;
    for (const { chart, name, file, of: what, path: at } of catalog.schemas) {
        const text = JSON.stringify({ description: "For people.", ...stored(file) });
        const place = path.join(folder, placeOf(chart), "charts", name);
        if (what === "object") {
            const template = `kind: ${name}\nspec: {{ toYaml .Values.${at.join(".")} }}\n`;
            const file = name === "VLCluster" ? "vlcluster-audit" : name.toLowerCase();
            write(path.join(folder, chart), `templates/victoria/${file}.yaml`, template);
        } else {
            write(place, "values.schema.json", text);
        }
        if (what === "dependency" && !catalog.charts[name]) {
            write(place, "Chart.yaml", stringify({ name, version: "1" }));
        }
    }
    for (const [chart, paths] of Object.entries(catalog.pasted)) {
        const lines = paths.map((each) => `a: {{ index .Values "${each.replaceAll(".", '" "')}" }}\n`);
        write(path.join(folder, chart), "templates/pasted.yaml", lines.join(""));
    }
    for (const volume of catalog.volumes) {
        write(path.join(folder, volume.chart), ...templateOf(volume));
        const [dependency = ""] = volume.size.path;
        if (dependency.endsWith("-cluster")) {
            const place = path.join(folder, volume.chart, "charts", dependency);
            write(place, "Chart.yaml", stringify({ name: dependency, version: "1" }));
            write(place, "values.yaml", stringify(defaultsOf(volume)[dependency] ?? {}));
        }
    }
    const operator = path.join(folder, "victoria-metrics-operator");
    write(operator, "Chart.yaml", stringify({ name: "victoria-metrics-operator", version: "0.58.1" }));
    write(operator, "values.yaml", "{}");
    write(operator, "charts/crds/crds/crd.yaml", definitions());
    write(path.join(folder, "kof"), "templates/helmreleases.yaml", umbrellaTemplate(catalog));
    for (const chart of ["kof-child", "kof-regional"]) {
        const layer = catalog.layers.find(({ from }) => from[0] === chart);
        write(
            path.join(folder, chart),
            `templates/${chart.slice(4)}-multi-cluster-service.yaml`,
            [
                layer ? service(layer) : "kind: MultiClusterService\n",
                chart === "kof-regional" ? envoy(catalog) : "",
            ].join(""),
        );
    }
    return folder;
}

/** A catalog as it would be with other values of one chart. */
export function withValues(catalog: Catalog, chart: string, change: (values: HelmValues) => HelmValues): Catalog {
    const changed = catalog.charts[chart]!;
    return { ...catalog, charts: { ...catalog.charts, [chart]: { ...changed, values: change(changed.values) } } };
}

/** The defaults that a volume's settings have, as values. */
function defaultsOf({
    switches,
    persistence,
    limits,
    location,
    entrance,
    fixed,
    ...volume
}: CatalogVolume): HelmValues {
    const single = [
        volume.size,
        volume.storageClass,
        volume.replicas,
        volume.autoscaler,
        volume.retention,
        volume.port,
    ];
    const settings = [...switches, ...persistence, ...limits, ...location, ...entrance, ...fixed, ...single];
    const places = settings.flatMap((setting) => setting?.places ?? []);
    return places.reduce<HelmValues>(
        (values, { path, default: own }) => (own === null ? values : mergeValues(values, nest(path, own))),
        {},
    );
}

function templateOf({ workload, limits, fixed }: CatalogVolume): [string, string] {
    switch (workload) {
        case "vmstorage":
        case "vmselect":
            return ["templates/victoria/vmcluster.yaml", vmcluster];
        case "vlstorage-audit":
            return ["templates/victoria/vlcluster-audit.yaml", vlcluster];
        case "grafana":
            return ["templates/grafana/grafana.yaml", grafana];
        default: {
            const dependency = workload === "vlstorage" ? "victoria-logs-cluster" : "victoria-traces-cluster";
            const percent = limits.some(({ places }) =>
                places.some(({ path }) => path.at(-1)?.endsWith("Percent") && path.length < 4),
            );
            return [
                `charts/${dependency}/templates/${workload}-server.yaml`,
                statefulSet(workload, percent, fixedOf(workload, fixed)),
            ];
        }
    }
}

const vmcluster = `{{- $global := .Values.global | default dict }}
{{- if .Values.victoriametrics.enabled }}
{{- if .Values.victoriametrics.vmcluster.enabled }}
kind: VMCluster
spec:
  {{- $spec := deepCopy .Values.victoriametrics.vmcluster.spec }}
  {{- if $global.storageClass }}
  {{- $_ := set $spec.vmstorage.storage.volumeClaimTemplate.spec "storageClassName" $global.storageClass }}
  {{- end }}
  {{- toYaml $spec | nindent 2 }}
{{- end }}
{{- end }}
`;

const vlcluster = `{{- if .Values.victoriametrics.vlcluster_audit.enabled }}
{{- $global := .Values.global | default dict }}
kind: VLCluster
spec:
  {{- $spec := deepCopy .Values.victoriametrics.vlcluster_audit.spec }}
  {{- if $global.storageClass }}
  {{- $_ := set $spec.vlstorage.storage.volumeClaimTemplate.spec "storageClassName" $global.storageClass }}
  {{- end }}
  {{- toYaml $spec | nindent 2 }}
{{- end }}
`;

const grafana = `{{- if and .Values.grafana.enabled .Values.grafana.installForTests }}
kind: Grafana
spec:
  persistentVolumeClaim:
    spec:
      resources: {{ .Values.grafana.pvc.resources | toYaml | nindent 8 }}
      {{- with .Values.global.storageClass }}
      storageClassName: {{ . }}
      {{- end }}
{{- end }}
`;

/** What the template itself reads of what is immutable: the rest is in a library's. */
function fixedOf(workload: string, fixed: CatalogVolume["fixed"]): string[] {
    const within = fixed.map(({ path }) => path.slice(1)).filter(([own]) => own === workload);
    return within.map((path) => path.slice(1).join(".")).filter((name) => name !== "name");
}

const statefulSet = (workload: string, percent: boolean, fixed: readonly string[]) => `
{{- define "args" -}}
  {{- $Values := (.helm).Values | default .Values -}}
  {{- $app := $Values.${workload} -}}
  {{- $args := dict "retentionPeriod" $app.retentionPeriod "retention.maxDiskSpaceUsageBytes" $app.retentionDiskSpaceUsage -}}
  ${percent ? '{{- $_ := set $args "retention.maxDiskUsagePercent" $app.retentionMaxDiskUsagePercent -}}' : ""}
  {{- toYaml (mergeOverwrite $args $app.extraArgs) -}}
{{- end -}}
{{- $app := merge (deepCopy .Values.${workload}) (deepCopy .Values.common) -}}
{{- $pvc := $app.persistentVolume }}
{{- $_ := set .Values "${workload}" $app }}
{{- if $app.enabled -}}
kind: StatefulSet
spec:
  replicas: {{ $app.replicaCount }}
  args: {{ include "args" $ctx }}
  mounts: {{- with $pvc }} {{ .subPath }} {{- end }}
  fixed: ${fixed.map((name) => `{{ $app.${name} }}`).join(" ")}
  {{- if not $pvc.enabled }}
  emptyDir: {{ $app.emptyDir }}
  {{- end }}
  {{- if and $pvc.enabled (not $pvc.existingClaim) }}
  volumeClaimTemplates:
    - name: {{ tpl $pvc.name $ctx }}
      storage: {{ $pvc.size }}
      {{- with $pvc.storageClassName }}
      storageClassName: {{ . }}
      {{- end }}
  {{- end }}
{{- end }}
`;

function stored(file: string): HelmValues {
    return JSON.parse(fs.readFileSync(schemaFile(file), "utf8")) as HelmValues;
}

/** What the operator's chart says of its kinds, with a field more in `VMCluster.spec.vmstorage`. */
export function definitions(further?: string): string {
    const kinds = ["VMCluster", "VLCluster", "VMAlert", "VMAlertmanager"];
    const documents = kinds.map((kind) => {
        const file = fs.readdirSync(schemaFile("")).find((each) => each.startsWith(`${kind}.`))!;
        const more = nest(["properties", "vmstorage", "properties", further ?? ""], { type: "string" });
        const spec = mergeValues(stored(file), kind === "VMCluster" && further !== undefined ? more : {});
        const versions = [{ schema: { openAPIV3Schema: { properties: { spec } } } }];
        // A document in the notation of JSON is YAML too, and is read in a tenth of the time.
        return `kind: CustomResourceDefinition\nspec:\n  names:\n    kind: ${kind}\n  versions: ${JSON.stringify(versions)}\n`;
    });
    return documents.join("---\n");
}

function umbrellaTemplate({ overwrites, version }: Catalog): string {
    const blocks = overwrites
        .filter(({ path: [first] }) => first !== "envoy-gateway")
        .map(({ component, when, path, value, from }) => {
            const source = from === null ? "$x" : `$.Values.${from.join(".")}`;
            const isTag = value === `v${version}`;
            const chain = path.reduceRight(
                (inner, key) => `(dict "${key}" ${inner})`,
                isTag ? '(printf "v%s" (trimPrefix "v" $.Chart.Version))' : source,
            );
            const yaml = stringify(nest(path, value ?? "HERE"))
                .trimEnd()
                .replace("HERE", `\` (quote ${source}) \``);
            const merged = component === null || isTag ? chain : `(print \`\n${yaml}\n\` | fromYaml)`;
            const conditions = [
                ...(component === null ? [] : [`eq $component "${component}"`]),
                ...when.map((each) =>
                    each.some((key) => key.includes("-"))
                        ? `and $.Values.x ($.Values | merge | dig ${each.map((key) => `"${key}"`).join(" ")} false)`.replace(
                              "$.Values.x ",
                              "",
                          )
                        : `$.Values.${each.join(".")}`,
                ),
            ];
            const open = conditions.map((each) => `{{- if ${each} }}\n`).join("");
            return `${open}{{- $values = mergeOverwrite $values ${merged} }}\n${"{{- end }}\n".repeat(conditions.length)}`;
        });
    return `{{- range $component := .Values.global.components }}
{{- if index $.Values $component "enabled" }}
    {{- $values := mergeOverwrite (dict) (index $.Values $component "values") }}
${blocks.join("")}
{{- end }}
{{- end }}
`;
}

function service({ from, under, copies }: CatalogLayer): string {
    const [, , ...path] = from;
    const looked = copies.some(({ from: source }) => source.join(".") === `${from.join(".")}.global.storageClass`);
    const globals = copies.some(({ to }) => to.join(".") === "global.storageClass");
    const classes = copies.filter(({ to }) => to[0] !== "global").map(({ to }) => nest(to, "{storageClass}"));
    const own = globals ? {} : nest(["global", "storageClass"], "{storageClass}");
    const body = stringify(mergeValues({ kcm: "{clusterName}" }, under, own, ...classes)).replaceAll('"', "");
    return `
    services:
      - name: kof-storage
        values: |
          {{\`{{\`}} $storageClass := .Cluster | dig "a" "${looked ? `{{ $.Values.storage | dig "global" "storageClass" "" }}` : ""}" {{\`}}\`}}
          {{\`{{\`}} $storageValuesFromHelm := \`{{ $.Values.${path.join(".")} | toYaml | nindent 10 }}\` | fromYaml {{\`}}\`}}
          {{\`{{\`}} $storageValuesHere := printf \`
${body.replaceAll(/^(?=.)/gm, "          ").replaceAll(/: $/gm, ': ""')}
        {{- if $istio }}
          istio_endpoints: true
        {{- end }}
          \` | replace "{clusterName}" $clusterName | fromYaml {{\`}}\`}}
          {{\`{{ mergeOverwrite (dict) $globalValuesFromHelm $storageValuesHere $storageValuesFromHelm | toYaml | nindent 4 }}\`}}
      - name: kof-collectors
`;
}

/** The service that has a value of KOF's over the user's. */
function envoy({ overwrites }: Catalog): string {
    const over = overwrites.filter(({ path: [first] }) => first === "envoy-gateway");
    const values = mergeValues(...over.map(({ path: [, , ...below], value }) => nest(below, value ?? "{name}")));
    const yaml = stringify(values).replace('"{name}"', "{name}");
    return over.length === 0
        ? ""
        : `
      - name: envoy-gateway
        values: |
          {{\`{{\`}} $envoyHere := \`
${yaml.replaceAll(/^(?=.)/gm, "          ")}
          \` | fromYaml {{\`}}\`}}
          {{\`{{\`}} $envoyFromHelm := \`{{ index $.Values "envoy-gateway" "values" | toYaml | nindent 10 }}\` | fromYaml {{\`}}\`}}
          {{\`{{\`}} mergeOverwrite (dict) $envoyFromHelm $envoyHere | toYaml | nindent 4 {{\`}}\`}}
`;
}

/** A catalog without what depends on every byte of its charts. */
export function withoutDigests({ sources, ...catalog }: Catalog): Omit<Catalog, "sources"> & { sources: string[] } {
    // As it is written to a file: what was read from one has maps without a prototype.
    return JSON.parse(JSON.stringify({ ...catalog, sources: Object.keys(sources) })) as ReturnType<
        typeof withoutDigests
    >;
}
