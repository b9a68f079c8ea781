import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { stringify } from "yaml";

import { catalogOf, defaultVersion, versions, type Catalog } from "../../../core/charts";
import { compareCatalogs } from "../../../core/charts/compare";
import { describeChanges, otherCharts } from "../../../tools/catalog/changes";
import { generateCatalog } from "../../../tools/catalog/generate";
import { coalesceValues, mergeValues, nest, type HelmValues } from "../../../core/lib/values";
import { withoutDigests, withValues, writeCharts } from "./charts";
import { sample } from "../../sampled";

/** Stands for Helm, which would find out what the charts' templates add. */
function presetsOf({ presets }: Catalog) {
    return () => Promise.resolve([...presets]);
}

const noPresets = () => Promise.resolve([]);

describe("catalog", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "charts-"));
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    it("covers every supported version, the newest final one by default", () => {
        assert.deepEqual(versions, ["1.8.0", "1.8.1", "1.9.0", "1.10.0", "1.11.0-rc0"]);
        assert.equal(defaultVersion, "1.10.0");
    });

    for (const version of sample(versions, 1)) {
        it(`${version} is what the generator makes of its charts (sampled)`, async () => {
            const catalog = catalogOf(version);
            const made = await generateCatalog(writeCharts(catalog, folder), presetsOf(catalog));
            // The templates of the volumes write some more values without quotes than the real ones.
            const pasted = Object.fromEntries(
                Object.entries(catalog.pasted).map(([chart, paths]) => {
                    const found = new Set(made.pasted[chart]);
                    return [chart, paths.filter((each) => found.has(each))];
                }),
            );
            assert.deepEqual(withoutDigests({ ...made, pasted }), withoutDigests(catalog), "run npm run catalog");
        });
    }

    it("knows each component, and installs what others depend on first", () => {
        for (const version of versions) {
            const names = catalogOf(version).components.map(({ name }) => name);
            const until19 = version.startsWith("1.8") || version.startsWith("1.9");
            assert.deepEqual(names, [
                "kof-operators",
                "victoria-metrics-operator",
                "kof-mothership",
                "kof-regional",
                "kof-child",
                ...(until19 ? ["kof-storage", "kof-collectors"] : []),
            ]);
        }
    });

    it("knows each volume with its defaults", () => {
        const rows = (version: string) =>
            catalogOf(version).volumes.map(
                ({ chart, workload, size, retention, replicas }) =>
                    `${chart} ${workload} ${String(replicas?.default)} x ${String(size.default)} ${String(retention?.default)}`,
            );
        const until19 = [
            "kof-mothership vmselect 2 x 10Gi undefined",
            "kof-mothership vmstorage 3 x 100Gi 30d",
            "kof-mothership grafana undefined x 200Mi undefined",
            "kof-storage vmselect 2 x 2Gi undefined",
            "kof-storage vmstorage 2 x 200Gi 30d",
            "kof-storage vlstorage 2 x 100Gi 7d",
            "kof-storage vtstorage 2 x 100Gi 7d",
        ];
        assert.deepEqual(rows("1.9.0").sort(), [...until19].sort());
        assert.deepEqual(rows("1.10.0").sort(), [...until19, "kof-storage vlstorage-audit 2 x 100Gi 1y"].sort());
    });

    it("is not made of a folder that lacks a chart", async () => {
        writeCharts(catalogOf("1.9.0"), folder);
        fs.rmSync(path.join(folder, "kof-storage"), { recursive: true });
        await assert.rejects(generateCatalog(folder), {
            name: "UserError",
            message: new RegExp(`${folder} has no chart kof-storage[^]*helm pull --untar`),
        });
    });

    it("is not made of charts of different versions", async () => {
        const mixed = { ...catalogOf("1.9.0").charts, "kof-child": catalogOf("1.10.0").charts["kof-child"]! };
        writeCharts({ ...catalogOf("1.9.0"), charts: mixed }, folder);
        await assert.rejects(generateCatalog(folder), /mixes versions: kof is 1\.9\.0, kof-child is 1\.10\.0/);
    });

    it("fails on a chart with a volume that has no name here", async () => {
        const volume = nest(["profiles", "persistentVolume", "size"], "5Gi");
        writeCharts(
            withValues(catalogOf("1.10.0"), "kof-storage", (values) => mergeValues(values, volume)),
            folder,
        );
        await assert.rejects(
            generateCatalog(folder),
            /Chart kof-storage has a volume at profiles that has no name yet/,
        );
    });

    const claim = "spec:\n  volumeClaimTemplates:\n    - metadata: {name: data}\n";
    const templates: readonly [string, string, string, RegExp | undefined][] = [
        [
            "of a KOF chart",
            "kof-storage",
            "templates/profiles.yaml",
            /kof-storage\/templates\/profiles\.yaml makes a volume/,
        ],
        ["deep in a folder", "kof-child", "templates/a/b.tpl", /kof-child\/templates\/a\/b\.tpl makes a volume/],
        [
            "of a dependency that is installed",
            "kof-storage",
            "charts/victoria-logs-cluster/templates/cache.yaml",
            /victoria-logs-cluster\/templates\/cache\.yaml makes a volume that has no name yet/,
        ],
        ["of a dependency that is off", "kof-storage", "charts/external-dns/templates/pvc.yaml", undefined],
        ["that a stack has to ask for", "kof-storage", "templates/grafana/grafana.yaml", undefined],
    ];
    for (const [what, chart, file, message] of templates) {
        it(`is ${message ? "not made" : "made"} of charts with a volume in a template ${what}`, async () => {
            writeCharts(catalogOf("1.10.0"), folder);
            const template = path.join(folder, chart, file);
            fs.mkdirSync(path.dirname(template), { recursive: true });
            fs.writeFileSync(template, claim);
            const conditions = ["victoria-logs-cluster", "external-dns"].map((name) => ({
                name,
                version: "1",
                condition: `${name}.enabled`,
            }));
            const description = { name: chart, version: "1.10.0", dependencies: conditions };
            fs.writeFileSync(path.join(folder, chart, "Chart.yaml"), stringify(description));
            if (message) {
                await assert.rejects(generateCatalog(folder, noPresets), { name: "UserError", message });
            } else {
                await generateCatalog(folder, noPresets);
            }
        });
    }

    it("is not made of charts that turn on a volume which was a stack's to ask for", async () => {
        const on = nest(["grafana", "installForTests"], true);
        writeCharts(
            withValues(catalogOf("1.10.0"), "kof-storage", (values) => mergeValues(values, on)),
            folder,
        );
        const template = path.join(folder, "kof-storage/templates/grafana/grafana.yaml");
        fs.mkdirSync(path.dirname(template), { recursive: true });
        fs.writeFileSync(template, "  persistentVolumeClaim:\n    spec:\n");
        await assert.rejects(generateCatalog(folder), /kof-storage\/templates\/grafana\/grafana\.yaml makes a volume/);
    });

    it("says what a new version adds, drops, renames and changes", () => {
        const old = catalogOf("1.10.0");
        const changed = withValues(old, "kof-storage", (values) => {
            const logs = (values["victoria-logs-cluster"] as HelmValues).vlstorage as HelmValues;
            const renamed = nest(["victoria-logs-cluster", "vlstore"], logs);
            const gone = nest(["victoria-logs-cluster", "vlstorage"], null);
            const flag = { promxy: { enabled: true }, profiles: { enabled: false, retention: "3d" } };
            return coalesceValues(values, gone, renamed, flag, nest(["victoria-metrics-operator-x"], "new one"));
        });
        const text = describeChanges("1.10.0", "1.12.0", compareCatalogs(old, { ...changed, version: "1.12.0" }));
        assert.match(text, /^KOF 1\.12\.0 against 1\.10\.0$/m);
        assert.match(text, /^ {2}kof-storage\.profiles$/m);
        assert.match(
            text,
            /^ {2}kof-storage\.victoria-logs-cluster\.vlstorage -> kof-storage\.victoria-logs-cluster\.vlstore$/m,
        );
        assert.match(text, /^ {2}kof-storage\.promxy\.enabled: false -> true$/m);
        assert.equal(
            describeChanges("1.10.0", "1.10.0", compareCatalogs(old, old)),
            "KOF 1.10.0 against 1.10.0: no difference",
        );
    });

    it("tells charts that only bear the version of a catalog", () => {
        const made = catalogOf("1.11.0-rc0");
        const checked = { ...made, sources: { ...made.sources, kof: { version: "1.11.0-rc0", sha256: "0" } } };
        assert.deepEqual(otherCharts(made, checked), ["kof"]);
        assert.deepEqual(otherCharts(made, made), []);
    });

    it("says what became of the umbrella between 1.9 and 1.10", () => {
        const { added, dropped } = compareCatalogs(catalogOf("1.9.0"), catalogOf("1.10.0"));
        assert.ok(dropped.includes("component.kof-storage") && dropped.includes("kof.kof-storage"));
        assert.ok(added.includes("kof.regionless") && added.includes("volume.kof-storage/vlstorage-audit"));
    });
});
