import { compact } from "../lib/compact";
import { isMap, textOf, valueAt, type HelmValue, type HelmValues } from "../lib/values";
import type { Collector } from "./effective";
import { exportersTo, listOf, pipelinesOf, typeOf } from "./flows";
import { expandedVariables } from "./references";

/*
 * How an exporter of a collector writes, read from the collector's whole configuration, so that what `kof:values` change is there as
 * well.
 */

/** What is kept for a destination while it is unreachable. */
export interface Queue {
    /** The exporter that keeps it: in front of remote write one that hands over to it. */
    readonly exporter: string;
    readonly keeps: "disk" | "memory" | "nothing";
    /** The most that it keeps, in bytes; `undefined` if its limit is not in bytes. */
    readonly bytes: number | undefined;
    /** How long it retries, as a Go duration: `30m`; `undefined` for the exporter's default. */
    readonly duration: string | undefined;
}

/** Exporters without a queue (contrib 0.143 to 0.155). */
const withoutQueue = ["awsemf", "awsxray"];

/** The queue of an exporter. */
export function queueOf({ config }: Collector, exporter: string): Queue {
    const keeper = queueInFront(config, exporter) ?? exporter;
    const options = valueAt(config, ["exporters", keeper]);
    const at = (...path: string[]) => valueAt(options, path);
    const duration = at("retry_on_failure", "max_elapsed_time");
    const [size, sizer] = [at("sending_queue", "queue_size"), at("sending_queue", "sizer")];
    const storage = at("sending_queue", "storage");
    const isOff = at("sending_queue", "enabled") === false || withoutQueue.includes(typeOf(keeper));
    return {
        exporter: keeper,
        keeps: isOff ? "nothing" : typeof storage === "string" ? "disk" : "memory",
        bytes: sizer === "bytes" && typeof size === "number" ? size : undefined,
        duration: typeof duration === "string" ? duration : undefined,
    };
}

/** The exporter of the same collector that hands over to another one, by way of the loopback. */
function queueInFront(config: HelmValues, exporter: string): string | undefined {
    const [first] = Object.values(pipelinesOf(config))
        .filter((pipeline) => listOf(pipeline, "exporters").includes(exporter))
        .flatMap((pipeline) => listOf(pipeline, "receivers"))
        .flatMap((receiver) => exportersTo(config, receiver));
    return first;
}

const protocols: Readonly<Record<string, string>> = {
    otlphttp: "OTLP over HTTP",
    otlp_http: "OTLP over HTTP",
    otlp: "OTLP over gRPC",
    otlp_grpc: "OTLP over gRPC",
    prometheusremotewrite: "Prometheus remote write",
    awscloudwatchlogs: "CloudWatch Logs",
    awsemf: "CloudWatch Logs, in the embedded metric format",
    awsxray: "AWS X-Ray",
};

/** What an exporter speaks, human-readable. */
export function protocolOf(exporter: string): string {
    return protocols[typeOf(exporter)] ?? typeOf(exporter);
}

const proofs: Readonly<Record<string, string>> = {
    basicauth: "user and password",
    bearertokenauth: "bearer token",
    oauth2client: "OAuth 2.0 client",
    sigv4auth: "AWS signature",
    googleclientauth: "Google identity of the pods or nodes",
    azureauth: "Azure identity of the pods or nodes",
};

/** How an exporter authenticates, human-readable and without any secret: `header x-api-key of Secret vendor`. */
export function authenticationOf(collector: Collector, exporter: string): string {
    const { config } = collector;
    const options = valueAt(config, ["exporters", exporter]);
    const at = (...path: string[]) => valueAt(options, path);
    const headers = isMap(at("headers")) ? (at("headers") as HelmValues) : {};
    const secretHeaders = Object.entries(headers).filter(
        ([name, value]) => namesOf(value).length > 0 || name.toLowerCase() === "authorization",
    );
    const certificate = [at("tls", "cert_pem"), at("tls", "key_pem"), at("tls", "cert_file")].filter(
        (part) => part !== undefined,
    );
    const authenticator = at("auth", "authenticator");
    const extension = typeof authenticator === "string" ? authenticator : undefined;
    const ways = compact(
        secretHeaders.length > 0 &&
            `header${secretHeaders.length > 1 ? "s" : ""} ${secretHeaders.map(([name]) => name).join(", ")}` +
                ofSecrets(collector, namesOf(Object.fromEntries(secretHeaders))),
        certificate.length > 0 && `client certificate${ofSecrets(collector, namesOf(certificate))}`,
        extension !== undefined && proofText(collector, extension),
        typeOf(exporter).startsWith("aws") && `AWS signature${ofAws(collector)}`,
    );
    return ways.length === 0 ? "none" : ways.join(" and ");
}

function proofText(collector: Collector, extension: string): string {
    const proof = proofs[typeOf(extension)] ?? typeOf(extension);
    const settings = valueAt(collector.config, ["extensions", extension]) ?? {};
    if (typeOf(extension) !== "sigv4auth") {
        return proof + ofSecrets(collector, namesOf(settings));
    }
    const role = valueAt(settings, ["assume_role", "arn"]);
    return proof + ofAws(collector) + (typeof role === "string" ? `, which takes the role ${role}` : "");
}

/** AWS's own chain of credentials looks at these variables first. */
function ofAws(collector: Collector): string {
    return ofSecrets(collector, ["AWS_ACCESS_KEY_ID"]) || " by the role of the pods or nodes";
}

/** The Secrets that variables of a collector come from. */
function ofSecrets({ env }: Collector, variables: readonly string[]): string {
    const names = env
        .filter(({ name }) => variables.includes(name))
        .map(({ valueFrom }) => valueAt(valueFrom, ["secretKeyRef", "name"]))
        .filter((name) => name !== undefined);
    const distinct = [...new Set(names.map(textOf))];
    return distinct.length === 0 ? "" : ` of Secret ${distinct.join(", ")}`;
}

function namesOf(values: HelmValue): string[] {
    return expandedVariables(values).map(({ name }) => name);
}
