import assert from "node:assert/strict";

import { stringify } from "yaml";

import { adoption } from "../../../core/adopt";
import type { ClusterFacts } from "../../../core/adopt/options";
import { claimNames } from "../../../core/routes/volumes";
import { deploymentFor, routes } from "../../support";

const version = "1.9.0";

/** What values resolve to where a cluster was looked at. */
function adopt(raw: object, cluster: ClusterFacts) {
    return adoption(stringify(deploymentFor({ ...raw, version }).values), { version, cluster });
}

function claims(workload: string, size: string, more: { template?: string; storageClass?: string } = {}) {
    return claimNames(workload, 0, 2).map((name) => ({ name, size, storageClass: "kof", ...more }));
}

describe("adopting what runs on a cluster", () => {
    it("writes down the sizes of what exists, though they are KOF's defaults, and leaves the values as they are", () => {
        const seen = [...claims("vmstorage", "100Gi"), ...claims("vlstorage", "50Gi", { template: "50Gi" })];
        const { settings, notes } = adopt(routes.management!, { istio: false, claims: seen });
        assert.deepEqual(settings.storage, { metrics: { size: "100Gi" }, logs: { size: "50Gi" } });
        assert.deepEqual(notes, []);
        assert.equal(settings.values, undefined);
    });

    it("takes the size of a StatefulSet that no upgrade can change, and of claims what an operator follows", () => {
        for (const [workload, signal, size, template, wanted] of [
            ["vlstorage", "logs", "80Gi", "50Gi", "50Gi"],
            ["vlstorage", "logs", "80Gi", "80Gi", "80Gi"],
            ["vtstorage", "traces", "80Gi", undefined, "50Gi"],
            ["vmstorage", "metrics", "150Gi", undefined, "150Gi"],
            ["vmstorage", "metrics", "90Gi", undefined, "100Gi"],
        ] as const) {
            const seen = claims(workload, size, template === undefined ? {} : { template });
            const { settings, notes } = adopt(routes.management!, { istio: false, claims: seen });
            assert.deepEqual(settings.storage, { [signal]: { size: wanted } });
            assert.equal(notes.length, 1, notes.join());
            assert.match(
                notes[0]!,
                new RegExp(`claims of ${workload} ask for ${size}, and the values say \\d+Gi.* is ${wanted}`),
            );
        }
    });

    it("takes the size of grown claims over that of the values, which are past", () => {
        for (const [signal, workload, size] of [
            ["metrics", "vmstorage", "150Gi"],
            ["traces", "vtstorage", "80Gi"],
        ] as const) {
            const storage = { [signal]: { size: "60Gi" } };
            const { settings, notes, lost } = adopt(
                { ...routes.management!, storage },
                { istio: false, claims: claims(workload, size, { template: size }) },
            );
            assert.deepEqual(settings.storage, { [signal]: { size } });
            assert.equal(settings.values, undefined);
            assert.match(notes.join(), new RegExp(`claims of ${workload} ask for ${size}, and the values say 60Gi`));
            assert.deepEqual(lost, []);
        }
    });

    it("says of which class the volumes are, and names none that the StatefulSets do not", () => {
        const other = claims("vmstorage", "100Gi", { storageClass: "fast" });
        const named = adopt(routes.management!, { istio: false, claims: other });
        assert.match(named.notes.join(), /Volumes of vmstorage are of class fast, and the values say kof/);
        const unnamed = adopt({ route: "management" }, { istio: false, claims: other });
        assert.match(unnamed.notes.join(), /Volumes are of class fast, which was the cluster's default/);
        assert.equal(unnamed.settings.storageClass, undefined);
    });

    it("takes the mesh from the label where the values do not tell, and says where the two differ", () => {
        const labelled = adopt(routes.none!, { istio: true });
        assert.equal(labelled.settings.istio, true);
        assert.deepEqual(labelled.notes, []);
        assert.equal(adopt(routes.none!, { istio: false }).settings.istio, undefined);
        assert.match(adopt(routes.none!, { istio: undefined }).notes.join(), /do not say whether the kof namespace/);
        const contrary = adopt(routes.regional!, { istio: true });
        assert.equal(contrary.settings.istio, false);
        assert.match(contrary.notes.join(), /outside the Istio mesh, but kof has the label/);
    });

    it("works out the IAM OIDC provider from the issuer of the cluster", () => {
        const oidcProviderArn = "arn:aws-cn:iam::123456789012:oidc-provider/oidc.example.net/id/1";
        const cloudwatch = { region: "cn-north-1", credentials: { kind: "irsa", oidcProviderArn } };
        const { settings } = adopt(
            { route: "cloudwatch", cloudwatch },
            { istio: false, issuer: "https://oidc.example.net/id/1" },
        );
        assert.deepEqual((settings.cloudwatch as any).credentials, { kind: "irsa", oidcProviderArn });
    });
});
