import assert from "node:assert/strict";

import { versions } from "../../../core/charts";
import { hasComponent } from "../../../tools/catalog/components";
import { imagesOf } from "../../../core/charts/images";
import {
    destinationPresets,
    type DestinationPreset,
    type DestinationPresetName,
    type PresetBatch,
    type SignalPreset,
} from "../../../core/settings/destinationPresets";

const names = Object.keys(destinationPresets) as DestinationPresetName[];
const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

/** Fields that say of a preset what it is, and what is known of its other fields. */
const about = ["title", "alsoCalled", "asOf", "sources", "opened", "fromMemory"];
/** Fields that hold a fact about the vendor. The protocol is one where somebody might expect another. */
const facts = [
    "endpoint",
    "otherEndpoints",
    "endpointExample",
    "signals",
    "auth",
    "headers",
    "temporality",
    "batch",
    "compression",
];
const fields = [...about, ...facts, "protocol", "lookUp", "notes"];
const authFields: Readonly<Record<string, readonly string[]>> = {
    none: [],
    basic: [],
    bearer: [],
    oauth2: [],
    clientCertificate: [],
    headers: ["headers"],
    sigv4: ["service"],
    google: [],
    azure: ["scopes"],
};

function only(map: object, allowed: readonly string[], where: string): void {
    assert.deepEqual(
        Object.keys(map).filter((key) => !allowed.includes(key)),
        [],
        where,
    );
}

function isAddress(text: string, where: string): void {
    const { protocol, username, password, search, hash, href } = new URL(text);
    assert.equal(protocol, "https:", where);
    assert.equal(`${username}${password}${search}${hash}`, "", where);
    assert.doesNotMatch(text, /\/$|\s|[<>{}$]/, where);
    assert.ok([text, `${text}/`].includes(href), `${where}: ${text} is written ${href}`);
}

function isBatch(batch: PresetBatch, where: string): void {
    assert.equal(Object.keys(batch).length, 1, where);
    const [unit, size] = Object.entries(batch)[0]!;
    assert.ok(["items", "bytes"].includes(unit), where);
    assert.ok(Number.isInteger(size) && size >= 100, where);
}

const signalsOf = ({ signals }: DestinationPreset) => Object.entries<SignalPreset>(signals);

describe("presets of destinations", () => {
    it("are those that the documentation names", () => {
        assert.deepEqual([...names].sort(), [
            ...["amazon-managed-prometheus", "azure-monitor", "datadog", "dynatrace", "elastic", "google-cloud"],
            ...[
                "grafana-cloud",
                "honeycomb",
                "loki",
                "mimir",
                "new-relic",
                "otel-collector",
                "splunk-observability",
                "tempo",
            ],
        ]);
    });

    it("are found by their titles and other names, each by one alone", () => {
        const known = new Map<string, string>();
        for (const name of names) {
            const { title, alsoCalled } = destinationPresets[name];
            for (const other of alsoCalled) {
                assert.equal(other, plain(other), name);
                assert.notEqual(other, plain(name), name);
            }
            for (const called of new Set([name, title, ...alsoCalled].map(plain))) {
                assert.equal(known.get(called), undefined, `${called}: ${name}`);
                known.set(called, name);
            }
        }
        assert.equal(known.get("grafana"), "grafana-cloud");
        assert.equal(known.get("amp"), "amazon-managed-prometheus");
    });

    for (const name of names) {
        const preset = destinationPresets[name];
        describe(name, () => {
            it("has the fields that are read, with what they may hold", () => {
                only(preset, fields, name);
                assert.ok(["http", "grpc", "remotewrite"].includes(preset.protocol));
                assert.ok(["delta", undefined].includes(preset.temporality));
                assert.ok(["gzip", undefined].includes(preset.compression));
                only(preset.auth, ["kind", ...(authFields[preset.auth.kind] as string[])], "auth");
                assert.equal(Object.keys(preset.auth).length, 1 + (authFields[preset.auth.kind] as string[]).length);
                for (const text of [preset.title, preset.lookUp, ...preset.notes]) {
                    assert.equal(text, text.trim());
                    assert.ok(text.length > 4 && text.length <= 220, text);
                }
                for (const note of preset.notes) {
                    assert.match(note, /^[A-Z].*\.$/s, note);
                }
                if (preset.batch !== undefined) {
                    isBatch(preset.batch, "batch");
                }
            });

            it("has addresses that are written in full, for each signal that the vendor takes", () => {
                const { endpoint, otherEndpoints = {}, endpointExample } = preset;
                assert.ok(endpoint === undefined || endpointExample === undefined);
                assert.ok(endpoint !== undefined || Object.keys(otherEndpoints).length === 0);
                for (const address of [endpoint, endpointExample, ...Object.values(otherEndpoints)]) {
                    if (address !== undefined) {
                        isAddress(address, name);
                        assert.doesNotMatch(address, /\/v1\/(metrics|logs|traces)$/);
                    }
                }
                for (const [signal, of] of signalsOf(preset).filter(([, { refused }]) => refused === undefined)) {
                    only(of, ["endpoint", "otherEndpoints", "endpointExample", "path", "batch"], signal);
                    const own = of.endpoint ?? of.endpointExample;
                    assert.ok((own ?? endpoint ?? endpointExample) !== undefined, signal);
                    if (own !== undefined) {
                        isAddress(own, signal);
                        assert.equal(of.path, undefined, signal);
                    }
                    if (of.endpoint !== undefined) {
                        // Whoever takes the address of another region needs this one of it too.
                        assert.deepEqual(Object.keys(of.otherEndpoints ?? {}), Object.keys(otherEndpoints), signal);
                        for (const address of Object.values(of.otherEndpoints ?? {})) {
                            isAddress(address, signal);
                        }
                    }
                    assert.match(of.path ?? "/v1", /^\/\S*[^/]$/, signal);
                    if (of.batch !== undefined) {
                        isBatch(of.batch, signal);
                    }
                }
            });

            it("says of each signal that it is taken, or why not", () => {
                assert.deepEqual(Object.keys(preset.signals).sort(), ["logs", "metrics", "traces"]);
                const taken = signalsOf(preset).filter(([, { refused }]) => refused === undefined);
                assert.ok(taken.length > 0);
                for (const [signal, of] of signalsOf(preset).filter(([, { refused }]) => refused !== undefined)) {
                    only(of, ["refused"], signal);
                    assert.match(of.refused!, /^\S.{9,100}[^.]$/, signal);
                }
                if (preset.protocol === "remotewrite") {
                    assert.deepEqual(
                        taken.map(([signal]) => signal),
                        ["metrics"],
                    );
                    // Remote write has cumulative metrics and one compression.
                    assert.deepEqual([preset.temporality, preset.compression], [undefined, undefined]);
                }
                if (preset.temporality !== undefined) {
                    assert.equal(preset.signals.metrics.refused, undefined);
                }
            });

            it("has headers that HTTP takes, secret ones apart from plain ones", () => {
                const secret = preset.auth.kind === "headers" ? preset.auth.headers : [];
                const all = [...secret, ...Object.keys(preset.headers ?? {})];
                for (const header of all) {
                    assert.match(header, /^[A-Za-z0-9-]+$/);
                }
                assert.equal(new Set(all.map((header) => header.toLowerCase())).size, all.length);
                assert.ok(preset.auth.kind !== "headers" || secret.length > 0);
                // What the collector would take for a variable.
                for (const value of Object.values(preset.headers ?? {})) {
                    assert.doesNotMatch(value, /\$/);
                }
            });

            it("says where each fact is from, and when somebody looked", () => {
                assert.match(preset.asOf, /^20[2-9]\d-(0[1-9]|1[0-2])$/);
                const { sources, opened = [], fromMemory = [] } = preset;
                const batches = signalsOf(preset).some(([, { batch }]) => batch !== undefined) ? ["batch"] : [];
                const held = [...new Set([...facts.filter((field) => field in preset), ...batches, "lookUp", "notes"])];
                for (const field of held) {
                    assert.notEqual(field in sources, fromMemory.includes(field), `${name}: source of ${field}`);
                }
                only(sources, [...held, "protocol"], "sources");
                for (const [field, of] of Object.entries(sources)) {
                    for (const source of [of].flat()) {
                        assert.equal(new URL(source).protocol, "https:", field);
                    }
                }
                assert.deepEqual(
                    opened.filter((field) => !(field in sources)),
                    [],
                );
                assert.deepEqual(
                    fromMemory.filter((field) => !held.includes(field)),
                    [],
                );
            });

            it("needs only components that the collectors of every version have", () => {
                const extensions = {
                    basic: "basicauth",
                    sigv4: "sigv4auth",
                    google: "googleclientauth",
                    azure: "azureauth",
                };
                const { kind } = preset.auth;
                const exporters = { http: "otlphttp", grpc: "otlp", remotewrite: "prometheusremotewrite" };
                for (const image of collectorImages) {
                    assert.equal(hasComponent(image, "exporters", exporters[preset.protocol]), true, image);
                    if (kind in extensions) {
                        assert.equal(hasComponent(image, "extensions", extensions[kind as "basic"]), true, image);
                    }
                    if (preset.temporality === "delta") {
                        assert.equal(hasComponent(image, "processors", "cumulativetodelta"), true, image);
                    }
                }
            });
        });
    }
});

const collectorImages = versions.flatMap((version) =>
    Object.values(imagesOf(version).charts)
        .flatMap(({ images }) => images.map(({ image }) => image))
        .filter((image) => image.includes("opentelemetry-collector")),
);
