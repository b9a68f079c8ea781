/** What a chart reads beyond its values.yaml, or hands to another chart. A `*` in a path stands for any key. */
export interface Rule {
    /** The values are those of this chart. */
    readonly chart?: string;
    /** Keys that a template reads although values.yaml does not list them. */
    readonly keys?: readonly string[];
    /** Any key is read, with whatever is below it. */
    readonly open?: true;
    /** Keys are names that users choose. The rules continue below them. */
    readonly names?: true;
    /** Any value is accepted, no matter what values.yaml has there. */
    readonly any?: true;
}

const metadata = ["extraLabels", "nameOverride", "fullnameOverride", "imagePullSecrets"];
const placement = ["affinity", "nodeSelector", "tolerations", "deployment"];
const pipeline = ["receivers", "processors", "exporters"];

/**
 * Read off the templates of KOF 1.8.0 to 1.11.0-rc0 (`charts/<chart>/templates`), which agree in all of this.
 * `kof-child` and `kof-regional` hand values on to the charts that they install on other clusters, and on this one.
 */
const rules: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
    kof: {
        "": { keys: ["fullnameOverride", "nameOverride"] },
    },
    "kof-child": {
        "": { keys: ["global"] },
        global: { open: true },
        collectors: { chart: "kof-collectors" },
        operators: { chart: "kof-operators" },
        "fromManagement.collectors": { chart: "kof-collectors" },
        "fromManagement.storage": { chart: "kof-storage" },
    },
    "kof-regional": {
        "": { keys: ["global"] },
        global: { open: true },
        collectors: { chart: "kof-collectors" },
        storage: { chart: "kof-storage" },
        operators: { chart: "kof-operators" },
        "kof-operators.values": { chart: "kof-operators" },
        "victoria-metrics-operator.values": { chart: "victoria-metrics-operator" },
    },
    "kof-storage": {
        "": { keys: ["vmrules"] },
        // The first by its own templates, the others by those of victoria-metrics-common, in its dependencies.
        global: {
            keys: [
                ...[
                    "storageClass",
                    "lint",
                    "cluster",
                    "compatibility",
                    "disableNameTruncation",
                    "extraLabels",
                    "license",
                ],
                ...["fullnameOverride", "nameOverride", "namespaceOverride", "imagePullSecrets"],
            ],
        },
        grafana: { keys: ["installForTests"] },
    },
    "kof-mothership": {
        "": { keys: ["commonLabels", "kubeTargetVersionOverride", "kube-prometheus-stack", "nameOverride"] },
        commonLabels: { open: true },
        "kube-prometheus-stack": { open: true },
        "defaultRules.rules": { open: true },
        // Dex takes a list. Helm hands it on over this chart's empty map, with a warning (tried with 1.10.0 on 2026-11-27).
        "dex.config.connectors": { any: true },
        // Groups of rules, new ones among them, and the Secrets of a profile (templates/promxy/rules.yaml, k0rdent/kof/secrets.yaml).
        defaultAlertRules: { open: true, names: true },
        "kcm.kof.secrets": { names: true },
        "kcm.kof.secrets.*": { keys: ["htpasswdFrom", "secrets"] },
        "defaultRules.additionalRuleGroupLabels": { open: true },
        grafana: { keys: ["installForTests", "root_url"] },
        "kcm.kof": { keys: ["extraLabels"] },
        "kcm.kof.operator": { keys: [...metadata, ...placement, "annotations"] },
        "kcm.kof.operator.image": { keys: ["tag"] },
        "kcm.kof.acl": { keys: [...placement, "extraArgs", "developmentMode", "ui"] },
        "kcm.kof.acl.image": { keys: ["tag"] },
        "kcm.kof.acl.service": { keys: ["clusterIP", "externalIPs", "loadBalancerIP", "loadBalancerSourceRanges"] },
        promxy: { keys: [...metadata, ...placement, "annotations", "podAnnotations", "env", "secret"] },
    },
    "opentelemetry-kube-stack": {
        collectors: { names: true },
        "*.config": { keys: ["connectors", "extensions", "receivers", "processors", "exporters", "service"] },
        "*.config.service": { keys: ["extensions", "pipelines", "telemetry"] },
        "*.config.service.telemetry": { open: true },
        "*.config.service.pipelines": { names: true },
        "*.config.service.pipelines.*": { keys: pipeline },
        ...Object.fromEntries(
            [...pipeline, "connectors", "extensions"].map((kind) => [
                `*.config.${kind}`,
                { open: true, names: true } as const,
            ]),
        ),
    },
};

/** Keys whose content is free-form in every chart: it ends up in a Kubernetes object as it is. */
const freeForm = new Set(
    `affinity annotations args config connectors env extraArgs extraEnv extraEnvs extraLabels labels matchLabels metadata
    nodeSelector podAnnotations podLabels podMetadata podSecurityContext resources securityContext spec strategy`.split(
        /\s+/,
    ),
);

/** What is known about a path of a chart's values, in addition to its defaults. */
export function ruleOf(chart: string, path: readonly string[]): Rule | undefined {
    const table = (Object.hasOwn(rules, chart) ? rules[chart] : undefined) ?? {};
    const at = (key: string) => (Object.hasOwn(table, key) ? table[key] : undefined);
    const exact = at(path.join("."));
    if (exact) {
        return exact;
    }
    // A collector's fields are read alike in `defaultCRConfig` and in `collectors.<name>`.
    const inCollector = path[0] === "defaultCRConfig" ? path.slice(1) : path[0] === "collectors" ? path.slice(2) : [];
    const fields = inCollector.length > 0 ? ["*", ...inCollector] : path;
    return at(fields.join(".")) ?? at([...fields.slice(0, -1), "*"].join("."));
}

/** Whether the values at a path of opentelemetry-kube-stack are those of a collector, or what all collectors share. */
export function areCollectorValues(chart: string, path: readonly string[]): boolean {
    const place = chart === "opentelemetry-kube-stack" ? path : [];
    return (place.length === 1 && place[0] === "defaultCRConfig") || (place.length === 2 && place[0] === "collectors");
}

/** Of {@link freeForm} those that hold names which anyone may choose. */
const chosen = new Set(
    "affinity annotations extraArgs extraLabels labels matchLabels nodeSelector podAnnotations podLabels".split(" "),
);

/** Whether the keys at a path are names that anyone may choose: one that resembles another need not be meant to be that. */
export function isChosen(chart: string, path: readonly string[]): boolean {
    return (
        ruleOf(chart, path)?.names === true ||
        path.some((key, i) => {
            const { open, names } = ruleOf(chart, path.slice(0, i + 1)) ?? {};
            return chosen.has(key) || (open === true && names === true);
        })
    );
}

/** Whether a path is free-form, or within one that is. */
export function isFreeForm(chart: string, path: readonly string[]): boolean {
    return path.some((key, i) => freeForm.has(key) || ruleOf(chart, path.slice(0, i + 1))?.open === true);
}
