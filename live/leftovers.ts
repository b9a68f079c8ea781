import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";

import { clusterTag, formerLogGroup } from "../core/settings/logGroups";
import { removalBelow, type Leftover } from "../core/review/plan/leftovers";
import { helmReleasesPath, kofNamespace } from "../core/charts/namespace";
import { exporterService, kcmApi, kcmNamespace } from "../core/charts/multiCluster";
import { retentionText, secretCopies, type Archive } from "../core/routes/archives";
import type { Deployment } from "../core/routes/deployment";
import { answered, clientOptions, notAws } from "./awsClient";
import { clusterDeployments, regionsAmong } from "./clusterDeployments";
import type { Live } from "./findings";
import { regionId, multiClusterServicePath, type MultiClusterService } from "./regions";
import { claimsPath, type ApiObject, type StatusCondition } from "./objects";
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
        readonly conditions?: readonly StatusCondition[];
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

/** What a look sees: nothing, one thing, or several, some of which could not be checked. */
type LookResult = Leftover | CouldNotCheck | readonly LookResult[] | false | undefined;
type LeftoverLook = (live: Live) => Promise<LookResult>;

/** What is still there of a stack after `pulumi destroy`, or after a switch: kept on purpose, or left by another tool. */
export const leftovers: readonly LeftoverLook[] = [
    namespace,
    helmReleases,
    claims,
    volumes,
    definitions,
    ...["validatingwebhookconfigurations", "mutatingwebhookconfigurations"].map(webhooks),
    ...["servicetemplatechains", "servicetemplates"].map(templates),
    onRegions,
    regionalVolumes,
    logGroups,
    buckets,
];

/** Looks side by side. One that fails hides none of the others: `reasons` says what could not be checked, each once. */
export async function leftoversFound(
    looks: readonly LeftoverLook[],
    live: Live,
): Promise<{ readonly left: readonly Leftover[]; readonly reasons: readonly string[] }> {
    const found = flat(await Promise.all(looks.map((look) => look(live).catch(couldNotCheck))));
    return {
        left: found.flatMap((each) => (each instanceof CouldNotCheck ? [] : each)),
        reasons: [...new Set(found.flatMap((each) => (each instanceof CouldNotCheck ? each.message : [])))],
    };
}

function flat(found: LookResult): readonly (Leftover | CouldNotCheck)[] {
    return !found ? [] : found instanceof CouldNotCheck || "what" in found ? [found] : found.flatMap(flat);
}

const count = (objects: readonly unknown[], noun: string) =>
    `${String(objects.length)} ${noun}${objects.length === 1 ? "" : "s"}`;

/** Objects that one command removes. */
function together(found: readonly ApiObject[], noun: string, about: string, kind: string): LookResult {
    return (
        found.length > 0 && {
            what: `${count(found, noun)} ${about}`,
            remove: `kubectl delete ${kind} ${found.map(({ metadata }) => metadata.name).join(" ")}`,
        }
    );
}

/** What of a namespace that is being deleted holds that up: it is gone when whoever has to let go of it has done so. */
async function namespace({ kubernetes }: Live): Promise<LookResult> {
    const found = await kubernetes.get<NamespaceObject>(`/api/v1/namespaces/${kofNamespace}`);
    const held = (found?.status?.conditions ?? []).filter(({ status }) => status === "True");
    return (
        found?.status?.phase === "Terminating" && {
            what: `namespace ${kofNamespace}, which is being deleted${held.map(({ message = "" }) => `. ${maskedLog(message)}`).join("")}`,
            remove: `kubectl get namespace ${kofNamespace} -o yaml   # docs/destroying.md has how to find what holds it`,
        }
    );
}

/** What an install by Helm keeps on purpose. The program did not make it. */
async function helmReleases({ kubernetes }: Live): Promise<LookResult> {
    const found = await kubernetes.list<ApiObject>(helmReleasesPath);
    return found.map(({ metadata: { name } }) => ({
        what: `HelmRelease ${kofNamespace}/${name}, and what it installed`,
        remove: `kubectl delete helmrelease -n ${kofNamespace} ${name}`,
    }));
}

async function claims({ kubernetes }: Live): Promise<LookResult> {
    const found = await kubernetes.list<ApiObject>(claimsPath);
    return together(found, "claim", `in namespace ${kofNamespace}, with their data`, `pvc -n ${kofNamespace}`);
}

/** Volumes whose claim is gone: those of a class with the reclaim policy `Retain`, and those that nobody could delete. */
async function volumes({ kubernetes }: Live): Promise<LookResult> {
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
async function definitions({ kubernetes }: Live): Promise<LookResult> {
    const all = await kubernetes.list<Definition>("/apis/apiextensions.k8s.io/v1/customresourcedefinitions");
    const found = all.filter(({ spec }) => spec.group === "operator.victoriametrics.com");
    const about = "of VictoriaMetrics, with every object of theirs on this cluster, other teams' too";
    return together(found, "CustomResourceDefinition", about, "crd");
}

/** What the API server still asks before it makes an object, although nobody answers any more: it then refuses pods, of all teams. */
function webhooks(kind: string): LeftoverLook {
    return async ({ kubernetes }) => {
        const all = await kubernetes.list<Webhooks>(`/apis/admissionregistration.k8s.io/v1/${kind}`);
        const found = all.filter(({ webhooks: each = [] }) =>
            each.some(({ clientConfig }) => clientConfig.service?.namespace === kofNamespace),
        );
        return together(found, kind.slice(0, -1), `that a service in namespace ${kofNamespace} answers`, kind);
    };
}

/** KOF marks them to be kept (`helm.sh/resource-policy: keep`, templates/k0rdent/kof/svctmpl.yaml of kof-mothership). */
function templates(kind: string): LeftoverLook {
    return async ({ kubernetes }) => {
        const all = await kubernetes.list<ApiObject>(`${kcmApi}/namespaces/kcm-system/${kind}`);
        const found = all.filter(({ metadata }) =>
            metadata.annotations?.["meta.helm.sh/release-name"]?.startsWith("kof-"),
        );
        return together(found, kind.slice(0, -1), "of KOF", `${kind} -n kcm-system`);
    };
}

/** What has KCM install something on regions, which is gone only when every region has been reached. */
async function onRegions({ kubernetes, deployment }: Live): Promise<LookResult> {
    const { settings, archives, catalog, values } = deployment;
    const exporters = archives.filter(({ regional }) => regional).map(({ name }) => name);
    const wanted = [...exporters.map(exporterService), ...secretCopies(settings).map(({ name }) => `${name}-remote`)];
    if (wanted.length === 0) {
        return undefined;
    }
    const services = await Promise.all(
        wanted.map((name) => kubernetes.get<MultiClusterService>(multiClusterServicePath(name))),
    );
    const namespace = kcmNamespace(catalog, values);
    const templatesFound = await kubernetes.list<ApiObject>(`${kcmApi}/namespaces/${namespace}/servicetemplates`);
    return [
        services.map(
            (found) =>
                found && {
                    what: `MultiClusterService ${found.metadata.name}, and what KCM installed by it on ${count(found.status?.matchingClusters ?? [], "regional cluster")}`,
                    remove: `kubectl delete multiclusterservice ${found.metadata.name}   # it goes when KCM has reached each of them`,
                },
        ),
        templatesFound
            .filter(({ metadata: { name } }) => exporters.some((each) => name.startsWith(`${each}-`)))
            .map(({ metadata: { name } }) => ({
                what: `ServiceTemplate ${namespace}/${name}`,
                remove: `kubectl delete servicetemplate -n ${namespace} ${name}`,
            })),
    ];
}

/** Volumes on other clusters are not seen from here, and nothing deletes them with KOF. */
async function regionalVolumes({ kubernetes, deployment: { regionalStores, settings } }: Live): Promise<LookResult> {
    const there =
        settings.regions && regionalStores.length > 0 ? regionsAmong(await clusterDeployments(kubernetes)) : [];
    return (
        there.length > 0 &&
        new CouldNotCheck(
            `the volumes of what KOF has stored on ${there.map(regionId).join(", ")}, which stay there when KOF is taken off: ` +
                `kubectl --context REGION get pvc -n ${kofNamespace}`,
        )
    );
}

/** The log groups that are tagged as this cluster's: another's may have the same name. */
export async function logGroups({ deployment, aws }: Live): Promise<LookResult> {
    if (!deployment.cloudwatch) {
        return undefined;
    }
    const { region } = deployment.cloudwatch;
    const logs = new CloudWatchLogs(clientOptions(deployment.cloudwatch, aws));
    const look = async (name: string, limit: object): Promise<LookResult> => {
        const found = await logs.describeLogGroups({ logGroupNamePrefix: name }, limit);
        if (!found.logGroups) {
            throw new CouldNotCheck(notAws());
        }
        const group = found.logGroups.find(({ logGroupName }) => logGroupName === name);
        const resourceArn = group?.logGroupArn ?? group?.arn?.replace(/:\*$/, "");
        const { tags = {} } = group ? await logs.listTagsForResource({ resourceArn }, limit) : {};
        return (
            group &&
            tags[clusterTag] === deployment.settings.clusterName && {
                what: `log group ${name} in ${region}, ${String(group.storedBytes ?? 0)} bytes`,
                remove: `aws logs delete-log-group --region ${region} --log-group-name ${name}`,
            }
        );
    };
    try {
        return await Promise.all(
            namesOf(deployment).map((name) =>
                answered(`AWS does not list log group ${name}`, (limit) => look(name, limit), aws).catch(couldNotCheck),
            ),
        );
    } finally {
        logs.destroy();
    }
}

/** The archives' buckets that were made for this cluster, and what the archives of others' buckets hold. */
export async function buckets(live: Live): Promise<LookResult> {
    return Promise.all(
        live.deployment.archives.map((archive) =>
            S3Bucket.use(archive, live, (bucket) => archived(archive, bucket, live)).catch(couldNotCheck),
        ),
    );
}

async function archived(archive: Archive, bucket: S3Bucket, { deployment }: Live): Promise<LookResult> {
    const { prefix } = archive;
    const { name, region, endpoint, create } = archive.bucket;
    const state = await bucket.state();
    if (state.is === "closed") {
        return new CouldNotCheck(`bucket ${name} is of another account, or you may not see it (403)`);
    }
    if (state.is === "elsewhere") {
        return new CouldNotCheck(
            `bucket ${name} is not in ${region} but in ${state.region ?? "another region"}, and nobody looks at it there`,
        );
    }
    if (state.is === "absent") {
        return undefined;
    }
    const isOwn = create && (await bucket.tags())[clusterTag] === deployment.settings.clusterName;
    const objects = await bucket.objects(`${prefix}/`, 1);
    // A store that is not AWS's is asked with its exporter's keys, which may not see them.
    const hidden = objects.length === 0 && endpoint === undefined && (await bucket.hasVersions(`${prefix}/`));
    const isEmpty = objects.length === 0 && !hidden;
    if (!isOwn && isEmpty) {
        return undefined;
    }
    const retention = (await bucket.lock())?.retention;
    const locked =
        retention && !isEmpty
            ? `, each object of which is locked by ${retentionText(retention)} from when it was written`
            : "";
    const where = endpoint === undefined ? `--region ${region}` : `--endpoint-url ${endpoint}`;
    return isOwn
        ? {
              what: `bucket ${name} in ${region}, ${isEmpty ? `with nothing below ${prefix}/` : hidden ? `with versions of deleted objects below ${prefix}/` : "with what was archived there"}${locked}`,
              remove: `aws s3api delete-bucket ${where} --bucket ${name}   # once no version of any object is left in it`,
          }
        : {
              what: `${hidden ? "versions of deleted objects" : "objects"} below ${prefix}/ in bucket ${name}, of every cluster that archives there${locked}`,
              remove: removalBelow(archive),
          };
}

/** The names of a stack's log groups. Where its stack file names none, it may have been deployed with the former default. */
function namesOf({ settings, cloudwatch }: Deployment): string[] {
    const names = (cloudwatch?.logGroups ?? []).map(({ name }) => name);
    if (!cloudwatch || settings.cloudwatch?.logGroup !== undefined) {
        return names;
    }
    return [...new Set([...names, ...names.map((name) => name.replace(cloudwatch.logGroup, formerLogGroup))])];
}
