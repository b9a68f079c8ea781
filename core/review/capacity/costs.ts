import { nounOf, signals, type Signal } from "../../charts";
import { exporterCharts, exporterSchedule } from "../../charts/archives";
import { compact } from "../../lib/compact";
import { gib, sizeInGiB } from "../../lib/quantities";
import type { Deployment } from "../../routes/deployment";
import type { LogGroup } from "../../routes/parts";
import { isCountedSeparately } from ".";
import { archivedPerDay, bytesPerSampleSent, bytesSent, samplesPerSecond } from "./estimates";
import type { Prices } from "./priceFile";
import { storageClassOf, type StorageClassArgs } from "../../settings/storageClasses";
import { storageClassPresets } from "../../settings/storageClassPresets";
import type { Volume } from "../../routes/volumes";

/** Something that is paid for by the month: what it costs and where, or why that is not known. */
export type Cost =
    | {
          /** Human-readable: `volumes`. */
          readonly what: string;
          readonly amount: number;
          readonly region: string;
          readonly source: string;
          /** When the price was looked up: `2026-11`. */
          readonly date: string;
      }
    | { readonly what: string; readonly unknown: string };

/** @param amount `undefined` where the price list has no price of the region. */
function priced(
    what: string,
    amount: number | undefined,
    region: string,
    { source, date }: { readonly source: string; readonly date: string },
): Cost {
    return amount === undefined
        ? { what, unknown: `no price known for ${region}` }
        : { what, amount, region, source, date };
}

/**
 * Everything that a deployment is paid for by the month, whether its price is known or not.
 *
 * @param region the provider's region that the cluster is in, where that is known.
 */
export function costsOf(deployment: Deployment, prices: Prices, region: string | undefined): Cost[] {
    return [
        ...volumeCosts(deployment, prices, region),
        ...cloudwatchCosts(deployment, prices),
        ...archiveCosts(deployment, prices),
        ...keyCosts(deployment),
        ...elsewhereCosts(deployment),
    ];
}

/** What encrypts with somebody's own keys. How many requests that makes no rate says. */
function keyCosts({ cloudwatch, archives, volumes, settings }: Deployment): Cost[] {
    const made = storageClassOf(settings.storageClass);
    const isUsed = made !== undefined && volumes.some(({ storageClass }) => storageClass === made.className);
    const ofVolumes = isUsed ? Object.entries(made.parameters ?? {}) : [];
    const keys = [
        ...(cloudwatch === undefined ? [] : [settings.cloudwatch?.kmsKeyArn]),
        ...archives.map(({ bucket }) => bucket.kmsKeyArn),
        ...ofVolumes.flatMap(([name, value]) => (name.toLowerCase() === "kmskeyid" ? [value] : [])),
    ].filter((key) => key !== undefined);
    return keys.length === 0
        ? []
        : [{ what: "KMS keys", unknown: "AWS bills each key, and each request to encrypt or decrypt with it" }];
}

/** The preset of a class by what makes its volumes, however its parameters are. */
function presetOf({ provisioner }: StorageClassArgs): keyof Prices["volumes"] | undefined {
    const presets = Object.entries(storageClassPresets);
    return presets.find(([, preset]) => preset.provisioner === provisioner)?.[0] as keyof Prices["volumes"] | undefined;
}

/** The configuration of Pulumi's own providers that says where they work, by the preset of their volumes. */
const regionKeys: Partial<Record<keyof Prices["volumes"], string>> = {
    "aws-ebs": "aws:region",
    "gcp-pd": "gcp:region",
    "azure-disk": "azure-native:location",
};

/** The region in a stack's configuration, of any provider. An encrypted one cannot be read here. */
export function regionIn(config: Readonly<Record<string, string>>): string | undefined {
    return Object.values(regionKeys)
        .map((key) => config[key])
        .find((region) => region !== undefined && /^[\w-]+$/.test(region));
}

/** What volumes cost: their size and speed count, not what is in them. */
function volumeCosts(deployment: Deployment, prices: Prices, region: string | undefined): Cost[] {
    const { volumes, stores, settings } = deployment;
    const made = storageClassOf(settings.storageClass);
    const own = volumes.filter(({ storageClass }) => storageClass === made?.className);
    const others = [...new Set(volumes.map(({ storageClass }) => storageClass))].filter(
        (name) => name !== made?.className,
    );
    return [
        ...(made && own.length > 0 ? classCosts(made, own, prices, region ?? clusterRegion(deployment)) : []),
        ...others.map((name) => ({
            what: name === "" ? "volumes of the cluster's default class" : `volumes of class ${name}`,
            unknown: "this stack does not make the class",
        })),
        ...stores
            .filter(({ keeps }) => keeps === "existingClaim")
            .map(({ workload }) => ({ what: `the volume of ${workload}`, unknown: "KOF does not make its claim" })),
    ];
}

/** The region of the EKS cluster that the pods run on, or the one that they send to. */
function clusterRegion({ cloudwatch }: Deployment): string | undefined {
    const credentials = cloudwatch?.credentials;
    return credentials?.kind === "podIdentity" ? (credentials.region ?? cloudwatch?.region) : cloudwatch?.region;
}

function classCosts(
    made: StorageClassArgs,
    volumes: readonly Volume[],
    prices: Prices,
    region: string | undefined,
): Cost[] {
    const what = "volumes";
    const preset = presetOf(made);
    const known = preset && prices.volumes[preset];
    // Drivers take the names of parameters in any case.
    const parameters = new Map(Object.entries(made.parameters ?? {}).map(([key, value]) => [key.toLowerCase(), value]));
    if (
        !known ||
        Object.entries(known.parameters).some(([key, value]) => parameters.get(key.toLowerCase()) !== value)
    ) {
        return [{ what, unknown: `no price known for ${made.provisioner} with these parameters` }];
    }
    if (region === undefined) {
        const unknown = `the stack file does not say in which region they are: set ${regionKeys[preset] ?? ""} in it, or give npm run size --region`;
        return [{ what, unknown }];
    }
    const billed = (size: number) => known.billedGiB.find((each) => each >= size) ?? size;
    const sum = (of: (sizeGiB: number) => number) =>
        volumes.reduce((all, { count, size }) => all + count * of(sizeInGiB(size)), 0);
    const item = (name: string, perUnit: number | undefined, units: number): Cost =>
        Number.isNaN(units)
            ? { what: name, unknown: "the parameters of the class are no numbers" }
            : priced(name, perUnit && units * perUnit, region, known);
    const asked = (name: string, sizeGiB: number) => {
        const perGB = name === "iops" ? Number(parameters.get("iopspergb") ?? 0) * sizeGiB : 0;
        return Number(parameters.get(name) ?? perGB);
    };
    return [
        item(what, known.perGiBMonth[region], sum(billed)),
        ...Object.entries(known.provisioned).flatMap(([name, { included, perUnitMonth }]) => {
            const units = sum((sizeGiB) => Math.max(0, asked(name, sizeGiB) - included));
            return units === 0
                ? []
                : [item(`${what}: ${name} above ${String(included)} each`, perUnitMonth[region], units)];
        }),
    ];
}

/** What CloudWatch adds to each event when it counts bytes (PutLogEvents in the CloudWatch Logs API reference). */
const bytesPerEvent = 26;

/**
 * An event in which exporter awsemf sends one sample of a series with eight labels: measured, version 0.143, 2026-11. Series with
 * the same labels share an event, and then take less.
 */
const bytesPerSample = 585;

const secondsPerDay = 86_400;
const secondsPerMonth = (365 / 12) * secondsPerDay;

/** AWS's charges for what route `cloudwatch` sends, once the log groups hold a whole retention. */
function cloudwatchCosts(deployment: Deployment, prices: Prices): Cost[] {
    const { cloudwatch, destinations, settings } = deployment;
    if (!cloudwatch) {
        return [];
    }
    const { region } = cloudwatch;
    const { logGroups } = cloudwatch.central ?? cloudwatch;
    const { rates = {} } = settings;
    const logs = (what: string, events: number, bytes: number, holds: LogGroup["holds"]): Cost => {
        const group = logGroups.find((each) => each.holds === holds) ?? logGroups[0];
        const listed = prices.cloudwatch.logs;
        const price = listed.regions[region];
        const perSecond = (events * (bytes + bytesPerEvent)) / gib;
        const stored = perSecond * secondsPerDay * (group?.retentionDays ?? 0) * listed.compression;
        const amount = price && perSecond * secondsPerMonth * price.ingestedPerGB + stored * price.storedPerGBMonth;
        return priced(what, amount, region, listed);
    };
    const { dropNamespaces, minimumSeverity, sampleTraces } = cloudwatch.processing ?? {};
    const before = ", before what kof:cloudwatch.processing drops";
    const dropping = dropNamespaces ? before : "";
    const lines = (signal: "logs" | "audit"): Cost => {
        const rate = rates[signal];
        const what = `${signal} in CloudWatch Logs${(dropNamespaces ?? minimumSeverity) ? before : ""}`;
        return rate ? logs(what, rate.linesPerSecond, rate.bytesPerLine, signal) : { what, unknown: noRate(signal) };
    };
    const of: Record<Signal, () => Cost[]> = {
        metrics: () => {
            if (cloudwatch.signals.metrics === "otlp") {
                return [overOtlp("metrics", `metrics in CloudWatch over OTLP${dropping}`, deployment, prices)];
            }
            const what = `${emfCosts[0]}${dropping}`;
            if (rates.metrics === undefined) {
                return [{ what, unknown: noRate("metrics") }];
            }
            const { tiers, regions, ...listed } = prices.cloudwatch.metrics;
            const amount = regions.includes(region) ? tiered(rates.metrics.activeSeries, tiers) : undefined;
            return [
                priced(what, amount, region, listed),
                logs(emfCosts[1], samplesPerSecond(rates.metrics), bytesPerSample, "metrics"),
            ];
        },
        logs: () => [lines("logs")],
        audit: () => (rates.audit !== undefined || isCountedSeparately(deployment, "audit") ? [lines("audit")] : []),
        traces: () => {
            if (cloudwatch.signals.traces === "otlp") {
                const chosen = sampleTraces === undefined ? dropping : before;
                return [overOtlp("traces", `spans in CloudWatch over OTLP${chosen}`, deployment, prices)];
            }
            const what = "traces in AWS X-Ray";
            const { perMillion, regions, ...listed } = prices.cloudwatch.traces;
            if (rates.traces === undefined) {
                return [{ what, unknown: noRate("traces") }];
            }
            if (!regions.includes(region)) {
                return [priced(what, undefined, region, listed)];
            }
            const { currency } = prices;
            const most = (rates.traces.spansPerSecond * secondsPerMonth * perMillion) / 1e6;
            const unknown =
                `${perMillion.toFixed(2)} ${currency} for a million traces, whose number kof:rates does not say: up to ` +
                `${most.toFixed(2)} ${currency} in ${region}, if each span is a trace of its own`;
            return [{ what, unknown }];
        },
    };
    const isThere = (signal: Signal) => {
        const destination = destinations[signal];
        return destination.stored && destination.ends.some(({ on }) => on === "aws");
    };
    return signals.filter(isThere).flatMap((signal) => of[signal]());
}

/** The price in the price file of what comes over OTLP. */
const perGB = { metrics: "metricsPerGB", traces: "spansPerGB" } as const;

/**
 * How many GB of a signal go over OTLP in a month. AWS bills a data point by its bytes: name, labels, resource labels,
 * time and value ("OTel metrics pricing and storage" in the CloudWatch user guide, 2026-11).
 */
function gbOverOtlp(signal: "metrics" | "traces", { settings: { rates = {} } }: Deployment): number {
    return (bytesSent(rates)[signal] * secondsPerMonth) / gib;
}

function overOtlp(signal: "metrics" | "traces", what: string, deployment: Deployment, prices: Prices): Cost {
    const { settings, cloudwatch: { region = "" } = {} } = deployment;
    if (settings.rates?.[signal] === undefined) {
        return { what, unknown: noRate(signal) };
    }
    const listed = prices.cloudwatch.otlp;
    const price = listed?.[perGB[signal]][region];
    const gb = gbOverOtlp(signal, deployment);
    return listed === undefined || price === undefined
        ? {
              what,
              unknown:
                  `about ${gb.toFixed(2)} GB a month (${sizeOf[signal]}), at a price for a GB in ${region} that is not known here: ` +
                  `give it with --prices, as cloudwatch.otlp.${perGB[signal]}`,
          }
        : priced(what, gb * price, region, listed);
}

const sizeOf = {
    metrics: `${String(bytesPerSampleSent)} bytes a sample`,
    traces: "kof:rates.traces.bytesPerSpan for each",
} as const;

/** Compares the price of `emf` and `xray` with that of OTLP, in a sentence each. */
export function comparisonsOf(deployment: Deployment, prices: Prices, costs: readonly Cost[]): string[] {
    const { settings, cloudwatch } = deployment;
    const { metrics, traces } = cloudwatch?.signals ?? {};
    const unknownPrice = ", at a price that is not known here";
    const comparison = (signal: "metrics" | "traces", otherwise = unknownPrice) => {
        const otlp = overOtlp(signal, "", deployment, prices);
        const gb = `Over OTLP (kof:cloudwatch.signals.${signal}: otlp) this would be about ${gbOverOtlp(signal, deployment).toFixed(2)} GB a month`;
        return "amount" in otlp
            ? `${gb}, for ${otlp.amount.toFixed(2)} ${prices.currency} in ${otlp.region}.`
            : `${gb}${otherwise}.`;
    };
    const emf = costs.filter(({ what }) => emfCosts.some((each) => what.startsWith(each)));
    const amounts = emf.flatMap((cost) => ("amount" in cost ? [cost.amount] : []));
    const gb = gbOverOtlp("metrics", deployment);
    const limit =
        amounts.length === emfCosts.length && gb > 0
            ? `: cheaper, if AWS takes less than ${(amounts.reduce((sum, each) => sum + each, 0) / gb).toFixed(2)} ${prices.currency} for a GB, a price that is not known here`
            : unknownPrice;
    return compact(
        metrics === "emf" && settings.rates?.metrics && comparison("metrics", limit),
        traces === "xray" && settings.rates?.traces && comparison("traces"),
    );
}

/** What metrics in embedded metric format are billed as. */
const emfCosts = ["custom metrics in CloudWatch", "log events of these metrics"] as const;

/** Days of which an archive is priced: it keeps everything, and so has no month that is like the next. */
const archivedDays = 365;

/** Objects below this size stay in their class in S3 (PutBucketLifecycleConfiguration, `TransitionDefaultMinimumObjectSize`). */
const smallestMoved = 128 * 1024;

/** What archives cost a month, once they hold a year, at one tenant and this cluster alone. */
function archiveCosts({ archives, settings }: Deployment, { s3 }: Prices): Cost[] {
    const { rates = {} } = settings;
    const added = archivedPerDay(rates);
    const hoursPerMonth = secondsPerMonth / 3600;
    return archives.flatMap(({ kind, bucket, signals: archived }) =>
        archived.map((signal): Cost => {
            const what = `${nounOf(signal)} in S3 (kof:${kind}), once a year is archived`;
            const { region, endpoint, lifecycle } = bucket;
            const price = s3?.regions[region];
            if (endpoint !== undefined) {
                return { what, unknown: "paid for there, at a price that is not known here" };
            }
            if (rates[signal] === undefined) {
                return { what, unknown: noRate(signal) };
            }
            if (!s3 || !price) {
                return { what, unknown: s3 ? `no price known for ${region}` : "the price file has no prices of S3" };
            }
            const isMoved = added[signal] / 24 >= smallestMoved;
            const moves = [{ days: 0, storageClass: "STANDARD" }, ...(isMoved ? lifecycle : [])];
            const stored = moves.reduce((sum, { days, storageClass }, i) => {
                const until = Math.min(moves[i + 1]?.days ?? archivedDays, archivedDays);
                const inClass = (Math.max(0, until - days) * added[signal]) / gib;
                return sum + inClass * (price.perGBMonth[storageClass] ?? Number.NaN);
            }, 0);
            const { objectsPerWindow } = exporterCharts[kind];
            const requests =
                objectsPerWindow * price.perThousandPuts + exporterSchedule.catchUpHours * price.perThousandGets;
            const amount = stored + (hoursPerMonth * requests) / 1000;
            return Number.isNaN(amount)
                ? { what, unknown: `no price known for a class of kof:${kind}.lifecycle in ${region}` }
                : priced(what, amount, region, s3);
        }),
    );
}

/** What is missing where a signal has no rate. */
export function noRate(signal: Signal): string {
    return `kof:rates.${signal} is not set`;
}

/** The price of a number of things of which the first ones cost more than those after them. */
function tiered(count: number, tiers: Prices["cloudwatch"]["metrics"]["tiers"]): number {
    return tiers.reduce((sum, { upTo = Infinity, perMetricMonth }, i) => {
        const from = tiers[i - 1]?.upTo ?? 0;
        return sum + Math.max(0, Math.min(count, upTo) - from) * perMetricMonth;
    }, 0);
}

/** What is stored where only somebody else knows what it costs. */
function elsewhereCosts({ destinations, cloudwatch }: Deployment): Cost[] {
    const stores = new Map<string, Signal[]>();
    for (const signal of signals) {
        const destination = destinations[signal];
        for (const { on, store } of destination.stored ? destination.ends : []) {
            if (on !== "cluster" && !(on === "aws" && cloudwatch)) {
                stores.set(store, [...new Set([...(stores.get(store) ?? []), signal])]);
            }
        }
    }
    return [...stores].map(([store, sent]) => ({
        what: `${new Intl.ListFormat("en-GB").format(sent)} in ${store}`,
        unknown: "paid for there, at a price that is not known here",
    }));
}
