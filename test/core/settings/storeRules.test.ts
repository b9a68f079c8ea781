import assert from "node:assert/strict";

import { versions } from "../../../core/charts";
import { nest } from "../../../core/lib/values";
import { parseSettings } from "../../../core/routes/parse";
import { hasRegionless } from "../../support";

/** What is wrong with one of kof:values, without the first line. */
function problems(version: string, path: readonly string[], value: unknown): string {
    try {
        parseSettings({ route: "management", version, values: nest(path, value as string) }, "Pulumi.test.yaml");
        return "";
    } catch (error) {
        return (error as Error).message.split("\n\n").slice(1).join("\n\n");
    }
}

/*
 * Found in templates/_helpers.tpl and templates/*-server.yaml of the charts victoria-logs-cluster and victoria-traces-cluster in
 * kof-storage 1.8.0 to 1.11.0-rc0 (2026-11-27).
 */
describe("a value of a store that only another version reads, or another chart", () => {
    for (const version of versions) {
        const here = hasRegionless(version) ? "kof-child.values.fromManagement.storage" : "kof-storage.values";
        for (const storage of [here, "kof-regional.values.storage"].map((path) => path.split("."))) {
            const isRead = version === "1.11.0-rc0";
            const check = (path: string, value: unknown, expected: string) => {
                const [inner, whole] = [path.split("."), [...storage, ...path.split(".")].join(".")];
                const text = `  kof:values.${whole} is not read by the charts of KOF ${version}: Helm would ignore it`;
                const allowed = `\n    Allowed: what is read is ${storage.join(".")}.${expected}`;
                const wanted = expected === "" ? "" : text + (expected === "nothing" ? "" : allowed);
                assert.equal(problems(version, [...storage, ...inner], value), wanted);
            };

            it(`is refused on KOF ${version} in ${storage.join(".")}`, () => {
                for (const place of ["vlstorage", "common"]) {
                    check(
                        `victoria-logs-cluster.${place}.retentionMaxDiskUsagePercent`,
                        80,
                        isRead ? "" : 'victoria-logs-cluster.vlstorage.extraArgs."retention.maxDiskUsagePercent"',
                    );
                }
                check(
                    "victoria-traces-cluster.vtstorage.retentionMaxDiskUsagePercent",
                    80,
                    'victoria-traces-cluster.vtstorage.extraArgs."retention.maxDiskUsagePercent"',
                );
                const attributes = "vlstorage.persistentVolume.volumeAttributeClassName";
                check(`victoria-logs-cluster.${attributes}`, "fast", isRead ? "" : "nothing");
                const mistaken = problems(version, [...storage, "victoria-logs-cluster", "vtinsert", "enabled"], false);
                assert.equal(mistaken.match(/is not read/g)?.length, 1, "it is said once");
                check("victoria-logs-cluster.vlstorage.retentionDiskSpaceUsage", "20GiB", "");
                check("victoria-logs-cluster.vlstorage.resources.limits.memory", "2Gi", "");
            });
        }
    }
});
