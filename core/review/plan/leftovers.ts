import type { Plan } from ".";
import { kofNamespace } from "../../charts/namespace";
import type { Deployment } from "../../routes/deployment";
import { claimNames } from "../../routes/volumes";

/** Something that a change leaves behind on purpose, because it holds data. */
export interface Leftover {
    readonly what: string;
    /** The command that removes it, data and all. */
    readonly remove: string;
}

/** What a change leaves behind: volumes that nothing reads any more, and log groups that nothing writes to. */
export function leftoversOf({ volumes, logGroups }: Plan): Leftover[] {
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
    ];
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
    const usedGroups = logGroups.map(({ name }) => logGroup(name, region));
    const earlier = Object.entries(before).map(([what, remove]) => ({ what, remove }));
    const groups = new Map<string, Leftover>();
    const claims = new Map<string, Set<string>>();
    for (const leftover of [...earlier, ...(change ? leftoversOf(change) : [])]) {
        const volumes = volumesIn(leftover);
        if (volumes) {
            const all = [...(claims.get(volumes.about) ?? []), ...volumes.claims];
            claims.set(volumes.about, new Set(all.filter((claim) => !usedClaims.includes(claim))));
        } else if (!usedGroups.includes(leftover.what)) {
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
