import { kofNamespace } from "../core/charts/namespace";
import { bucketArnOf } from "../core/lib/arns";
import { retentionText, type Archive } from "../core/routes/archives";
import { distributionOf } from "../core/settings/distributions";
import { clusterTag } from "../core/settings/logGroups";
import { minutesSince } from "./ages";
import { showCaller } from "./awsClient";
import { cronJobOf, suspended } from "./cronJobs";
import { findingsFrom, type Check, type Finding, type Findings, type Live } from "./findings";
import { podRights, type Needed } from "./rights";
import { bucketKeys, S3Bucket, type BucketState } from "./s3";
import { secretValues } from "./secrets";

/** Whether the archives' exporters can write what the settings ask for, and what is written stays. */
export const archives: readonly Check[] = [{ title: "Archives", look: archiveFindings }];

async function archiveFindings(live: Live): Promise<Findings> {
    const looks = live.deployment.archives.map(async (archive) => [
        ...(await Promise.all([
            bucketFindings(archive, live),
            exporterRights(archive, live),
            exporterFindings(archive, live),
        ])),
        sourceFindings(archive, live),
    ]);
    return Promise.all(looks);
}

async function bucketFindings(archive: Archive, live: Live): Promise<Findings> {
    const { name, endpoint } = archive.bucket;
    const ask = (command: string) =>
        `aws s3api ${command} --bucket ${name}${endpoint === undefined ? "" : ` --endpoint-url ${endpoint}`}`;
    const look = async (bucket: S3Bucket): Promise<Findings> => {
        const state = await bucket.state();
        const found = stateFindings(archive, state);
        if (state.is === "absent") {
            return [found, await findingsFrom(() => goneFindings(archive, live), "kubectl get cronjob -n kof")];
        }
        if (state.is !== "there") {
            return found;
        }
        const looks = [
            findingsFrom(() => versioningFindings(archive, bucket), ask("get-bucket-versioning")),
            findingsFrom(() => lockFindings(archive, bucket), ask("get-object-lock-configuration")),
        ];
        if (endpoint === undefined) {
            looks.push(
                findingsFrom(() => ownerFindings(archive, bucket, live), ask("get-bucket-tagging")),
                findingsFrom(() => accessFindings(archive, bucket), ask("get-public-access-block")),
                findingsFrom(() => encryptionFindings(archive, bucket), ask("get-bucket-encryption")),
            );
        }
        return [found, ...(await Promise.all(looks))];
    };
    return findingsFrom(() => S3Bucket.use(archive, live, look), ask("head-bucket"));
}

const nothingArchived = "The exporter cannot write, and what its store deletes meanwhile is archived nowhere.";

/** What the place of a bucket, and whether it is there at all, mean. */
function stateFindings({ kind, bucket: { name, region, create, endpoint } }: Archive, state: BucketState): Findings {
    const set = (key: string, value: string) => `pulumi config set --path kof:${kind}.${key} ${value}`;
    switch (state.is) {
        case "there":
            return (
                state.region !== undefined &&
                state.region !== region &&
                endpoint === undefined &&
                elsewhere(state.region)
            );
        case "elsewhere":
            return elsewhere(state.region ?? "another region");
        case "closed":
            return {
                severity: "unknown",
                what: `could not check: bucket ${name} exists, and is of another account, or you may not see it (403)`,
                why: create
                    ? "Where it is another account's, pulumi up cannot make it: the names of buckets are taken in all of AWS."
                    : "The exporter may write there or not: that is not known before it is checked.",
                fix: `aws s3api head-bucket --bucket ${name}${endpoint === undefined ? "" : ` --endpoint-url ${endpoint}`}`,
            };
        case "absent":
            return (
                !create && {
                    severity: "problem",
                    what: `there is no bucket ${name}${endpoint === undefined ? "" : ` at ${endpoint}`}, and kof:${kind}.createBucket is false`,
                    why: nothingArchived,
                    fix:
                        endpoint === undefined
                            ? set("createBucket", "true")
                            : `aws s3api create-bucket --bucket ${name} --endpoint-url ${endpoint}`,
                }
            );
    }
    function elsewhere(found: string): Finding {
        return {
            severity: "problem",
            what: `bucket ${name} is in ${found}, and kof:${kind}.region is ${region}`,
            why: create
                ? "pulumi up makes the bucket in that region, where its name is taken."
                : "S3 answers the exporter with a redirect (301), and nothing is archived.",
            fix: create ? set("bucket", `${name}-${region}`.slice(0, 63)) : set("region", found),
        };
    }
}

/** A bucket that the stack is to make is not there before it does. */
async function goneFindings(archive: Archive, { kubernetes }: Live): Promise<Findings> {
    const isInstalled = archive.bucket.create && (await cronJobOf(archive, kubernetes)) !== undefined;
    return (
        isInstalled && {
            severity: "problem",
            what: `bucket ${archive.bucket.name} is gone, and its exporter still runs`,
            why: `${nothingArchived} What was archived is gone too.`,
            fix: "pulumi up --refresh",
        }
    );
}

/** Where the stack is to make a bucket, one that is there has to be its own. */
async function ownerFindings(
    { kind, bucket: { name, create } }: Archive,
    bucket: S3Bucket,
    { deployment }: Live,
): Promise<Findings> {
    const { [clusterTag]: owner } = create ? await bucket.tags() : {};
    return (
        create &&
        owner !== deployment.settings.clusterName && {
            severity: "problem",
            what: `bucket ${name} is there already, and was not made for this cluster: its tag ${clusterTag} is ${owner ?? "not there"}`,
            why: "pulumi up takes over no bucket that it has not made.",
            fix: `pulumi config set --path kof:${kind}.createBucket false`,
        }
    );
}

async function versioningFindings({ bucket: { name } }: Archive, bucket: S3Bucket): Promise<Findings> {
    return (
        !(await bucket.isVersioned()) && {
            severity: "warning",
            what: `bucket ${name} is not versioned`,
            why: "What somebody overwrites or deletes there is gone at once.",
            fix: `aws s3api put-bucket-versioning --bucket ${name} --versioning-configuration Status=Enabled`,
        }
    );
}

async function lockFindings(
    { kind, bucket: { name, create, objectLock } }: Archive,
    bucket: S3Bucket,
): Promise<Findings> {
    if (objectLock === undefined) {
        return undefined;
    }
    const found = await bucket.lock();
    const show = `aws s3api get-object-lock-configuration --bucket ${name}`;
    if (!found) {
        return {
            severity: "problem",
            what: `bucket ${name} has no Object Lock, and kof:${kind}.objectLock asks for it`,
            why: "The exporter of audit logs stops at once (complianceMode), and nothing is archived.",
            fix: create ? show : `pulumi config rm --path kof:${kind}.objectLock`,
        };
    }
    const { retention } = found;
    if (retention?.mode === objectLock.mode && retention.days === objectLock.days) {
        return undefined;
    }
    const locks = retention === undefined ? "for no time by itself" : `by ${retentionText(retention)}`;
    const isWeaker =
        retention === undefined ||
        retention.days < objectLock.days ||
        (objectLock.mode === "COMPLIANCE" && retention.mode !== "COMPLIANCE");
    return {
        severity: isWeaker ? "problem" : "warning",
        what: `bucket ${name} locks what is written ${locks}, and kof:${kind}.objectLock is ${retentionText(objectLock)}`,
        why: isWeaker
            ? "What is written until that is changed can be deleted earlier than the settings say."
            : "Nobody can delete what is written before that, and it is paid for.",
        fix: create
            ? "pulumi up --refresh"
            : retention === undefined
              ? show
              : `pulumi config set --path kof:${kind}.objectLock.mode ${retention.mode} && ` +
                `pulumi config set --path kof:${kind}.objectLock.days ${String(retention.days)}`,
    };
}

async function accessFindings({ bucket: { name, create } }: Archive, bucket: S3Bucket): Promise<Findings> {
    return (
        !(await bucket.isPrivate()) && {
            severity: create ? "problem" : "warning",
            what: `bucket ${name} does not block public access`,
            why: "Everyone who may change its policy or an object's ACL can make the telemetry public.",
            fix: `aws s3api put-public-access-block --bucket ${name} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true`,
        }
    );
}

async function encryptionFindings(
    { kind, bucket: { name, create, kmsKeyArn } }: Archive,
    bucket: S3Bucket,
): Promise<Findings> {
    const found = kmsKeyArn === undefined ? undefined : await bucket.kmsKey();
    return (
        found !== kmsKeyArn && {
            severity: "warning",
            what: `bucket ${name} encrypts with ${found ?? "S3's own key"}, and kof:${kind}.kmsKeyArn is ${kmsKeyArn ?? ""}`,
            why: "What is written is encrypted with the bucket's own key, whatever the settings say.",
            fix: create ? "pulumi up --refresh" : `aws s3api get-bucket-encryption --bucket ${name}`,
        }
    );
}

/** Whether the exporter may do what it does, by the policies of its user or role. */
async function exporterRights(archive: Archive, live: Live): Promise<Findings> {
    const { bucket, prefix, kind, credentials, roleName, serviceAccount, secret } = archive;
    if (bucket.endpoint !== undefined) {
        return undefined;
    }
    const bucketArn = bucketArnOf(bucket.region, bucket.name);
    const pods = {
        whose: "the exporter's",
        region: bucket.region,
        credentials,
        roleName,
        serviceAccount,
        accessKeyId: async () => {
            const name = secret?.name ?? "";
            return (await secretValues(live, name)) && (await bucketKeys(name, live)).accessKeyId;
        },
        needed: () => [
            {
                actions: ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"],
                resources: [[`${bucketArn}/${prefix}/x`]],
            },
            {
                actions: ["s3:ListBucket", ...(kind === "auditArchive" ? ["s3:GetBucketObjectLockConfiguration"] : [])],
                resources: [[bucketArn]],
            },
            ...(bucket.kmsKeyArn === undefined
                ? []
                : [{ actions: ["kms:GenerateDataKey", "kms:Decrypt"], resources: [[bucket.kmsKeyArn]] }]),
        ],
        about: (arn: string, denied: readonly string[], { resources }: Needed) => [
            {
                what: `the exporter's identity ${arn} may not ${denied.join(", ")} on ${resources.flat().join()}`,
                why: missingRight(denied),
            },
        ],
        isInstalled: async () => (await cronJobOf(archive, live.kubernetes)) !== undefined,
        withoutRole: { what: "the exporter runs", why: nothingArchived },
    };
    return findingsFrom(() => podRights(pods, live), showCaller);
}

function missingRight(denied: readonly string[]): string {
    return denied.includes("s3:ListBucket")
        ? "Without the right to list, S3 answers 403 instead of 404 for what is not archived yet, and the exporter stops."
        : denied.includes("s3:GetBucketObjectLockConfiguration")
          ? "Without it the exporter takes the bucket for one without Object Lock; where that is asked for, it stops."
          : nothingArchived;
}

/** Hours after which an exporter that runs every hour is late. */
const latest = 3;

/** Whether the exporter runs, and succeeds: it looks back only a day. */
async function exporterFindings(archive: Archive, { kubernetes }: Live): Promise<Findings> {
    const fix = `kubectl get cronjobs,jobs,pods -n ${kofNamespace}`;
    const look = async (): Promise<Findings> => {
        const { metadata, spec, status } = (await cronJobOf(archive, kubernetes)) ?? {};
        if (spec?.suspend === true) {
            return suspended(archive);
        }
        const { lastSuccessfulTime: last } = status ?? {};
        const since = last ?? metadata?.creationTimestamp ?? "";
        const never = `was made at ${since}, and has never come to a good end`;
        const what = `CronJob ${archive.name} ${last === undefined ? never : `has not come to a good end since ${since}`}`;
        return minutesSince(since) > latest * 60 && { severity: "problem", what, why: nothingArchived, fix };
    };
    return findingsFrom(look, fix);
}

/** Audit logs are there only where the API server writes them. */
function sourceFindings({ kind, signals }: Archive, { deployment }: Live): Findings {
    const { title, controlPlaneOf } = distributionOf(deployment.settings.distribution);
    return (
        kind === "auditArchive" &&
        signals.length > 0 &&
        controlPlaneOf !== undefined && {
            severity: "warning",
            what: `kof:auditArchive archives none of this cluster's own audit logs: ${controlPlaneOf} runs the control plane of ${title}, and no node has what its API server writes`,
            why: "The archive has those of regional and child clusters that send theirs here, or files without a line.",
            fix: "pulumi config rm kof:auditArchive",
        }
    );
}
