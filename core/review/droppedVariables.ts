import { kubeStack } from "../charts";
import { defaultAt } from "../charts/defaults";
import { collectorsChart } from "../charts/installed";
import type { Collector } from "../collectors/effective";
import { masked } from "../lib/secrets";
import { definedOnly } from "../lib/compact";
import { formatPath, mergeValues, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import type { Deployment } from "../routes/deployment";
import { asValue, proxyVariables } from "../routes/pods";
import { stackFile } from "../settings/explain";
import type { Problem } from "../settings/problems";
import { settingsSchema } from "../settings/settings";

/** Variables without which collectors do not start, or sign in nowhere, and the list in `kof:values` that drops them. */
interface DroppedVariables {
    readonly names: readonly string[];
    readonly problem: Problem;
}

/**
 * Lists of variables in `kof:values` that replace the program's own. What collectors refer to, or take from a Secret, is missed.
 *
 * @param plain the deployment without `kof:values`.
 * @param missing the variables that collectors refer to and do not have.
 */
export function droppedVariables(
    deployment: Deployment,
    plain: Deployment,
    missing: readonly string[],
): DroppedVariables[] {
    const chart = collectorsChart(deployment.umbrella);
    if (!chart) {
        return [];
    }
    const stack = [...chart.prefix, kubeStack];
    const dropped = deployment.collectors.flatMap((collector) => {
        const path = [["collectors", collector.key], ["defaultCRConfig"]]
            .map((each) => [...stack, ...each, "env"])
            .find((each) => valueAt(deployment.settings.values as HelmValues, each) !== undefined);
        const before = plain.collectors.find(({ key }) => key === collector.key);
        const lost = path && before ? lostVariables(before, collector, missing) : [];
        return lost.map((name) => ({ name, path: path ?? [], who: collector.name }));
    });
    const paths = new Map(dropped.map(({ path }) => [formatPath(path), path]));
    return [...paths].map(([at, path]) => {
        const lost = dropped.filter((each) => formatPath(each.path) === at);
        const names = [...new Set(lost.map(({ name }) => name))];
        const who = [...new Set(lost.map((each) => each.who))];
        return {
            names,
            problem: {
                key: `kof:values.${at}`,
                message:
                    `replaces the list of the charts and drops ${names.join(", ")}, without which ${who.join(", ")} would not start or not sign in. ` +
                    "Add your own by kof:collectors.env and kof:proxy, which replace nothing, and remove the list from values",
                paste: settingInstead(deployment, plain, path),
            },
        };
    });
}

function lostVariables(before: Collector, { env }: Collector, missing: readonly string[]): string[] {
    return before.env
        .filter(({ name, valueFrom }) => missing.includes(name) || valueAt(valueFrom, ["secretKeyRef"]) !== undefined)
        .filter(({ name }) => !env.some((each) => each.name === name))
        .map(({ name }) => name);
}

/** The same by settings. The list in `kof:values` then has no more than what it would have without. */
function settingInstead(deployment: Deployment, plain: Deployment, path: readonly string[]): HelmValues | undefined {
    const { settings, catalog } = deployment;
    const given = valueAt(settings.values, path);
    const shared = [...path.slice(0, path.indexOf(kubeStack) + 1), "defaultCRConfig", "env"];
    const own = [valueAt(plain.umbrella, shared) ?? defaultAt(catalog, shared) ?? []].flat();
    const isOwn = (entry: HelmValue) => own.some((each) => nameOf(each) === nameOf(entry));
    const added = [given ?? []].flat().filter((entry) => !isOwn(entry));
    const variables = new Map(added.map((entry) => [nameOf(entry).toUpperCase(), entry]));
    const text = (name: string) => valueAt(variables.get(name), ["value"]) as string | undefined;
    const noProxy = (text("NO_PROXY") ?? "")
        .split(",")
        .filter((host) => host.trim() !== "" && !alwaysUnproxied.includes(host));
    const proxy = definedOnly<HelmValue>({
        ...Object.fromEntries(Object.entries(proxyVariables).map(([key, name]) => [key, text(name)])),
        noProxy: noProxy.length > 0 ? noProxy : undefined,
    });
    const rest = added.filter((entry) => !/^(https?|no)_proxy$/i.test(nameOf(entry)));
    const env = rest.length > 0 ? [...(asValue(settings.collectors?.env ?? []) as HelmValue[]), ...rest] : undefined;
    const collectors = definedOnly<HelmValue>({ env });
    const fits =
        settingsSchema.proxy.safeParse(proxy).success &&
        settingsSchema.collectors.safeParse(collectors).success &&
        masked(JSON.stringify(added)) === JSON.stringify(added);
    return fits
        ? mergeValues(
              Object.keys(proxy).length > 0 ? { "kof:proxy": proxy } : {},
              env ? { "kof:collectors": collectors } : {},
              stackFile(["values", ...path], own) as HelmValues,
          )
        : undefined;
}

function nameOf(entry: HelmValue): string {
    return textOf(valueAt(entry, ["name"]));
}

/** What the program always has in `NO_PROXY`. */
const alwaysUnproxied = [".svc", ".cluster.local", "localhost", "127.0.0.1"];
