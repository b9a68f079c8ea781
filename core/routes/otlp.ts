import type { Catalog } from "../charts";
import { stackDefaults } from "../charts/stack";
import { compact } from "../lib/compact";
import { mergeValues, valueAt, type HelmValues } from "../lib/values";
import { bufferedExporter } from "../collectors/buffers";
import { addClusterIdentity } from "../collectors/identity";
import { headerVariable } from "../settings/headers";
import { destinationOfOtlp } from "../settings/resolvedDestinations";
import type { SettingsOf } from "../settings/settings";
import type { RouteParts } from "./parts";
import { bufferOf, collectorsOnly } from "./collectors";
import { authenticationAt, destinationNotices, otlpExporter, tlsOptions } from "./exporters";

/** Every signal goes to one address that takes OTLP over HTTP, as most vendors do. */
export function otlp(settings: SettingsOf<"otlp">, catalog: Catalog): RouteParts {
    const destination = destinationOfOtlp(settings.otlp);
    const { env, triggers } = authenticationAt(destination);
    return {
        values: collectorsOnly(settings, catalog, kubeStackValues(settings, catalog), env),
        restartTriggers: [`endpoint ${settings.otlp.endpoint}`, ...triggers],
        notices: compact(
            settings.otlp.headersSecret !== undefined &&
                "kof:otlp.headers: collectors read what the Secret holds as YAML, and do not start where it is a number, a date, true or a " +
                    `map to it, such as 12345. kof:destinations takes any value (docs/destinations.md#otlp). npm run doctor looks.`,
            ...destinationNotices(destination),
        ),
    };
}

function kubeStackValues(settings: SettingsOf<"otlp">, catalog: Catalog): HelmValues {
    const { endpoint, headersSecret, headers } = settings.otlp;
    const to = { exporters: [otlpExporter] };
    const references = headers.map((header) => [header, `\${env:${headerVariable(header)}}`]);
    return mergeValues(addClusterIdentity(catalog, ["metrics", "traces"]), {
        collectors: { daemon: { config: { service: { pipelines: separateAudit(catalog) } } } },
        defaultCRConfig: {
            config: {
                exporters: {
                    [otlpExporter]: {
                        endpoint,
                        ...(headersSecret === undefined
                            ? {}
                            : { headers: Object.fromEntries(references) as HelmValues }),
                        ...tlsOptions(destinationOfOtlp(settings.otlp)),
                        ...bufferedExporter(bufferOf(settings)),
                    },
                },
                service: { pipelines: { logs: to, metrics: to, traces: to } },
            },
        },
    });
}

/** The daemon's pipelines behind its own router, which sorts audit logs from logs from KOF 1.10 on. */
function separateAudit(catalog: Catalog): HelmValues {
    const pipelines = valueAt(stackDefaults(catalog).collectors.daemon, ["config", "service", "pipelines"]) ?? {};
    const sorted = Object.keys(pipelines).filter((name) => name.startsWith("logs/"));
    return Object.fromEntries(sorted.map((name) => [name, { exporters: [otlpExporter] }]));
}
