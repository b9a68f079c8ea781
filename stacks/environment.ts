import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";

import { perSignal, type Signal } from "../core/charts";
import { clusterTag, stackTag } from "../core/settings/logGroups";
import type { Plan } from "../core/review/plan";
import { declaredLogGroups, madeLogGroups } from "../core/review/plan/cloudwatch";
import { leftoversUntil } from "../core/review/plan/leftovers";
import { AlertRules } from "../components/alerts";
import { evaluatorsText, ownKeys, withoutVmRule, type KeyOwner } from "../core/routes/alerts";
import type { S3Archive } from "../components/archive";
import type { CloudWatch } from "../components/cloudwatch";
import { Kof } from "../components/kof";
import { Namespace } from "../components/namespace";
import { kofNamespace } from "../core/charts/namespace";
import { objectsOnRegions } from "../core/charts/multiCluster";
import { objectsBeside } from "../core/charts/umbrella";
import { bucketArnOf } from "../core/lib/arns";
import { StorageClass } from "../components/storageClass";
import { cloudwatchSecretName } from "../core/routes/cloudwatch";
import { collectorsComponent } from "../core/charts/installed";
import type { Archive } from "../core/routes/archives";
import type { Deployment } from "../core/routes/deployment";
import type { CloudWatchParts } from "../core/routes/parts";
import { umbrellaCollects } from "../core/routes/collectors";
import { destinationText } from "../core/routes/destinations";
import { contentOf, keptOf, spaceOf, totalGiB } from "../core/routes/volumes";
import type { AwsFacts } from "./aws";
import { takesBack } from "./buckets";
import type { Configuration } from "./configuration";
import { outputsOfWhole, rememberedPast, rememberedSettings } from "./deployed";
import { rendersManifests } from "./gitops";
import { clusterIdentifier, currentStack, staysInPlace, type Cluster } from "./place";
import type { Place, Retries, Deployed } from "./memory";
import { whenRestarted } from "./rollout";
import type { Settings, SettingsOf } from "../core/settings/settings";
import { distributionOf } from "../core/settings/distributions";
import { storageClassOf } from "../core/settings/storageClasses";

/** What a stack says about itself when it is deployed. */
interface Outputs extends Deployed {
    readonly route: string;
    /** KOF version. */
    readonly version: string;
    /** Where each signal goes, or that it is not stored. */
    readonly destinations: Readonly<Record<Signal, string>>;
    /** The volumes of each workload on this cluster: how many, how large, and how long they keep their data. */
    readonly volumes: Readonly<Record<string, string>>;
    /** When each alert rule fires and what evaluates them, or why there are none. */
    readonly alerts: Readonly<Record<string, string>>;
    /** The class of KOF's volumes. */
    readonly storageClass: pulumi.Input<string>;
    /** CloudWatch log groups of the route. */
    readonly logGroups: readonly pulumi.Input<string>[];
    /** When the CloudWatch access key of each generation was made. */
    readonly accessKeys: Readonly<Record<string, pulumi.Input<string>>>;
    /** Where each archive is in S3; missing without archives. */
    readonly archives?: Readonly<Record<string, string>>;
    readonly namespace: pulumi.Input<string>;
    /** A command that shows whether telemetry arrives. */
    readonly verify: string;
}

/** What is known about a stack before it is declared. */
export interface Known {
    /** What this changes compared with the last deployment; `undefined` if that is not known. */
    readonly change: Plan | undefined;
    /** What the stack remembers of its last deployment. */
    readonly deployed: Deployed | undefined;
    /** What AWS has. */
    readonly aws: AwsFacts;
    /** Where it runs; `undefined` without the right to look. */
    readonly place: Place | undefined;
    /** The cluster there; `undefined` without the right to look. */
    readonly cluster: Cluster | undefined;
    /** The releases that Flux is asked to retry. */
    readonly retries: Retries;
}

/**
 * Declares everything that one environment is made of, in order: namespace, storage class and secrets, then KOF. Components with
 * modules that few stacks need are loaded where they are needed: half of what a stack takes to start goes into loading modules.
 */
export async function createEnvironment(
    { source, deployment, notices, kubernetes }: Configuration,
    { change, deployed, aws, place, cluster, retries }: Known,
): Promise<Record<keyof Outputs, pulumi.Output<unknown>>> {
    const { settings } = deployment;
    for (const notice of notices) {
        void pulumi.log.warn(notice);
    }
    const provider = new KubernetesProvider(
        "kubernetes",
        {
            clusterIdentifier,
            ...kubernetes,
            // Without a kubeconfig in the configuration, the provider looks where kubectl looks. If this were left out, the SDK would
            // write the path in KUBECONFIG into the state, and another machine's path would change the provider.
            kubeconfig: kubernetes.kubeconfig ?? "",
            // Otherwise a change of their content deletes them first, and rules and credentials would be missing meanwhile.
            enableSecretMutable: true,
            enableConfigMapMutable: true,
            // A field that Helm has set belongs to Helm. Without force, the API server refuses to change it.
            ...(settings.adopt ? { upsertExistingObjects: true, enablePatchForce: true } : {}),
        },
        deployed === undefined ? {} : { hooks: { beforeCreate: [staysInPlace(source)] } },
    );
    const onCluster = { providers: [provider] };

    const labels = distributionOf(settings.distribution).namespaceLabels?.labels;
    const namespace = new Namespace("kof", { istio: settings.istio, labels, stack: currentStack() }, onCluster);
    const inNamespace = { ...onCluster, dependsOn: [namespace] };
    const withAws = { ...inNamespace, providers: [provider, ...(aws.provider ? [aws.provider] : [])] };
    const before: pulumi.Resource[] = [namespace];
    const storageClass = storageClassOf(settings.storageClass);
    if (storageClass) {
        before.push(new StorageClass("kof", storageClass, inNamespace));
    }
    const secrets = deployment.secrets;
    if (secrets.some(({ reader, maker }) => reader === "grafana" && maker === "stack")) {
        const { GrafanaAdmin } = await import("../components/grafanaAdmin.ts");
        before.push(new GrafanaAdmin("grafana-admin", inNamespace));
    }
    const cloudwatch =
        deployment.cloudwatch &&
        (await createCloudWatch(deployment, deployment.cloudwatch, change?.from, aws, withAws));
    if (cloudwatch) {
        before.push(cloudwatch);
    }
    const ofRegion = secrets.find(({ reader, maker }) => reader === "collectors" && maker === "kof");
    // If KOF itself installs the collectors for a region, no release waits for the Secret. Otherwise, no collector starts without it.
    const kofWaits = deployment.routing.baseStore === "regional" && !umbrellaCollects(deployment.catalog);
    if (ofRegion && settings.regional && !kofWaits && !rendersManifests(kubernetes)) {
        before.push(vmuserSecret(settings, settings.regional, ofRegion.name, provider));
    }
    const { chart, version } = settings;
    const release = collectorsComponent(deployment.umbrella);
    const collectorsSecret =
        cloudwatch?.secret && release !== undefined ? { secret: cloudwatch.secret, release } : undefined;
    const kof = new Kof(
        "kof",
        { chart, version, values: deployment.values, retries, collectorsSecret },
        { ...onCluster, dependsOn: before },
    );
    const archives: S3Archive[] = [];
    for (const archive of deployment.archives) {
        archives.push(await createArchive(deployment, archive, change?.from, { aws, retries, kof }, withAws));
    }
    // A folder is applied as a whole, and refused as a whole as long as it has an object of a kind that KOF itself brings.
    const alerts = rendersManifests(kubernetes) ? withoutVmRule(deployment.alerts) : deployment.alerts;
    if (alerts.rules.length > 0) {
        const accessKeysOf = (owner: KeyOwner) =>
            owner === "cloudwatch"
                ? cloudwatch?.accessKeys
                : archives[deployment.archives.findIndex(({ kind }) => kind === owner)]?.accessKeys;
        const keysMade = Object.fromEntries(
            ownKeys(deployment).flatMap(({ owner, generation }) => {
                const made = accessKeysOf(owner)?.[generation];
                return made === undefined ? [] : [[owner, made]];
            }),
        );
        new AlertRules("alerts", { alerts, keysMade, after: [kof] }, inNamespace);
    }
    const memory: Deployed = {
        settings: rememberedSettings(deployment),
        ...rememberedPast(deployment, deployed),
        ...(place ? { cluster: place } : {}),
        ...(Object.keys(retries).length > 0 ? { retries } : {}),
        ...rememberedLogGroups(deployment, change?.from, aws),
        ...describeLeft(deployment, change, deployed),
    };
    const outputs: Outputs = {
        route: settings.route,
        version,
        destinations: describeDestinations(deployment),
        volumes: describeVolumes(deployment),
        alerts:
            alerts.none === undefined
                ? {
                      ...Object.fromEntries(alerts.rules.map(({ alert, when }) => [alert, when])),
                      evaluatedBy: evaluatorsText(alerts),
                  }
                : { none: alerts.none },
        storageClass: settings.storageClass?.name ?? "the cluster's default class",
        logGroups: cloudwatch?.logGroups ?? [],
        accessKeys: cloudwatch?.accessKeys ?? {},
        ...describeArchives(deployment),
        namespace: namespace.name,
        ...memory,
        verify: verifyCommand(deployment),
    };
    const restarted = whenRestarted(kof.installed, change, cluster);
    const completed = pulumi.all([restarted, ...archives.map(({ installed }) => installed)]);
    return outputsOfWhole(outputs, memory, deployed, completed);
}

async function createArchive(
    deployment: Deployment,
    archive: Archive,
    from: Deployment | undefined,
    { aws, retries, kof }: Pick<Known, "aws" | "retries"> & { readonly kof: Kof },
    options: StackOptions,
): Promise<S3Archive> {
    const { S3Archive } = await import("../components/archive.ts");
    const { kind, name, bucket, prefix } = archive;
    const { region, kmsKeyArn } = bucket;
    const tags = tagsOf(deployment, bucket.tags);
    return new S3Archive(
        name,
        {
            ...(bucket.create
                ? {
                      bucket: {
                          ...bucket,
                          exists: takesBack(archive, deployment, from, aws),
                          lifecycle: { prefix, transitions: bucket.lifecycle },
                          tags: { ...tags, [stackTag]: aws.stack },
                      },
                  }
                : {}),
            rights: {
                bucketArn: bucketArnOf(region, bucket.name),
                prefix,
                readsObjectLock: kind === "auditArchive",
                kmsKeyArn,
            },
            credentials: {
                ...archive.credentials,
                regionByDefault: region,
                secretName: archive.secret?.name,
                roleName: archive.roleName,
            },
            serviceAccount: archive.serviceAccount,
            keyOf: { title: `kof:${kind}`, setting: `kof:${kind}.credentials` },
            tags,
            ...(archive.signals.length > 0
                ? { exporter: objectsBeside(deployment.catalog, deployment.values, archive) }
                : {}),
            onRegions:
                archive.regional &&
                objectsOnRegions(deployment.catalog, deployment.values, deployment.settings.istio, {
                    ...archive,
                    ...archive.regional,
                }),
            retry: retries[name],
            after: [kof],
        },
        options,
    );
}

/** The options and dependencies of the stack's resources. */
interface StackOptions {
    readonly providers: pulumi.ProviderResource[];
    readonly dependsOn: pulumi.Resource[];
}

function tagsOf({ settings }: Deployment, own: Readonly<Record<string, string>>): Record<string, string> {
    return { ...own, [clusterTag]: settings.clusterName, "managed-by": "pulumi" };
}

async function createCloudWatch(
    deployment: Deployment,
    wanted: CloudWatchParts,
    from: Deployment | undefined,
    aws: AwsFacts,
    options: StackOptions,
): Promise<CloudWatch> {
    const { CloudWatch } = await import("../components/cloudwatch.ts");
    const { region, keepLogGroups, kmsKeyArn, signals, serviceAccounts, central } = wanted;
    const tags = tagsOf(deployment, wanted.tags);
    return new CloudWatch(
        "cloudwatch",
        {
            region,
            regionBefore: from?.cloudwatch?.region,
            logGroups: declaredLogGroups(from, deployment, aws).map((group) => ({
                ...group,
                keep: keepLogGroups || !group.made,
                tags: { ...group.tags, ...tags, [stackTag]: aws.stack },
            })),
            kmsKeyArn,
            traces: signals.traces !== "none",
            metrics: signals.metrics === "otlp",
            credentials: {
                ...wanted.credentials,
                regionByDefault: region,
                secretName: cloudwatchSecretName,
                roleName: wanted.roleName,
            },
            assumes: central?.roleArn,
            serviceAccounts,
            tags,
        },
        options,
    );
}

/** What the stack remembers about its log groups, also on a route without log groups. */
function rememberedLogGroups(
    deployment: Deployment,
    from: Deployment | undefined,
    aws: AwsFacts,
): Pick<Deployed, "cloudwatch"> {
    const logGroup = deployment.cloudwatch?.logGroup ?? aws.logGroup;
    return logGroup === undefined ? {} : { cloudwatch: { logGroup, made: madeLogGroups(from, deployment, aws) } };
}

/**
 * Reads the credentials of a region, so a region that is not ready stops the preview. Otherwise the collectors would wait for the Secret
 * until Helm gives up.
 */
function vmuserSecret(
    { route }: Settings,
    regional: SettingsOf<"regional">["regional"],
    name: string,
    provider: KubernetesProvider,
): Secret {
    const region = `region ${regional.cluster} (ClusterDeployment ${regional.namespace}/${regional.cluster})`;
    // Pulumi's message about a missing Secret names only the Secret.
    void pulumi.log.info(
        `The collectors authenticate at ${region} with Secret ${kofNamespace}/${name}. If that "does not exist", KOF has not ` +
            `set up the region yet: check the names in kof:regional, deploy the region ` +
            `${route === "regional" ? "with another route first (kof:route: none)" : "without regional in kof:signals first"}, and come back when "kubectl get secret -n ${kofNamespace} ${name}" finds it.`,
    );
    return Secret.get("vmuser-credentials", `${kofNamespace}/${name}`, { provider });
}

/** Where each signal goes, human-readable. */
function describeDestinations(deployment: Deployment): Record<Signal, string> {
    return perSignal((signal) => destinationText(deployment.destinations[signal]));
}

/** Where each archive is. */
function describeArchives({ archives }: Deployment): Pick<Outputs, "archives"> {
    const places = archives.map(({ kind, bucket, prefix }) => [kind, `s3://${bucket.name}/${prefix}`] as const);
    return places.length > 0 ? { archives: Object.fromEntries(places) } : {};
}

/** The volumes of each workload, and their total, human-readable. */
function describeVolumes(deployment: Deployment): Record<string, string> {
    const rows = deployment.stores.map((store) => {
        const kept = [keptOf(store), ...(store.keptByDefault ? ["KOF's default"] : [])].filter((part) => part !== "");
        const content = `of ${contentOf(store)}${kept.length > 0 ? `, kept for ${kept.join(", ")}` : ""}`;
        return [store.workload, `${spaceOf(store)} ${content}`] as const;
    });
    return { ...Object.fromEntries(rows), total: `${String(Math.round(totalGiB(deployment.volumes)))}Gi` };
}

/** The command that removes each thing that deployments have left behind. */
function describeLeft(
    deployment: Deployment,
    change: Plan | undefined,
    deployed: Deployed | undefined,
): Pick<Outputs, "left"> {
    const left = leftoversUntil(deployment, change, deployed?.left);
    return left.length > 0 ? { left: Object.fromEntries(left.map(({ what, remove }) => [what, remove])) } : {};
}

/** KOF's own last step of each route, as one command. */
function verifyCommand(deployment: Deployment): string {
    const { cloudwatch } = deployment;
    // If only metrics or traces go there, there may be no group.
    const logGroup = cloudwatch?.logGroups[0]?.name;
    if (cloudwatch && logGroup !== undefined) {
        const { region, endpoint, logStream } = cloudwatch;
        const at = `--region ${region}${endpoint === undefined ? "" : ` --endpoint-url ${endpoint}`}`;
        // A stream whose name depends on node or collector cannot be named, only looked for.
        return logStream.includes("{")
            ? `aws logs filter-log-events ${at} --log-group-name ${logGroup} --max-items 1`
            : `aws logs get-log-events ${at} --log-group-name ${logGroup} --log-stream-name ${logStream} --limit 1`;
    }
    const collectors = deployment.collectors.length === 0 ? "" : ",opentelemetrycollectors";
    return `kubectl get helmreleases${collectors} -n ${kofNamespace}`;
}
