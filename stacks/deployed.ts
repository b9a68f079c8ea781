import * as pulumi from "@pulumi/pulumi";

import { acknowledgement, planOf, refused, type Plan } from "../changes";
import { UserError } from "../errors";
import { routeOf, type Route } from "../routes";
import type { Configuration } from "./config";
import { parseSettings } from "./parse";
import { configurationError, formatProblem } from "./problems";
import type { Settings } from "./settings";

/** The output under which a stack remembers the settings that it was last deployed with. */
export const settingsOutput = "settings";

/** What a stack remembers of its last deployment: the outputs that the next one is compared with. */
export interface Deployed {
    /** The settings of the last deployment that was completed, as {@link rememberedSettings} left them. */
    readonly [settingsOutput]: Readonly<Record<string, unknown>>;
}

/** What the running stack remembers of its last deployment; `undefined` where none was completed. */
export async function lastDeployment(): Promise<Deployed | undefined> {
    const self = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
    const { outputs } = new pulumi.StackReference("deployed", { name: self });
    const found = await (outputs as unknown as { promise(): Promise<Partial<Deployed>> }).promise();
    return found[settingsOutput] === undefined ? undefined : (found as Deployed);
}

/** What a stack remembers of its settings: all that decides what runs. */
export function rememberedSettings({ acknowledge: _, adopt: __, ...settings }: Settings): object {
    return settings;
}

/**
 * Compares what the stack is to become with what it was last deployed as, and refuses a change that cannot work, or that loses
 * stored data and is not acknowledged. A first deployment has nothing to lose.
 *
 * @param deployed what the stack remembers of its last deployment.
 * @returns what the change does; `undefined` when nothing is known of what was before.
 * @throws RunError with everything that stands in the way, before anything is registered.
 */
export function checkChange({ route: to, source }: Configuration, deployed: Deployed | undefined): Plan | undefined {
    const { acknowledge } = to.settings;
    if (deployed === undefined) {
        staleAcknowledgement(acknowledge);
        return undefined;
    }
    const from = routeOfDeployed(deployed[settingsOutput], to.settings, source);
    if (from === undefined) {
        return undefined;
    }
    const plan = planOf(from, to);
    if (refused(plan).length > 0) {
        throw new pulumi.RunError(refusal(source, plan));
    }
    for (const { key, message } of plan.consequences) {
        void pulumi.log.warn(`${key} ${message}.`);
    }
    for (const step of plan.steps) {
        void pulumi.log.warn(`By hand: ${step}`);
    }
    if (!plan.consequences.some((consequence) => consequence.acknowledge !== undefined)) {
        staleAcknowledgement(acknowledge);
    }
    return plan;
}

/** What is running; `undefined` where this version of the program cannot tell, and the stack file says to go on regardless. */
function routeOfDeployed(found: Readonly<Record<string, unknown>>, next: Settings, source: string): Route | undefined {
    try {
        return routeOf(parseSettings(found, source));
    } catch (error) {
        if (!(error instanceof UserError)) {
            throw error;
        }
        const acknowledge = `unknown->${next.route}`;
        if (next.acknowledge === acknowledge) {
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
export function refusal(source: string, plan: Plan): string {
    const reasons = refused(plan);
    const permitted = reasons.every(({ acknowledge }) => acknowledge !== undefined);
    const key = "kof:acknowledge";
    const permit = { key, message: "permits this change and no other", paste: { [key]: acknowledgement(plan) } };
    return [
        `${source} asks for a change that is refused, compared with the last deployment. Nothing was changed.`,
        ...reasons.map(({ key, message, way, paste }) => formatProblem({ key, message, allowed: way, paste })),
        ...(permitted ? [formatProblem(permit)] : []),
    ].join("\n\n");
}

function staleAcknowledgement(acknowledge: string): void {
    if (acknowledge !== "") {
        void pulumi.log.warn(`kof:acknowledge "${acknowledge}" has no effect: no such change is pending. Remove it.`);
    }
}
