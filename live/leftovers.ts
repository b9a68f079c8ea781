import {
    CloudWatchLogsClient,
    DescribeLogGroupsCommand,
    ListTagsForResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";

import { clusterTag, formerLogGroup } from "../core/settings/logGroups";
import { removalBelow, type Leftover } from "../core/review/plan/leftovers";
import { helmReleasesPath, kofNamespace } from "../core/charts/namespace";
import { exporterService, kcmApi, kcmNamespace } from "../core/charts/multiCluster";
import { retentionText, secretCopies, type Archive } from "../core/routes/archives";
import type { Deployment } from "../core/routes/deployment";
import { answered, clientOptions, notAws } from "./awsClient";
import { clusterDeployments, regionsAmong, type ApiObject } from "./clusterDeployments";
import type { Live } from "./findings";
import { regionId, multiClusterServicePath, type MultiClusterService } from "./regions";
import { S3Bucket } from "./s3";
import { CouldNotCheck, couldNotCheck } from "../core/lib/errors";
import { maskedLog } from "../core/lib/secrets";

interface PersistentVolume extends ApiObject {
    readonly spec: {
        readonly capacity: { readonly storage: string };
        readonly claimRef?: { readonly namespace: string; readonly name: string };
    };
    readonly status?: { readonly phase?: string };
}

interface NamespaceObject {
    readonly status?: {
        readonly phase?: string;
        readonly conditions?: readonly { readonly status: string; readonly message?: string }[];
    };
}

interface Webhooks extends ApiObject {
    readonly webhooks?: readonly {
        readonly clientConfig: { readonly service?: { readonly namespace: string } };
    }[];
}

interface Definition extends ApiObject {
    readonly spec: { readonly group: string };
}

/** What is still there of a stack after `pulumi destroy`, or after a switch: kept on purpose, or left by another tool. */
export const leftovers: readonly ((live: Live) => Promise<readonly Leftover[]>)[] = [
    namespace,
    helmReleases,
    claims,
    volumes,
    definitions,
    webhooks,
    templates,
    onRegions,
    regionalVolumes,
    logGroups,
    buckets,
];

/** What was seen of several things, of which some could not be checked. */
export class PartlyChecked extends CouldNotCheck {
    constructor(
        readonly left: readonly Leftover[],
        readonly reasons: readonly string[],
    ) {
        super(reasons.join("; "));
    }
}

/** Looks at each of several things, side by side: one that cannot be checked, or in part only, hides none of the others. */
export async function leftoversOfEach<T>(
    all: readonly T[],
    look: (each: T) => Promise<readonly Leftover[]>,
): Promise<Pick<PartlyChecked, "left" | "reasons">> {
    const looks = all.map(async (each) => {
        const found = await look(each).catch(couldNotCheck);
        return found instanceof PartlyChecked
            ? found
            : found instanceof CouldNotCheck
              ? { left: [], reasons: [found.message] }
              : { left: found, reasons: [] };
    });
    const seen = await Promise.all(looks);
    return { left: seen.flatMap(({ left }) => left), reasons: [...new Set(seen.flatMap(({ reasons }) => reasons))] };
}

/** @throws PartlyChecked when some cannot be checked. */
async function leftoversOrThrow<T>(
    all: readonly T[],
    look: (each: T) => Promise<readonly Leftover[]>,
): Promise<readonly Leftover[]> {
    const { left, reasons } = await leftoversOfEach(all, look);
    if (reasons.length > 0) {
        throw new PartlyChecked(left, reasons);
    }
    return left;
}

const names = (objects: readonly ApiObject[]) => objects.map(({ metadata }) => metadata.name).join(" ");
const count = (objects: readonly unknown[], noun: string) =>
    `${String(objects.length)} ${noun}${objects.length === 1 ? "" : "s"}`;

/** What of a namespace that is being deleted holds that up: it is gone when whoever has to let go of it has done so. */
async function namespace({ kubernetes }: Live): Promise<Leftover[]> {
    const found = await kubernetes.get<NamespaceObject>(`/api/v1/namespaces/${kofNamespace}`);
    const held = (found?.status?.conditions ?? []).filter(({ status }) => status === "True");
    return found?.status?.phase !== "Terminating"
        ? []
        : [
              {
                  what: `namespace ${kofNamespace}, which is being deleted${held.map(({ message = "" }) => `. ${maskedLog(message)}`).join("")}`,
                  remove: `kubectl get namespace ${kofNamespace} -o yaml   # docs/destroying.md has how to find what holds it`,
              },
          ];
}

/** What an install by Helm keeps on purpose. The program did not make it. */
async function helmReleases({ kubernetes }: Live): Promise<Leftover[]> {
    const found = await kubernetes.list<ApiObject>(helmReleasesPath);
    return found.map(({ metadata: { name } }) => ({
        what: `HelmRelease ${kofNamespace}/${name}, and what it installed`,
        remove: `kubectl delete helmrelease -n ${kofNamespace} ${name}`,
    }));
}

async function claims({ kubernetes }: Live): Promise<Leftover[]> {
    const found = await kubernetes.list<ApiObject>(`/api/v1/namespaces/${kofNamespace}/persistentvolumeclaims`);
    return found.length === 0
        ? []
        : [
              {
                  what: `${count(found, "claim")} in namespace ${kofNamespace}, with their data`,
                  remove: `kubectl delete pvc -n ${kofNamespace} ${names(found)}`,
              },
          ];
}

/** Volumes whose claim is gone: those of a class with the reclaim policy `Retain`, and those that nobody could delete. */
async function volumes({ kubernetes }: Live): Promise<Leftover[]> {
    const found = (await kubernetes.list<PersistentVolume>("/api/v1/persistentvolumes")).filter(
        ({ spec, status }) =>
            spec.claimRef?.namespace === kofNamespace && ["Released", "Failed"].includes(status?.phase ?? ""),
    );
    return found.map(({ metadata: { name }, spec }) => ({
        what: `volume ${name} of ${spec.capacity.storage}, which was ${spec.claimRef?.name ?? ""}`,
        remove: `kubectl delete pv ${name}   # then the disk, where its driver leaves it`,
    }));
}

/** KOF keeps them, because their objects would go with them (`crds.cleanup.enabled: false` of victoria-metrics-operator). */
async function definitions({ kubernetes }: Live): Promise<Leftover[]> {
    const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const found = (await kubernetes.list<Definition>(path)).filter(
        ({ spec }) => spec.group === "operator.victoriametrics.com",
    );
    return found.length === 0
        ? []
        : [
              {
                  what: `${count(found, "CustomResourceDefinition")} of VictoriaMetrics, with every object of theirs on this cluster, other teams' too`,
                  remove: `kubectl delete crd ${names(found)}`,
              },
          ];
}

/** What the API server still asks before it makes an object, although nobody answers any more: it then refuses pods, of all teams. */
async function webhooks({ kubernetes }: Live): Promise<readonly Leftover[]> {
    return leftoversOrThrow(["validatingwebhookconfigurations", "mutatingwebhookconfigurations"], async (kind) => {
        const all = await kubernetes.list<Webhooks>(`/apis/admissionregistration.k8s.io/v1/${kind}`);
        const found = all.filter(({ webhooks: each = [] }) =>
            each.some(({ clientConfig }) => clientConfig.service?.namespace === kofNamespace),
        );
        return found.length === 0
            ? []
            : [
                  {
                      what: `${count(found, kind.slice(0, -1))} that a service in namespace ${kofNamespace} answers`,
                      remove: `kubectl delete ${kind} ${names(found)}`,
                  },
              ];
    });
}

/** KOF marks them to be kept (`helm.sh/resource-policy: keep`, templates/k0rdent/kof/svctmpl.yaml of kof-mothership). */
async function templates({ kubernetes }: Live): Promise<readonly Leftover[]> {
    return leftoversOrThrow(["servicetemplatechains", "servicetemplates"], async (kind) => {
        const all = await kubernetes.list<ApiObject>(`${kcmApi}/namespaces/kcm-system/${kind}`);
        const found = all.filter(({ metadata }) =>
            metadata.annotations?.["meta.helm.sh/release-name"]?.startsWith("kof-"),
        );
        return found.length === 0
            ? []
            : [
                  {
                      what: `${count(found, kind.slice(0, -1))} of KOF`,
                      remove: `kubectl delete ${kind} -n kcm-system ${names(found)}`,
                  },
              ];
    });
}

/** What has KCM install something on regions, which is gone only when every region has been reached. */
async function onRegions({ kubernetes, deployment }: Live): Promise<Leftover[]> {
    const { settings, archives, catalog, values } = deployment;
    const exporters = archives.filter(({ regional }) => regional).map(({ name }) => name);
    const wanted = [...exporters.map(exporterService), ...secretCopies(settings).map(({ name }) => `${name}-remote`)];
    if (wanted.length === 0) {
        return [];
    }
    const services = await Promise.all(
        wanted.map((name) => kubernetes.get<MultiClusterService>(multiClusterServicePath(name))),
    );
    const namespace = kcmNamespace(catalog, values);
    const templatesFound = await kubernetes.list<ApiObject>(`${kcmApi}/namespaces/${namespace}/servicetemplates`);
    return [
        ...services.flatMap((found) => {
            const on = found?.status?.matchingClusters ?? [];
            return found === undefined
                ? []
                : [
                      {
                          what: `MultiClusterService ${found.metadata.name}, and what KCM installed by it on ${count(on, "regional cluster")}`,
                          remove: `kubectl delete multiclusterservice ${found.metadata.name}   # it goes when KCM has reached each of them`,
                      },
                  ];
        }),
        ...templatesFound
            .filter(({ metadata: { name } }) => exporters.some((each) => name.startsWith(`${each}-`)))
            .map(({ metadata: { name } }) => ({
                what: `ServiceTemplate ${namespace}/${name}`,
                remove: `kubectl delete servicetemplate -n ${namespace} ${name}`,
            })),
    ];
}

/** Volumes on other clusters are not seen from here, and nothing deletes them with KOF. */
async function regionalVolumes({ kubernetes, deployment }: Live): Promise<Leftover[]> {
    const { regionalStores, settings } = deployment;
    const there =
        settings.regions && regionalStores.length > 0 ? regionsAmong(await clusterDeployments(kubernetes)) : [];
    if (there.length > 0) {
        throw new CouldNotCheck(
            `the volumes of what KOF has stored on ${there.map(regionId).join(", ")}, which stay there when KOF is taken off: ` +
                `kubectl --context REGION get pvc -n ${kofNamespace}`,
        );
    }
    return [];
}

/** The log groups that are tagged as this cluster's: another's may have the same name. */
export async function logGroups({ deployment, aws }: Live): Promise<readonly Leftover[]> {
    if (!deployment.cloudwatch) {
        return [];
    }
    const { region } = deployment.cloudwatch;
    const client = new CloudWatchLogsClient(clientOptions(deployment.cloudwatch, aws));
    const look = async (name: string, limit: object): Promise<Leftover[]> => {
        const found = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }), limit);
        if (!found.logGroups) {
            throw new CouldNotCheck(notAws());
        }
        const group = found.logGroups.find(({ logGroupName }) => logGroupName === name);
        const resourceArn = group?.logGroupArn ?? group?.arn?.replace(/:\*$/, "");
        const { tags = {} } = group ? await client.send(new ListTagsForResourceCommand({ resourceArn }), limit) : {};
        return group && tags[clusterTag] === deployment.settings.clusterName
            ? [
                  {
                      what: `log group ${name} in ${region}, ${String(group.storedBytes ?? 0)} bytes`,
                      remove: `aws logs delete-log-group --region ${region} --log-group-name ${name}`,
                  },
              ]
            : [];
    };
    try {
        return await leftoversOrThrow(namesOf(deployment), (name) =>
            answered(`AWS does not list log group ${name}`, (limit) => look(name, limit), aws),
        );
    } finally {
        client.destroy();
    }
}

/** The archives' buckets that were made for this cluster, and what the archives of others' buckets hold. */
export async function buckets(live: Live): Promise<readonly Leftover[]> {
    return leftoversOrThrow(live.deployment.archives, (archive) => archived(archive, live));
}

async function archived(archive: Archive, live: Live): Promise<Leftover[]> {
    const { prefix } = archive;
    const { name, region, endpoint, create } = archive.bucket;
    const bucket = await S3Bucket.of(archive, live);
    try {
        const state = await bucket.state();
        if (state.is === "closed") {
            throw new CouldNotCheck(`bucket ${name} is of another account, or you may not see it (403)`);
        }
        if (state.is === "elsewhere") {
            throw new CouldNotCheck(
                `bucket ${name} is not in ${region} but in ${state.region ?? "another region"}, and nobody looks at it there`,
            );
        }
        if (state.is === "absent") {
            return [];
        }
        const isOwn = create && (await bucket.tags())[clusterTag] === live.deployment.settings.clusterName;
        const objects = await bucket.objects(`${prefix}/`, 1);
        // A store that is not AWS's is asked with its exporter's keys, which may not see them.
        const hidden = objects.length === 0 && endpoint === undefined && (await bucket.hasVersions(`${prefix}/`));
        const isEmpty = objects.length === 0 && !hidden;
        if (!isOwn && isEmpty) {
            return [];
        }
        const retention = (await bucket.lock())?.retention;
        const locked =
            retention && !isEmpty
                ? `, each object of which is locked by ${retentionText(retention)} from when it was written`
                : "";
        const where = endpoint === undefined ? `--region ${region}` : `--endpoint-url ${endpoint}`;
        return [
            isOwn
                ? {
                      what: `bucket ${name} in ${region}, ${isEmpty ? `with nothing below ${prefix}/` : hidden ? `with versions of deleted objects below ${prefix}/` : "with what was archived there"}${locked}`,
                      remove: `aws s3api delete-bucket ${where} --bucket ${name}   # once no version of any object is left in it`,
                  }
                : {
                      what: `${hidden ? "versions of deleted objects" : "objects"} below ${prefix}/ in bucket ${name}, of every cluster that archives there${locked}`,
                      remove: removalBelow(archive),
                  },
        ];
    } finally {
        bucket.close();
    }
}

/** The names of a stack's log groups. Where its stack file names none, it may have been deployed with the former default. */
function namesOf({ settings, cloudwatch }: Deployment): string[] {
    const names = (cloudwatch?.logGroups ?? []).map(({ name }) => name);
    if (!cloudwatch || settings.cloudwatch?.logGroup !== undefined) {
        return names;
    }
    return [...new Set([...names, ...names.map((name) => name.replace(cloudwatch.logGroup, formerLogGroup))])];
}
