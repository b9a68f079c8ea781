import * as fs from "node:fs";
import * as path from "node:path";

import type { Ajv, ErrorObject, ValidateFunction } from "ajv";

import { kubeStack, type Catalog, type CatalogSchema } from ".";
import { defaultAt, handedValues, type HandedValues } from "./defaults";
import { isMisspelling } from "../lib/spelling";
import { isMap, valueAt, type HelmValue, type HelmValues } from "../lib/values";

type Path = readonly string[];

/** A value that a chart's schema, or Kubernetes after it, refuses. */
export interface SchemaProblem {
    /** Where it is in the umbrella's values. Entries of lists are numbers. */
    readonly path: Path;
    /** The dependency that refuses it, or the kind of object in which Kubernetes does. */
    readonly by: Pick<CatalogSchema, "name" | "of">;
    readonly value: HelmValue;
    /** What it would have to be, as it follows "has to be". */
    readonly wanted: string;
    /** What was probably meant: another value, or the name of another key. */
    readonly meant?: { readonly value: HelmValue } | { readonly key: string } | undefined;
}

const folder = path.join(__dirname, "schemas");

/** The file of a schema, by its name in a catalog. */
export function schemaFile(name: string): string {
    return path.join(folder, name);
}

/**
 * Checks the umbrella's values against the schemas that charts bring (`values.schema.json`), wherever the values are handed to
 * such a chart. Helm installs nothing of a chart whose values its schema refuses.
 *
 * What a schema misses is not looked at, as the charts' defaults are not among the values; except within lists, which replace
 * those of the charts.
 */
export function checkSchemas(catalog: Catalog, values: HelmValues): SchemaProblem[] {
    return [...handedValues(catalog, values)].flatMap((handed) => [...problemsIn(catalog, handed)]);
}

function* problemsIn(catalog: Catalog, { chart, path, values }: HandedValues): Generator<SchemaProblem> {
    for (const schema of catalog.schemas.filter((each) => each.chart === chart)) {
        const own = valueAt(values, schema.path);
        const at = [...path, ...schema.path];
        if (isMap(own) && (schema.of === "object" || isInstalled(catalog, schema, own))) {
            yield* problemsOf(schema, validatorOf(schema.file), own, at);
            yield* schema.name === kubeStack ? unmatched(schema.file, own, at) : [];
        }
    }
}

/** Helm looks at the schemas of those dependencies that it installs. */
function isInstalled(catalog: Catalog, { chart, path }: CatalogSchema, values: HelmValues): boolean {
    return (values.enabled ?? defaultAt(catalog, [...path, "enabled"], chart)) !== false;
}

/** The only names of collectors that the schema of opentelemetry-kube-stack (0.5.3 to 0.6.3) applies to. */
const matched = /^[a-z]+[a-zA-Z0-9]+$/;

const custom = { name: "OpenTelemetryCollector", of: "object" } as const;

/** Collectors whose names the schema passes over: their fields reach Kubernetes, which knows their types too. */
function* unmatched(file: string, values: HelmValues, path: Path): Generator<SchemaProblem> {
    for (const [name, collector] of Object.entries(isMap(values.collectors) ? values.collectors : {})) {
        if (!matched.test(name) && isMap(collector)) {
            const validate = validatorOf(file, "OpenTelemetryCollectorSpec");
            // Kubernetes takes any name, and a number, for an amount.
            yield* [...problemsOf(custom, validate, collector, [...path, "collectors", name])].filter(
                (problem) => !/\bresources\b.*\b(?:limits|requests)\b/.test(problem.path.join(".")),
            );
        }
    }
}

function* problemsOf(
    by: SchemaProblem["by"],
    validate: ValidateFunction,
    values: HelmValues,
    at: Path,
): Generator<SchemaProblem> {
    if (validate(values)) {
        return;
    }
    const byPlace = new Map<string, ErrorObject[]>();
    for (const error of validate.errors ?? []) {
        const place = placeOf(error);
        byPlace.set(place.join("\0"), [...(byPlace.get(place.join("\0")) ?? []), error]);
    }
    for (const errors of byPlace.values()) {
        const [first] = errors;
        if (first && !combining.has(first.keyword) && !isIncomplete(first)) {
            const place = placeOf(first);
            const value = entryAt(values, place);
            yield { path: [...at, ...place], by, value, ...explained(first, errors, value) };
        }
    }
}

/** Keywords that say of several parts that none fits; each part has said before what it misses. */
const combining = new Set(["anyOf", "oneOf", "allOf", "if"]);

/** Whether something is missing that the charts' defaults may have. */
function isIncomplete({ keyword, instancePath }: ErrorObject): boolean {
    return keyword === "required" && !/\/\d+(?:\/|$)/.test(instancePath);
}

function placeOf({ keyword, instancePath, params }: ErrorObject): Path {
    const place = instancePath
        .split("/")
        .slice(1)
        .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    return keyword === "additionalProperties"
        ? [...place, (params as { additionalProperty: string }).additionalProperty]
        : place;
}

function entryAt(values: HelmValue, path: Path): HelmValue {
    return path.reduce<HelmValue>(
        (value, key) => (Array.isArray(value) ? value[Number(key)] : valueAt(value, [key])) ?? null,
        values,
    );
}

/** What a value would have to be, and what was probably meant. */
function explained(
    error: ErrorObject,
    all: readonly ErrorObject[],
    value: HelmValue,
): Pick<SchemaProblem, "wanted" | "meant"> {
    const params = error.params as Record<string, unknown>;
    switch (error.keyword) {
        case "type": {
            const types = [...new Set(all.flatMap((each) => (each.params as { type?: string | string[] }).type ?? []))];
            const [meant] = types.flatMap((type) => converted(type, value));
            const wanted = types.map((type) => names[type] ?? type).join(" or ");
            return { wanted, meant: meant === undefined ? undefined : { value: meant } };
        }
        case "additionalProperties": {
            const known = Object.keys((error.parentSchema?.properties ?? {}) as object);
            const own = placeOf(error).at(-1) ?? "";
            const near = known.find((each) => isMisspelling(own, each, "schemaKey"));
            return {
                wanted: `one of ${known.join(", ")}`,
                meant: near === undefined ? undefined : { key: near },
            };
        }
        case "enum":
            return { wanted: (params.allowedValues as unknown[]).map((each) => JSON.stringify(each)).join(" or ") };
        case "required":
            return { wanted: `an entry with ${String(params.missingProperty)}` };
        case "pattern":
            return { wanted: `text of the form ${String(params.pattern)}` };
        default:
            return { wanted: `what ${error.keyword} asks for: ${error.message ?? ""}` };
    }
}

const names: Readonly<Record<string, string>> = {
    string: "text",
    integer: "a whole number",
    number: "a number",
    boolean: "true or false, without quotes",
    array: "a list",
    object: "a map",
};

/** A value as another type, where it is one in all but the quotes. */
function converted(type: string, value: HelmValue): HelmValue[] {
    if (type === "string" && (typeof value === "number" || typeof value === "boolean")) {
        return [String(value)];
    }
    if ((type === "integer" || type === "number") && typeof value === "string" && /^-?\d+$/.test(value)) {
        return [Number(value)];
    }
    return type === "boolean" && (value === "true" || value === "false") ? [value === "true"] : [];
}

let ajv: Ajv | undefined;

/** The validator of a schema, or of one of its definitions. Most stacks need none, so nothing is loaded before one is asked for. */
function validatorOf(file: string, definition?: string): ValidateFunction {
    ajv ??= newAjv();
    if (!ajv.schemas[file]) {
        // Several call themselves the same.
        const { $schema: _, $id: __, ...schema } = JSON.parse(fs.readFileSync(schemaFile(file), "utf8")) as HelmValues;
        ajv.addSchema(schema, file);
    }
    const reference = definition === undefined ? file : `${file}#/$defs/${definition}`;
    const validate = ajv.getSchema(reference);
    if (!validate) {
        throw new Error(`${file} does not define ${reference}.`);
    }
    return validate;
}

/** What checks values against schemas, as Helm does. */
export function newAjv(): Ajv {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { default: library } = require("ajv") as typeof import("ajv");
    return new library({ allErrors: true, strict: false, verbose: true, validateFormats: false, logger: false });
}
