import assert from "node:assert/strict";

import { diagram } from "../../../../core/review/summary/diagram";
import { summaryPage } from "../../../../core/review/summary/page";
import { airGap, mirrorScript } from "../../../../core/routes/airGap";
import { deploymentFor, routes, type Raw } from "../../../support";

const cold = { bucket: "acme-kof-cold", region: "eu-west-1" };
const audit = { bucket: "acme-kof-audit", region: "eu-west-1", objectLock: { mode: "COMPLIANCE", days: 365 } };
const management = { ...routes.management, version: "1.10.0" };

function page(raw: Raw): string {
    const deployment = deploymentFor(raw);
    return summaryPage("dev", deployment, deployment.notices);
}

describe("archives as a stack shows them", () => {
    it("are there only where there is one", () => {
        assert.ok(!page(management).includes("## Archives"));
        assert.doesNotMatch(page(management), /(cold-storage|audit-logs)-exporter/);
    });

    it("are shown for regions too, with where each writes", () => {
        const text = page({ ...management, auditArchive: { ...audit, regions: "all" } });
        const rows = text.split("\n").filter((line) => line.includes("audit-logs-exporter 1.11.0-rc0"));
        const cells = rows.map((row) => row.split(" | ").slice(0, 4));
        const source = "`http://vlselect-audit-logs.kof.svc:9471`";
        assert.deepEqual(cells, [
            ["| `audit-logs-exporter 1.11.0-rc0`", "audit logs", source, "`s3://acme-kof-audit/audit/`"],
            [
                "| `audit-logs-exporter 1.11.0-rc0` on each regional cluster",
                "audit logs",
                source,
                "`s3://acme-kof-audit/audit/regions/NAMESPACE/NAME/`",
            ],
        ]);
    });

    it("are shown with what is in them, where from, where to, by whom, and what they miss", () => {
        const text = page({
            ...management,
            coldStorage: {
                ...cold,
                signals: ["logs"],
                lifecycle: [{ days: 90, storageClass: "GLACIER" }],
                credentials: { kind: "podIdentity", clusterName: "eks-1" },
            },
            auditArchive: audit,
        });
        const [, section = ""] = /## Archives\n\n([^]*?)\n\n## /.exec(text) ?? [];
        for (const line of [
            "| `cold-storage-exporter 1.11.0-rc0` | logs | `http://kof-storage-victoria-logs-cluster-vlselect.kof.svc:9471` | " +
                "`s3://acme-kof-cold/telemetry/` | STANDARD, GLACIER after 90 days | eu-west-1: made by this stack, kept when it goes | " +
                "role by EKS Pod Identity of cluster eks-1 |",
            "- Stored on this cluster, and not archived: metrics, traces.",
            "- What kof:coldStorage has moved to GLACIER has to be restored before it can be read, which takes hours.",
            "- Objects of kof:coldStorage below 128 KB stay in STANDARD: S3 does not move them.",
        ]) {
            assert.ok(section.split("\n").includes(line), section);
        }
        assert.match(section, /hours of the last 24 that are missing\. What is older, .* is not archived any more\./);
        assert.match(section, /later than that, .* is not archived: it stays in the store alone/);
        assert.match(section, /signed by HMAC-SHA256 with audit:mothership\. The key stands in the manifest/);
        assert.match(section, /Nobody can delete an object, or a version of one, for 365 days from its upload/);
        assert.match(
            text,
            /`kof\/audit-logs-exporter-s3-credentials` .* an IAM user that may write to bucket `acme-kof-audit`, with one key for each of `1`/,
        );
    });

    it("come with what has to be known of them", () => {
        const notices = (raw: Raw) => deploymentFor(raw).notices;
        const of = (raw: Raw, start: RegExp) => notices(raw).filter((each) => start.test(each)).length;
        const archived = { ...management, auditArchive: audit };
        assert.equal(of(archived, /^The exporters of archives are those of KOF 1\.11\.0-rc0/), 1);
        assert.equal(of({ ...archived, version: "1.11.0-rc0" }, /^The exporters of archives are those of/), 0);
        assert.equal(of(archived, /signed with audit:mothership, which stands in each of them/), 1);
        assert.equal(of(archived, /has no objectLock/), 0);
        assert.equal(of({ ...archived, auditArchive: { ...audit, objectLock: undefined } }, /has no objectLock/), 1);
        assert.equal(of(archived, /has no audit logs of this cluster/), 0);
        for (const [distribution, who] of Object.entries({ eks: "AWS", aks: "Azure", gke: "Google" })) {
            const raw = { ...archived, distribution };
            assert.equal(
                of(raw, new RegExp(`^kof:auditArchive has no audit logs of this cluster: ${who} runs the API server`)),
                1,
            );
        }
        assert.equal(of({ ...archived, distribution: "eks" }, /credentials: \{kind: podIdentity/), 1);
        const pod = { ...audit, credentials: { kind: "podIdentity", clusterName: "a" } };
        assert.equal(of({ ...archived, auditArchive: pod }, /which EKS hands out, but kof:distribution is k0s/), 1);
        const proxied = { ...management, proxy: { https: "http://proxy.example.net:3128" } };
        assert.equal(of({ ...proxied, coldStorage: cold }, /know no proxy/), 1);
        assert.equal(of(proxied, /know no proxy/), 0);
        const shared = (kind: string, more: Raw) => ({ ...management, [kind]: { ...more, createBucket: false } });
        assert.equal(
            of(shared("coldStorage", cold), /No other cluster may write there under the same kof:clusterName: /),
            1,
        );
        assert.equal(of(shared("auditArchive", audit), /No other cluster may write there: .* manifest\.json/), 1);
        assert.equal(of(archived, /No other cluster/), 0);
    });

    it("are in the picture, from the store to the bucket", () => {
        for (const [raw, from] of [
            [management, "VictoriaMetrics on this cluster<br>vminsert-cluster:8480"],
            [{ route: "none", version: "1.10.0" }, "store of metrics<br>vmselect-cluster.kof.svc:8481"],
        ] as const) {
            const text = diagram(deploymentFor({ ...raw, coldStorage: { ...cold, signals: ["metrics"] } }));
            const node = (label: string) =>
                text
                    .split("\n")
                    .find((line) => line.includes(`"${label}"`))
                    ?.trim()
                    .split(/[[(]/)[0] ?? "";
            const [store, exporter, bucket] = [
                node(from),
                node("cold-storage-exporter<br>(each hour)"),
                node("S3 bucket acme-kof-cold<br>eu-west-1"),
            ];
            assert.ok(store !== "" && exporter !== "" && bucket !== "", text);
            assert.ok(text.includes(`${store} -- "metrics" --> ${exporter}`), text);
            assert.ok(text.includes(`${exporter} -- "metrics" --> ${bucket}`), text);
        }
    });

    it("are among what a network without the internet has to have, in the version that runs", () => {
        const values = {
            global: { helmRepo: { kofManaged: { url: "oci://registry.example.net/charts" } } },
        };
        const needed = airGap(deploymentFor({ ...management, coldStorage: cold, auditArchive: audit, values }));
        for (const name of ["cold-storage-exporter", "audit-logs-exporter"]) {
            assert.deepEqual(
                needed.charts.filter((each) => each.name === name),
                [
                    {
                        name,
                        version: "1.11.0-rc0",
                        repository: "oci://registry.example.net/charts",
                        upstream: "oci://ghcr.io/k0rdent/kof/charts",
                        cluster: "management",
                    },
                ],
            );
            assert.deepEqual(
                needed.images.filter(({ charts }) => charts.includes(name)),
                [{ image: `ghcr.io/k0rdent/kof/kof-${name}:v1.11.0-rc0`, charts: [name], cluster: "management" }],
            );
        }
        const script = mirrorScript(needed, "registry.example.net", "x");
        assert.match(
            script,
            /helm pull oci:\/\/ghcr\.io\/k0rdent\/kof\/charts\/audit-logs-exporter --version 1\.11\.0-rc0/,
        );
        assert.match(
            script,
            /skopeo copy .*kof-cold-storage-exporter:v1\.11\.0-rc0 docker:\/\/registry\.example\.net\/k0rdent/,
        );
        const none = airGap(deploymentFor(management));
        const all = [...none.charts.map(({ name }) => name), ...none.images.map(({ image }) => image)].join();
        assert.doesNotMatch(all, /(storage|logs)-exporter/);
    });
});
