import type { Plan } from ".";
import { kofNamespace } from "../../charts/namespace";
import type { Deployment } from "../../routes/deployment";
import type { Archive } from "../../routes/archives";
import { claimNames } from "../../routes/volumes";
import { archivePlace, bucketId } from "./archives";

/** Something that a change leaves behind on purpose, because it holds data. */
export interface Leftover {
    readonly what: string;
    /** The command that removes it, data and all. */
    readonly remove: string;
}

/** What a change leaves behind: volumes that nothing reads any more, and log groups and archives that nothing writes to. */
export function leftoversOf({ volumes, logGroups, archives, to }: Plan): Leftover[] {
    const running = new Map(
        volumes.filter(({ operation }) => operation === "kept").map((each) => [each.workload, each.count]),
    );
    return [
        ...volumes
            .filter(({ operation }) => operation === "orphaned")
            .map(({ workload, count, volume }) => {
                const claims = claimNames(workload, running.get(workload) ?? 0, count);
                return leftoverVolumes(`${volume.size} of ${workload}`, claims);
            }),
        ...logGroups
            .filter(({ operation }) => operation === "left")
            .map(({ name, region }) => ({
                what: logGroup(name, region),
                remove: `aws logs delete-log-group --region ${region} --log-group-name ${name}`,
            })),
        ...archives.filter(({ operation }) => operation === "left").map(({ archive }) => leftoverArchive(archive, to)),
    ];
}

/**
 * An archive that nothing writes to. A bucket has every version of its objects, which S3 itself deletes at the lowest price, and
 * not before Object Lock lets it.
 */
function leftoverArchive(archive: Archive, to: Deployment): Leftover {
    const { bucket } = archive;
    const { name, region, create } = bucket;
    const isUsed = to.archives.some((each) => bucketId(each.bucket) === bucketId(bucket));
    if (!create || isUsed) {
        return { what: `${archivePlace(archive)}${lockOf(bucket)}`, remove: removalBelow(archive) };
    }
    const at = `--region ${region} --bucket ${name}`;
    const rule = {
        ID: "empty",
        Status: "Enabled",
        Filter: { Prefix: "" },
        Expiration: { Days: 1 },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
    };
    const markers = {
        ID: "markers",
        Status: "Enabled",
        Filter: { Prefix: "" },
        Expiration: { ExpiredObjectDeleteMarker: true },
    };
    const rules = JSON.stringify({ Rules: [rule, markers] });
    return {
        what: `${bucketText(bucket)}${lockOf(bucket)}`,
        remove:
            `aws s3api put-bucket-lifecycle-configuration ${at} --lifecycle-configuration '${rules}'; ` +
            `# days later, once it is empty: aws s3api delete-bucket ${at}`,
    };
}

/** The command that removes what is below an archive's prefix, every version of it: what is deleted without one is only hidden. */
export function removalBelow({
    bucket: { name, region, endpoint },
    prefix,
}: Pick<Archive, "bucket" | "prefix">): string {
    const at = `${endpoint === undefined ? `--region ${region}` : `--endpoint-url ${endpoint}`} --bucket ${name}`;
    return (
        `aws s3api list-object-versions ${at} --prefix ${prefix}/ --max-items 1000 --output json ` +
        "--query '{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}}' > versions.json && " +
        `aws s3api delete-objects ${at} --delete file://versions.json   # again, until it lists none`
    );
}

function bucketText({ name, region }: Archive["bucket"]): string {
    return `bucket ${name} in ${region}`;
}

function lockOf({ objectLock }: Archive["bucket"]): string {
    return objectLock === undefined
        ? ""
        : `, whose objects are locked for ${String(objectLock.days)} days from their upload (${objectLock.mode})`;
}

/**
 * What a stack has left behind by now: what it had before, without what it uses again, and what this change adds. Whether
 * somebody has removed it since, nobody looks.
 *
 * @param change what this deployment does; `undefined` where that is not known.
 * @param before what the stack's last deployment had left behind, by what it is the command that removes it.
 */
export function leftoversUntil(
    to: Deployment,
    change: Plan | undefined,
    before: Readonly<Record<string, string>> = {},
): Leftover[] {
    const usedClaims = to.volumes.flatMap(({ workload, count }) => claimNames(workload, 0, count));
    const { region = "", logGroups = [] } = to.cloudwatch ?? {};
    const used = [
        ...logGroups.map(({ name }) => logGroup(name, region)),
        ...to.archives.flatMap((each) => [archivePlace(each), bucketText(each.bucket)]),
    ];
    // Where objects are locked, that follows.
    const isUsed = (what: string) => used.some((each) => what === each || what.startsWith(`${each},`));
    const earlier = Object.entries(before).map(([what, remove]) => ({ what, remove }));
    const groups = new Map<string, Leftover>();
    const claims = new Map<string, Set<string>>();
    for (const leftover of [...earlier, ...(change ? leftoversOf(change) : [])]) {
        const volumes = volumesIn(leftover);
        if (volumes) {
            const all = [...(claims.get(volumes.about) ?? []), ...volumes.claims];
            claims.set(volumes.about, new Set(all.filter((claim) => !usedClaims.includes(claim))));
        } else if (!isUsed(leftover.what)) {
            groups.set(leftover.what, leftover);
        }
    }
    return [
        ...[...claims]
            .filter(([, names]) => names.size > 0)
            .map(([about, names]) => leftoverVolumes(about, [...names].sort())),
        ...groups.values(),
    ];
}

function logGroup(name: string, region: string): string {
    return `log group ${name} in ${region}`;
}

const removeClaims = `kubectl delete pvc -n ${kofNamespace} `;

/** @param about size and workload: `100Gi of vlstorage`. */
function leftoverVolumes(about: string, claims: readonly string[]): Leftover {
    return { what: `${String(claims.length)} x ${about}`, remove: `${removeClaims}${claims.join(" ")}` };
}

/** The claims of volumes that {@link leftoverVolumes} described; `undefined` for anything else. */
function volumesIn({ what, remove }: Leftover): { about: string; claims: string[] } | undefined {
    return remove.startsWith(removeClaims)
        ? { about: what.replace(/^\d+ x /, ""), claims: remove.slice(removeClaims.length).split(" ") }
        : undefined;
}
