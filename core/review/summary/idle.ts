import type { Signal } from "../../charts";
import { shortName, type Collector } from "../../collectors/effective";
import { endsOf, listOf, pipelinesOf, typeOf, type Flow } from "../../collectors/flows";
import type { Deployment } from "../../routes/deployment";

/**
 * Whether a collector drops only what nobody sends it. KOF's own pods send OTLP to the collector `daemon` alone (1.8 to 1.11,
 * kof-collectors, `templates/opentelemetry/instrumentation.yaml`, and kof-mothership,
 * `templates/kof-operator/operator-deployment.yaml`), and the pipeline of logs in `target-allocator`, which has no other
 * receiver, ends in the exporter `debug`.
 */
export function isIdle({ destinations }: Deployment, { key }: Collector, flow: Flow): boolean {
    return key !== "daemon" && flow.isSentOnly && flow.address === undefined && destinations[flow.signal].stored;
}

/** A sentence about each collector that drops what nobody sends it. */
export function idleText(deployment: Deployment): string[] {
    const { collectors } = deployment;
    return collectors.flatMap((collector) =>
        endsOf(collector)
            .filter((flow) => isIdle(deployment, collector, flow))
            .map(({ signal }) => {
                const others = collectors.filter((each) => takesAndStores(each, signal)).map(shortName);
                return (
                    `${shortName(collector)} stores no ${signal}, and KOF sends it none.` +
                    (others.length > 0
                        ? ` Pods that send ${signal} over OTLP have to send them to ${others.join(" or ")}.`
                        : "")
                );
            }),
    );
}

/** Whether a collector takes a signal in over OTLP and sends it on. */
function takesAndStores(collector: Collector, signal: Signal): boolean {
    const takes = Object.entries(pipelinesOf(collector.config)).some(
        ([name, pipeline]) =>
            typeOf(name) === signal && listOf(pipeline, "receivers").some((id) => typeOf(id) === "otlp"),
    );
    return takes && endsOf(collector).some((flow) => flow.signal === signal && flow.address !== undefined);
}
