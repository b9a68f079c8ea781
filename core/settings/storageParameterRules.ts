import { z } from "zod";

import { nearestOf } from "../lib/spelling";
import { problemAt } from "./explain";
import { mended } from "./mend";
import { brief, type Problem, type Problems } from "./problems";
import type { StorageClassSettings } from "./settings";
import { storageClassPresets } from "./storageClassPresets";
import {
    csiParameters,
    csiPrefix,
    driversLookedUp,
    storageDriver,
    type ParameterKind,
    type StorageDriver,
} from "./storageDrivers";

type Parameters = Readonly<Record<string, string>>;

/** What is wrong with the parameters of a class. Otherwise only the creation of its first volume would show it. */
export function* parameterProblems({ preset, provisioner, parameters = {} }: StorageClassSettings): Problems {
    const made = preset === undefined ? undefined : storageClassPresets[preset];
    const name = provisioner ?? made?.provisioner ?? "";
    const driver = storageDriver(name);
    const all: Parameters = { ...made?.parameters, ...parameters };
    for (const [key, value] of Object.entries(parameters)) {
        if (!key.startsWith(csiPrefix)) {
            yield* driver ? ownProblems(key, value, name, driver) : [];
        } else if (!csiParameters.includes(key)) {
            yield* misspelt(key, "Kubernetes", csiParameters);
        }
    }
    yield* pairProblems(all);
    yield* driver ? missingProblems(all, name, driver) : [];
}

/**
 * Parameters that no driver was known to read when its parameters were looked up: those of a newer one, or mistakes that are like
 * nothing. Of a driver that takes no notice of what it does not know, nobody would ever hear of a misspelt one either.
 */
export function unknownParameters({ preset, provisioner, parameters = {} }: StorageClassSettings): string[] {
    const name = provisioner ?? (preset === undefined ? "" : storageClassPresets[preset].provisioner);
    const driver = storageDriver(name);
    if (!driver) {
        return [];
    }
    return Object.keys(parameters)
        .filter((key) => !key.startsWith(csiPrefix) && kindOf(key, driver) === undefined)
        .map((key) => {
            const near = nearestOf(key, Object.keys(driver.parameters));
            const then =
                driver.unknown === "refused" ? "makes no volumes for a class with others" : "takes no notice of others";
            return (
                `kof:storageClass.parameters.${key} is no parameter that ${name} was known to read on ${driversLookedUp}, and it ` +
                `${then}.${near === undefined ? "" : ` Did you mean ${near}?`}`
            );
        });
}

function comparison(anyCase: boolean): (one: string, other: string) => boolean {
    return (one, other) => (anyCase ? one.toLowerCase() === other.toLowerCase() : one === other);
}

/** What a parameter may be; `undefined` of one that the driver does not read. */
function kindOf(key: string, { parameters, prefixes = [], anyCase }: StorageDriver): ParameterKind | undefined {
    const same = comparison(anyCase);
    const name = Object.keys(parameters).find((each) => same(each, key));
    if (name !== undefined) {
        return parameters[name];
    }
    return prefixes.some((prefix) => same(prefix, key.slice(0, prefix.length))) ? "text" : undefined;
}

function* ownProblems(key: string, value: string, name: string, driver: StorageDriver): Problems {
    const kind = kindOf(key, driver);
    if (kind === undefined) {
        if (driver.unknown === "refused") {
            yield* misspelt(key, name, Object.keys(driver.parameters));
        }
        return;
    }
    const { allowed, takes, example } = check(kind, driver);
    if (!takes(value)) {
        const meant = Array.isArray(kind) ? (nearestOf(value, kind) ?? mended(z.enum(kind), value)) : undefined;
        yield parameterProblem(
            key,
            `is ${brief(value)}, which ${name} does not take`,
            allowed,
            meant ?? example(value),
        );
    }
}

/** Names of parameters have dots, and are not quoted in the key. */
function parameterProblem(name: string, message: string, allowed: string, value?: unknown): Problem {
    const at = ["storageClass", "parameters", name];
    return { ...problemAt(at, message, { allowed, value }), key: `kof:${at.join(".")}` };
}

interface ParameterCheck {
    readonly allowed: string;
    readonly takes: (value: string) => boolean;
    /** What to write instead of a value that is not taken. */
    readonly example: (value: string) => string;
}

const truths = ["true", "yes", "on", "1", "enabled"];

function check(kind: ParameterKind, { anyCase }: StorageDriver): ParameterCheck {
    const same = comparison(anyCase);
    if (kind === "text") {
        return { allowed: "a text", takes: () => true, example: (value) => value };
    }
    if (kind === "count") {
        return {
            allowed: "a whole number in quotes",
            takes: (value) => /^\d+$/.test(value),
            example: (value) => /\d+/.exec(value)?.[0] ?? "1",
        };
    }
    if (kind === "boolean") {
        return {
            allowed: '"true" or "false", in quotes',
            takes: (value) => value === "true" || value === "false",
            example: (value) => String(truths.includes(value.trim().toLowerCase())),
        };
    }
    return {
        allowed: kind.join(", "),
        takes: (value) => kind.some((each) => same(each, value)),
        example: () => kind[0] ?? "",
    };
}

/** A name that is like one that is taken. Any other may be of a newer driver. */
function* misspelt(key: string, reader: string, known: readonly string[]): Problems {
    const near = nearestOf(key, known);
    if (near !== undefined) {
        const message = `is no parameter of ${reader}, which makes no volumes for a class with it. Did you mean ${near}?`;
        yield parameterProblem(key, message, known.join(", "));
    }
}

/** A Secret is named by its name and its namespace: Kubernetes refuses one without the other. */
function pairProblems(all: Parameters): Problem[] {
    return Object.keys(all).flatMap((key) => {
        const [, start, end] = /^(csi\.storage\.k8s\.io\/(?:[a-z-]+-)?secret-)(name|namespace)$/.exec(key) ?? [];
        const other = `${start ?? ""}${end === "name" ? "namespace" : "name"}`;
        return start === undefined || all[other] !== undefined
            ? []
            : [missingProblem([other], `a Secret is named by both: ${key} alone is refused`)];
    });
}

function missingProblems(all: Parameters, name: string, { required = [], anyCase }: StorageDriver): Problem[] {
    const same = comparison(anyCase);
    const has = (key: string) => Object.entries(all).some(([each, value]) => same(each, key) && value.trim() !== "");
    // What half of a Secret is missing has been said.
    const half = pairProblems(all).map(({ key }) => key);
    return required
        .filter((names) => !names.some(has))
        .map((names) => missingProblem(names, `${name} makes no volumes without it`))
        .filter(({ key }) => !half.includes(key));
}

function missingProblem(names: readonly string[], why: string): Problem {
    const [first = ""] = names;
    return parameterProblem(first, `is missing, and ${why}`, `a value for ${names.join(" or ")}`, "NAME");
}
