import type { Signal } from "../charts";
import { kofNamespace } from "../charts/namespace";
import type { SettingsOf } from "../settings/settings";

/** How to look for a record where it ends. */
export type Reader =
    | {
          /** A store of the VictoriaMetrics family on this cluster: through the API server. */
          readonly by: "service";
          /** Path of the service that reads it, in the API of Kubernetes. */
          readonly path: string;
      }
    | {
          /** One on a region: through its vmauth. */
          readonly by: "vmauth";
          readonly region: SettingsOf<"regional">["regional"];
          /** What vmauth leads to the store by: `/vls`. */
          readonly prefix: string;
      }
    | {
          /** A log group of CloudWatch. */
          readonly by: "logGroup";
          readonly region: string;
          readonly name: string;
          /** Of the API, where it is not AWS's own. */
          readonly endpoint: string | undefined;
      }
    | {
          /** Metrics that came to CloudWatch over OTLP: with PromQL. */
          readonly by: "promql";
          readonly region: string;
      }
    | {
          /** Traces in AWS X-Ray, or where Transaction Search is on, in its log group. */
          readonly by: "xray";
          readonly region: string;
      };

/** The log group of spans that came over OTLP ("Spans" of Transaction Search in the CloudWatch user guide, 2026-11). */
export const spansLogGroup = "aws/spans";

/** The stores' select services beside their insert services (kof-storage `values.yaml`, KOF 1.8.0 to 1.11.0-rc0). */
const selectPorts: Readonly<Record<string, string>> = { "8480": "8481", "9481": "9471", "10481": "10471" };

/** Where vmauth leads readers (kof-storage `templates/victoria/vmuser.yaml`, KOF 1.8.0 to 1.11.0-rc0). */
export const readPrefixes: Readonly<Record<Signal, string>> = {
    metrics: "/vm",
    logs: "/vls",
    traces: "/vts",
    audit: "/vlas",
};

/** The service that reads what another one writes, through the API server. */
export function selectService(insertAddress: string): string {
    const { name, port } = selectOf(insertAddress);
    return `/api/v1/namespaces/${kofNamespace}/services/http:${name}:${port}/proxy`;
}

/** Name and port of the service that reads what another one writes. */
export function selectOf(insertAddress: string): { readonly name: string; readonly port: string } {
    const { hostname, port } = new URL(insertAddress);
    const [name = ""] = hostname.split(".");
    return { name: name.replace(/(v[mlt])insert/, "$1select"), port: selectPorts[port] ?? port };
}
