import { deliveriesOf, destinationOf, queueText } from "../../routes/deliveries";
import type { Deployment } from "../../routes/deployment";
import { identityOf } from "../../routes/destinations";
import { notice, type Consequences } from "./consequence";

/** What of a destination waits on the nodes, where that changes and it stays where it is. */
export function* bufferConsequences(from: Deployment, to: Deployment): Consequences {
    const before = new Map(queuesOf(from).map((each) => [each.id, each]));
    const changed = new Map<string, { key: string; text: string; names: Set<string> }>();
    for (const { id, name, text, bytes } of queuesOf(to)) {
        const was = before.get(id);
        if (was === undefined || was.text === text) {
            continue;
        }
        const isOwn = [from, to].some(({ settings }) => settings.destinations?.[name]?.buffer !== undefined);
        const key = isOwn ? `kof:destinations.${name}.buffer` : "kof:buffer";
        const about = [key, was.text, text].join("\n");
        const known = changed.get(about) ?? {
            key,
            // Tried with contrib 0.143 on 2026-11-27.
            text:
                `from ${was.text} to ${text}. What waits already is sent all the same` +
                (bytes < was.bytes ? ", and nothing is added while it is more than that" : ""),
            names: new Set(),
        };
        known.names.add(name);
        changed.set(about, known);
    }
    for (const { key, text, names } of changed.values()) {
        yield notice(
            key,
            `changes what each exporter to ${[...names].join(" and ")} keeps while that is away: ${text}`,
        );
    }
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
