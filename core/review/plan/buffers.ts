import { deliveriesOf, destinationOf, queueText } from "../../routes/deliveries";
import type { Deployment } from "../../routes/deployment";
import { identityOf } from "../../routes/destinations";
import type { Consequence } from "./consequence";

/** What of a destination waits on the nodes, where that changes and it stays where it is. */
export function bufferConsequences(from: Deployment, to: Deployment): Consequence[] {
    const before = new Map(queuesOf(from).map((each) => [each.id, each]));
    const changed = new Map<string, { was: string; is: string; names: Set<string>; isLess: boolean }>();
    for (const { id, name, text, bytes } of queuesOf(to)) {
        const was = before.get(id);
        if (was === undefined || was.text === text) {
            continue;
        }
        const isOwn = [from, to].some(({ settings }) => settings.destinations?.[name]?.buffer !== undefined);
        const key = [isOwn ? `kof:destinations.${name}.buffer` : "kof:buffer", was.text, text].join("\n");
        const known = changed.get(key) ?? {
            was: was.text,
            is: text,
            names: new Set<string>(),
            isLess: bytes < was.bytes,
        };
        known.names.add(name);
        changed.set(key, known);
    }
    return [...changed].map(([key, { was, is, names, isLess }]): Consequence => ({
        severity: "notice",
        key: key.split("\n")[0] ?? "",
        message:
            `changes what each exporter to ${[...names].join(" and ")} keeps while that is away: from ${was} to ${is}. What waits already is ` +
            // Tried with contrib 0.143 on 2026-11-27.
            `sent all the same${isLess ? ", and nothing is added while it is more than that" : ""}`,
    }));
}

function queuesOf(deployment: Deployment) {
    return deliveriesOf(deployment).flatMap((delivery) =>
        delivery.writers
            .filter(({ queue }) => queue.keeps === "disk")
            .map(({ collector, queue }) => ({
                id: [collector.name, queue.exporter, identityOf(delivery.end)].join(" "),
                name: destinationOf(delivery),
                text: queueText(queue),
                bytes: queue.bytes ?? Infinity,
            })),
    );
}
