import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { collectorsOfCharts } from "../cli/charts/collectors";
import { compareCollectors } from "../cli/charts/compare";
import { parseOptions, run } from "../cli/command";
import { signals, versions } from "../core/charts";
import { UserError } from "../core/lib/errors";
import { deploymentOf } from "../core/routes";
import { checkSettings, parseSettings } from "../core/routes/parse";
import { pairwise, type Choice } from "./pairwise";

/*
 * Whether the collectors that the program works out are those that the real charts make, for stacks that send each signal to one place
 * or several.
 */

const usage = `Usage: npm run compare -- --charts DIR [--version VERSION]

Works collectors out from real charts, with Helm (the one in HELM, else \`helm\`), for a sample of stacks in which every two choices
come together: routes, places of each signal, and what a destination is like. Fails where the program's own differ in any definition.
DIR has a folder for each KOF version, named like it, with the charts kof, kof-child, kof-regional and kof-collectors as
'helm pull --untar' leaves them.

Required: --charts. Without --version, every version in DIR is compared.`;

type Raw = Readonly<Record<string, unknown>>;

const region = { cluster: "eu-1", domain: "eu-1.example.net" };
/** Routes with what they take at least, and what stands for their own place in a list. */
const comparedRoutes: readonly (Raw & { readonly route: string; readonly own: readonly string[] })[] = [
    { route: "none", own: [] },
    { route: "management", own: ["management"] },
    { route: "management", own: ["management"], istio: true },
    { route: "regional", own: ["regional"], regional: region },
    { route: "regional", own: ["regional"], regional: { cluster: "eu-1" }, istio: true },
    { route: "regionless", own: ["management"], regionless: { domain: "kof.example.net", certEmail: "a@example.net" } },
    { route: "cloudwatch", own: ["cloudwatch"] },
    { route: "otlp", own: ["otlp"], otlp: { endpoint: "https://otlp.example.net", headersSecret: "otlp" } },
];

/** Where a signal may go: `own` is where the route says. */
const places = [
    undefined,
    [],
    ["own", "http"],
    ["http", "grpc"],
    ["own", "vendor"],
    ["cloudwatch"],
    ["own", "cloudwatch", "vendor"],
    ["management", "regional"],
] as const;

const auths = [
    { kind: "none" },
    { kind: "headers", secret: "vendor" },
    { kind: "basic", secret: "vendor" },
    { kind: "bearer", secret: "vendor" },
    { kind: "oauth2", secret: "vendor", tokenUrl: "https://login.example.net/token", scopes: ["write"] },
    { kind: "sigv4", region: "us-east-2", service: "aps", roleArn: "arn:aws:iam::123456789012:role/kof" },
    { kind: "clientCertificate", secret: "vendor" },
    { kind: "google" },
    { kind: "azure" },
] as const;

const factors = {
    route: comparedRoutes,
    metrics: [...places, ["own", "remotewrite"]],
    logs: places,
    traces: places,
    audit: places,
    auth: auths,
    processing: [
        undefined,
        { dropNamespaces: ["kube-system"], minimumSeverity: "warn", redact: ["\\d{3}-\\d{2}$"], sampleTraces: 10 },
    ],
    more: [
        {},
        {
            compression: "zstd",
            proxy: "http://proxy.example.net:3128",
            tls: { caSecret: "ca", serverName: "a.example.net" },
        },
        {
            temporality: "delta",
            batch: 500,
            buffer: { duration: "2h", size: "4Gi" },
            headers: { "X-Scope-OrgID": "kof" },
        },
    ],
    cloudwatch: [
        { signals: { metrics: "emf", traces: "xray" } },
        { signals: { metrics: "otlp", traces: "otlp" }, credentials: { kind: "existingSecret", name: "aws" } },
        { signals: { metrics: "emf" }, auditLogGroup: "kof", logStream: "{NodeName}/{Collector}" },
    ],
};
type Factor = keyof typeof factors;

/** The settings of a row, with the blocks that they need and no others. */
function settingsOf(row: Choice, version: string): Raw {
    const at = <F extends Factor>(factor: F) => factors[factor][row[factor] ?? 0] as (typeof factors)[F][number];
    const { own, ...route } = at("route");
    const lists = signals
        // Up to KOF 1.9 audit logs are among the logs.
        .filter((signal) => signal !== "audit" || !/^1\.[89]\./.test(version))
        .flatMap((signal) => {
            const list = at(signal);
            const names = list?.flatMap((name): readonly string[] => (name === "own" ? own : [name]));
            return names ? [[signal, [...new Set(names)]] as const] : [];
        });
    const named = new Set([...own, ...lists.flatMap(([, names]) => names)]);
    const processing = at("processing");
    const destinations: Readonly<Record<string, Raw>> = {
        http: {
            endpoint: "https://http.example.net",
            auth: at("auth"),
            ...at("more"),
            ...(processing ? { processing } : {}),
        },
        grpc: {
            protocol: "grpc",
            endpoint: "https://grpc.example.net:4317",
            auth: { kind: "clientCertificate", secret: "grpc" },
        },
        remotewrite: {
            protocol: "remotewrite",
            endpoint: "https://mimir.example.net/api/v1/push",
            auth: { kind: "basic", secret: "mimir" },
            ...(processing ? { processing: { dropNamespaces: processing.dropNamespaces } } : {}),
        },
        vendor: {
            preset: "honeycomb",
            auth: { kind: "headers", secret: "honeycomb" },
            ...(processing ? { processing } : {}),
        },
    };
    const further = Object.entries(destinations).filter(([name]) => named.has(name));
    return {
        version,
        ...route,
        ...(named.has("regional") && !("regional" in route) ? { regional: region } : {}),
        ...(lists.length > 0 ? { signals: Object.fromEntries(lists) } : {}),
        ...(named.has("cloudwatch") ? { cloudwatch: { region: "us-east-2", ...at("cloudwatch") } } : {}),
        ...(further.length > 0 ? { destinations: Object.fromEntries(further) } : {}),
    };
}

/** Runs something for each of several, as many at a time as there are processors. */
async function forEach<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
    const left = [...all];
    const next = async (): Promise<void> => {
        const each = left.shift();
        if (each !== undefined) {
            await work(each);
            await next();
        }
    };
    await Promise.all(Array.from({ length: os.availableParallelism() }, next));
}

if (require.main === module) {
    run(async () => {
        const { charts, version: only } = parseOptions(usage, {
            charts: { type: "string" },
            version: { type: "string" },
        });
        if (charts === undefined) {
            throw new UserError(`--charts is missing.\n\n${usage}`);
        }
        const there = versions.filter((each) => (only ?? each) === each && fs.existsSync(path.join(charts, each)));
        if (there.length === 0) {
            throw new UserError(`${charts} has no folder ${only ?? versions.join(", ")}.\n\n${usage}`);
        }
        const faults: string[] = [];
        for (const version of there) {
            const { rows, missing } = pairwise(
                factors,
                (row) => checkSettings(settingsOf(row, version)).problems.length === 0,
            );
            let collectors = 0;
            const before = faults.length;
            await forEach(rows, async (row) => {
                const settings = settingsOf(row, version);
                const deployment = deploymentOf(parseSettings(settings, "the sample"));
                const real = await collectorsOfCharts(deployment, path.join(charts, version));
                collectors += real.length;
                const differences = compareCollectors(deployment.collectors, real);
                if (differences.length > 0) {
                    faults.push([JSON.stringify(settings), ...differences].join("\n  "));
                }
            });
            console.log(
                `KOF ${version}: ${String(rows.length)} stacks, ${String(collectors)} collectors, ${String(faults.length - before)} stacks differ. ` +
                    `${String(missing)} pairs of choices are refused by the settings.`,
            );
        }
        if (faults.length > 0) {
            throw new UserError(faults.join("\n"));
        }
    });
}
