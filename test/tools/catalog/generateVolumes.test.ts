import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { catalogOf, versions, type Catalog, type CatalogVolume } from "../../../core/charts";
import { operatorFields } from "../../../tools/catalog/generate";
import { readLayers } from "../../../tools/catalog/generateLayers";
import { readOverwrites } from "../../../tools/catalog/generateOverwrites";
import { readVolumes } from "../../../tools/catalog/generateVolumes";
import { formatPath } from "../../../core/lib/values";
import { definitions, write, writeCharts } from "./charts";

const logs = "kof-storage/charts/victoria-logs-cluster/templates/vlstorage-server.yaml";
const metrics = "kof-storage/templates/victoria/vmcluster.yaml";
const service = "kof-regional/templates/regional-multi-cluster-service.yaml";

const catalog = catalogOf("1.10.0");

describe("the volumes of a catalog", () => {
    const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "charts-"));
    const [written, folder] = [path.join(temporary, "written"), path.join(temporary, "changed")];
    before(() => {
        writeCharts(catalog, written);
    });
    beforeEach(() => {
        fs.cpSync(written, folder, { recursive: true });
    });
    after(() => {
        fs.rmSync(temporary, { recursive: true });
    });

    /** Changes a file of the charts. */
    function change(file: string, from: string, to: string): void {
        const text = fs.readFileSync(path.join(folder, file), "utf8");
        assert.ok(text.includes(from), `${file} has no ${from}`);
        write(folder, file, text.replace(from, to));
    }

    function read(): Pick<Catalog, "volumes" | "layers"> {
        const { values } = catalog.charts["kof-storage"]!;
        const volumes = readVolumes(path.join(folder, "kof-storage"), values, operatorFields(folder));
        return { volumes, layers: readLayers(folder, volumes, readOverwrites(folder, "1.10.0")) };
    }

    function volume(workload: string): CatalogVolume {
        return read().volumes.find((each) => each.workload === workload)!;
    }

    const switchesOf = ({ switches }: CatalogVolume) =>
        switches.map(({ places, on }) => `${on}: ${places.map(({ path }) => formatPath(path)).join(" or ")}`);

    it("have every switch of their templates, and Helm's own before them", () => {
        assert.deepEqual(switchesOf(volume("vlstorage")), [
            "true: victoria-logs-cluster.enabled",
            "true: victoria-logs-cluster.vlstorage.enabled or victoria-logs-cluster.common.enabled",
        ]);
        assert.deepEqual(switchesOf(volume("vmstorage")), [
            "true: victoriametrics.enabled",
            "true: victoriametrics.vmcluster.enabled",
        ]);
        assert.deepEqual(switchesOf(volume("vlstorage-audit")), ["true: victoriametrics.vlcluster_audit.enabled"]);
    });

    const around: readonly [string, string, string[]][] = [
        ["a switch that a version adds", "if .Values.archive.enabled", ["true: archive.enabled"]],
        ["one that is turned round", "if not .Values.readOnly", ["empty: readOnly"]],
        ["several at once", "if and .Values.a.b (not .Values.c)", ["true: a.b", "empty: c"]],
        ["what follows an else", "if .Values.external }}\nx: y\n{{- else", ["empty: external"]],
        ["a variable of two values", "$x := .Values.a | default .Values.b }}\n{{- if $x.on", ["true: a.on or b.on"]],
        ["a with", "with .Values.archive", ["true: archive"]],
        ["an index", 'if index .Values "a-b" "enabled"', ["true: a-b.enabled"]],
    ];
    for (const [what, condition, expected] of around) {
        it(`have ${what}`, () => {
            change(
                metrics,
                "{{- if .Values.victoriametrics.enabled }}",
                `{{- ${condition} }}\n{{- if .Values.victoriametrics.enabled }}`,
            );
            change(metrics, "{{- toYaml $spec | nindent 2 }}", "{{- toYaml $spec | nindent 2 }}\n{{- end }}");
            assert.deepEqual(switchesOf(volume("vmstorage")).slice(0, expected.length), expected);
        });
    }

    it("say what they keep when persistence is off, and where", () => {
        const { persistence } = volume("vlstorage");
        assert.deepEqual(
            persistence.map(({ path, on, otherwise }) => `${formatPath(path.slice(2))} ${on} ${otherwise}`),
            ["persistentVolume.enabled true emptyDir", "persistentVolume.existingClaim empty existingClaim"],
        );
        const operated = volume("vmstorage");
        assert.deepEqual(
            operated.persistence.map(({ path, on, otherwise }) => `${formatPath(path.slice(3))} ${on} ${otherwise}`),
            ["vmstorage.storage.emptyDir missing emptyDir"],
        );
    });

    it("have each key that a setting is read from, the one that wins first", () => {
        const paths = ({ places }: { places: readonly { path: readonly string[] }[] }) =>
            places.map(({ path }) => formatPath(path.slice(1)));
        const { retention, limits, storageClass } = volume("vlstorage");
        assert.deepEqual(paths(retention!), [
            "vlstorage.extraArgs.retentionPeriod",
            "common.extraArgs.retentionPeriod",
            "vlstorage.retentionPeriod",
            "common.retentionPeriod",
        ]);
        assert.equal(retention!.default, "7d");
        assert.deepEqual(paths(storageClass), [
            "vlstorage.persistentVolume.storageClassName",
            "common.persistentVolume.storageClassName",
        ]);
        assert.deepEqual(
            limits.map((limit) => [limit.kind, ...limit.places.map(({ path, bare }) => `${path.at(-1)} ${bare}`)]),
            [
                [
                    "bytes",
                    "retention.maxDiskSpaceUsageBytes B",
                    "retention.maxDiskSpaceUsageBytes B",
                    "retentionDiskSpaceUsage GiB",
                    "retentionDiskSpaceUsage GiB",
                ],
                ["percent", "retention.maxDiskUsagePercent undefined", "retention.maxDiskUsagePercent undefined"],
            ],
        );
    });

    it("of a version have a limit only where its chart reads it", () => {
        const percent = (version: string) =>
            catalogOf(version)
                .volumes.find(({ workload }) => workload === "vlstorage")!
                .limits.find(({ kind }) => kind === "percent")!
                .places.some(({ path }) => path.at(-1) === "retentionMaxDiskUsagePercent");
        assert.deepEqual(versions.filter(percent), ["1.11.0-rc0"]);
    });

    const unread: readonly [string, () => void, RegExp][] = [
        [
            "a key that limits what is kept",
            () => {
                change(logs, "$app.retentionDiskSpaceUsage", "$app.retentionDiskSpaceUsage $app.retentionMaxAge");
            },
            /vlstorage-server\.yaml reads victoria-logs-cluster\.vlstorage\.retentionMaxAge, which may decide about the volumes of vlstorage/,
        ],
        [
            "a switch within the workload",
            () => {
                change(logs, "kind: StatefulSet", "kind: StatefulSet\nx: {{ $app.coldStorage.enabled }}");
            },
            /reads victoria-logs-cluster\.vlstorage\.coldStorage\.enabled, which may decide/,
        ],
        [
            "a field of the operator's",
            () => {
                write(folder, "victoria-metrics-operator/charts/crds/crds/crd.yaml", definitions("retentionMaxAge"));
            },
            /reads victoriametrics\.vmcluster\.spec\.vmstorage\.retentionMaxAge, which may decide/,
        ],
        [
            "a condition that is no list of switches",
            () => {
                change(metrics, "if .Values.victoriametrics.enabled", 'if eq .Values.mode "cluster"');
            },
            /vmcluster\.yaml makes vmstorage under a condition that is no list of switches: eq \.Values\.mode "cluster"/,
        ],
        [
            "either of two switches",
            () => {
                change(metrics, "if .Values.victoriametrics.enabled", "if or .Values.a .Values.b");
            },
            /no list of switches: or \.Values\.a \.Values\.b/,
        ],
        [
            "a size at another place",
            () => {
                change(logs, "{{ $pvc.size }}", "{{ $pvc.capacity }}");
            },
            /does not read the size of vlstorage where it did/,
        ],
        [
            "values merged in another way",
            () => {
                change(service, "mergeOverwrite (dict)", "merge (dict)");
            },
            /regional-multi-cluster-service\.yaml merges the values of kof-storage in a way that the generator does not know/,
        ],
    ];
    for (const [what, spoil, message] of unread) {
        it(`are not read from charts with ${what}`, () => {
            spoil();
            assert.throws(read, { name: "UserError", message });
        });
    }

    it("know what the umbrella turns off whatever the values say", () => {
        const over = (version: string) => catalogOf(version).layers.filter(({ chart }) => chart === "kof-mothership");
        assert.deepEqual(over("1.9.0"), []);
        assert.deepEqual(over("1.10.0"), [
            {
                chart: "kof-mothership",
                from: ["kof-mothership", "values"],
                when: ["regionless", "enabled"],
                under: {},
                over: { victoriametrics: { vmcluster: { enabled: false } } },
                copies: [],
            },
        ]);
    });

    it("follow a template that puts its values over the user's", () => {
        change(service, "$storageValuesHere $storageValuesFromHelm", "$storageValuesFromHelm $storageValuesHere");
        change(service, "kcm:", "victoriametrics: {enabled: false}\n          kcm:");
        const { layers } = read();
        const layer = layers.find(({ from }) => from[0] === "kof-regional")!;
        assert.deepEqual([layer.under, layer.over], [{}, { victoriametrics: { enabled: false } }]);
    });
});
