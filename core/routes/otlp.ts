import type { Catalog } from "../charts";
import { chartValues } from "../charts";
import { isMap, mergeValues, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import { bufferedExporter } from "../collectors/buffers";
import { addClusterIdentity } from "../collectors/identity";
import { headerVariable } from "../settings/headers";
import type { OtlpSettings, SettingsOf } from "../settings/settings";
import type { RouteParts } from "./parts";
import { bufferOf, collectorsOnly, secretEnv } from "./collectors";

/** The exporter that writes to the destination. */
export const otlpExporter = "otlphttp/destination";
/** The variable with the CA of the destination. */
export const caVariable = "OTLP_CA";

/** Every signal goes to one address that takes OTLP over HTTP, as most vendors do. */
export function otlp(settings: SettingsOf<"otlp">, catalog: Catalog): RouteParts {
    const wanted = settings.otlp;
    return {
        values: collectorsOnly(settings, catalog, kubeStackValues(settings, catalog), environment(wanted)),
        restartTriggers: restartTriggers(wanted),
        notices: [
            ...(wanted.headersSecret === undefined
                ? []
                : [
                      "kof:otlp.headers: collectors read what the Secret holds as YAML, and do not start where it is a number, a date, true or a " +
                          `map to it, such as 12345. kof:destinations takes any value (docs/destinations.md#otlp). npm run doctor looks.`,
                  ]),
            ...(wanted.endpoint.startsWith("http://")
                ? [`kof:otlp.endpoint is ${wanted.endpoint}: telemetry and headers are sent unencrypted.`]
                : []),
            ...(new URL(wanted.endpoint).port === "4317"
                ? [
                      `kof:otlp.endpoint is ${wanted.endpoint}: 4317 is the port of OTLP over gRPC, and this is sent over HTTP, for which ` +
                          "most receivers have 4318.",
                  ]
                : []),
            ...(wanted.tls.insecureSkipVerify
                ? [
                      "kof:otlp.tls.insecureSkipVerify: anyone between the collectors and the endpoint can read the telemetry and the headers.",
                  ]
                : []),
        ],
    };
}

function kubeStackValues(settings: SettingsOf<"otlp">, catalog: Catalog): HelmValues {
    const { endpoint, headersSecret, headers, tls } = settings.otlp;
    const security: HelmValues = {
        // By value, so that no collector needs one more volume.
        ...(tls.caSecret === undefined ? {} : { ca_pem: `\${env:${caVariable}}` }),
        ...(tls.insecureSkipVerify ? { insecure_skip_verify: true } : {}),
    };
    const to = { exporters: [otlpExporter] };
    return mergeValues(addClusterIdentity(catalog, ["metrics", "traces"]), {
        collectors: { daemon: { config: { service: { pipelines: separateAudit(catalog) } } } },
        defaultCRConfig: {
            config: {
                exporters: {
                    [otlpExporter]: {
                        endpoint,
                        ...(headersSecret === undefined
                            ? {}
                            : {
                                  headers: Object.fromEntries(
                                      headers.map((header) => [header, `\${env:${headerVariable(header)}}`]),
                                  ),
                              }),
                        ...(Object.keys(security).length > 0 ? { tls: security } : {}),
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
    const daemon = ["opentelemetry-kube-stack", "collectors", "daemon", "config", "service", "pipelines"];
    const pipelines = valueAt(chartValues(catalog, "kof-collectors"), daemon);
    const sorted = Object.keys(isMap(pipelines) ? pipelines : {}).filter((name) => name.startsWith("logs/"));
    return Object.fromEntries(sorted.map((name) => [name, { exporters: [otlpExporter] }]));
}

function environment({ headersSecret, headers, tls }: OtlpSettings): HelmValue[] {
    return [
        ...(headersSecret === undefined
            ? []
            : headers.map((header) => secretEnv(headerVariable(header), headersSecret, header))),
        ...(tls.caSecret === undefined ? [] : [secretEnv(caVariable, tls.caSecret, "ca.crt")]),
    ];
}

function restartTriggers({ endpoint, headersSecret, headers, tls }: OtlpSettings): string[] {
    return [
        `endpoint ${endpoint}`,
        ...(headersSecret === undefined ? [] : [`${headers.join(" and ")} of Secret ${headersSecret}`]),
        ...(tls.caSecret === undefined ? [] : [`CA of Secret ${tls.caSecret}`]),
    ];
}
