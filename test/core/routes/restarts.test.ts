import assert from "node:assert/strict";

import { versions } from "../../../core/charts";
import { valueAt } from "../../../core/lib/values";
import { effectiveCollectors } from "../../../core/collectors/effective";
import { startAnnotation } from "../../../core/charts/restarts";
import { cases, hasRegionless, deploymentFor, routes, type Raw } from "../../support";

const role = (account: string) => `arn:aws:iam::${account}:oidc-provider/oidc.example.net`;
const cloudwatch = (more: object) => ({ route: "cloudwatch", cloudwatch: { region: "us-east-2", ...more } });
const credentials = (kind: string, more: object) => cloudwatch({ credentials: { kind, ...more } });
const otlp = (more: object) => ({ route: "otlp", otlp: { endpoint: "https://otlp.example.net", ...more } });

/** What pods read at their start only: before and after, and whether a version has the program say so at all. */
const changes: Readonly<Record<string, readonly [Raw, Raw, string]>> = {
    "the generation of an access key": [
        credentials("accessKey", { generations: ["1"] }),
        credentials("accessKey", { generations: ["1", "2"] }),
        "access key 2",
    ],
    "the cluster of a role by Pod Identity": [
        credentials("podIdentity", { clusterName: "mgmt-a" }),
        credentials("podIdentity", { clusterName: "mgmt-b" }),
        "role of EKS cluster mgmt-b in us-east-2",
    ],
    "the region of that cluster": [
        credentials("podIdentity", { clusterName: "mgmt-a" }),
        credentials("podIdentity", { clusterName: "mgmt-a", region: "eu-west-1" }),
        "role of EKS cluster mgmt-a in eu-west-1",
    ],
    "the role of a service account": [
        credentials("irsa", { oidcProviderArn: role("111111111111") }),
        credentials("irsa", { oidcProviderArn: role("222222222222") }),
        "role arn:aws:iam::222222222222:role/kof/kof-cloudwatch-mothership",
    ],
    "the way to get a role": [
        credentials("irsa", { oidcProviderArn: role("111111111111") }),
        credentials("podIdentity", { clusterName: "mgmt-a" }),
        "role of EKS cluster mgmt-a in us-east-2",
    ],
    "a Secret with a key": [
        credentials("existingSecret", { name: "a" }),
        credentials("existingSecret", { name: "b" }),
        "Secret b",
    ],
    "an endpoint of AWS": [
        credentials("existingSecret", { name: "a" }),
        cloudwatch({ endpoint: "https://logs.example.net", credentials: { kind: "existingSecret", name: "a" } }),
        "Secret a, endpoint https://logs.example.net",
    ],
    "an endpoint of OTLP": [
        otlp({}),
        otlp({ endpoint: "https://other.example.net" }),
        "endpoint https://other.example.net",
    ],
    "the Secret with headers": [
        otlp({ headersSecret: "a" }),
        otlp({ headersSecret: "b" }),
        "endpoint https://otlp.example.net, Authorization of Secret b",
    ],
    "the headers of a Secret": [
        otlp({ headersSecret: "a" }),
        otlp({ headersSecret: "a", headers: ["x-api-key", "x-team"] }),
        "endpoint https://otlp.example.net, x-api-key and x-team of Secret a",
    ],
    "the Secret with a CA": [
        otlp({ tls: { caSecret: "a" } }),
        otlp({ tls: { caSecret: "b" } }),
        "endpoint https://otlp.example.net, CA of Secret b",
    ],
};

/** What each collector of a stack is annotated with. */
function annotated(raw: Raw): Record<string, unknown> {
    return Object.fromEntries(
        effectiveCollectors(deploymentFor(raw)).map(({ key, pods }) => [
            key,
            valueAt(pods, ["podAnnotations", startAnnotation]),
        ]),
    );
}
const each = (text: string | undefined) =>
    Object.fromEntries(["cluster", "controller-k0s", "daemon", "target-allocator"].map((key) => [key, text]));

describe("what the collectors read at their start only", () => {
    for (const [what, [from, to, text]] of Object.entries(changes)) {
        it(`restarts all of them when it changes: ${what}`, () => {
            for (const version of versions) {
                assert.deepEqual(annotated({ ...to, version }), each(text), version);
                assert.notDeepEqual(annotated({ ...from, version }), each(text), version);
            }
        });
    }

    it("is the credentials of a region, which KOF's own templates watch from 1.10 on", () => {
        for (const version of versions) {
            const raw = { ...routes.regional, version };
            const own = hasRegionless(version) ? undefined : "Secret kof-vmuser-creds-admin-1108149986";
            assert.deepEqual(annotated(raw), each(own), version);
            for (const { pods } of effectiveCollectors(deploymentFor(raw))) {
                const kofs = valueAt(pods, ["podAnnotations", "k0rdent.mirantis.com/kof-vmuser-secret-version"]);
                assert.equal(kofs === undefined, !hasRegionless(version));
            }
        }
    });

    it("is also that of a further destination, with either installer of the collectors", () => {
        for (const version of versions) {
            const beside = {
                ...credentials("accessKey", { generations: ["1", "2"] }),
                route: "management",
                signals: { logs: ["management", "cloudwatch"], audit: ["management", "cloudwatch"] },
                version,
            };
            assert.deepEqual(annotated(beside), each("access key 2"), version);
            const toRegion = { ...routes.regional, signals: { logs: ["management", "regional"] }, version };
            assert.deepEqual(annotated(toRegion), each("Secret kof-vmuser-creds-admin-1108149986"), version);
        }
    });

    it("is the role of one cluster alone, however long the names of two are", () => {
        const roleName = (clusterName: string) =>
            deploymentFor({ ...credentials("irsa", { oidcProviderArn: role("111111111111") }), clusterName }).cloudwatch
                ?.roleName;
        const alike = "a".repeat(62);
        const [one, two] = [roleName(`${alike}1`), roleName(`${alike}2`)];
        assert.notEqual(one, two);
        for (const name of [one, two]) {
            assert.match(name!, /^kof-cloudwatch-a{40}-[0-9a-f]{8}$/, "of 64 characters, which is all that AWS takes");
        }
        // As long as it may be without a checksum.
        assert.equal(roleName("b".repeat(49)), `kof-cloudwatch-${"b".repeat(49)}`);
    });

    it("stays the same while an older key is dropped, so that nothing restarts", () => {
        assert.deepEqual(
            deploymentFor(credentials("accessKey", { generations: ["1", "2"] })).values,
            deploymentFor(credentials("accessKey", { generations: ["2"] })).values,
        );
    });

    it("is nothing on routes that stay in the cluster, whose pods are not annotated", () => {
        for (const { raw } of cases.filter((one) =>
            ["none", "management", "regionless"].includes(`${one.raw.route}`),
        )) {
            assert.doesNotMatch(JSON.stringify(deploymentFor(raw).values), /read-at-start/);
        }
    });

    it("is added to annotations of the user and of the charts, and is not the user's to change", () => {
        const annotations = (podAnnotations: object) => ({
            "kof-collectors": { values: { "opentelemetry-kube-stack": { defaultCRConfig: { podAnnotations } } } },
        });
        for (const version of ["1.8.0", "1.8.1", "1.9.0"]) {
            const values = annotations({ "example.net/team": "platform" });
            const collectors = effectiveCollectors(deploymentFor({ ...routes.regional, version, values }));
            for (const { key, pods } of collectors) {
                const found = pods.podAnnotations as Record<string, string>;
                assert.equal(found["example.net/team"], "platform", `${version} ${key}`);
                assert.match(found[startAnnotation]!, /^Secret /);
                assert.ok(key !== "daemon" || found["prometheus.io/ip4"] !== undefined);
            }
        }
        assert.throws(
            () => deploymentFor({ ...routes.cloudwatch, values: annotations({ [startAnnotation]: "mine" }) }),
            /podAnnotations\.kof-storage-routes\/read-at-start is decided by kof:route\. Remove it from values/,
        );
    });
});
