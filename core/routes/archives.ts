import { isDeepStrictEqual } from "node:util";

import { nounOf, type CatalogSetting, type Signal } from "../charts";
import {
    archiveKinds,
    exporterCharts,
    exporterSecretKeys,
    exporterVersion,
    type ArchiveKind,
    type ExporterChart,
} from "../charts/archives";
import { valuesHandedTo } from "../charts/layers";
import { regionLabels, regionNameLabel, type Regions } from "../charts/multiCluster";
import { kofNamespace } from "../charts/namespace";
import { compact, definedOnly } from "../lib/compact";
import { isMap, mergeValues, nestSome, textOf, valueAt, type HelmValues } from "../lib/values";
import { writeYaml } from "../lib/yaml/write";
import { resolvedArchive, type ArchiveCredentials, type ResolvedArchiveSettings } from "../settings/archives";
import { stackFile } from "../settings/explain";
import type { Problem } from "../settings/problems";
import { coldSignals, type Settings } from "../settings/settings";
import { destinationText, ownStoreAddress } from "./destinations";
import type { Deployment } from "./deployment";
import type { Merged } from "../collectors/merged";
import { selectOf } from "./readers";
import { roleAnnotations, roleNameFor } from "./roles";
import { namedChanges, type Volume } from "./volumes";

/** What S3 holds an archive in. */
export interface ArchiveBucket {
    readonly name: string;
    /** Of AWS, or what the store at {@link endpoint} calls its own. */
    readonly region: string;
    /** Whether the stack makes it; otherwise it has to be there. */
    readonly create: boolean;
    /** Whether one that the stack made stays when the stack no longer has it. */
    readonly keep: boolean;
    /** What nobody can delete, and for how long. An existing bucket must have Object Lock, and keeps its own default retention. */
    readonly objectLock: ResolvedArchiveSettings["objectLock"];
    /** The colder classes that objects move to, in order of their age. */
    readonly lifecycle: ResolvedArchiveSettings["lifecycle"];
    /** KMS key that encrypts it; `undefined` for S3's own keys. */
    readonly kmsKeyArn: string | undefined;
    /** Tags of AWS resources, in addition to the stack's own. */
    readonly tags: Readonly<Record<string, string>>;
    /** Address of a store that is compatible with S3; `undefined` for S3. */
    readonly endpoint: string | undefined;
}

/**
 * An archive: an exporter that writes into a bucket, by the hour, what stores of this cluster hold. It is a HelmRelease of its own,
 * of a chart that the umbrella does not have.
 */
export interface Archive {
    readonly kind: ArchiveKind;
    /** Name of the release, of its chart, of its CronJob and of its service account, all in KOF's namespace. */
    readonly name: ExporterChart["chart"];
    /** Version of the chart, which may be newer than KOF. */
    readonly version: string;
    /** The chart's values: free of nulls, secrets and unknowns. */
    readonly values: HelmValues;
    readonly bucket: ArchiveBucket;
    /** What the keys of its objects start with, without a slash at the end. */
    readonly prefix: string;
    /** What is archived of this cluster, in the order of {@link sources}. Without any it has no exporter: only regions have. */
    readonly signals: readonly Signal[];
    /** Per signal the address at which the exporter reads it. */
    readonly sources: Readonly<Partial<Record<Signal, string>>>;
    readonly credentials: ArchiveCredentials;
    /** The Secret that the exporter reads, no matter who makes it; `undefined` if it has a role. */
    readonly secret: { readonly name: string; readonly keys: readonly string[] } | undefined;
    /** Service account of the exporter, which a role is for. */
    readonly serviceAccount: string;
    /** Name of the role, where the service account has to name it; its path is `/kof/`. */
    readonly roleName: string | undefined;
    /** The exporter's image, complete. */
    readonly image: string;
    /** What the audit logs' manifests are signed with. It stands in each of them. */
    readonly signingKey: string | undefined;
    /** The same exporter on regional clusters; `undefined` where regions are not archived. */
    readonly regional: RegionalExporter | undefined;
}

/** How long nobody can delete what is written. */
export interface Retention {
    readonly mode: string;
    readonly days: number;
}

/** A retention, human-readable: `COMPLIANCE for 365 days`. */
export function retentionText({ mode, days }: Retention): string {
    return `${mode} for ${String(days)} days`;
}

/** The same exporter on regional clusters, which reads what each of them stores. */
export interface RegionalExporter extends Pick<Archive, "signals" | "sources"> {
    readonly regions: Regions;
    /** What the keys of its objects start with, for each region: `telemetry/regions/NAMESPACE/NAME`. */
    readonly prefix: string;
    /** The chart's values, as a Go template that is evaluated for each region. */
    readonly values: string;
}

type Stored = Merged & Pick<Deployment, "stores">;
type StoredEverywhere = Stored & Pick<Deployment, "regionalStores">;

/** The archives that settings ask for: of this cluster, and of regions. */
export function archivesOf(deployment: StoredEverywhere): Archive[] {
    return archiveKinds.flatMap((kind) => {
        const given = deployment.settings[kind];
        if (given === undefined) {
            return [];
        }
        const wanted = resolvedArchive(given);
        const { regions } = given;
        const regional = regions === undefined ? undefined : regionalExporterOf(deployment, kind, wanted, regions);
        return [{ ...archiveOf(deployment, kind, wanted), regional }];
    });
}

/** What stands for the names of a region until its values are written, and may be in no setting. */
const names = { namespace: "<NAMESPACE>", name: "<NAME>" } as const;

/**
 * The names of a region as Sveltos knows them, which KOF's own values for regions take too
 * (`templates/regional-multi-cluster-service.yaml` of kof-regional).
 */
function asTemplate(text: string): string {
    return text
        .replaceAll("{{", '{{ "{{" }}')
        .replaceAll(names.namespace, "{{ .Cluster.metadata.namespace }}")
        .replaceAll(names.name, "{{ .Cluster.metadata.name }}");
}

/**
 * An exporter regards a window as archived if it finds an object at its key, and the keys of audit logs do not contain the cluster.
 * So each region has its own prefix, which also differs from that of this cluster.
 */
function regionalExporterOf(
    deployment: StoredEverywhere,
    kind: ArchiveKind,
    wanted: ResolvedArchiveSettings,
    regions: Regions,
): RegionalExporter {
    const prefix = regionalPrefix(wanted.prefix, names.namespace, names.name);
    const { signals, sources, values } = archiveOf(onRegion(deployment), kind, { ...wanted, prefix });
    return { regions, prefix: prefix.replaceAll(/[<>]/g, ""), signals, sources, values: asTemplate(writeYaml(values)) };
}

/** The archive of one region, by the names of its ClusterDeployment, as its exporter writes it. */
export function archiveOfRegion(
    archive: Archive,
    { signals, sources }: RegionalExporter,
    { namespace, name }: { readonly namespace: string; readonly name: string },
): Archive {
    return {
        ...archive,
        prefix: regionalPrefix(archive.prefix, namespace, name),
        signals,
        sources,
        signingKey: archive.signingKey && signingKeyOf(name),
        regional: undefined,
    };
}

function regionalPrefix(prefix: string, namespace: string, name: string): string {
    return [prefix, "regions", namespace, name].join("/");
}

/** A region, as if it were the cluster that the stack deploys to. */
function onRegion({ settings, catalog, values, umbrella, regionalStores }: StoredEverywhere): Stored {
    return { catalog, values, umbrella, stores: regionalStores, settings: { ...settings, clusterName: names.name } };
}

/**
 * The objects of KOF that copy the exporters' Secrets to regions: `NAME-remote`, and for single regions `NAME-REGION-remote`
 * (`templates/ksm/copy-secrets.yaml` of kof-mothership, which takes labels alone).
 */
const copiedSecrets = "kof-archive-secrets";

/** What KOF copies to regions by one object. */
interface SecretCopies {
    /** Its key in the values; the MultiClusterService is `NAME-remote`. */
    readonly name: string;
    readonly regions: Regions;
    readonly secrets: readonly string[];
}

/** Which Secrets KOF copies to which regions, each once: two objects that copy the same to one region would be in each other's way. */
export function secretCopies(settings: Settings): SecretCopies[] {
    const asked = archiveKinds.flatMap((kind) => {
        const given = settings[kind];
        const secret = given && secretNameOf(kind, resolvedArchive(given));
        return given?.regions === undefined || secret === undefined ? [] : [{ secret, regions: given.regions }];
    });
    const everywhere = [...new Set(asked.filter(({ regions }) => regions === "all").map(({ secret }) => secret))];
    const named = [...new Set(asked.flatMap(({ regions }) => (regions === "all" ? [] : regions)))];
    const copies = named.map((region): SecretCopies => {
        const secrets = asked.filter((each) => each.regions.includes(region) && !everywhere.includes(each.secret));
        return {
            name: `${copiedSecrets}-${region}`,
            regions: [region],
            secrets: [...new Set(secrets.map(({ secret }) => secret))],
        };
    });
    return [{ name: copiedSecrets, regions: "all" as const, secrets: everywhere }, ...copies].filter(
        ({ secrets }) => secrets.length > 0,
    );
}

const copiedAt = ["kof-mothership", "values", "kcm", "kof", "mcs"];

/** The places in values that copy Secrets of archives to regions, and what each copies where. No matter who wrote them. */
export function copiesIn(values: HelmValues): (SecretCopies & { readonly path: readonly string[] })[] {
    const found = valueAt(values, copiedAt);
    return Object.entries(isMap(found) ? found : {}).flatMap(([name, copy]) => {
        const secrets = isMap(copy) && Array.isArray(copy.secrets) ? copy.secrets.map(textOf) : [];
        const region = name === copiedSecrets ? undefined : name.slice(`${copiedSecrets}-`.length);
        const own: SecretCopies = { name, regions: region === undefined ? "all" : [region], secrets };
        const isOwn = name.startsWith(copiedSecrets) && isDeepStrictEqual(copy, valuesOfCopy(own));
        return isOwn ? [{ ...own, path: [...copiedAt, name] }] : [];
    });
}

function valuesOfCopy({ regions, secrets }: SecretCopies): HelmValues {
    const [region] = regions === "all" ? [] : regions;
    const named = region === undefined ? {} : { [regionNameLabel]: region };
    return { matchLabels: { ...regionLabels, ...named }, secrets: [...secrets] };
}

/** Values with which KOF copies to regions what the exporters there sign in with. */
export function archiveValues(settings: Settings): HelmValues {
    const copies = secretCopies(settings).map((copy) => [copy.name, valuesOfCopy(copy)] as const);
    return nestSome(copiedAt, Object.fromEntries(copies));
}

/** The Secret that an exporter reads; `undefined` where a role is handed to it. */
function secretNameOf(kind: ArchiveKind, { credentials }: ResolvedArchiveSettings): string | undefined {
    switch (credentials.kind) {
        case "existingSecret":
            return credentials.name;
        case "accessKey":
            return exporterCharts[kind].secretName;
        default:
            return undefined;
    }
}

function archiveOf(deployment: Stored, kind: ArchiveKind, wanted: ResolvedArchiveSettings): Omit<Archive, "regional"> {
    const { settings, catalog } = deployment;
    const { chart, image } = exporterCharts[kind];
    const { credentials, prefix, endpoint, region } = wanted;
    const version = exporterVersion(catalog.version);
    const signals = signalsOf(deployment, kind);
    const sources: Archive["sources"] = Object.fromEntries(
        signals.map((signal) => [signal, sourceOf(deployment, signal)]),
    );
    const secretName = secretNameOf(kind, wanted);
    const secret = secretName === undefined ? undefined : { name: secretName, keys: exporterSecretKeys };
    const provider = credentials.kind === "irsa" ? credentials.oidcProviderArn : undefined;
    const roleName = provider && roleNameOf(settings, kind);
    const signingKey = kind === "auditArchive" ? signingKeyOf(settings.clusterName) : undefined;
    const isLocked = wanted.objectLock !== undefined;
    return {
        kind,
        name: chart,
        version,
        values: mergeValues(
            kind === "coldStorage"
                ? { sources: signals.join(","), ...addressesOf(sources) }
                : {
                      ...definedOnly({ vlogsURL: sources.audit }),
                      // Otherwise it warns about a bucket without Object Lock, and continues.
                      complianceMode: String(isLocked),
                      kms: { keyID: signingKey ?? "" },
                  },
            {
                s3: definedOnly({
                    bucket: wanted.bucket,
                    prefix,
                    region,
                    usePathStyle: String(endpoint !== undefined),
                    endpoint,
                    existingSecret: secretName,
                }),
            },
            roleName && provider ? { serviceAccount: { annotations: roleAnnotations(roleName, provider) } } : {},
            settings.istio ? inMesh : {},
        ),
        bucket: {
            name: wanted.bucket,
            region,
            create: wanted.createBucket,
            keep: wanted.keepBucket,
            objectLock: wanted.objectLock,
            lifecycle: wanted.lifecycle,
            kmsKeyArn: wanted.kmsKeyArn,
            tags: wanted.tags,
            endpoint,
        },
        prefix,
        signals,
        sources,
        credentials,
        secret,
        serviceAccount: chart,
        roleName,
        image: `${image}:v${version}`,
        signingKey,
    };
}

/** What an archive holds of a cluster: what is asked for, or else what there is. What regions alone store is archived there alone. */
function signalsOf(deployment: Stored, kind: ArchiveKind): Signal[] {
    const has = (signal: Signal) => storeOf(deployment, signal) !== undefined;
    const asked = askedSignals(deployment.settings, kind);
    return asked === undefined
        ? coldSignals.filter(has)
        : asked.filter((signal) => !onRegionsToo(deployment.settings, kind) || has(signal));
}

/** What somebody wants to have archived, in the order of the exporter's sources; `undefined` for all that is stored. */
function askedSignals(settings: Settings, kind: ArchiveKind): Signal[] | undefined {
    const { signals } = settings.coldStorage ?? {};
    return kind === "auditArchive" ? ["audit"] : signals && coldSignals.filter((signal) => signals.includes(signal));
}

/** Whether regions are archived as well, where there can be any. */
function onRegionsToo(settings: Settings, kind: ArchiveKind): boolean {
    return settings[kind]?.regions !== undefined && settings.route !== "regionless";
}

/** The store of a signal on this cluster; caches store nothing. */
function storeOf({ stores }: Pick<Deployment, "stores">, signal: Signal): Volume | undefined {
    return stores.find((store) => store.signal === signal && store.retention !== undefined);
}

/** The options of the exporters' charts that have the addresses of the stores (`values.yaml`). */
function addressesOf(sources: Archive["sources"]): HelmValues {
    const { metrics, logs, traces } = sources;
    return definedOnly({ vmURL: metrics, vlogsURL: logs, vtracesURL: traces });
}

/**
 * Where a signal is read: at the service that reads what KOF's collectors write. Without the cluster's domain, which may be another
 * than `cluster.local`.
 */
function sourceOf(deployment: Stored, signal: Signal): string {
    const insert = ownStoreAddress(deployment.catalog, signal);
    const select = selectOf(insert);
    const store = storeOf(deployment, signal);
    const port = (store && valueOfSelect(deployment, store, store.source.volume.port)) ?? select.port;
    const path = signal === "metrics" ? "/select/0/prometheus" : "";
    return `http://${select.name}.${kofNamespace}.svc:${port}${path}`;
}

/** Archives of what is not stored on this cluster, or where an exporter cannot read it. */
export function archiveStoreProblems(deployment: Stored & Pick<Deployment, "destinations" | "routing">): Problem[] {
    const { settings } = deployment;
    return archiveKinds
        .filter((kind) => settings[kind] !== undefined)
        .flatMap((kind) => [
            ...absentStores(deployment, kind),
            ...movedStores(
                deployment,
                signalsOf(deployment, kind),
                kind === "coldStorage" ? "kof:coldStorage.signals" : "kof:auditArchive",
                (signal, address) => `has ${signal}, which nobody can read at ${address}`,
            ),
        ]);
}

/** Exporters on regions for which there is nothing, or where they cannot read it. */
export function regionalArchiveProblems(deployment: StoredEverywhere): Problem[] {
    const there = onRegion(deployment);
    return archiveKinds.flatMap((kind): Problem[] => {
        if (!onRegionsToo(deployment.settings, kind)) {
            return [];
        }
        const wanted = askedSignals(deployment.settings, kind) ?? signalsOf(there, kind);
        const asked = textOf(deployment.settings[kind]?.regions);
        const absent = wanted.filter((signal) => storeOf(there, signal) === undefined);
        const key = `kof:${kind}.regions`;
        if (absent.length > 0 || wanted.length === 0) {
            const what = absent.length > 0 ? absent.map(nounOf).join(" and ") : "metrics, logs or traces";
            return [
                {
                    key,
                    message: `is ${asked}, but kof:values leave regional clusters without a store of ${what}. Remove it`,
                },
            ];
        }
        return movedStores(
            there,
            wanted,
            key,
            (signal, address) => `is ${asked}, but nobody can read ${signal} at ${address} on a regional cluster`,
        );
    });
}

function absentStores(deployment: Stored & Pick<Deployment, "destinations" | "routing">, kind: ArchiveKind): Problem[] {
    const { settings, destinations } = deployment;
    const has = (signal: Signal) => storeOf(deployment, signal) !== undefined;
    const goes = (signal: Signal) => `${nounOf(signal)}: ${destinationText(destinations[signal])}`;
    if (onRegionsToo(settings, kind)) {
        // What regions lack is said of them.
        return [];
    }
    const stored = kind === "auditArchive" ? (["audit"] as const).filter(has) : coldSignals.filter(has);
    if (stored.length === 0) {
        const [why, what, signal] =
            kind === "auditArchive"
                ? ([
                      `, for no audit logs are stored on this cluster (${goes("audit")})`,
                      "audit logs",
                      "audit",
                  ] as const)
                : ([": no metrics, logs or traces are stored on this cluster", "they", "logs"] as const);
        return [
            {
                key: `kof:${kind}`,
                message: `has nothing to export${why}`,
                allowed: `where ${what} are stored here, as on routes management and regionless`,
                ...storedHere(deployment, signal),
            },
        ];
    }
    const asked = kind === "coldStorage" ? (settings.coldStorage?.signals ?? []) : [];
    const [absent, there] = [asked.filter((signal) => !has(signal)), asked.filter(has)];
    return compact(
        absent.length > 0 && {
            key: "kof:coldStorage.signals",
            message: `has ${absent.join(" and ")}, of which nothing is stored on this cluster (${absent.map(goes).join("; ")})`,
            allowed: `those that are: ${stored.join(", ")}`,
            paste: stackFile(["coldStorage", "signals"], there.length > 0 ? there : stored),
        },
    );
}

/** What to write so that a signal is stored on this cluster too. */
function storedHere({ routing }: Pick<Deployment, "routing">, signal: Signal): Pick<Problem, "paste"> {
    const { signals, base } = routing;
    return base === "regionless" || signals[signal].includes("management")
        ? {}
        : { paste: stackFile(["signals", signal], [...signals[signal], "management"]) };
}

/**
 * Stores that are not read where an exporter looks for them.
 *
 * @param said what is wrong, by the signal and the address, as it follows the key.
 */
function movedStores(
    deployment: Stored,
    wanted: readonly Signal[],
    key: string,
    said: (signal: string, address: string) => string,
): Problem[] {
    return wanted.flatMap((signal) => {
        const store = storeOf(deployment, signal);
        const by = store === undefined ? "" : movedSelect(deployment, store);
        return compact(
            by !== "" && {
                key,
                message: `${said(nounOf(signal), sourceOf(deployment, signal))}: kof:values have ${by}`,
                allowed: "values that leave the service of the store its name",
            },
        );
    });
}

/** The same setting of what reads a store as of what writes into it. */
function ofSelect(setting: CatalogSetting): CatalogSetting {
    const asSelect = (path: readonly string[]) => path.map((step) => step.replace(/^(v[mlt])insert$/, "$1select"));
    return {
        path: asSelect(setting.path),
        default: setting.default,
        places: setting.places.map((place) => ({ ...place, path: asSelect(place.path) })),
    };
}

function givenTo({ catalog, umbrella }: Merged, { source: { chart } }: Volume): HelmValues {
    return valuesHandedTo(catalog, umbrella, chart);
}

/** What somebody gives a setting of what reads a store; the charts' own value is not known there. */
function valueOfSelect(deployment: Merged, store: Volume, setting: CatalogSetting | null): string | undefined {
    const given = givenTo(deployment, store);
    const [found] = (setting ? ofSelect(setting).places : [])
        .map(({ path }) => valueAt(given, path))
        .filter((value) => value !== undefined && value !== null);
    return found === undefined ? undefined : textOf(found);
}

/** The values that take the address away at which a store is read, as text; empty where it is there. */
function movedSelect(deployment: Merged, store: Volume): string {
    return namedChanges(store.source.volume.entrance.map(ofSelect), givenTo(deployment, store));
}

/**
 * A pod in the mesh runs a proxy beside the exporter. Without it, the stores of logs and traces refuse the exporter (PeerAuthentication
 * `mtls` of chart k0rdent-istio, STRICT). As an ordinary container, the proxy would outlive the exporter, and no Job would ever complete
 * (Istio 1.24 and later have the annotation; k0rdent-istio has 1.25.3).
 */
const inMesh = { podAnnotations: { "sidecar.istio.io/nativeSidecar": "true" } };

function roleNameOf({ clusterName }: Settings, kind: ArchiveKind): string {
    return roleNameFor(kind === "coldStorage" ? "kof-cold-storage" : "kof-audit-archive", clusterName);
}

/**
 * What manifests are signed with (HMAC-SHA256): no secret, since the exporter writes it into each of them as the ID of the key
 * (`kof-operator/internal/audit/kms.go`). The colon keeps it from being read as base64.
 */
function signingKeyOf(clusterName: string): string {
    return `audit:${clusterName}`;
}
