import { isDeepStrictEqual } from "node:util";

import * as pulumi from "@pulumi/pulumi";

import { isMap } from "../core/lib/values";
import {
    acknowledgement,
    firstConsequences,
    planOf,
    refused,
    type Plan,
    type ChangeEffects,
} from "../core/review/plan";
import { acknowledgements } from "../core/review/plan/consequence";
import type { KnownLogGroups } from "../core/review/plan/cloudwatch";
import { metricCopies, unspent, type Past } from "../core/review/plan/past";
import { UserError } from "../core/lib/errors";
import { deploymentOf } from "../core/routes";
import type { Deployment } from "../core/routes/deployment";
import type { Configuration } from "./configuration";
import { parseSettings } from "../core/routes/parse";
import { configurationError, formatProblem } from "../core/settings/problems";
import type { Settings } from "../core/settings/settings";
import type { Deployed } from "./memory";

/** The value of an output once it is known; `undefined` in a preview that does not know it. Pulumi's types leave this out. */
function promiseOf<T>(output: pulumi.Output<T>): Promise<T | undefined> {
    return (output as unknown as { promise(): Promise<T | undefined> }).promise();
}

/** What the running stack remembers of its last deployment; `undefined` where none was completed. */
export async function lastDeployment(): Promise<Deployed | undefined> {
    const self = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
    const { outputs } = new pulumi.StackReference("deployed", { name: self });
    const found = (await promiseOf(outputs)) as Partial<Deployed>;
    return found.settings === undefined ? undefined : (found as Deployed);
}

/**
 * The outputs of this run, or the earlier ones if the user has the engine leave something out (`pulumi up --target`). The engine
 * writes a stack's outputs then too, and does not tell the program. The stack would remember what was never deployed, and the next
 * run would make the rest of the change without a warning. So the memory goes through a resource that no user names as a target:
 * the engine returns a resource that it leaves out unchanged. A stack that was never deployed as a whole remembers nothing. Tried
 * with Pulumi 3.274.1 on 2026-11-27 (test/e2e/state.e2e.ts).
 *
 * @param memory what the stack is to remember.
 * @param completed known when everything is deployed. If the deployment fails, the program fails.
 */
export async function outputsOfWhole(
    outputs: object,
    memory: object,
    deployed: Deployed | undefined,
    completed: pulumi.Output<unknown>,
): Promise<Record<string, pulumi.Output<unknown>>> {
    const expected: unknown = JSON.parse(JSON.stringify(memory));
    // Depended on, it would be among what `--target-dependents` adds. And a resource whose input fails never resolves: the
    // program, which waits for its output, would neither fail nor end.
    await promiseOf(completed);
    const stash = new pulumi.Stash("remembered", { input: expected });
    // The engine also returns a resource that it leaves out, but without an ID. In a preview, no new resource has an ID.
    const isThere = promiseOf(stash.id).then((found) => pulumi.runtime.isDryRun() || found !== undefined);
    const isWhole = pulumi
        .all([stash.input, isThere])
        .apply(([input, there]: [unknown, boolean]) => there && isDeepStrictEqual(input, expected));
    const before: Readonly<Record<string, unknown>> = { ...deployed };
    const now: Readonly<Record<string, unknown>> = { ...outputs };
    const chosen = (name: string) =>
        pulumi.all([isWhole, now[name]]).apply(([whole, value]: [boolean, unknown]) => {
            if (!whole && !deployed) {
                return undefined;
            }
            return whole ? (value ?? noneOf(before[name])) : (before[name] ?? noneOf(value));
        });
    return Object.fromEntries(Object.keys({ ...now, ...before }).map((name) => [name, chosen(name)]));
}

/** An empty list or map for one that is no more: Pulumi warns of an output that has no value, and cannot do without it any more. */
function noneOf(value: unknown): unknown {
    return Array.isArray(value) ? [] : isMap(value) ? {} : undefined;
}

/** What a stack remembers of its settings: all that decides what runs. */
export function rememberedSettings({ settings, cloudwatch }: Deployment): Deployed["settings"] {
    const { acknowledge: _, adopt: __, ...remembered } = settings;
    return cloudwatch
        ? { ...remembered, cloudwatch: { ...settings.cloudwatch, logGroup: cloudwatch.logGroup } }
        : remembered;
}

/** The log group that a stack has had. */
export function logGroupOfDeployed(deployed: Deployed): string | undefined {
    const { cloudwatch } = deployed.settings;
    const last = isMap(cloudwatch) ? cloudwatch.logGroup : undefined;
    return typeof last === "string" ? last : deployed.cloudwatch?.logGroup;
}

/** What else a stack remembers after a completed deployment. */
export function rememberedPast(
    to: Deployment,
    deployed: Deployed | undefined,
): Pick<Deployed, "acknowledged" | "fewestCopies"> {
    const acknowledged = [...(deployed?.acknowledged ?? []), ...acknowledgements(to.settings.acknowledge)];
    const before = deployed ? deployed.fewestCopies : to.settings.adopt ? undefined : metricCopies(to);
    const fewestCopies = before === undefined ? undefined : Math.min(before, metricCopies(to));
    return {
        ...(acknowledged.length > 0 ? { acknowledged: [...new Set(acknowledged)] } : {}),
        // While metrics are stored nowhere here there is no such number, and Pulumi's state has none that is infinite.
        ...(fewestCopies !== undefined && Number.isFinite(fewestCopies) ? { fewestCopies } : {}),
    };
}

/**
 * Compares the stack with its last deployment. It refuses a change that cannot work, and an unacknowledged change that loses stored data.
 * A first deployment of the stack loses only what somebody else has made.
 *
 * @param deployed what the stack remembers of its last deployment, or what runs otherwise.
 * @param known what AWS has.
 * @param origin what `deployed` is called in refusals.
 * @returns what the change does; `undefined` when nothing is known of what was before.
 * @throws RunError with every problem, before anything is registered.
 */
export function checkChange(
    { deployment: to, source }: Configuration,
    deployed: Deployed | undefined,
    known: KnownLogGroups,
    origin = "the last deployment",
): Plan | undefined {
    const past: Past = { spent: deployed?.acknowledged ?? [], fewestCopies: deployed?.fewestCopies };
    const from = deployed && routeOfDeployed(deployed.settings, to.settings, past, source);
    const plan = from && planOf(from, to, past, known);
    const verdict: ChangeEffects = plan ?? { consequences: firstConsequences(to, past, known), to };
    if (refused(verdict).length > 0) {
        throw new pulumi.RunError(refusalText(source, verdict, plan ? origin : "what AWS has"));
    }
    for (const { key, message } of verdict.consequences) {
        void pulumi.log.warn(`${key} ${message}.`);
    }
    for (const step of plan?.steps ?? []) {
        void pulumi.log.warn(`By hand: ${step}`);
    }
    // The earlier state cannot be read, but the stack file permits to continue without it.
    if (deployed === undefined || from !== undefined) {
        const needed = verdict.consequences.flatMap((consequence) => consequence.acknowledge ?? []);
        const stale = acknowledgements(to.settings.acknowledge).filter((text) => !needed.includes(text));
        if (stale.length > 0) {
            void pulumi.log.warn(
                `kof:acknowledge "${stale.join(", ")}" has no effect: no such change is pending. Remove it.`,
            );
        }
    }
    return plan;
}

/** What is running; `undefined` if this version cannot tell and the stack file permits to continue without it. */
function routeOfDeployed(
    found: Readonly<Record<string, unknown>>,
    next: Settings,
    { spent }: Past,
    source: string,
): Deployment | undefined {
    try {
        return deploymentOf(parseSettings(found, source, true));
    } catch (error) {
        if (!(error instanceof UserError)) {
            throw error;
        }
        const acknowledge = unspent(`unknown->${next.route}`, spent);
        if (acknowledgements(next.acknowledge).includes(acknowledge)) {
            return undefined;
        }
        const message =
            "decides what this change does to stored data together with the settings of the last deployment, which this version of the program " +
            `cannot read (${error.message.split("\n").slice(2).join(" ").trim()})`;
        const problem = {
            key: "kof:version",
            message,
            allowed: "the program of the last deployment, or to go on without the comparison",
            paste: { "kof:acknowledge": acknowledge },
        };
        throw new pulumi.RunError(configurationError(source, [problem]).message);
    }
}

/** Why a change is refused, what to do instead and, where anything does, what permits it. */
function refusalText(source: string, verdict: ChangeEffects, origin: string): string {
    const reasons = refused(verdict);
    const permitted = reasons.every(({ acknowledge }) => acknowledge !== undefined);
    const key = "kof:acknowledge";
    const permit = { key, message: "permits this change, once", paste: { [key]: acknowledgement(verdict) } };
    return [
        `${source} asks for a change that is refused, compared with ${origin}. Nothing was changed.`,
        ...reasons.map(({ key, message, way, paste }) => formatProblem({ key, message, allowed: way, paste })),
        ...(permitted ? [formatProblem(permit)] : []),
    ].join("\n\n");
}
