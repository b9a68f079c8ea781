import { z } from "zod";

import regions = require("./regions.json");
import { dnsSubdomain } from "../lib/dns";
import { about, type About } from "./about";

/* Kinds of settings that several blocks have. */

/** The value as text; empty if it is neither text nor a number. */
export const written = (found: unknown) =>
    typeof found === "string" || typeof found === "number" ? String(found) : "";

/** The words of a text instead of a list: `kube-system, default`. */
export const wordsIn = (found: unknown) =>
    typeof found === "string" ? found.split(/[,\s]+/).filter(Boolean) : undefined;

/** A map of settings. */
export const blockOf = <T extends z.ZodType>(schema: T, description: string, example: unknown, mend?: About["mend"]) =>
    about(schema, { description, allowed: "a map", example, ...(mend && { mend }) });

export const flag = (description: string, fallback = false, example = !fallback) =>
    about(z.boolean().default(fallback), { description, allowed: "true or false, without quotes", example });

export const oneOf = <const T extends readonly string[]>(values: T, description: string, example: T[number]) =>
    about(z.enum(values), { description, allowed: values.join(", "), example });

export const wholeNumber = (least: number, most: number, description: string, example: number) =>
    about(z.int().min(least).max(most), {
        description,
        allowed: `a whole number from ${String(least)} to ${String(most)}`,
        example,
    });

export const allowedName =
    "an RFC 1123 name: lower-case letters, digits and '-', at most 63, starting and ending with a letter or digit";

/** The name of an object in Kubernetes. */
export const objectName = (description: string, example: string, mend?: About["mend"]) =>
    about(z.string().regex(dnsSubdomain), { description, allowed: allowedName, example, ...(mend && { mend }) });

const httpUrl = z.url({ protocol: /^https?$/ }).regex(/^[^?#]*[^/?#]$/);

export const httpAddress = (description: string, example: string) =>
    about(httpUrl, { description, allowed: "an http:// or https:// URL without a slash at its end", example });

export const proxyAddress = (description: string) =>
    about(httpUrl, {
        description,
        allowed: "an http:// or https:// URL with a host and a port, without a user, a password or a path",
        example: "http://proxy.example.net:3128",
    });

export const allowedRegion = "an AWS region, for example us-east-2, eu-central-1, us-gov-west-1";

export const awsRegion = (description: string) =>
    about(z.enum(regions), { description, allowed: allowedRegion, example: "us-east-2" });

/** How long collectors keep what they cannot deliver. They refuse less than the 30 seconds that they wait between two attempts. */
export const outage = (description: string, example: string) =>
    about(z.string().regex(/^(([3-9]\d|[1-9]\d{2,4})s|[1-9]\d{0,4}[mh])$/), {
        description,
        allowed: "a whole number with the unit s, m or h, at least 30s",
        example,
    });

/** A size on a disk. */
export const diskSize = (description: string, example: string) =>
    about(z.string().regex(/^(?!0+(\.0+)?[A-Za-z])\d+(\.\d+)?([KMGTPE]i|[kMGTPE])$/), {
        description,
        allowed: "a Kubernetes quantity with a unit: 10Gi (1024-based) or 10G (1000-based), not 10GB",
        example,
        mend: (found) => {
            const [, amount, prefix = "G"] = /^([1-9]\d*(?:\.\d+)?) ?([KMGTPE])?i?B?$/i.exec(written(found)) ?? [];
            return amount && `${amount}${prefix.toUpperCase()}i`;
        },
    });
