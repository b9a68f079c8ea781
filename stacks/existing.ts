import * as pulumi from "@pulumi/pulumi";

import { versions } from "../core/charts";
import { objectsBeside, umbrellaObjects } from "../core/charts/umbrella";
import { helmReleasesPath, kofNamespace } from "../core/charts/namespace";
import { CouldNotCheck, couldNotCheck, UserError } from "../core/lib/errors";
import { findInstalled, withoutRelease, type Installed } from "../live/installed";
import { pathOf, type Reconciled } from "../live/releases";
import { alertsName, isEvaluatedBy, vmRule } from "../core/routes/alerts";
import type { Deployment } from "../core/routes/deployment";
import type { Configuration } from "./configuration";
import type { Deployed } from "./memory";
import { stackFile } from "../core/settings/explain";
import type { Cluster } from "./place";
import { configurationError, type Problem } from "../core/settings/problems";
import type { Settings } from "../core/settings/settings";
import { isPulumis } from "../core/lib/managers";
import { isDefaultClass, storageClassOf, type StorageClassArgs } from "../core/settings/storageClasses";
import { differences } from "../core/lib/differences";
import { masked } from "../core/lib/secrets";

/** What a first deployment is compared with, in refusals. */
export const adopted = "what runs on the cluster";

/** An object that the stack makes. */
interface DeclaredObject {
    readonly kind: string;
    readonly name: string;
    /** Where the API has it. */
    readonly path: string;
}

/** An object that exists, as far as it matters here. */
interface Existing {
    readonly metadata: {
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
        readonly managedFields?: readonly { readonly manager?: string }[];
    };
    readonly [field: string]: unknown;
}

type ExistingObject = DeclaredObject & { readonly there: Existing };

/** What a first deployment assumes when it takes over an install. */
const unknownInstall =
    "kof:adopt takes over the installed KOF, and there is no earlier deployment to compare it with: this deployment assumes that the stack " +
    "file describes what runs. Where the installed KOF has another route, other volumes or a longer retention, data can be deleted or become unreachable. npm run adopt -- --cluster writes the stack file of what runs.";

/**
 * What a first deployment takes over, as {@link checkExisting} finds it. Without the right to look, it says what it assumes.
 *
 * @returns what to compare it with as if this stack had deployed it; `undefined` if nothing exists, or if it is not known.
 */
export async function findInstall(
    configuration: Pick<Configuration, "source" | "deployment">,
    cluster: Cluster | undefined,
): Promise<Deployed | undefined> {
    if (cluster) {
        return checkExisting(configuration, undefined, cluster);
    }
    if (configuration.deployment.settings.adopt) {
        void pulumi.log.warn(unknownInstall);
    }
    return undefined;
}

/**
 * Checks which objects of the stack exist already. It refuses an existing object that the stack may not take over, or that a takeover
 * would lose. Pulumi's provider overwrites what exists with `kof:adopt`, without it some versions do (before 4.29) and others fail
 * half-way (since).
 *
 * @param before what the stack has been deployed as; `undefined` where nothing of it exists.
 * @returns what `kof:adopt` takes over, to be compared with as if this stack had deployed it; `undefined` where nothing is, or
 * nobody knows what.
 * @throws RunError with every problem, before anything is registered.
 */
export async function checkExisting(
    { source, deployment }: Pick<Configuration, "source" | "deployment">,
    before: Deployment | undefined,
    cluster: Cluster,
): Promise<Deployed | undefined> {
    const had = before ? wantedOf(before).map(({ path }) => path) : [];
    const found = await look(
        wantedOf(deployment).filter(({ path }) => !had.includes(path)),
        cluster,
    );
    const { adopt } = deployment.settings;
    const problems = [
        ...(adopt ? adoptionProblems(deployment, found) : foreignProblems(found, cluster)),
        ...secretProblems(deployment, found),
    ];
    if (problems.length > 0) {
        throw new pulumi.RunError(configurationError(source, problems).message);
    }
    if (!adopt || before !== undefined || !found.some(isKof)) {
        return undefined;
    }
    await sayWhatStays(found, cluster);
    return takenOver(deployment.settings, cluster);
}

/** Releases that run and that the stack does not have are none of its business, ever. */
async function sayWhatStays(found: readonly ExistingObject[], cluster: Cluster): Promise<void> {
    const all = await cluster.list<Reconciled>(helmReleasesPath).catch(couldNotCheck);
    if (all instanceof CouldNotCheck) {
        void pulumi.log.warn(`Could not check which other HelmReleases run: ${all.message}`);
        return;
    }
    const names = all.map(({ metadata }) => metadata.name);
    const others = names.filter(
        (name) => !found.some((each) => isKof(each) && each.name === `${kofNamespace}/${name}`),
    );
    if (others.length > 0) {
        void pulumi.log.warn(
            `kof:adopt takes over only what the stack has. The rest keeps running unmanaged: HelmRelease ${others.join(", ")}. ` +
                `To uninstall: kubectl delete helmrelease -n ${kofNamespace} ${others.join(" ")}`,
        );
    }
}

function wantedOf(deployment: Deployment): DeclaredObject[] {
    const { settings, secrets, alerts, catalog, values, archives } = deployment;
    const storageClass = storageClassOf(settings.storageClass)?.className;
    const namespace = `/api/v1/namespaces/${kofNamespace}`;
    const named = (kind: string, collection: string, name: string) => [
        { kind, name: inNamespace(name), path: `${collection}/${name}` },
    ];
    const exporters = archives
        .filter(({ signals }) => signals.length > 0)
        .flatMap((archive) => Object.values(objectsBeside(catalog, values, archive)))
        .map(({ kind, metadata }) => ({ kind, ...metadata }));
    return [
        { kind: "Namespace", name: kofNamespace, path: namespace },
        ...(storageClass === undefined
            ? []
            : [
                  {
                      kind: "StorageClass",
                      name: storageClass,
                      path: `/apis/storage.k8s.io/v1/storageclasses/${storageClass}`,
                  },
              ]),
        ...(isEvaluatedBy(alerts, "Promxy") ? named("ConfigMap", `${namespace}/configmaps`, alertsName) : []),
        ...(isEvaluatedBy(alerts, "VMAlert") ? named(vmRule.kind, vmRule.path, alertsName) : []),
        ...secrets
            .filter(({ maker }) => maker === "stack")
            .flatMap(({ name }) => named("Secret", `${namespace}/secrets`, name)),
        ...[...umbrellaObjects(catalog, values), ...exporters].map((object) => ({
            kind: object.kind,
            name: `${object.namespace}/${object.name}`,
            path: pathOf(object),
        })),
    ];
}

/** Those that exist. An object that cannot be read counts as missing, and a warning says so. */
async function look(wanted: readonly DeclaredObject[], cluster: Cluster): Promise<ExistingObject[]> {
    const met = await Promise.all(
        wanted.map(async (each): Promise<ExistingObject | undefined> => {
            const there = await cluster.get<Existing>(each.path).catch(couldNotCheck);
            if (there instanceof CouldNotCheck) {
                void pulumi.log.warn(
                    `Whether ${each.kind} ${each.name} exists could not be checked, so the stack assumes that it does not: ${there.message}`,
                );
                return undefined;
            }
            return there && { ...each, there };
        }),
    );
    return met.filter((each) => each !== undefined);
}

function isKof({ kind }: ExistingObject): boolean {
    return kind === "HelmRelease";
}

function foreignProblems(found: readonly ExistingObject[], { server }: Cluster): Problem[] {
    // In a first deployment that did not finish, the stack does not know what it made.
    const foreign = found.filter(({ there, kind }) => !isPulumis(there.metadata) && kind !== "Secret");
    const classes = foreign.filter(({ kind }) => kind === "StorageClass");
    const others = foreign.filter((each) => !classes.includes(each));
    const problems: Problem[] = classes.map(({ name }) => ({
        key: "kof:storageClass.create",
        message: `is true, but the cluster already has a class ${name}, which this stack did not make`,
        allowed: "false, to use the class as it is; or another name",
        paste: existingClass(name),
    }));
    if (others.length > 0) {
        const list = others.map(({ kind, name }) => `${kind} ${name}`).join(", ");
        problems.push({
            key: "kof:adopt",
            message: `is false, but the cluster (${server}) already has what this stack did not make: ${list}`,
            allowed: "true, to take that over as it is (docs/adopting.md); or a cluster without it",
            paste: { "kof:adopt": true },
        });
    }
    return problems;
}

/** Whatever `kof:adopt` says: a password that somebody has chosen is not to be overwritten by a random one. */
function secretProblems(deployment: Deployment, found: readonly ExistingObject[]): Problem[] {
    const there = found
        .filter(({ there, kind }) => kind === "Secret" && !isPulumis(there.metadata))
        .map(({ name }) => name);
    return deployment.secrets.flatMap(({ name, instead }) =>
        instead && there.includes(inNamespace(name))
            ? {
                  key: `kof:${instead.path.join(".")}`,
                  message: `has this stack make Secret ${inNamespace(name)}, which exists already and which it would overwrite`,
                  allowed: `to use the Secret that exists; or to delete it first: kubectl delete secret -n ${kofNamespace} ${name}`,
                  paste: stackFile(instead.path, instead.value),
              }
            : [],
    );
}

function inNamespace(name: string): string {
    return `${kofNamespace}/${name}`;
}

function existingClass(name: string): unknown {
    return stackFile(["storageClass"], { create: false, name });
}

/** What cannot be taken over with these settings. A notice names what can be, and changes. */
function adoptionProblems(deployment: Deployment, found: readonly ExistingObject[]): Problem[] {
    const storageClass = storageClassOf(deployment.settings.storageClass);
    return found.flatMap(({ kind, there }) => {
        if (kind === "Namespace") {
            return meshProblems(deployment.settings, there, found.some(isKof));
        }
        return kind === "StorageClass" && storageClass ? classProblems(storageClass, there) : [];
    });
}

/** KOF names its objects after the label, which an adoption can add but not take away. */
function meshProblems({ istio }: Settings, { metadata }: Existing, installed: boolean): Problem[] {
    const label = metadata.labels?.["istio-injection"] === "enabled";
    if (label === istio || (istio && !installed)) {
        return [];
    }
    return [
        {
            key: "kof:istio",
            message: `is ${String(istio)}, but namespace ${kofNamespace} is ${label ? "" : "not "}in the Istio mesh: the change would rename KOF's objects and remove the current ones`,
            allowed: String(label),
            paste: { "kof:istio": label },
        },
    ];
}

function classProblems(wanted: StorageClassArgs, there: Existing): Problem[] {
    const { className, provisioner, parameters = {}, reclaimPolicy, expands, isDefault } = wanted;
    const immutable = { provisioner, parameters, reclaimPolicy, volumeBindingMode: "WaitForFirstConsumer" };
    const different = changesOf(immutable, {
        provisioner: there.provisioner,
        parameters: there.parameters ?? {},
        reclaimPolicy: there.reclaimPolicy,
        volumeBindingMode: there.volumeBindingMode,
    });
    if (different.length > 0) {
        return [
            {
                key: "kof:storageClass",
                message: `differs from the existing class ${className} in what Kubernetes does not allow to change: ${different.join(", ")}`,
                allowed: "create: false, to use the class as it is; another name; or settings that match it",
                paste: existingClass(className),
            },
        ];
    }
    const marked = isDefaultClass(there);
    const changes = [
        ...changesOf({ allowVolumeExpansion: expands }, { allowVolumeExpansion: there.allowVolumeExpansion ?? false }),
        ...(isDefault && !marked ? ["it becomes the cluster's default class"] : []),
    ];
    if (changes.length > 0) {
        void pulumi.log.warn(`kof:adopt changes the class ${className}: ${changes.join(", ")}.`);
    }
    return [];
}

/** What differs, as `key there -> wanted`. */
function changesOf(wanted: Readonly<Record<string, unknown>>, there: Readonly<Record<string, unknown>>): string[] {
    return differences(there, wanted)
        .filter(({ before, after }) => before !== "{}" && after !== "{}")
        .map(({ path, before = "nothing", after = "nothing" }) => {
            // The name says what a value is.
            const shown = (value: string) => masked(`${path}: ${value}`).slice(path.length + 2);
            return `${path} ${shown(before)} -> ${shown(after)}`;
        });
}

/** The KOF that runs on the cluster, by the values of its Helm release: as the settings of a stack that would resolve to it. */
async function takenOver(settings: Settings, cluster: Cluster): Promise<Deployed | undefined> {
    const found = await runningSettings(settings, await findInstalled(cluster));
    if (typeof found === "string") {
        void pulumi.log.warn(
            "kof:adopt takes over the KOF that runs on the cluster without comparing it with the stack file, because the settings that " +
                `it runs with are unknown: ${found}`,
        );
        return undefined;
    }
    return { settings: found };
}

/** The settings that an install corresponds to, or why they are not known. */
async function runningSettings(
    settings: Settings,
    installed: Installed,
): Promise<Readonly<Record<string, unknown>> | string> {
    const { release } = installed;
    if (!release) {
        return withoutRelease(installed);
    }
    if (!versions.includes(release.version)) {
        return `It is KOF ${release.version}, and this program knows ${versions.join(", ")}.`;
    }
    // Of credentials the values do not tell everything.
    const credentials = settings.cloudwatch?.credentials;
    const options = { version: release.version, credentials, cluster: installed };
    const { adoptionOf } = await import("../core/adopt/index.ts");
    try {
        return adoptionOf(
            { values: release.values, isUmbrella: true, corrections: [] },
            options,
            "the Helm release kof",
        ).settings;
    } catch (error) {
        if (!(error instanceof UserError)) {
            throw error;
        }
        return "Its values do not contain all of them. To see what is missing: npm run adopt -- --cluster --out FILE";
    }
}
