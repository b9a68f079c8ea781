import components = require("./collectorComponents.json");

/** A section of a collector's configuration whose keys begin with the type of a component. */
export type ComponentKind = "receivers" | "processors" | "exporters" | "connectors" | "extensions";

const images: Readonly<Record<string, Readonly<Record<string, string>>>> = components.images;
const builds: Readonly<Record<string, Readonly<Record<ComponentKind, readonly string[]>>>> = components.builds;

/**
 * Whether a collector's image has a component. A collector does not start if its configuration names a component that it lacks.
 *
 * @param image - Complete, tag included, from whatever registry: a mirror keeps the last part of the name and the tag.
 * `otel/opentelemetry-collector-contrib:0.143.0`.
 * @param type - As in the configuration, without the name behind the slash: `otlphttp`, not `otlphttp/logs`. Newer versions rename
 * types. Every image of KOF 1.8.0 to 1.11.0-rc0 is a build of 0.143, which knows only the old names (`otlphttp`,
 * `k8sattributes`). 0.155 knows both (`otlp_http`, `k8s_attributes`).
 * @returns Undefined for an image that this program does not know: another name, another tag, or a digest alone.
 */
export function hasComponent(image: string, kind: ComponentKind, type: string): boolean | undefined {
    const [, name, tag] = /([^/:@]+):([^/:@]+)(?:@[^@]+)?$/.exec(image) ?? [];
    const build = name === undefined || tag === undefined ? undefined : images[name]?.[tag];
    return build === undefined ? undefined : builds[build]?.[kind].includes(type);
}
