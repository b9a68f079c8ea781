import * as path from "node:path";

import { parse } from "yaml";

import type { CatalogOverwrite } from "../../core/charts";
import { UserError } from "../../core/lib/errors";
import { readChartText } from "./chartFiles";
import { Template } from "./templates";
import { isMap, leaves, type HelmValue } from "../../core/lib/values";

/** Stands for what a template looks up or works out, in values that are otherwise spelt out. */
export const workedOut = "WORKED-OUT";

/**
 * What the umbrella, and the MultiClusterServices of kof-child and kof-regional, merge over the user's values.
 *
 * @param folder holds the charts.
 * @throws UserError when the umbrella merges something in a way that the generator does not know.
 */
export function readOverwrites(folder: string, version: string): CatalogOverwrite[] {
    return [
        ...umbrellaOverwrites(path.join(folder, "kof/templates/helmreleases.yaml"), version),
        ...["kof-child", "kof-regional"].flatMap((chart) => {
            const name = `${chart.slice("kof-".length)}-multi-cluster-service.yaml`;
            return serviceOverwrites(path.join(folder, chart, "templates", name), chart);
        }),
    ];
}

function umbrellaOverwrites(file: string, version: string): CatalogOverwrite[] {
    return new Template(readChartText(file)).assignments("$values").flatMap(({ expression, conditions }) => {
        const around = conditions.map(({ pipeline }) => pipeline);
        const [, component = null] = around.map((each) => /^eq \$component "([^"]+)"$/.exec(each)).find(Boolean) ?? [];
        const when = around
            .filter((each) => !each.includes("$component"))
            .flatMap((each) => conditionPaths(each, file));
        return merged(expression, version).map((each) => ({ component, when, ...each }));
    });
}

/** The paths of the umbrella's values that have to be true for a condition. */
function conditionPaths(pipeline: string, file: string): string[][] {
    const parts = /^and\s+([^]+)$/.exec(pipeline)?.[1]?.match(/\([^()]*\)|\S+/g) ?? [pipeline];
    return parts.map((part) => {
        const [, dotted] = /^\$\.Values\.([\w.]+)$/.exec(part) ?? [];
        const [, dug] = /^\(\$\.Values \| merge \| dig ((?:"[^"]+" )+)false\)$/.exec(part) ?? [];
        const found = dotted?.split(".") ?? dug?.match(/[^" ]+/g);
        if (!found) {
            throw new UserError(
                `${file} merges values under a condition that the generator does not know: ${pipeline}`,
            );
        }
        return found;
    });
}

/** What an expression merges: values as YAML with other values in between, or a chain of `dict`. */
function merged(expression: string, version: string): Pick<CatalogOverwrite, "path" | "value" | "from">[] {
    const parts = expression.split("`");
    if (parts.length > 1) {
        // The last part ends the expression, and may have a value before that.
        const rest = parts.at(-1)?.includes("$.Values") ? marked(parts.at(-1) ?? "") : "";
        const text = parts.slice(1, -1).map((part, i) => (i % 2 === 0 ? part : marked(part)));
        const values = parse([...text, rest].join(""), { uniqueKeys: false }) as HelmValue;
        return isMap(values) ? [...leaves(values)].map(([path, value]) => ({ path, ...origin(value) })) : [];
    }
    const path = [...expression.matchAll(/\(dict "([^"]+)"/g)].map(([, key = ""]) => key);
    // KOF 1.8 to 1.9 give the daemon the image of their own version.
    const isImage = expression.includes('printf "v%s" (trimPrefix "v" $.Chart.Version)');
    const found = isImage ? { value: `v${version}`, from: null } : origin(marked(expression));
    return path.length > 0 ? [{ path, ...found }] : [];
}

/** What stands for an expression between pieces of YAML. */
function marked(expression: string): string {
    const [, path = ""] = /\$\.Values\.([\w.]+)/.exec(expression) ?? [];
    return `${workedOut}${path}`;
}

function origin(value: HelmValue): Pick<CatalogOverwrite, "value" | "from"> {
    const [, path] = typeof value === "string" ? (new RegExp(`^${workedOut}([\\w.]+)$`).exec(value) ?? []) : [];
    const isKnown = !JSON.stringify(value).includes(workedOut);
    return { value: isKnown ? value : null, from: path?.split(".") ?? null };
}

function serviceOverwrites(file: string, chart: string): CatalogOverwrite[] {
    return serviceSections(file).flatMap((section) => {
        const { handed, literals, order } = mergedIn(section);
        return literals.flatMap(([name, body]) => {
            const before = order.slice(0, Math.max(0, order.indexOf(name))).flatMap((each) => handed.get(each) ?? []);
            const values = parse(body.replaceAll(/\{\w+\}|%q/g, workedOut), { uniqueKeys: false }) as HelmValue;
            return before.flatMap((at) =>
                isMap(values)
                    ? [...leaves(values)].map(([below, value]): CatalogOverwrite => ({
                          component: chart,
                          when: [],
                          path: [...at.split("."), ...below],
                          ...origin(value),
                      }))
                    : [],
            );
        });
    });
}

/** What makes the values of a service: by variable, paths of the chart's values and YAML; and the variables in the order of the merge. */
export function mergedIn(section: string) {
    const [, order = ""] = /mergeOverwrite \(dict\)((?: \$\w+)+)/.exec(section) ?? [];
    const held = (what: RegExp) => [...section.matchAll(what)].map(([, name = "", held = ""]) => [name, held] as const);
    return {
        handed: new Map(held(/(\$\w+) := `<([\w.-]+)>`/g)),
        literals: held(/(\$\w+) := (?:printf )?`\n([^`]*)`/g),
        order: order.trim().split(" "),
    };
}

/**
 * The services of a MultiClusterService, as Sveltos gets them: what Helm leaves of the template is a template of its own. In it,
 * `<a.b>` stands for the values at that path.
 */
export function serviceSections(file: string): string[] {
    const text = new Template(readChartText(file)).replaced((body) => {
        const [, literal] = /^`([^`]*)`$/.exec(body) ?? [];
        const [, dotted] = /^\$\.Values\.([\w.]+) \| toYaml/.exec(body) ?? [];
        const [, indexed] = /^index \$\.Values ((?:"[^"]+" )+)\| toYaml/.exec(body) ?? [];
        const values = dotted ?? indexed?.match(/[^" ]+/g)?.join(".");
        const isControl = /^(if|else|end|range|with|define|\/\*|\$\w+ :?=)/.test(body);
        return literal ?? (values === undefined ? (isControl ? "" : workedOut) : `<${values}>`);
    });
    return text.split(/\n {6}(?=- name: )|\n {4}(?=templateResourceRefs:)/);
}
