/**
 * Compares what is refused with what Helm refuses, by random values in random places of the real charts:
 *
 *     HELM=helm node -r ./cli/register.js test/catalog/random.ts charts 1.10.0 300
 *
 * where `charts` is as CONTRIBUTING.md gets it. What Helm refuses and the program does not is to be refused. Ends with 1 if there is any.
 */
import { spawnSync } from "node:child_process";
import * as path from "node:path";

import fc from "fast-check";

import { catalogOf, chartValues } from "../../../core/charts";
import { isMap, nest, type HelmValue } from "../../../core/lib/values";
import { UserError } from "../../../core/lib/errors";
import { deploymentFor, routes } from "../../support";

const [charts = "charts", version = "1.10.0", runs = "300"] = process.argv.slice(2);
const catalog = catalogOf(version);
const byUmbrella = catalog.components.some(({ name }) => name === "kof-collectors");
const child = (key: string) => ["kof-child", "values", "fromManagement", key];

/** Where the umbrella has the values of each chart. */
const prefixes: Readonly<Record<string, readonly string[]>> = {
    ...Object.fromEntries(
        ["kof-operators", "kof-mothership", "kof-regional", "kof-child"].map((name) => [name, [name, "values"]]),
    ),
    "kof-storage": byUmbrella ? ["kof-storage", "values"] : child("storage"),
    "kof-collectors": byUmbrella ? ["kof-collectors", "values"] : child("collectors"),
};
const odd: HelmValue[] = [5, 0, -1, 1.5, "x", "", "no", "1", true, false, ["a"], [5], [{ a: 1 }], [["x"]], [], {}];
const values = fc.constantFrom<HelmValue>(...odd, { a: 1 }, "true", "{{ x", "a: b", "100Mi");
const places = Object.entries(prefixes).flatMap(([chart, prefix]) =>
    [...paths(chartValues(catalog, chart))].map((at) => ({ chart, prefix, at })),
);

let failures = 0;
for (const [{ chart, prefix, at }, value] of fc.sample(fc.tuple(fc.constantFrom(...places), values), Number(runs))) {
    if (!isRefused({ ...routes.management, version, values: nest([...prefix, ...at], value) })) {
        const error = helmError(chart, nest(at, value));
        if (error !== undefined) {
            failures++;
            console.log(`${chart} ${at.join(".")}: ${JSON.stringify(value)}\n    ${error.slice(-400)}`);
        }
    }
}
console.log(`${runs} values, ${String(failures)} that Helm refuses and the program does not`);
process.exitCode = failures > 0 ? 1 : 0;

function isRefused(raw: Readonly<Record<string, unknown>>): boolean {
    try {
        deploymentFor(raw);
        return false;
    } catch (error) {
        if (error instanceof UserError) {
            return true;
        }
        throw error;
    }
}

function helmError(chart: string, given: HelmValue): string | undefined {
    // kof-storage looks a Secret up in the cluster unless it is told not to make a user.
    const own = chart === "kof-storage" ? ["--set", "victoriametrics.vmauth.vmuser.enabled=false"] : [];
    const args = [
        "template",
        chart,
        path.join(charts, chart),
        "-n",
        "kof",
        "--kube-version",
        "1.33.0",
        ...own,
        "-f",
        "-",
    ];
    const { status, stderr } = spawnSync(process.env.HELM ?? "helm", args, {
        input: JSON.stringify(given),
        encoding: "utf8",
        maxBuffer: 2 ** 28,
    });
    return status === 0 ? undefined : stderr.replaceAll("\n", " ");
}

function* paths(value: HelmValue, at: readonly string[] = []): Generator<readonly string[]> {
    for (const [key, inner] of Object.entries(isMap(value) ? value : {})) {
        yield [...at, key];
        yield* paths(inner, [...at, key]);
    }
}
