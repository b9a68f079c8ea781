import { z } from "zod";

import { dnsSubdomain } from "../lib/dns";
import { isMap } from "../lib/values";
import { withoutQuotes } from "../lib/yaml/read";
import { about } from "./about";
import { proxyAddress, wordsIn } from "./fields";

/* What settings say of pods: of those of the collectors, and of those that store something. The shapes are Kubernetes' own. */

/** A label's key: a name of at most 63 characters, after the DNS name of its owner. */
const labelKey =
    /^((?=[^/]{1,253}\/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/;

const amounts = (description: string, example: { readonly cpu: string; readonly memory: string }) =>
    about(
        z.strictObject({
            cpu: about(z.string().regex(/^(?!0+(\.0+)?m?$)(\d+(\.\d{1,3})?|\d+m)$/), {
                description: "CPU: 1 is one core, 100m a tenth of one.",
                allowed: "a Kubernetes quantity in quotes: 100m, 0.5 or 2",
                example: example.cpu,
            }).optional(),
            memory: about(z.string().regex(/^(?!0+(\.0+)?[A-Za-z])\d+(\.\d+)?([KMGT]i|[kMGT])$/), {
                description: "Memory, in bytes.",
                allowed: "a Kubernetes quantity with a unit: 512Mi (1024-based) or 512M (1000-based), not 512MB",
                example: example.memory,
                mend: (found) => {
                    const [, amount, prefix = ""] = /^([1-9]\d*(?:\.\d+)?) ?([KMGT])i?B?$/i.exec(String(found)) ?? [];
                    return amount && `${amount}${prefix.toUpperCase()}i`;
                },
            }).optional(),
        }),
        { description, allowed: "a map of cpu and memory", example },
    ).optional();

/** What is wrong with a toleration, by the rules of Kubernetes' API server; `undefined` for nothing. */
function tolerationFault({
    key,
    operator,
    value,
    effect,
    tolerationSeconds,
}: Record<string, unknown>): string | undefined {
    if (key === undefined && operator !== "Exists") {
        return "without a key the operator has to be Exists";
    }
    if (operator === "Exists" && value !== undefined && value !== "") {
        return "with the operator Exists there is no value";
    }
    return tolerationSeconds !== undefined && effect !== "NoExecute"
        ? "tolerationSeconds needs the effect NoExecute"
        : undefined;
}

const allowedToleration =
    "{key, operator: Exists, effect} or {key, value, effect}, where effect is NoSchedule, PreferNoSchedule or NoExecute, and each effect where it is left out";
const toleration = z
    .strictObject({
        key: z.string().regex(labelKey).optional(),
        operator: z.enum(["Exists", "Equal"]).optional(),
        value: z.string().regex(labelValue).optional(),
        effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
        tolerationSeconds: z.int().optional(),
    })
    .refine((each) => tolerationFault(each) === undefined);

/**
 * Where pods run, and what they get there.
 *
 * @param memory a limit that is above what KOF requests for them.
 */
const podsOf = (memory: string) => ({
    resources: about(
        z.strictObject({
            requests: amounts("What a node must have free for a pod.", { cpu: "100m", memory: "256Mi" }),
            limits: amounts("The most that a pod may use. Kubernetes kills a pod that uses more memory.", {
                cpu: "2",
                memory: "4Gi",
            }),
        }),
        {
            description: "CPU and memory of each pod. Default: KOF's.",
            allowed: "a map of requests and limits",
            example: { limits: { memory } },
        },
    ).optional(),
    nodeSelector: about(z.record(z.string().regex(labelKey), z.string().regex(labelValue)), {
        description: "Labels of the nodes on which the pods may run.",
        allowed: "a map of labels of Kubernetes nodes, all of them text: quote numbers and true/false",
        example: { "node-role.kubernetes.io/infra": "" },
    }).optional(),
    tolerations: about(z.array(toleration).min(1), {
        description: "Taints of nodes that the pods tolerate, in addition to KOF's own tolerations.",
        allowed: `a list of tolerations: ${allowedToleration}`,
        example: [{ key: "dedicated", operator: "Exists", effect: "NoSchedule" }],
        why: (found) => (isMap(found) ? tolerationFault(found) : undefined),
    }).optional(),
    priorityClassName: about(
        // Charts write it without quotes.
        z
            .string()
            .regex(dnsSubdomain)
            .refine((name) => withoutQuotes(name) === name),
        {
            description: "An existing PriorityClass.",
            allowed: "the name of a PriorityClass: lower-case letters, digits, '-' and '.', not a number",
            example: "system-cluster-critical",
        },
    ).optional(),
});

/** What `kof:storage` says of the pods of each signal's store. */
export const storePods = podsOf("4Gi");

const variableName = /^[A-Za-z_]\w*$/;
const secretName = z.string().regex(dnsSubdomain);

const variable = z
    .strictObject({
        name: z.string().regex(variableName),
        // The chart writes it without quotes, and takes an empty one for none.
        value: z
            .string()
            .min(1)
            .refine((value) => withoutQuotes(value) === value)
            .optional(),
        valueFrom: z
            .strictObject({
                secretKeyRef: z.strictObject({ name: secretName, key: z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/) }),
            })
            .optional(),
    })
    .refine(({ value, valueFrom }) => (value === undefined) !== (valueFrom === undefined));

const processor = z.strictObject({
    name: z.string().regex(/^[a-z][a-z0-9_]*(\/[\w.-]+)?$/),
    config: z.record(z.string(), z.json()).default({}),
});
const processors = (signal: string, example: object) =>
    about(z.array(processor).min(1), {
        description: `Processors for the ${signal}.`,
        allowed: "a list of {name: TYPE/NAME, config}, in the order in which they work",
        example: [example],
    }).optional();

const unhealthy = { name: "filter/health", config: { logs: { log_record: ['IsMatch(body, "GET /healthz")'] } } };

/** The signals that the collectors have pipelines of their own for. Audit logs are sorted from the logs at their end. */
export const pipelineKinds = ["metrics", "logs", "traces"] as const;

/** The `collectors` block. */
export const collectorPods = z.strictObject({
    ...podsOf("1Gi"),
    env: about(z.array(variable).min(1), {
        description:
            "Environment variables, in addition to those that KOF and this program set. For a variable from a Secret in the kof namespace, give only the Secret's name and key.",
        allowed:
            "a list of {name, value} or {name, valueFrom: {secretKeyRef: {name, key}}}. KOF's charts write a value without quotes: it has to " +
            "be text even so, not a number or true/false",
        example: [{ name: "GODEBUG", value: "netdns=go" }],
        mend: (found) => {
            const [, name, value] = typeof found === "string" ? (/^([A-Za-z_]\w*)=([^]*)$/.exec(found) ?? []) : [];
            if (name !== undefined) {
                return { name, value };
            }
            return isMap(found) && !("name" in found)
                ? Object.entries(found).map(([key, each]) => ({ name: key, value: each }))
                : undefined;
        },
    }).optional(),
    processors: about(
        z.strictObject({
            metrics: processors("metrics", {
                name: "filter/own",
                config: { metrics: { metric: ['name == "go_info"'] } },
            }),
            logs: processors("logs", unhealthy),
            traces: processors("traces", {
                name: "attributes/team",
                config: { actions: [{ action: "insert", key: "team", value: "platform" }] },
            }),
        } satisfies Record<(typeof pipelineKinds)[number], z.ZodType>),
        {
            description:
                "Processors for every collector's pipeline of a signal, in addition to its own. They run after these and before batching. Audit logs count as logs there.",
            allowed: "a map of metrics, logs and traces, each a list of {name: TYPE/NAME, config}",
            example: {
                logs: [unhealthy],
            },
        },
    ).optional(),
});

/** The `proxy` block. */
export const proxy = z.strictObject({
    http: proxyAddress("Proxy for http:// addresses (HTTP_PROXY).").optional(),
    https: proxyAddress("Proxy for https:// addresses (HTTPS_PROXY).").optional(),
    noProxy: about(z.array(z.string().regex(/^(\*?\.)?[\w-][\w.:-]*(\/\d{1,3})?$|^\[[\da-f:]+\](:\d+)?$/i)).min(1), {
        description:
            "What collectors reach without it (NO_PROXY), in addition to the cluster itself: its services, API server and nodes, and the addresses at which clouds provide credentials.",
        allowed: "a list of hosts, domains (.example.net), addresses and networks (10.0.0.0/8)",
        example: [".internal.example.net", "10.0.0.0/8"],
        mend: wordsIn,
    }).optional(),
});

/** CPU and memory of pods. */
export type Resources = NonNullable<z.infer<typeof collectorPods>["resources"]>;
export type CollectorPods = z.infer<typeof collectorPods>;
export type ProxySettings = z.infer<typeof proxy>;
