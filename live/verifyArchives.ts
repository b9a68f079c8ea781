import { createHmac, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { exporterCharts } from "../core/charts/archives";
import { exporterService } from "../core/charts/multiCluster";
import { kofNamespace } from "../core/charts/namespace";
import { secondsOf } from "../core/lib/durations";
import { CouldNotCheck } from "../core/lib/errors";
import { isMap } from "../core/lib/values";
import { archiveOfRegion, type Archive, type RegionalExporter } from "../core/routes/archives";
import { clusterDeployments, type RegionalCluster } from "./clusterDeployments";
import { cronJobOf, suspended, type CronJob } from "./cronJobs";
import { maskedFinding, unchecked, type Finding, type Live, type Result } from "./findings";
import { jsonObject, persistently } from "./http";
import { statusText, type Kubernetes } from "./kubernetes";
import { podsPath, type StatusCondition } from "./objects";
import { containerFault, lastLines, type Pod } from "./pods";
import { archivedRegions, regionId, multiClusterServicePath, unselected, type MultiClusterService } from "./regions";
import { S3Bucket, type S3Object } from "./s3";

/** Options of {@link verifyArchives}. */
interface ArchiveVerifyOptions {
    /** Milliseconds that an exporter may take. Its first run exports a whole day. */
    readonly timeout: number;
    /** Ends it all, after what was made is removed. */
    readonly stop: AbortSignal;
    /** Receives the archives that are not finished. */
    readonly waiting?: ((titles: readonly string[], seconds: number) => void) | undefined;
}

/** How often to look again, in milliseconds. */
const interval = 2000;

/**
 * Runs the exporter of each archive once, and looks for what it has to have written of the last complete hour: whole, and signed.
 * Leaves nothing in the cluster. What is in the bucket stays.
 */
export async function verifyArchives(live: Live, options: ArchiveVerifyOptions): Promise<Result[]> {
    const archives = live.deployment.archives.filter(({ signals }) => signals.length > 0);
    const pending = new Set(archives.map(titleOf));
    const started = Date.now();
    const progress = setInterval(() => {
        options.waiting?.([...pending], Math.round((Date.now() - started) / 1000));
    }, 1000);
    try {
        const own = archives.map(async (archive) => {
            const result = await verifyArchive(archive, live, options);
            pending.delete(titleOf(archive));
            return [result];
        });
        const regional = live.deployment.archives.map((archive) => verifyOnRegions(archive, live));
        const results = (await Promise.all([...own, ...regional])).flat();
        return results.map(({ title, findings }) => ({ title, findings: findings.map(maskedFinding) }));
    } finally {
        clearInterval(progress);
    }
}

function titleOf({ kind }: Archive): string {
    return `archive ${kind}`;
}

/** Milliseconds that a run on a region may take after its hour, and that a new exporter may take until its first run. */
const [runTime, startTime] = [15 * 60_000, 2 * 3_600_000];

/**
 * What an archive has of each region. Nothing is run there, for nobody reaches a region from here: the exporter has archived the last
 * complete hour by itself, or not.
 */
async function verifyOnRegions(archive: Archive, live: Live): Promise<Result[]> {
    const { regional, name } = archive;
    if (regional === undefined) {
        return [];
    }
    const title = `${titleOf(archive)} of regions`;
    try {
        const service = exporterService(name);
        const [clusters, object] = await Promise.all([
            clusterDeployments(live.kubernetes),
            live.kubernetes.get<MultiClusterService>(multiClusterServicePath(service)),
        ]);
        const problem = (what: string, fix: string): Finding => ({
            severity: "problem",
            what,
            why: "Nothing of it is archived, and what its store deletes meanwhile is archived nowhere.",
            fix,
        });
        if (!object) {
            const what = `there is no MultiClusterService ${service}`;
            return [{ title, findings: [problem(what, "pulumi up")] }];
        }
        const there = archivedRegions(clusters, live.deployment, regional.regions);
        const lacking = unselected(clusters, live.deployment, regional.regions);
        const unknown = lacking.map((region) => ({
            title: `${titleOf(archive)} of region ${region}`,
            findings: [problem(`KCM selects no regional cluster ${region}`, "npm run doctor")],
        }));
        const isNew = ({ created }: RegionalCluster) =>
            [object.metadata.creationTimestamp, created].some(
                (since) => Date.now() - Date.parse(since ?? "") < startTime,
            );
        const found = await Promise.all(
            there.map((region) => verifyRegion(archive, regional, region, isNew(region), live)),
        );
        const none = { title: `${title}: there is no regional cluster yet`, findings: [] };
        return found.length + unknown.length === 0 ? [none] : [...unknown, ...found];
    } catch (error) {
        return [{ title, findings: [unchecked(error, "kubectl get clusterdeployments,multiclusterservices -A")] }];
    }
}

async function verifyRegion(
    archive: Archive,
    regional: RegionalExporter,
    region: RegionalCluster,
    isNew: boolean,
    live: Live,
): Promise<Result> {
    const hour = lastHour(new Date(Date.now() - runTime), undefined);
    const { title, findings } = await hourResult(
        `${titleOf(archive)} of region ${regionId(region)}`,
        archiveOfRegion(archive, regional, region),
        hour,
        live,
        {
            severity: isNew ? "unknown" : "problem",
            why: `The exporter ${isNew ? "is new there, or " : ""}did not run on the region, found none in its store, or may not write. From here only the bucket is seen.`,
            fix: `kubectl get cronjobs,jobs,pods -n ${kofNamespace}`,
        },
    );
    // The region has a cluster of its own.
    const there = (fix: string) => fix.replace(/^kubectl /, `kubectl --context ${region.name} `);
    return { title, findings: findings.map((each) => ({ ...each, fix: there(each.fix) })) };
}

/**
 * What an archive has of an hour. Where nothing is wrong, the title says what was found.
 *
 * @param ofNothing what to say otherwise where there is nothing of a signal.
 * @param cluster the one that it has to have, where that is known.
 */
async function hourResult(
    title: string,
    archive: Archive,
    hour: Date,
    live: Live,
    ofNothing: Partial<Finding>,
    cluster?: string,
): Promise<Result> {
    try {
        const found = await S3Bucket.use(archive, live, (bucket) =>
            archive.kind === "coldStorage"
                ? coldHour(archive, bucket, hour, cluster)
                : auditHour(archive, bucket, hour),
        );
        const lacking = found.nothingOf.map((what) => ({ ...missing(what, archive, hour), ...ofNothing }));
        const findings = [...lacking, ...found.findings];
        return { title: findings.length === 0 ? `${title}: ${found.proof}` : title, findings };
    } catch (error) {
        return { title, findings: [unchecked(error, byHand(archive, error))] };
    }
}

/** What to try where an archive cannot be read. Who may list may still not read, or not use the key that encrypts. */
function byHand({ bucket: { name, endpoint, region }, prefix }: Archive, error: unknown): string {
    const where = endpoint === undefined ? `--region ${region}` : `--endpoint-url ${endpoint}`;
    const [, key] = /: GetObject of (.+): HTTP /.exec((error as Error).message) ?? [];
    return key === undefined
        ? `aws s3 ls ${where} s3://${name}/${prefix}/`
        : `aws s3 cp ${where} s3://${name}/${key} -`;
}

interface Job {
    readonly status?: { readonly startTime?: string; readonly conditions?: readonly StatusCondition[] };
}

const jobs = `/apis/batch/v1/namespaces/${kofNamespace}/jobs`;
const json = { "content-type": "application/json" };

async function verifyArchive(archive: Archive, live: Live, options: ArchiveVerifyOptions): Promise<Result> {
    const title = titleOf(archive);
    const rerun = `kubectl create job -n ${kofNamespace} --from=cronjob/${archive.name} ${archive.name}-by-hand`;
    const findings: Finding[] = [];
    let [cronJob, begun]: [CronJob | undefined, Date] = [undefined, new Date()];
    try {
        cronJob = await cronJobOf(archive, live.kubernetes);
        if (!cronJob) {
            const what = `there is no CronJob ${kofNamespace}/${archive.name}`;
            const why = "Nothing is archived, and what the store deletes meanwhile is archived nowhere.";
            return { title, findings: [{ severity: "problem", what, why, fix: "pulumi up" }] };
        }
        if (cronJob.spec.suspend === true) {
            findings.push(suspended(archive));
        }
        const ran = await runOnce(cronJob, archive, live.kubernetes, options);
        begun = ran.begun;
        if (ran.failed !== undefined) {
            findings.push({
                severity: ran.isOver ? "problem" : "unknown",
                what: ran.failed,
                why: ran.isOver
                    ? "Hours are archived later or, once the store has deleted them, never."
                    : "The command did not wait for its end.",
                fix: `${rerun} && kubectl logs -n ${kofNamespace} -f job/${archive.name}-by-hand`,
            });
        }
    } catch (error) {
        findings.push(unchecked(error, `kubectl auth can-i create jobs -n ${kofNamespace}`));
    }
    if (options.stop.aborted) {
        return { title, findings };
    }
    const hour = lastHour(begun, cronJob);
    const isNew = Date.parse(cronJob?.metadata.creationTimestamp ?? "") > hour.getTime();
    // A stack that is younger than the hour may have had nothing to archive in it.
    const why =
        "The exporter is younger than that hour, of which the stores may have nothing. Look again after the next one.";
    const ofNothing = isNew ? ({ severity: "unknown", why } as const) : {};
    const found = await hourResult(title, archive, hour, live, ofNothing, ownCluster(archive, live));
    return findings.length === 0 ? found : { title, findings: [...findings, ...found.findings] };
}

/** How a run of an exporter ended. */
interface Run {
    readonly begun: Date;
    /** What is wrong; `undefined` where it succeeded. */
    readonly failed?: string;
    readonly isOver: boolean;
}

/** The exporter's own run where there is one, as two at a time would write over each other; or else one that is made and removed. */
async function runOnce(
    cronJob: CronJob,
    archive: Archive,
    kubernetes: Kubernetes,
    options: ArchiveVerifyOptions,
): Promise<Run> {
    const [active] = cronJob.status?.active ?? [];
    if (active) {
        return awaitJob(active.name, archive, kubernetes, options);
    }
    const name = `${archive.name}-verify-${randomBytes(4).toString("hex")}`;
    let mayBeThere = true;
    try {
        const body = JSON.stringify(jobOf(cronJob, name));
        let times = 0;
        const make = () => {
            times += 1;
            return kubernetes.request("POST", jobs, { headers: json, body });
        };
        const made = await persistently(make);
        // That it is there already is what the request before did.
        if (made.status !== 201 && !(made.status === 409 && times > 1)) {
            mayBeThere = made.status >= 500;
            throw new CouldNotCheck(`POST ${jobs}: ${statusText(made)}`);
        }
        const run = await awaitJob(name, archive, kubernetes, options);
        // Where nobody can overwrite what was written, an hour whose data is there without its manifest is never archived again
        // (`exportWindow` of `internal/audit/manifest.go`). Such a run ends by itself, and Kubernetes removes it.
        mayBeThere = run.isOver || archive.bucket.objectLock === undefined;
        return run;
    } finally {
        if (mayBeThere) {
            await removeJob(name, kubernetes);
        }
    }
}

/** Seconds after its end until Kubernetes removes the Job, if this command does not. */
const removedAfter = 600;

/**
 * The Job that `kubectl create job --from=cronjob/NAME` makes; but that its pod is not started again, so that there is a log to
 * read.
 */
function jobOf({ metadata, spec: { jobTemplate } }: CronJob, name: string): object {
    const { spec, metadata: { labels, annotations } = {} } = jobTemplate;
    return {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: {
            name,
            namespace: kofNamespace,
            ...(labels === undefined ? {} : { labels }),
            annotations: { ...annotations, "cronjob.kubernetes.io/instantiate": "manual" },
            ownerReferences: [
                { apiVersion: "batch/v1", kind: "CronJob", name: metadata.name, uid: metadata.uid, controller: true },
            ],
        },
        spec: {
            ...spec,
            backoffLimit: 0,
            ttlSecondsAfterFinished: removedAfter,
            template: { ...spec.template, spec: { ...spec.template.spec, restartPolicy: "Never" } },
        },
    };
}

async function removeJob(name: string, kubernetes: Kubernetes): Promise<void> {
    const path = `${jobs}/${name}?propagationPolicy=Background`;
    const answer = await persistently(() => kubernetes.request("DELETE", path));
    if (answer.status >= 300 && answer.status !== 404) {
        throw new CouldNotCheck(
            `DELETE ${path}: ${statusText(answer)}. Kubernetes removes Job ${name} ` +
                `${String(removedAfter / 60)} minutes after its end`,
        );
    }
}

async function awaitJob(
    name: string,
    { name: container }: Archive,
    kubernetes: Kubernetes,
    { timeout, stop }: ArchiveVerifyOptions,
): Promise<Run> {
    const deadline = Date.now() + timeout;
    let begun = new Date();
    for (;;) {
        const job = await kubernetes.get<Job>(`${jobs}/${name}`);
        begun = new Date(Date.parse(job?.status?.startTime ?? "") || begun.getTime());
        const over = job?.status?.conditions?.find(
            ({ type, status }) => status === "True" && ["Complete", "Failed"].includes(type),
        );
        if (!job) {
            return { begun, failed: `Job ${name} is gone before its end`, isOver: true };
        }
        if (over?.type === "Complete") {
            return { begun, isOver: true };
        }
        const own = `${podsPath}?labelSelector=${encodeURIComponent(`batch.kubernetes.io/job-name=${name}`)}`;
        const [pod] = await kubernetes.list<Pod>(own);
        if (over) {
            const lines = pod ? await lastLines(kubernetes, pod.metadata.name, container) : [];
            const why = over.message ?? over.reason;
            const log = lines.length > 0 ? `Its last lines:\n${lines.join("\n")}` : "It has no log to read.";
            const failed = `the exporter failed${why === undefined ? "" : `: ${why}`}. ${log}`;
            return { begun, failed, isOver: true };
        }
        for (const status of pod?.status?.containerStatuses ?? []) {
            const fault = await containerFault(kubernetes, pod?.metadata.name ?? "", status);
            if (fault) {
                return { begun, failed: `pod ${pod?.metadata.name ?? ""} does not start${fault.what}`, isOver: true };
            }
        }
        if (stop.aborted || Date.now() > deadline) {
            const unscheduled = pod?.status?.conditions?.find(({ type }) => type === "PodScheduled");
            const waits = unscheduled?.status === "False" ? `: its pod has no node: ${unscheduled.message ?? ""}` : "";
            const seconds = String(Math.round(timeout / 1000));
            return { begun, failed: `the exporter did not come to its end in ${seconds} s${waits}`, isOver: false };
        }
        await sleep(interval, undefined, { signal: stop }).catch(() => undefined);
    }
}

const hourMs = 3_600_000;
/** How long after an hour its export begins (`exportDelay` of both charts). */
const delayByDefault = "5m";

/** The start of the last hour that an exporter exports, as it works it out itself (`Run` of both `exporter.go`). */
export function lastHour(now: Date, cronJob: Pick<CronJob, "spec"> | undefined): Date {
    const env = cronJob?.spec.jobTemplate.spec.template.spec.containers.flatMap((each) => each.env ?? []) ?? [];
    const given = secondsOf(env.find(({ name }) => name === "EXPORT_DELAY")?.value ?? delayByDefault);
    const delay = (Number.isNaN(given) ? secondsOf(delayByDefault) : given) * 1000;
    const full = Math.floor(now.getTime() / hourMs) * hourMs;
    return new Date(full - (now.getTime() - full < delay ? 2 : 1) * hourMs);
}

/** What was found of an hour. */
interface FoundOfHour {
    /** What it proves, where nothing is wrong. */
    readonly proof: string;
    /** What has no objects. There may have been nothing to archive. */
    readonly nothingOf: readonly string[];
    readonly findings: readonly Finding[];
}

function missing(what: string, { bucket, prefix, name }: Archive, hour: Date): Finding {
    return {
        severity: "problem",
        what: `nothing of ${what} of the hour ${hourText(hour)} is in s3://${bucket.name}/${prefix}`,
        why: "The exporter ran and found none in its store, or wrote it elsewhere.",
        fix: `kubectl get cronjob -n ${kofNamespace} ${name} -o yaml`,
    };
}

/** `2026-11-27T18:00Z` */
function hourText(hour: Date): string {
    return `${hour.toISOString().slice(0, 16)}Z`;
}

/** The cluster that some of what is archived has to be of; `undefined` where nothing of its own is stored here. */
function ownCluster({ signals }: Archive, { deployment }: Live): string | undefined {
    const isStored = signals.some((signal) => {
        const { [signal]: where } = deployment.destinations;
        return where.stored && where.ends.some(({ on }) => on === "cluster");
    });
    return isStored ? deployment.settings.clusterName : undefined;
}

/** Tenants and clusters of which an hour is looked at. */
const mostWindows = 50;

/** Keys are `PREFIX/tenant=T/cluster=C/dt=YYYY-MM-DD/hour=HH/SIGNAL/…` (`S3KeyPrefix` of `internal/coldstorage/types.go`). */
async function coldHour(archive: Archive, bucket: S3Bucket, hour: Date, own: string | undefined): Promise<FoundOfHour> {
    const { prefix, signals } = archive;
    const [day = "", time = ""] = hour.toISOString().split("T");
    const windows: string[] = [];
    for (const tenant of await bucket.folders(`${prefix}/`)) {
        for (const cluster of await bucket.folders(`${prefix}/${tenant}`)) {
            windows.push(`${prefix}/${tenant}${cluster}`);
        }
    }
    const looked = await Promise.all(
        windows.slice(0, mostWindows).map((window) => bucket.objects(`${window}dt=${day}/hour=${time.slice(0, 2)}/`)),
    );
    const objects = looked.flat();
    const findings: Finding[] = [];
    const nothingOf: string[] = [];
    let files = 0;
    for (const signal of signals) {
        const done = objects.filter(({ key }) => key.endsWith(`/${signal}/${exporterCharts.coldStorage.lastObject}`));
        const data = objects.filter(({ key }) => key.endsWith(`/${signal}/${signal}.parquet`));
        // A Parquet file ends with its own mark, which is written last.
        const ends = await Promise.all(data.map(async ({ key, size }) => (size > 4 ? bucket.read(key, 4) : "")));
        const broken = data.filter((_, i) => String(ends[i]) !== "PAR1");
        const folder = ({ key }: S3Object) => key.slice(0, key.lastIndexOf("/"));
        const undone = data.filter((each) => !done.some((other) => folder(other) === folder(each)));
        const empty = done.filter((each) => !data.some((other) => folder(other) === folder(each)));
        files += data.length;
        if (done.length + data.length === 0) {
            nothingOf.push(signal);
        }
        findings.push(
            ...undone.map((each) => incomplete(each.key, "is there without _SUCCESS: it was not completed")),
            ...empty.map((each) => incomplete(each.key, `is there without ${signal}.parquet`)),
            ...broken.map((each) => incomplete(each.key, "is no whole Parquet file")),
        );
    }
    const rest = windows.length - mostWindows;
    const clusters = [...new Set(objects.map(({ key }) => /\/cluster=([^/]*)\//.exec(key)?.[1] ?? ""))];
    if (own !== undefined && findings.length + nothingOf.length === 0 && !clusters.includes(own)) {
        findings.push({
            severity: "warning",
            what: `what is archived of the hour ${hourText(hour)} is of cluster ${clusters.join(", ")}, and none of it of ${own}`,
            why: "Another cluster may write to the same prefix, and this one may archive nothing of its own.",
            fix: `kubectl get jobs -n ${kofNamespace}`,
        });
    }
    return {
        proof:
            `${signals.join(", ")} of the hour ${hourText(hour)} are in s3://${archive.bucket.name}/${prefix}: ` +
            `${String(files)} whole Parquet file${files === 1 ? "" : "s"}, each with its _SUCCESS` +
            (rest > 0 ? `; ${String(rest)} more tenants and clusters were not looked at` : ""),
        nothingOf,
        findings,
    };
}

function incomplete(key: string, what: string): Finding {
    return {
        severity: "problem",
        what: `${key} ${what}`,
        why: "A reader of the archive regards the hour as missing, or reads half of it.",
        fix: `kubectl get jobs,pods -n ${kofNamespace}`,
    };
}

/** The streams that the exporter writes (`streams` of the chart), the second of which always has one tenant (`internal/audit/types.go`). */
const tenantStream = "tenant-audit-log";
const platformWindow = "platform-audit-log/PLATFORM/";

/** Keys are `PREFIX/STREAM/TENANT/YYYY/MM/DD/HH/…` (`S3KeyPrefix` of `internal/audit/types.go`). */
async function auditHour(archive: Archive, bucket: S3Bucket, hour: Date): Promise<FoundOfHour> {
    const { prefix } = archive;
    const path = hour.toISOString().slice(0, 13).replace(/[-T]/g, "/");
    const tenants = await bucket.folders(`${prefix}/${tenantStream}/`);
    const windows = [platformWindow, ...tenants.map((tenant) => `${tenantStream}/${tenant}`)];
    const looked = await Promise.all(
        windows.slice(0, mostWindows).map(async (window) => {
            const folder = `${prefix}/${window}${path}/`;
            const names = (await bucket.objects(folder)).map(({ key }) => key.slice(folder.length));
            return { folder, names };
        }),
    );
    const [platform] = looked;
    if (platform?.names.length === 0) {
        return { proof: "", nothingOf: ["audit logs"], findings: [] };
    }
    const there = looked.filter(({ names }) => names.length > 0);
    const windowsFound = await Promise.all(
        there.map(({ folder, names }) => auditWindow(archive, bucket, folder, names, hour)),
    );
    const findings = windowsFound.flatMap((found) => found.findings);
    const events = windowsFound.reduce((sum, found) => sum + found.events, 0);
    if (findings.length === 0 && events === 0) {
        findings.push({
            severity: "warning",
            what: `the hour ${hourText(hour)} is archived, whole and signed, and has no audit log in it`,
            why: "The API server writes none, or no collector reads them. Managed control planes (EKS, GKE, AKS) keep them elsewhere.",
            fix: "kubectl get pods -n kube-system -l component=kube-apiserver -o yaml | grep audit",
        });
    }
    return {
        proof:
            `${String(events)} audit logs of the hour ${hourText(hour)} are in s3://${archive.bucket.name}/${prefix}, and are what ` +
            `their manifest says, signed as ${archive.signingKey ?? ""}. The key stands in each manifest: the signature proves that ` +
            "nothing was damaged or cut off, not that nobody has changed both",
        nothingOf: [],
        findings,
    };
}

/** A manifest as the exporter writes it (`Manifest` in `internal/audit/types.go`). */
interface Manifest {
    readonly data_file: { readonly name: string; readonly sha256: string; readonly size_bytes: number };
    readonly event_count: number;
    readonly kms_key_id: string;
    readonly signing_algorithm: string;
    readonly stream: string;
    readonly tenant: string;
    readonly window_start: string;
}

async function auditWindow(archive: Archive, bucket: S3Bucket, folder: string, names: readonly string[], hour: Date) {
    const wanted = ["data.jsonl.gz", "manifest.json.sig", exporterCharts.auditArchive.lastObject];
    const lacking = wanted.filter((name) => !names.includes(name));
    if (lacking.length > 0) {
        const stuck =
            archive.bucket.objectLock === undefined
                ? ""
                : ". With Object Lock the exporter never completes such an hour";
        return { events: 0, findings: [incomplete(folder, `lacks ${lacking.join(" and ")}${stuck}`)] };
    }
    const [bytes, signature] = await Promise.all([
        bucket.read(`${folder}manifest.json`),
        bucket.read(`${folder}manifest.json.sig`),
    ]);
    const manifest = manifestOf(bytes);
    const changed = (what: string) => ({
        events: 0,
        findings: [
            {
                severity: "problem" as const,
                what: `${folder}${what}`,
                why: "It is not what this cluster's exporter wrote: damaged, changed, or another cluster's that writes to the same prefix.",
                fix: `aws s3api list-object-versions --bucket ${archive.bucket.name} --prefix ${folder}`,
            },
        ],
    });
    if (!manifest) {
        return changed("manifest.json is no manifest");
    }
    const key = archive.signingKey ?? "";
    if (manifest.kms_key_id !== key || manifest.signing_algorithm !== "HMAC-SHA256") {
        return changed(
            `manifest.json says that it is signed as ${manifest.kms_key_id} by ${manifest.signing_algorithm}, not as ${key}`,
        );
    }
    if (signature.toString().trim() !== signatureOf(bytes, key)) {
        return changed("manifest.json.sig is not the signature of manifest.json");
    }
    if (Date.parse(manifest.window_start) !== hour.getTime()) {
        return changed(`manifest.json is of ${manifest.window_start}`);
    }
    const { stream, tenant, data_file: file } = manifest;
    if (!folder.startsWith(`${archive.prefix}/${stream}/${tenant}/`)) {
        return changed(`manifest.json is of tenant ${tenant} in ${stream}`);
    }
    if (file.name !== "data.jsonl.gz") {
        return changed(`manifest.json is of a file ${file.name}`);
    }
    const { sha256, size } = await bucket.digest(`${folder}data.jsonl.gz`);
    if (sha256 !== file.sha256 || size !== file.size_bytes) {
        return changed(
            `data.jsonl.gz has SHA-256 ${sha256} and ${String(size)} bytes; its manifest says ${file.sha256} and ${String(file.size_bytes)}`,
        );
    }
    return { events: manifest.event_count, findings: [] };
}

/**
 * What `manifest.json.sig` has to hold: HMAC-SHA256 over the manifest's bytes as they are, in base64. The key is the ID itself, which
 * is never base64 (`NewLocalSigner` in `internal/audit/kms.go`).
 */
export function signatureOf(manifest: Buffer, key: string): string {
    return createHmac("sha256", key).update(manifest).digest("base64");
}

function manifestOf(bytes: Buffer): Manifest | undefined {
    const found = jsonObject(bytes.toString());
    const isManifest = isMap(found?.data_file) && typeof found.event_count === "number";
    return isManifest ? (found as unknown as Manifest) : undefined;
}
