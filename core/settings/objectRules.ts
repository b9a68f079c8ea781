import type { Catalog } from "../charts";
import { handedValues } from "../charts/defaults";
import { settingIn } from "../charts/setting";
import { isMap, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { problemAt, stackFile } from "./explain";
import { brief, type Problems } from "./problems";

type Path = readonly string[];

/** Values with which Helm or Kubernetes would install nothing, or nothing that runs, and that no schema forbids. */
export function* objectProblems(catalog: Catalog, values: HelmValues): Problems {
    yield* typeProblems(values, []);
    yield* storageOffProblems(catalog, values);
}

/** Numbers of pods. */
const counts = new Set(["replicas", "replicaCount"]);
/** Maps that are copied to Kubernetes objects, which only take text there. */
const texts = new Set([
    ...["nodeSelector", "annotations", "labels", "matchLabels"],
    ...["podAnnotations", "podLabels", "extraLabels", "commonLabels"],
]);

/** Keys whose values KOF's templates compare with text, or pass to functions that only take text. */
const compared = new Set(["namespace", "provider", "url"]);
/** Keys whose values are durations. */
const intervals = new Set(["interval", "scrapeInterval", "scrapeTimeout"]);

/** Whether Go, or Prometheus, takes a value for a duration. Empty, it is the default. */
function isDuration(value: HelmValue): boolean {
    return typeof value === "string" && /^(\d+(\.\d+)?(ns|us|µs|ms|[smhdwy]))*$|^0$/.test(value);
}

/** What a value at certain paths has to be, or else Helm or Kubernetes refuses it. */
interface ValueRule {
    readonly isOf: (key: string, path: Path) => boolean;
    readonly isRight: (value: HelmValue) => boolean;
    /** What is wrong with any other value, as it follows that value. */
    readonly why: string;
    readonly allowed: string;
    /** What was meant by such a value, if that is clear. */
    readonly meant?: (value: HelmValue) => HelmValue | undefined;
}

const failsInstall = "with which Helm would fail to install the chart";
const allowedCount = "a whole number from 1 to 1000, without quotes; what is not wanted has a switch, enabled";

/** Only the first that a value breaks is reported. */
const valueRules: readonly ValueRule[] = [
    {
        isOf: (_, path) => texts.has(path.at(-2) ?? ""),
        isRight: (value) => typeof value !== "number" && typeof value !== "boolean",
        why: "which Kubernetes refuses: Helm would fail to install the chart",
        allowed: "text",
        meant: String,
    },
    {
        isOf: (key) => counts.has(key),
        isRight: (value) => value !== 0,
        why: "so that nothing of it would run",
        allowed: allowedCount,
    },
    {
        isOf: (key) => counts.has(key),
        isRight: (value) => isMap(value) || (Number.isInteger(value) && Number(value) > 0 && Number(value) <= 1000),
        why: "which is not a valid number of pods",
        allowed: allowedCount,
        meant: (value) => (typeof value === "string" && /^[1-9]\d*$/.test(value) ? Number(value) : undefined),
    },
    {
        isOf: (key) => intervals.has(key),
        isRight: (value) => isMap(value) || isDuration(value),
        why: "which is not a duration: Helm or Kubernetes would refuse it",
        allowed: "a number with its unit, such as 30s",
    },
    {
        isOf: (key) => compared.has(key),
        isRight: (value) => typeof value !== "number" && typeof value !== "boolean",
        why: "which templates take as text alone: Helm would fail to install the chart",
        allowed: "text",
    },
    {
        isOf: (_, path) => /^kubeEtcd\.serviceMonitor\.\w+Limit$/.test(path.slice(-3).join(".")),
        isRight: (value) => value === 0,
        why: "which opentelemetry-kube-stack writes so that Helm cannot read it",
        allowed: "0",
    },
    {
        isOf: (_, path) => /^cluster(Record|Alert)Rules$/.test(path.at(-2) ?? ""),
        isRight: isMap,
        why: failsInstall,
        allowed: "a map of groups of rules",
    },
    {
        isOf: (_, path) => path.at(-2) === "mcs",
        isRight: isMap,
        why: failsInstall,
        allowed: "a map of matchLabels and secrets",
    },
    {
        isOf: (key, path) =>
            /^(registry|repository|imageRegistry)$/.test(key) && /^(global|.*image)$/i.test(path.at(-2) ?? ""),
        isRight: (value) => isMap(value) || (typeof value === "string" && /^(\w[\w.:/-]*)?$/.test(value)),
        why: "which cannot be part of an image's name",
        allowed: "text such as registry.example.net:5000/kof",
    },
    {
        isOf: (key, path) => key === "chart" && path.at(-2)?.endsWith("-service-template") === true,
        isRight: (value) => /^[^:]+:[^:]+$/.test(textOf(value)),
        why: failsInstall,
        allowed: "a chart and its version, such as ingress-nginx:4.11.5",
    },
];

/** Checks values by the names of their keys, which mean the same in all charts. */
function* typeProblems(value: HelmValue, path: Path): Problems {
    const key = path.at(-1) ?? "";
    const broken = valueRules.find(({ isOf, isRight }) => isOf(key, path) && !isRight(value));
    if (key === "config" && isMap(value)) {
        // A collector's configuration has keys of its own.
        yield* serviceProblems(value, path);
    } else if (broken) {
        yield problemAt(["values", ...path], `is ${brief(value)}, ${broken.why}`, {
            allowed: broken.allowed,
            value: broken.meant?.(value),
        });
    } else if (isMap(value)) {
        for (const [name, inner] of Object.entries(value)) {
            yield* typeProblems(inner, [...path, name]);
        }
    }
}

/** Values in a collector's service that should be lists of names. */
function* serviceProblems(config: HelmValue, path: Path): Problems {
    const pipelines = valueAt(config, ["service", "pipelines"]);
    const lists = Object.keys(isMap(pipelines) ? pipelines : {}).flatMap((pipeline) =>
        ["receivers", "processors", "exporters"].map((part) => ["service", "pipelines", pipeline, part]),
    );
    for (const list of [["service", "extensions"], ...lists]) {
        const value = valueAt(config, list);
        const isRight = Array.isArray(value) && value.every((name) => typeof name === "string");
        if (value !== undefined && !isRight) {
            yield problemAt(
                ["values", ...path, ...list],
                `is ${brief(value)}, with which the collector would not start`,
                { allowed: "a list of names", value: typeof value === "string" ? [value] : undefined },
            );
        }
    }
}

/**
 * Stores whose templates fail if only their storage is off, because their other parts then have no storage to use
 * (victoria-logs-cluster 0.0.25 to 0.1.5 and victoria-traces-cluster 0.0.3 to 0.1.1, `_helpers.tpl`).
 */
function* storageOffProblems(catalog: Catalog, values: HelmValues): Problems {
    for (const { chart, path, values: own } of handedValues(catalog, values)) {
        const stores = catalog.volumes.filter((volume) => volume.chart === chart && !volume.expands);
        for (const { switches, workload } of stores) {
            const [whole, inner] = switches;
            if (!whole || !inner || valueAt(own, inner.path) !== false || settingIn(inner, own) !== undefined) {
                continue;
            }
            const [dependency = ""] = inner.path;
            const isElsewhere = ["insert", "select"].every((part) => {
                const name = `${workload.slice(0, 2)}${part}`;
                return valueAt(own, [dependency, name, "extraArgs", "storageNode"]) !== undefined;
            });
            if (!isElsewhere) {
                yield problemAt(
                    ["values", ...path, ...inner.path],
                    `is false, with which Helm fails to install ${dependency}: its other parts have no storage to go to`,
                    {
                        allowed: "true, or the whole of it off",
                        paste: stackFile(["values", ...path, ...whole.path], false),
                    },
                );
            }
        }
    }
}
