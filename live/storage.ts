import { kofNamespace } from "../core/charts/namespace";
import type { Deployment } from "../core/routes/deployment";
import { keyOf, type Aspect } from "../core/routes/stored";
import type { Consequence } from "../core/review/plan/consequence";
import type { Volume } from "../core/routes/volumes";
import { classChanges, storeChanges } from "../core/review/plan/volumes";
import {
    defaultAnnotations,
    defaultClasses,
    isDefaultClass,
    storageClassOf,
    type ClusterClass,
} from "../core/settings/storageClasses";
import { storageClassPresets } from "../core/settings/storageClassPresets";
import { storageDriver } from "../core/settings/storageDrivers";
import {
    findingsFrom,
    lookAtEach,
    valueOrFinding,
    type Check,
    type Finding,
    type Findings,
    type Live,
} from "./findings";
import { claimsPath, firstClaims, statefulSetsPath, type PersistentVolumeClaim, type StatefulSet } from "./objects";
import { isPulumis } from "../core/lib/managers";
import { sizeInGiB } from "../core/lib/quantities";
import { maskedLog } from "../core/lib/secrets";

/** Whether the volumes that a route asks for can be made, and fit those that are there. */
export const storage: readonly Check[] = [
    { title: "Storage class", look: storageClass },
    { title: "Volumes", look: pendingClaims },
    { title: "Existing volumes", look: existingClaims },
];

/** A StorageClass, as far as it matters here. */
export interface FoundClass extends ClusterClass {
    readonly provisioner: string;
    readonly reclaimPolicy?: string;
    readonly allowVolumeExpansion?: boolean;
    readonly volumeBindingMode?: string;
}

const classes = "/apis/storage.k8s.io/v1/storageclasses";

async function storageClass(live: Live): Promise<Findings> {
    const { kubernetes, deployment } = live;
    if (deployment.volumes.length === 0) {
        return undefined;
    }
    const all = await kubernetes.list<FoundClass>(classes);
    // The classes of the volumes that KOF has already: no setting can change them, and they may be gone by now. They only change
    // what is pasted.
    const claims = (await valueOrFinding(() => kubernetes.list<PersistentVolumeClaim>(claimsPath))).value ?? [];
    const workloads = deployment.volumes.map(({ workload }) => workload);
    const own = classesOf(claims.filter(({ metadata }) => workloads.includes(workloadOf(metadata.name) ?? "")));
    const names = all.map(({ metadata }) => metadata.name).join(", ") || "none";
    const [taken] = defaultClasses(all);
    const defaults = all.filter(isDefaultClass);
    const settings = deployment.settings.storageClass;
    const made = storageClassOf(settings);
    const others = defaults.filter(({ metadata }) => metadata.name !== settings?.name);
    const surplus =
        settings === undefined ? defaults.filter((each) => each !== taken) : made?.isDefault === true ? others : [];
    const same = made && all.find(({ metadata }) => metadata.name === made.className);
    // Where the volumes are not of the class that the stack asks for, that comes first.
    const isTaken =
        same &&
        !deployment.settings.adopt &&
        !isPulumis(same.metadata) &&
        !(await findingsFrom(() => existingClaims(live))).some(({ severity }) => severity === "problem");
    const existing = settings === undefined ? taken : all.find(({ metadata }) => metadata.name === settings.name);
    const provisioner = made?.provisioner ?? existing?.provisioner;
    return [
        settings === undefined &&
            defaults.length === 0 && {
                severity: "problem",
                what: `the cluster has no default storage class (classes: ${names})`,
                why: "KOF's volumes name no class, so their claims stay pending and the install times out.",
                fix: anyDefault(own, all),
            },
        surplus.length > 0 && {
            severity: "problem",
            what: `more than one storage class would be the default: ${defaults.map(({ metadata }) => metadata.name).join(", ")}${made?.isDefault === true ? `, and ${made.className} of kof:storageClass` : ""}`,
            why: "Kubernetes takes the newest one, so a volume's class depends on when it is made.",
            fix: surplus
                .map(({ metadata: { name, annotations } }) => {
                    const marks = defaultAnnotations.filter((mark) => annotations?.[mark] === "true");
                    return `kubectl annotate storageclass ${name} ${marks.map((mark) => `${mark}=false`).join(" ")} --overwrite`;
                })
                .join(" && "),
        },
        isTaken && {
            severity: "problem",
            what: `there is a storage class ${made.className} already, which Pulumi did not make`,
            why: "kof:storageClass says to make it (create: true): pulumi up refuses that.",
            fix: useClass(deployment, made.className),
        },
        settings?.create === false &&
            !existing && {
                severity: "problem",
                what: `there is no storage class ${settings.name} (classes: ${names})`,
                why: "kof:storageClass says to use one that exists (create: false). Claims stay pending.",
                fix: "kubectl get storageclasses",
            },
        provisioner !== undefined && (await findingsFrom(() => driver(provisioner, kubernetes, own.length > 0))),
        !made && existing && classFindings(existing, settings !== undefined),
    ];
}

/** How a cluster without a default class gets one: where there are volumes, without a setting that would move them. */
function anyDefault(own: readonly string[], all: readonly FoundClass[]): string {
    const there = all.map(({ metadata }) => metadata.name).find((name) => own.includes(name));
    const mark = (name: string) => `kubectl annotate storageclass ${name} ${defaultAnnotations[0]}=true`;
    return there !== undefined
        ? mark(there)
        : own.length > 0
          ? `kubectl get storageclass    # class ${own.join(", ")} of the volumes is gone. Mark another: ${mark("NAME")}`
          : makeClass("aws-ebs");
}

function makeClass(preset: string): string {
    return `pulumi config set --path kof:storageClass.preset ${preset} && pulumi config set --path kof:storageClass.name kof`;
}

/** Provisioners that are no CSI drivers, and so register none. */
const withoutDriver: readonly string[] = [storageClassPresets["local-path"].provisioner];

async function driver(provisioner: string, kubernetes: Live["kubernetes"], isStored: boolean): Promise<Findings> {
    if (provisioner === "kubernetes.io/no-provisioner") {
        return {
            severity: "problem",
            what: "the class makes no volumes on demand (kubernetes.io/no-provisioner)",
            why: "Claims stay pending until somebody makes each volume by hand.",
            fix: isStored ? "kubectl get pv,storageclass" : makeClass("openebs-lvm"),
        };
    }
    if (
        withoutDriver.includes(provisioner) ||
        (await kubernetes.get(`/apis/storage.k8s.io/v1/csidrivers/${provisioner}`))
    ) {
        return undefined;
    }
    // Some provisioners are older than CSI, and nothing says which: what is known to be a driver is told apart.
    const isCsi = /(^|\.)csi\./.test(provisioner) || storageDriver(provisioner) !== undefined;
    return {
        severity: isCsi ? "problem" : "warning",
        what: `no CSI driver ${provisioner} is installed`,
        why: isCsi ? "Nothing makes the volumes: claims stay pending." : "If it is one, nothing makes the volumes.",
        fix: "kubectl get csidrivers,csinodes",
    };
}

/**
 * What KOF asks of a class that exists ("Storing KOF data", 1.8 to 1.10), and what each difference means for it.
 *
 * @param isNamed whether kof:storageClass names it. Nearly every cluster's default class deletes volumes with their claims: there the
 * plan says so of a change that deletes claims.
 */
export function classFindings(found: FoundClass, isNamed: boolean): Findings {
    const { name } = found.metadata;
    const driver = storageDriver(found.provisioner);
    const isExpandable = found.allowVolumeExpansion === true;
    return [
        !isExpandable && {
            severity: "warning",
            what: `storage class ${name} does not allow volumes to grow`,
            why: "When a volume is full there is no way to make it larger.",
            fix:
                driver?.expands === false
                    ? `kubectl get storageclass ${name} -o yaml    # ${found.provisioner} cannot make volumes larger`
                    : `kubectl patch storageclass ${name} -p '{"allowVolumeExpansion":true}'`,
        },
        isExpandable &&
            driver?.expands === false && {
                severity: "warning",
                what: `storage class ${name} says that volumes can grow, but ${found.provisioner} cannot make them larger`,
                why: "A claim with a larger size waits for ever, and the deployment that asks for it with it.",
                fix: `kubectl patch storageclass ${name} -p '{"allowVolumeExpansion":false}'`,
            },
        found.volumeBindingMode !== "WaitForFirstConsumer" && {
            severity: "warning",
            what: `storage class ${name} makes volumes before their pods are scheduled`,
            why: "A volume in another zone than its pod keeps the pod from starting. The mode of a class cannot be changed.",
            fix: `kubectl get storageclass ${name} -o yaml`,
        },
        isNamed &&
            found.reclaimPolicy !== "Retain" && {
                severity: "warning",
                what: `storage class ${name} has the reclaim policy ${found.reclaimPolicy ?? "Delete"}`,
                why: "When a claim is deleted, as pulumi destroy does, its volume goes with all that KOF has stored in it.",
                fix: 'kubectl patch pv NAME -p \'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}\'    # for volumes that exist; for new ones, a class with Retain',
            },
        driver?.enforcesSize === false && {
            severity: "warning",
            what: `${found.provisioner}, which makes the volumes of storage class ${name}, does not enforce their size`,
            why: "Every KOF volume grows until what they share is full, and then all stores stop taking data at once.",
            fix: `kubectl get storageclass ${name} -o yaml`,
        },
    ];
}

async function pendingClaims({ kubernetes }: Live): Promise<Finding[]> {
    const claims = await kubernetes.list<PersistentVolumeClaim>(claimsPath);
    const broken = claims.filter(
        ({ metadata, status }) =>
            ["Pending", "Lost"].includes(status?.phase ?? "") || metadata.deletionTimestamp !== undefined,
    );
    return lookAtEach(broken, async ({ metadata, spec, status }) => {
        const fix = `kubectl describe pvc -n ${kofNamespace} ${metadata.name}`;
        if (status?.phase === "Lost") {
            return {
                severity: "problem",
                what: `claim ${metadata.name} has lost its volume${spec.volumeName === undefined ? "" : ` ${spec.volumeName}`}`,
                why: "What was stored there is gone, unless its disk is still there. Its pod does not start any more.",
                fix,
            };
        }
        if (metadata.deletionTimestamp !== undefined) {
            return {
                severity: "problem",
                what: `claim ${metadata.name} is being deleted since ${metadata.deletionTimestamp}`,
                why: "It goes with its data as soon as its pod ends, be it for an upgrade. Nothing can take the deletion back.",
                fix,
            };
        }
        const selector = `involvedObject.kind=PersistentVolumeClaim,involvedObject.name=${metadata.name}`;
        const events = await valueOrFinding(() =>
            kubernetes.list<{ message?: string; lastTimestamp?: string | null }>(
                `/api/v1/namespaces/${kofNamespace}/events?fieldSelector=${encodeURIComponent(selector)}`,
            ),
        );
        const last = [...(events.value ?? [])]
            .sort((a, b) => ((a.lastTimestamp ?? "") < (b.lastTimestamp ?? "") ? -1 : 1))
            .at(-1);
        return {
            severity: "problem",
            what: `claim ${metadata.name} is pending: ${last?.message === undefined ? "no event says why" : maskedLog(last.message)}`,
            why: "Its pod does not start, and the release that it belongs to times out.",
            fix,
        };
    });
}

async function existingClaims({ kubernetes, deployment }: Live): Promise<Findings> {
    const sets = await valueOrFinding(() => kubernetes.list<StatefulSet>(statefulSetsPath));
    const all = await valueOrFinding(() => kubernetes.list<FoundClass>(classes));
    const [taken] = defaultClasses(all.value ?? []);
    const found = compareClaims(
        await kubernetes.list<PersistentVolumeClaim>(claimsPath),
        deployment,
        taken?.metadata.name ?? "",
        sets.value?.flatMap(firstClaims),
    );
    return [found, sets.findings, all.findings, regionalClaims(deployment)];
}

/** What a stack asks of other clusters, which this command does not check. */
export function regionalClaims({ settings: { regions }, regionalStores }: Deployment): Findings {
    const name = regions?.storageClass;
    const kubectl = "kubectl --context REGION get";
    return (
        regions &&
        regionalStores.length > 0 && {
            severity: "unknown",
            what: `could not check the volumes on regional clusters${name === undefined ? "" : `, and class ${name} there`}: only this cluster is looked at`,
            why: "Where they do not fit kof:regions, the upgrade of kof-storage fails on that region, or claims stay pending.",
            fix: `${name === undefined ? "" : `${kubectl} storageclass ${name} && `}${kubectl} pvc -n ${kofNamespace}`,
        }
    );
}

/** The workload that a claim of a StatefulSet belongs to: `vlstorage-volume-kof-storage-victoria-logs-cluster-vlstorage-0`. */
function workloadOf(claim: string): string | undefined {
    const workload = /(vmstorage|vmselect|vlstorage|vtstorage).*-\d+$/.exec(claim)?.[1];
    return workload === "vlstorage" && claim.includes("audit") ? "vlstorage-audit" : workload;
}

/**
 * How volumes that exist differ from those that a stack asks for. What `plan` would refuse of a stack that has them so is a problem,
 * and nothing else is.
 *
 * @param defaultClassName empty where there is none.
 * @param templates of StatefulSets, each under the name of its first claim. Without them any other class may be one that a
 * StatefulSet names.
 */
export function compareClaims(
    claims: readonly PersistentVolumeClaim[],
    deployment: Deployment,
    defaultClassName: string,
    templates?: readonly PersistentVolumeClaim[],
): Findings {
    return deployment.volumes.map((volume): Findings => {
        const isOwn = ({ metadata }: PersistentVolumeClaim) => workloadOf(metadata.name) === volume.workload;
        const own = claims.filter(isOwn);
        if (own.length === 0) {
            return undefined;
        }
        const was = installedVolume(volume, own, templates?.find(isOwn));
        const refused = (changes: readonly Consequence[]) => changes.some(({ severity }) => severity === "impossible");
        const isClassRefused = templates
            ? refused(classChanges([{ was, is: volume }], deployment, deployment))
            : was.storageClass !== volume.storageClass;
        return [
            refused(storeChanges({ ...volume, size: was.size }, volume, deployment, undefined)) &&
                sizeFinding(volume, was.size, own, deployment),
            classFindingsOf(volume, was, isClassRefused, own, deployment, defaultClassName),
        ];
    });
}

/** A volume as it is on the cluster. */
function installedVolume(
    volume: Volume,
    claims: readonly PersistentVolumeClaim[],
    template: PersistentVolumeClaim | undefined,
): Volume {
    const sizes = claims.map(({ spec }) => spec.resources?.requests?.storage ?? volume.size);
    const largest = [...sizes].sort((a, b) => sizeInGiB(b) - sizeInGiB(a))[0] ?? volume.size;
    const [other = volume.storageClass] = classesOf(claims).filter((name) => name !== volume.storageClass);
    return {
        ...volume,
        // Of a chart's own StatefulSet the template decides, whatever the claims are by now.
        size: volume.expands ? largest : (template?.spec.resources?.requests?.storage ?? largest),
        // Where the stack names no class, Kubernetes gives each claim the default of its time.
        storageClass: template ? (template.spec.storageClassName ?? "") : volume.storageClass === "" ? "" : other,
    };
}

function sizeFinding(
    volume: Volume,
    size: string,
    claims: readonly PersistentVolumeClaim[],
    deployment: Deployment,
): Finding {
    const sizes = unique(claims.map(({ spec }) => spec.resources?.requests?.storage ?? ""));
    const ofTemplate = sizes.some((each) => sizeInGiB(each) === sizeInGiB(size))
        ? ""
        : `, of their StatefulSet ${size}`;
    return {
        severity: "problem",
        what: `the volumes of ${volume.workload} are ${sizes.join(", ")}${ofTemplate}, and the stack asks for ${volume.size}`,
        why: volume.expands
            ? "A volume cannot be made smaller."
            : "The size is part of a StatefulSet's template, which cannot be changed: the Helm upgrade fails.",
        fix: setCommand(deployment, volume, "size", size),
    };
}

function classFindingsOf(
    volume: Volume,
    was: Volume,
    isRefused: boolean,
    claims: readonly PersistentVolumeClaim[],
    deployment: Deployment,
    defaultClassName: string,
): Findings {
    const wanted = volume.storageClass || defaultClassName;
    const others = classesOf(claims).filter((name) => name !== wanted);
    if (!isRefused && (wanted === "" || others.length === 0)) {
        return undefined;
    }
    const asks = volume.storageClass === "" ? `for none, which is ${wanted || "none"} by default` : `for ${wanted}`;
    const what = `the volumes of ${volume.workload} are of class ${classesOf(claims).join(", ")}, and the stack asks ${asks}`;
    if (!isRefused) {
        return {
            severity: "warning",
            what,
            why: "Volumes stay in the class that they were made with, and go on working. Only new ones get the other.",
            fix: `kubectl get pvc -n ${kofNamespace}`,
        };
    }
    const key = keyOf(deployment, volume.source, "storageClass");
    const isOfSetting = key.startsWith("kof:storageClass");
    return {
        severity: "problem",
        what,
        why: "A volume cannot be moved to another class: the Helm upgrade fails, or nothing happens.",
        fix:
            was.storageClass === ""
                ? `pulumi config rm --path ${isOfSetting ? "kof:storageClass" : key}`
                : isOfSetting
                  ? useClass(deployment, was.storageClass)
                  : setCommand(deployment, volume, "storageClass", was.storageClass),
    };
}

/** Has a stack use a class that exists. What a class of its own is made of has no effect then, and is refused. */
function useClass({ settings: { storageClass } }: Deployment, name: string): string {
    const set = "pulumi config set --path kof:storageClass";
    const remove = storageClass?.create === true ? ["pulumi config rm kof:storageClass"] : [];
    return [...remove, `${set}.name ${name}`, `${set}.create false`].join(" && ");
}

function setCommand(deployment: Deployment, { source }: Volume, aspect: Aspect, value: string): string {
    return `pulumi config set --path ${keyOf(deployment, source, aspect)} ${value}`;
}

function classesOf(claims: readonly PersistentVolumeClaim[]): string[] {
    return unique(claims.map(({ spec }) => spec.storageClassName ?? ""));
}

function unique(values: readonly string[]): string[] {
    return [...new Set(values)];
}
