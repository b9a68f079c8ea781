import { catalogOf } from "../../../core/charts";
import type { HelmValues } from "../../../core/lib/values";

/*
 * What values resolve to, read off KOF's charts by hand: nothing here asks the program, or the lists of the catalog. Only the
 * charts' default values are the catalog's.
 */

type Values = Record<string, any>;

/** A store as the merged values have it. */
export interface Reading {
    readonly workload: string;
    readonly count: unknown;
    readonly size: unknown;
    readonly storageClass: string;
    readonly retention: string | undefined;
    readonly limits: readonly string[];
    readonly keeps: "volumes" | "emptyDir" | "existingClaim";
}

const isMap = (value: unknown): value is Values => typeof value === "object" && value !== null && !Array.isArray(value);

/** As Helm merges: maps key by key, everything else replaced. */
function over(below: Values, above: Values | undefined): Values {
    const merged: Values = { ...below };
    for (const [key, value] of Object.entries(above ?? {})) {
        merged[key] = isMap(value) && isMap(merged[key]) ? over(merged[key], value) : value;
    }
    return merged;
}

/** As Sprig's `merge` looks for a value: the first that is not empty. */
function first(...values: unknown[]): any {
    return values.find(
        (value) =>
            ![undefined, null, false, 0, ""].includes(value as null) &&
            !(Array.isArray(value) && value.length === 0) &&
            !(isMap(value) && Object.keys(value).length === 0),
    );
}

/** The charts victoria-logs-cluster and victoria-traces-cluster, which share their values. */
function cluster(workload: string, storage: string, given: Values | undefined): Reading[] {
    const own: Values = over(
        { enabled: true, [storage]: { enabled: true, replicaCount: 2, retentionPeriod: "7d" } },
        given,
    );
    const [app, common]: Values[] = [own[storage] ?? {}, own.common ?? {}];
    const pv = (key: string) => first(app?.persistentVolume?.[key], common?.persistentVolume?.[key]);
    const arg = (key: string) => first(app?.extraArgs?.[key], common?.extraArgs?.[key]);
    const plain = (key: string) => first(app?.[key], common?.[key]);
    if (own.enabled === false || first(app?.enabled, common?.enabled) === undefined) {
        return [];
    }
    const space = plain("retentionDiskSpaceUsage");
    const bytes =
        arg("retention.maxDiskSpaceUsageBytes") ?? (/^\d+$/.test(String(space)) ? `${String(space)}GiB` : space);
    const percent = arg("retention.maxDiskUsagePercent") ?? plain("retentionMaxDiskUsagePercent");
    return [
        {
            workload,
            count: plain("replicaCount"),
            size: pv("size"),
            storageClass: pv("storageClassName") ?? "",
            retention: String(arg("retentionPeriod") ?? plain("retentionPeriod") ?? "7d"),
            limits: [bytes, percent === undefined ? undefined : `${String(percent)}%`]
                .filter((limit) => limit !== undefined)
                .map(String),
            keeps:
                pv("enabled") === undefined
                    ? "emptyDir"
                    : pv("existingClaim") === undefined
                      ? "volumes"
                      : "existingClaim",
        },
    ];
}

/** A part of a VMCluster or VLCluster. */
function part(workload: string, own: Values, retention: unknown, globalClass: unknown): Reading {
    const template = own.storage?.volumeClaimTemplate?.spec ?? {};
    const limit = first(own.extraArgs?.["retention.maxDiskSpaceUsageBytes"], own.retentionMaxDiskSpaceUsageBytes);
    const percent = first(own.extraArgs?.["retention.maxDiskUsagePercent"]);
    const filter = first(own.extraArgs?.retentionFilter);
    return {
        workload,
        count: own.replicaCount,
        size: template.resources?.requests?.storage,
        storageClass: String(first(globalClass, template.storageClassName) ?? ""),
        retention: retention === undefined ? undefined : String(retention),
        limits: [limit, percent === undefined ? undefined : `${String(percent)}%`, filter]
            .filter((each) => each !== undefined)
            .map(String),
        keeps: isMap(own.storage) && own.storage.emptyDir !== undefined ? "emptyDir" : "volumes",
    };
}

function victoriametrics(given: Values): Reading[] {
    const { victoriametrics: vm = {}, global = {} } = given;
    const found: Reading[] = [];
    if (vm.enabled === true && vm.vmcluster?.enabled === true) {
        const { spec } = vm.vmcluster;
        const retention = first(spec.vmstorage.extraArgs?.retentionPeriod, spec.retentionPeriod) ?? "1";
        found.push(part("vmselect", spec.vmselect, undefined, global.storageClass));
        found.push(part("vmstorage", spec.vmstorage, retention, global.storageClass));
    }
    if (vm.vlcluster_audit?.enabled === true) {
        const { spec } = vm.vlcluster_audit;
        const retention = first(spec.vlstorage.extraArgs?.retentionPeriod, spec.vlstorage.retentionPeriod) ?? "7d";
        found.push(part("vlstorage-audit", spec.vlstorage, retention, global.storageClass));
    }
    return found;
}

function grafana({ grafana: own = {}, global = {} }: Values): Reading[] {
    return own.enabled === true && own.installForTests === true
        ? [
              {
                  workload: "grafana",
                  count: 1,
                  size: own.pvc.resources.requests.storage,
                  storageClass: first(global.storageClass) ?? "",
                  retention: undefined,
                  limits: [],
                  keeps: "volumes",
              },
          ]
        : [];
}

/** kof-storage, given its values. */
function storage(given: Values): Reading[] {
    return [
        ...victoriametrics(given),
        ...grafana(given),
        ...cluster("vlstorage", "vlstorage", given["victoria-logs-cluster"]),
        ...cluster("vtstorage", "vtstorage", given["victoria-traces-cluster"]),
    ];
}

/** What kof-regional gives kof-storage, on regions and, without them, on the management cluster. */
function ofRegional(version: string, chart: Values, { storage: own = {}, global = {} }: Values): Values {
    // 1.8.0 knows the class by an annotation of the region only.
    const storageClass = version === "1.8.0" ? "" : (own.global?.storageClass ?? "");
    const classes = {
        global: { storageClass },
        "victoria-logs-cluster": { vlstorage: { persistentVolume: { storageClassName: storageClass } } },
        "victoria-traces-cluster":
            version === "1.8.0" ? {} : { vtstorage: { persistentVolume: { storageClassName: storageClass } } },
    };
    return over(over(over(chart, { global }), classes), own);
}

/** What a cluster stores, as values of the umbrella have it. */
interface Stores {
    /** On the management cluster. */
    readonly here: Reading[];
    /** On each region. */
    readonly regions: Reading[];
    /** Whether each region has its vmauth, without and within the mesh, through which everything comes. */
    readonly entrance: { readonly outside: boolean; readonly inMesh: boolean };
}

export function readStores(version: string, values: HelmValues): Stores {
    const { charts } = catalogOf(version);
    const defaults = (chart: string): Values => charts[chart]?.values ?? {};
    const umbrella = over(defaults("kof"), values);
    const isOn = (name: string) => umbrella[name]?.enabled === true && umbrella.global.components.includes(name);
    const valuesOf = (name: string): Values => umbrella[name]?.values ?? {};
    const operated = ({ workload }: Reading) => ["vmselect", "vmstorage", "vlstorage-audit"].includes(workload);
    const isOperatorOn = umbrella["victoria-metrics-operator"]?.enabled !== false;
    const made = (stores: Reading[], by: boolean, grafanaBy: boolean) =>
        stores.filter((store) => (store.workload === "grafana" ? grafanaBy : by || !operated(store)));
    // Grafana's operator is off unless somebody turns it on.
    const makesGrafana = (own?: Values) => own?.["grafana-operator"]?.enabled === true;
    const regionless = umbrella.regionless?.enabled === true;
    const here: Reading[] = [];
    if (isOn("kof-mothership")) {
        const off = regionless ? { victoriametrics: { vmcluster: { enabled: false } } } : {};
        const given = over(over(defaults("kof-mothership"), valuesOf("kof-mothership")), off);
        here.push(...victoriametrics(given), ...grafana(given));
    }
    if (isOn("kof-storage")) {
        here.push(...storage(over(defaults("kof-storage"), valuesOf("kof-storage"))));
    }
    const child = valuesOf("kof-child");
    if (isOn("kof-child") && child.fromManagement?.toManagementCluster?.enabled === true) {
        const given = over(over(defaults("kof-storage"), { global: child.global ?? {} }), {
            victoriametrics: { enabled: false },
        });
        here.push(...storage(over(given, child.fromManagement.storage)));
    }
    const regionalValues = ofRegional(version, defaults("kof-storage"), valuesOf("kof-regional"));
    const regional = isOn("kof-regional") ? storage(regionalValues) : [];
    const ofRegions = [valuesOf("kof-regional"), valuesOf("kof-regional").storage];
    const isThere = ofRegions.every((own?: Values) => own?.["victoria-metrics-operator"]?.enabled !== false);
    const { victoriametrics: vm } = regionalValues;
    const outside = isThere && vm?.enabled === true && vm.vmauth?.enabled === true;
    const grafanaHere = umbrella["kof-operators"]?.enabled !== false && makesGrafana(valuesOf("kof-operators"));
    const { "kof-operators": operators, operators: before } = valuesOf("kof-regional");
    const grafanaThere = operators?.enabled !== false && (makesGrafana(operators?.values) || makesGrafana(before));
    return {
        here: made(regionless ? [...here, ...regional] : here, isOperatorOn, grafanaHere),
        regions: regionless ? [] : made(regional, isThere, grafanaThere),
        entrance: { outside, inMesh: outside && vm?.vmcluster?.enabled === true },
    };
}

/** Where a collector's configuration sends each kind of signal: the addresses of exporters that store something. */
export function readAddresses(
    configs: readonly Values[],
): Record<"metrics" | "logs" | "traces" | "audit", Set<string>> {
    const found = {
        metrics: new Set<string>(),
        logs: new Set<string>(),
        traces: new Set<string>(),
        audit: new Set<string>(),
    };
    let audited = false;
    for (const config of configs) {
        for (const [name, pipeline] of Object.entries<Values>(config.service?.pipelines ?? {})) {
            const kind = name.replace(/\/.*/, "") as "metrics" | "logs" | "traces";
            const signal = name === "logs/audit" ? "audit" : kind;
            audited ||= signal === "audit";
            const list = (part: string): string[] => [pipeline[part] ?? []].flat().map(String);
            if (!Array.isArray(pipeline.receivers) || list("receivers").every((id) => id.startsWith("nop"))) {
                continue;
            }
            for (const id of Array.isArray(pipeline.exporters) ? list("exporters") : []) {
                const exporter = config.exporters?.[id];
                const address = exporter?.[`${kind}_endpoint`] ?? exporter?.endpoint;
                if (typeof address === "string" && !address.startsWith("http://127.0.0.1:")) {
                    found[signal].add(address);
                }
            }
        }
    }
    return { ...found, audit: audited ? found.audit : found.logs };
}
