import type { Plan } from ".";
import { kofNamespace } from "../components/namespace";
import { claimNames } from "../routes/volumes";

/** Something that a change leaves behind on purpose, because it holds data. */
export interface Left {
    readonly what: string;
    /** The command that removes it, data and all. */
    readonly remove: string;
}

/** What a change leaves behind: volumes that nothing reads any more, and log groups that nothing writes to. */
export function leftBehind({ volumes, logGroups }: Plan): Left[] {
    const running = new Map(
        volumes.filter(({ operation }) => operation === "kept").map((each) => [each.workload, each.count]),
    );
    return [
        ...volumes
            .filter(({ operation }) => operation === "orphaned")
            .map(({ workload, count, volume }) => {
                const first = running.get(workload) ?? 0;
                const claims = claimNames(workload, first, count).join(" ");
                return {
                    what: `${String(count)} x ${volume.size} of ${workload}`,
                    remove: `kubectl delete pvc -n ${kofNamespace} ${claims}`,
                };
            }),
        ...logGroups
            .filter(({ operation }) => operation === "left")
            .map(({ name, region }) => ({
                what: `log group ${name} in ${region}`,
                remove: `aws logs delete-log-group --region ${region} --log-group-name ${name}`,
            })),
    ];
}
