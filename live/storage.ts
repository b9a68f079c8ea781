import { kofNamespace } from "../core/charts/namespace";
import type { Deployment } from "../core/routes/deployment";
import { keyOf, type Aspect } from "../core/routes/stored";
import { storageClassOf } from "../core/settings/storageClasses";
import { storageClassPresets } from "../core/settings/storageClassPresets";
import { storageDriver } from "../core/settings/storageDrivers";
import { lookAtEach, type Check, type Finding, type Live } from "./findings";
import { sizeInGiB } from "../core/lib/quantities";

/** Whether the volumes that a route asks for can be made, and fit those that are there. */
export const storage: readonly Check[] = [
    { title: "Storage class", look: storageClass },
    { title: "Volumes", look: pendingClaims },
    { title: "Existing volumes", look: existingClaims },
];

/** A StorageClass, as far as it matters here. */
export interface FoundClass {
    readonly metadata: { name: string; annotations?: Record<string, string> };
    readonly provisioner: string;
    readonly reclaimPolicy?: string;
    readonly allowVolumeExpansion?: boolean;
    readonly volumeBindingMode?: string;
}

const classes = "/apis/storage.k8s.io/v1/storageclasses";
const isDefault = ({ metadata }: FoundClass) =>
    metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true";

async function storageClass({ kubernetes, deployment }: Live): Promise<Finding[]> {
    if (deployment.volumes.length === 0) {
        return [];
    }
    const all = await kubernetes.list<FoundClass>(classes);
    const names = all.map(({ metadata }) => metadata.name).join(", ") || "none";
    const defaults = all.filter(isDefault);
    const settings = deployment.settings.storageClass;
    const made = storageClassOf(settings);
    const others = defaults.filter(({ metadata }) => metadata.name !== settings?.name);
    const findings: Finding[] = [];
    if (settings === undefined && defaults.length === 0) {
        findings.push({
            severity: "problem",
            what: `the cluster has no default storage class (classes: ${names})`,
            why: "KOF's volumes name no class, so their claims stay pending and the install times out.",
            fix: "pulumi config set --path kof:storageClass.preset aws-ebs && pulumi config set --path kof:storageClass.name kof",
        });
    }
    if (settings === undefined ? defaults.length > 1 : made?.isDefault === true && others.length > 0) {
        const surplus = settings === undefined ? defaults.slice(1) : others;
        findings.push({
            severity: "problem",
            what: `more than one storage class would be the default: ${[...defaults.map(({ metadata }) => metadata.name)].join(", ")}${made?.isDefault === true ? `, and ${made.className} of kof:storageClass` : ""}`,
            why: "Kubernetes takes the newest one, so a volume's class depends on when it is made.",
            fix: surplus
                .map(
                    ({ metadata }) =>
                        `kubectl annotate storageclass ${metadata.name} storageclass.kubernetes.io/is-default-class=false --overwrite`,
                )
                .join(" && "),
        });
    }
    const existing = settings === undefined ? defaults[0] : all.find(({ metadata }) => metadata.name === settings.name);
    if (settings?.create === false && !existing) {
        findings.push({
            severity: "problem",
            what: `there is no storage class ${settings.name} (classes: ${names})`,
            why: "kof:storageClass says to use one that exists (create: false). Claims stay pending.",
            fix: "kubectl get storageclasses",
        });
    }
    const provisioner = made?.provisioner ?? existing?.provisioner;
    if (provisioner !== undefined) {
        findings.push(...(await driver(provisioner, kubernetes)));
    }
    return [...findings, ...(made || !existing ? [] : classFindings(existing, settings !== undefined))];
}

/** Provisioners that are no CSI drivers, and so register none. */
const withoutDriver: readonly string[] = [storageClassPresets["local-path"].provisioner];

async function driver(provisioner: string, kubernetes: Live["kubernetes"]): Promise<Finding[]> {
    if (provisioner === "kubernetes.io/no-provisioner") {
        return [
            {
                severity: "problem",
                what: "the class makes no volumes on demand (kubernetes.io/no-provisioner)",
                why: "Claims stay pending until somebody makes each volume by hand.",
                fix: "pulumi config set --path kof:storageClass.preset openebs-lvm",
            },
        ];
    }
    if (
        withoutDriver.includes(provisioner) ||
        (await kubernetes.get(`/apis/storage.k8s.io/v1/csidrivers/${provisioner}`))
    ) {
        return [];
    }
    // Some provisioners are older than CSI, and nothing says which: what is known to be a driver is told apart.
    const isCsi = /(^|\.)csi\./.test(provisioner) || storageDriver(provisioner) !== undefined;
    return [
        {
            severity: isCsi ? "problem" : "warning",
            what: `no CSI driver ${provisioner} is installed`,
            why: isCsi ? "Nothing makes the volumes: claims stay pending." : "If it is one, nothing makes the volumes.",
            fix: "kubectl get csidrivers,csinodes",
        },
    ];
}

/**
 * What KOF asks of a class that exists ("Storing KOF data", 1.8 to 1.10), and what each difference means for it.
 *
 * @param isNamed whether kof:storageClass names it. Nearly every cluster's default class deletes volumes with their claims: there the
 * plan says so of a change that deletes claims.
 */
export function classFindings(found: FoundClass, isNamed: boolean): Finding[] {
    const { name } = found.metadata;
    const driver = storageDriver(found.provisioner);
    const findings: Finding[] = [];
    if (found.allowVolumeExpansion !== true) {
        findings.push({
            severity: "warning",
            what: `storage class ${name} does not allow volumes to grow`,
            why: "When a volume is full there is no way to make it larger.",
            fix:
                driver?.expands === false
                    ? `kubectl get storageclass ${name} -o yaml    # ${found.provisioner} cannot make volumes larger`
                    : `kubectl patch storageclass ${name} -p '{"allowVolumeExpansion":true}'`,
        });
    } else if (driver?.expands === false) {
        findings.push({
            severity: "warning",
            what: `storage class ${name} says that volumes can grow, but ${found.provisioner} cannot make them larger`,
            why: "A claim with a larger size waits for ever, and the deployment that asks for it with it.",
            fix: `kubectl patch storageclass ${name} -p '{"allowVolumeExpansion":false}'`,
        });
    }
    if (found.volumeBindingMode !== "WaitForFirstConsumer") {
        findings.push({
            severity: "warning",
            what: `storage class ${name} makes volumes before their pods are scheduled`,
            why: "A volume in another zone than its pod keeps the pod from starting. The mode of a class cannot be changed.",
            fix: `kubectl get storageclass ${name} -o yaml`,
        });
    }
    if (isNamed && found.reclaimPolicy !== "Retain") {
        findings.push({
            severity: "warning",
            what: `storage class ${name} has the reclaim policy ${found.reclaimPolicy ?? "Delete"}`,
            why: "When a claim is deleted, as pulumi destroy does, its volume goes with all that KOF has stored in it.",
            fix: 'kubectl patch pv NAME -p \'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}\'    # for volumes that exist; for new ones, a class with Retain',
        });
    }
    if (driver?.enforcesSize === false) {
        findings.push({
            severity: "warning",
            what: `${found.provisioner}, which makes the volumes of storage class ${name}, does not enforce their size`,
            why: "Every KOF volume grows until what they share is full, and then all stores stop taking data at once.",
            fix: `kubectl get storageclass ${name} -o yaml`,
        });
    }
    return findings;
}

/** A PersistentVolumeClaim, as far as it matters here. */
export interface PersistentVolumeClaim {
    readonly metadata: { readonly name: string };
    readonly spec: {
        readonly storageClassName?: string;
        readonly resources?: { readonly requests?: { readonly storage?: string } };
    };
    readonly status?: { readonly phase?: string };
}

const claimsPath = `/api/v1/namespaces/${kofNamespace}/persistentvolumeclaims`;

async function pendingClaims({ kubernetes }: Live): Promise<Finding[]> {
    const claims = await kubernetes.list<PersistentVolumeClaim>(claimsPath);
    const pending = claims.filter(({ status }) => status?.phase === "Pending");
    return lookAtEach(pending, async ({ metadata }) => {
        const selector = `involvedObject.kind=PersistentVolumeClaim,involvedObject.name=${metadata.name}`;
        const events = await kubernetes.list<{ message: string; lastTimestamp?: string }>(
            `/api/v1/namespaces/${kofNamespace}/events?fieldSelector=${encodeURIComponent(selector)}`,
        );
        const last = [...events].sort((a, b) => ((a.lastTimestamp ?? "") < (b.lastTimestamp ?? "") ? -1 : 1)).at(-1);
        return [
            {
                severity: "problem",
                what: `claim ${metadata.name} is pending: ${last?.message ?? "no event says why"}`,
                why: "Its pod does not start, and the release that it belongs to times out.",
                fix: `kubectl describe pvc -n ${kofNamespace} ${metadata.name}`,
            },
        ];
    });
}

async function existingClaims({ kubernetes, deployment }: Live): Promise<Finding[]> {
    return compareClaims(
        await kubernetes.list<PersistentVolumeClaim>(claimsPath),
        deployment,
        defaultClass(await kubernetes.list<FoundClass>(classes)),
    );
}

function defaultClass(all: readonly FoundClass[]): string {
    return all.find(isDefault)?.metadata.name ?? "";
}

/** The workload that a claim of a StatefulSet belongs to: `vlstorage-volume-kof-storage-victoria-logs-cluster-vlstorage-0`. */
function workloadOf(claim: string): string | undefined {
    const workload = /(vmstorage|vmselect|vlstorage|vtstorage).*-\d+$/.exec(claim)?.[1];
    return workload === "vlstorage" && claim.includes("audit") ? "vlstorage-audit" : workload;
}

/** How volumes that exist differ from those that a stack asks for, where that cannot go well. */
export function compareClaims(
    claims: readonly PersistentVolumeClaim[],
    deployment: Deployment,
    defaultClassName: string,
): Finding[] {
    return deployment.volumes.flatMap((volume) => {
        const set = (aspect: Aspect, value = "") =>
            `pulumi config set --path ${keyOf(deployment, volume.source, aspect)} ${value}`;
        const findings: Finding[] = [];
        const own = claims.filter(({ metadata }) => workloadOf(metadata.name) === volume.workload);
        const sizes = unique(own.map(({ spec }) => spec.resources?.requests?.storage ?? ""));
        const differing = sizes.filter((size) => sizeInGiB(size) !== sizeInGiB(volume.size));
        const shrinking = differing.filter((size) => sizeInGiB(size) > sizeInGiB(volume.size));
        if (differing.length > 0 && (!volume.expands || shrinking.length > 0)) {
            findings.push({
                severity: "problem",
                what: `the volumes of ${volume.workload} are ${sizes.join(", ")}, and the stack asks for ${volume.size}`,
                why: volume.expands
                    ? "A volume cannot be made smaller."
                    : "The size is part of a StatefulSet's template, which cannot be changed: the Helm upgrade fails.",
                fix: set("size", [...sizes].sort((a, b) => sizeInGiB(b) - sizeInGiB(a))[0]),
            });
        }
        const wanted = volume.storageClass || defaultClassName;
        const classNames = unique(own.map(({ spec }) => spec.storageClassName ?? ""));
        if (wanted !== "" && classNames.some((name) => name !== wanted)) {
            findings.push({
                severity: "problem",
                what: `the volumes of ${volume.workload} are of class ${classNames.join(", ")}, and the stack asks for ${wanted}`,
                why: "A volume cannot be moved to another class: the Helm upgrade fails, or nothing happens.",
                fix:
                    set("storageClass", classNames[0]) +
                    (keyOf(deployment, volume.source, "storageClass").startsWith("kof:storageClass")
                        ? " && pulumi config set --path kof:storageClass.create false"
                        : ""),
            });
        }
        return findings;
    });
}

function unique(values: readonly string[]): string[] {
    return [...new Set(values)];
}
